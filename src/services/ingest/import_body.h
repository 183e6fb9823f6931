#pragma once
#include "base/error.h"
#include "record/record.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The import of records from outside: POST /opentrail/v1/records (docs/decisions/012-import.md).
namespace opentrail::services::ingest {

struct ImportLimits {
  /// Of the body as it is sent, and again of the body when it is unpacked.
  std::size_t body_bytes_max = 16 << 20;
  /// Tiny objects cost far more memory parsed than sent.
  std::size_t records_max = 10'000;
  /// Lines that the answer lists; the counts are always of all.
  std::size_t results_max = 1000;
  /// Imports that are read or wait for their turn; more are pushed back (503).
  int imports_waiting_max = 4;
};

/// What was found in one body, in its order.
struct ImportBody {
  struct Item {
    std::uint64_t line = 0;  ///< 1-based, of the item's first byte in the unpacked body.
    record::Record record;
  };
  struct Broken {
    std::uint64_t line = 0;  ///< 0 when it is not known.
    std::string message;
  };
  std::vector<Item> items;
  /// Objects that are not records; last, where the body itself breaks off, the break.
  std::vector<Broken> invalid;
  std::uint64_t digests = 0;  ///< Digest files: they hold no records.
};

/// Unpacks and cuts a body of any form that record::RecordSplitter takes. `content_encoding`: "",
/// "identity" or "gzip", any case. `arrival` stands in for unreadable event times. A body that
/// breaks off after at least one record is not an error: what came before counts. Pure; computes,
/// so not for I/O threads.
/// Errors: Unsupported (encoding), ResourceExhausted (larger than the limits), InvalidArgument (no
/// gzip, or not one record before the text breaks).
[[nodiscard]] Result<ImportBody> read_import_body(std::string_view body,
                                                  std::string_view content_encoding,
                                                  const ImportLimits& limits, Timestamp arrival);

}  // namespace opentrail::services::ingest

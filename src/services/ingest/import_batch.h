#pragma once
#include "record/record.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The import of records from outside: POST /opentrail/v1/records (docs/decisions/012-import.md).
namespace opentrail::services::ingest {

/// What an import may take of the server.
struct ImportLimits {
  /// A body that is held until its signature is checked, as it is sent. Streams have no such bound.
  std::size_t held_bytes_max = 64 << 20;
  /// Of a stream whose chunks are signed; a chunk is held until its signature is checked.
  std::size_t chunk_bytes_max = 8 << 20;
  /// Of one body: a bound on work, not on memory.
  std::uint64_t unpacked_bytes_max = 16ULL << 30;
  /// What goes to the journal at once. Two batches of each import are in memory.
  std::size_t batch_records_max = 4096;
  std::size_t batch_bytes_max = 4 << 20;
  /// Of a stream that is slow: what is older is stored with the next bytes that come.
  std::chrono::milliseconds batch_age_max{1000};
  /// Appended, but not durable yet, of all imports. Less than the journal's queue, of which calls
  /// need the rest.
  std::size_t unstored_bytes_max = 24 << 20;
  /// How long an import waits for the journal to take a batch, and for what it appended to be
  /// searchable.
  std::chrono::milliseconds patience{30'000};
  /// More are pushed back (503) before their body is read.
  int imports_max = 4;
  /// Lines that the answer lists; the counts are always of all.
  std::size_t results_max = 1000;
  /// Runs of equal statuses that an answer with all of them holds.
  std::size_t status_runs_max = 100'000;
};

/// reason() of errors whose code alone does not say what went wrong.
inline constexpr std::string_view kClientFailed = "ClientFailed";  ///< It stopped sending.
inline constexpr std::string_view kBodyTooLarge = "BodyTooLarge";  ///< As opposed to a full disk.

/// Records that follow each other in a body, parsed.
struct ImportBatch {
  struct Item {
    std::uint64_t line = 0;  ///< 1-based, of the item's first byte in the unpacked body.
    record::Record record;
  };
  struct Broken {
    std::uint64_t line = 0;
    std::string message;
    std::size_t items_before = 0;  ///< How many of `items` come before it.
  };
  std::vector<Item> items;
  /// Objects that are not records; last, where the body itself breaks off, the break.
  std::vector<Broken> invalid;
  bool broken_off = false;    ///< The last of `invalid` is the break.
  std::uint64_t digests = 0;  ///< Digest files: they hold no records.
  std::size_t bytes = 0;      ///< About what it takes in memory.

  [[nodiscard]] bool empty() const { return items.empty() && invalid.empty() && digests == 0; }
};

}  // namespace opentrail::services::ingest

#pragma once
#include "base/error.h"
#include "collect/unpack.h"
#include "record/splitter.h"
#include "services/ingest/import_batch.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace opentrail::services::ingest {

/// Makes batches of records out of one body of any form that record::RecordSplitter takes, in the
/// memory of about a batch: unpacks, cuts, parses. A broken line of NDJSON is an invalid item. A
/// body that breaks off after at least one record is not an error: what came before counts, and the
/// break is told as an invalid item. Computes, so not for I/O threads; one thread at a time.
class ImportReader {
 public:
  /// `arrival` stands in for unreadable event times. `limits` outlive it.
  ImportReader(collect::Coding coding, const ImportLimits& limits, Timestamp arrival);
  ImportReader(const ImportReader&) = delete;
  ImportReader& operator=(const ImportReader&) = delete;

  /// Takes from the front of `packed` until `batch` is full (true: call it again with the rest,
  /// also when that is empty) or all is taken (false). The bytes must stay until then.
  /// Errors: InvalidArgument (not what the coding says, or not one record before the text breaks),
  /// ResourceExhausted (unpacks to more than the limit). What `batch` holds then is still good.
  [[nodiscard]] Result<bool> take(std::string_view& packed, ImportBatch& batch);
  /// The end of the body. Errors: as take().
  [[nodiscard]] Result<void> finish(ImportBatch& batch);
  /// The body broke off, or is larger than the limit: what follows is not looked at.
  [[nodiscard]] bool broken_off() const { return broken_off_; }

 private:
  Result<bool> cut(ImportBatch& batch);
  Result<void> take_item(const record::RecordSplitter::Item& item);
  Result<void> take_broken(const record::RecordSplitter::BrokenLines& lines);
  Result<void> break_off(Error error, ImportBatch& batch);
  [[nodiscard]] bool is_full(const ImportBatch& batch) const;
  void count_digests(ImportBatch& batch);

  const ImportLimits& limits_;
  const Timestamp arrival_;
  const std::unique_ptr<collect::Unpacker> unpacker_;
  record::RecordSplitter splitter_;
  std::string_view unpacked_;     ///< Not cut yet.
  ImportBatch* batch_ = nullptr;  ///< Being filled.
  std::uint64_t unpacked_bytes_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t digests_ = 0;
  bool broken_off_ = false;
};

}  // namespace opentrail::services::ingest

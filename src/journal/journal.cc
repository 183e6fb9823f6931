#include "journal/journal.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "journal/block.h"
#include "journal/recovery.h"
#include "journal/segment_set.h"

#include <algorithm>
#include <deque>
#include <future>
#include <thread>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

/// A batch from append() until its end.
struct Pending {
  std::vector<record::Record> records;
  Offset first{0};
  Journal::Done done;
  std::size_t bytes = 0;

  [[nodiscard]] Offset end() const { return first + records.size(); }
};

struct Metrics {
  metrics::Counter records =
      metrics::counter("opentrail_journal_records_total", "Records made durable in the journal");
  metrics::Counter bytes = metrics::counter("opentrail_journal_written_bytes_total",
                                            "Bytes of journal blocks made durable");
  metrics::Counter commits =
      metrics::counter("opentrail_journal_commits_total", "Group commits, one fdatasync each");
  metrics::Counter refused = metrics::counter("opentrail_journal_refused_batches_total",
                                              "Batches refused because the queue was full");
  metrics::Gauge queue_bytes = metrics::gauge("opentrail_journal_queue_bytes",
                                              "Bytes of records that wait or are being written");
  metrics::Gauge failed = metrics::gauge("opentrail_journal_failed",
                                         "1 after a failed write or fsync: appends are refused");
};

class EmbeddedJournal final : public Journal {
 public:
  EmbeddedJournal(io::Filesystem& files, JournalOptions options, RecoveredFolder recovered)
      : files_(files),
        options_(std::move(options)),
        recovery_(std::move(recovered.report)),
        active_(std::move(recovered.active)),
        active_bytes_(recovered.segments.back().bytes),
        commit_position_(active_bytes_),
        written_end_(recovered.segments.back().end_offset),
        segments_(files, options_.folder, std::move(recovered.segments)),
        end_(written_end_) {
    metrics_.failed.set(0);
    writer_ = std::thread([this] { run(); });
  }
  ~EmbeddedJournal() override { shut_down(); }
  EmbeddedJournal(const EmbeddedJournal&) = delete;
  EmbeddedJournal& operator=(const EmbeddedJournal&) = delete;

  Result<Offset> append(std::vector<record::Record> batch, Done done) override;
  [[nodiscard]] std::optional<Error> failure() const override;
  [[nodiscard]] Offset end() const override;
  [[nodiscard]] Offset durable_end() const override { return segments_.durable_end(); }
  [[nodiscard]] Offset begin() const override { return segments_.begin(); }
  Result<void> wait_durable(Offset offset, std::chrono::milliseconds timeout) override;
  Result<std::vector<StoredRecord>> read(Offset from, std::size_t bytes_max) override {
    return segments_.read(from, bytes_max);
  }
  void on_commit(std::function<void(Offset durable_end)> listener) override;
  Result<void> drop_before(Offset offset) override { return segments_.drop_before(offset); }
  [[nodiscard]] const RecoveryReport& recovery() const override { return recovery_; }
  void stop() override { shut_down(); }

 private:
  void shut_down();

  // The writer's thread.
  void run();
  [[nodiscard]] bool take_waiting();
  Result<void> write_taken();
  Result<void> write_block();
  Result<void> rotate();
  Result<void> commit();
  void acknowledge(std::uint64_t records, std::uint64_t bytes);
  void poison(const Error& cause);

  io::Filesystem& files_;
  const JournalOptions options_;
  const RecoveryReport recovery_;
  Metrics metrics_;

  // The writer's alone.
  std::unique_ptr<io::File> active_;
  std::uint64_t active_bytes_;
  std::uint64_t commit_position_;  ///< Everything before it in the active segment is durable.
  Offset written_end_;
  std::vector<SparseIndex::Place> written_blocks_;  ///< Since the last commit.
  BlockPacker packer_;
  std::deque<Pending> taken_;
  std::deque<Pending> unacknowledged_;  ///< Packed, at least in part, but not yet durable.

  SegmentSet segments_;  ///< Its lock may be taken while mutex_ is held, not the other way.

  mutable Mutex mutex_;
  Condition work_;     ///< For the writer: the queue is not empty, or stop.
  Condition changed_;  ///< For those who wait: a commit, a failure or the writer's end.
  std::deque<Pending> queue_ GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;  ///< Of all batches not yet durable.
  Offset end_ GUARDED_BY(mutex_);
  std::vector<std::function<void(Offset)>> listeners_ GUARDED_BY(mutex_);
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool writer_ended_ GUARDED_BY(mutex_) = false;

  Mutex join_mutex_;
  std::thread writer_ GUARDED_BY(join_mutex_);
};

Result<Offset> EmbeddedJournal::append(std::vector<record::Record> batch, Done done) {
  if (batch.empty()) {
    return fail(ErrorCode::InvalidArgument, "journal: an empty batch");
  }
  std::size_t bytes = 0;
  for (const record::Record& record : batch) {
    OT_TRY_DO(check_storable(record));
    bytes += sizeof(record::Record) + stored_bytes(record);
  }
  const MutexLock lock(mutex_);
  if (failure_) {
    return std::unexpected(*failure_);
  }
  if (stopping_) {
    return fail(ErrorCode::Unavailable, "journal: stopped");
  }
  const std::size_t left =
      options_.queue_bytes_max - std::min(options_.queue_bytes_max, waiting_bytes_);
  if (waiting_bytes_ > 0 && bytes > left) {
    metrics_.refused.add();
    return fail(
        ErrorCode::Throttled,
        fmt::format("journal: {} bytes wait to be written; try again later", waiting_bytes_));
  }
  const Offset first = end_;
  end_ = end_ + batch.size();
  waiting_bytes_ += bytes;
  metrics_.queue_bytes.set(static_cast<double>(waiting_bytes_));
  queue_.push_back({std::move(batch), first, std::move(done), bytes});
  work_.notify_one();
  return first;
}

std::optional<Error> EmbeddedJournal::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

Offset EmbeddedJournal::end() const {
  const MutexLock lock(mutex_);
  return end_;
}

Result<void> EmbeddedJournal::wait_durable(Offset offset, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  bool in_time = true;
  while (segments_.durable_end() < offset) {
    if (failure_) {
      return std::unexpected(*failure_);
    }
    if (writer_ended_) {
      return fail(ErrorCode::Unavailable, "journal: stopped");
    }
    if (!in_time) {
      return fail(ErrorCode::Timeout,
                  fmt::format("journal: record {} is not durable yet", value(offset)));
    }
    in_time = changed_.wait_until(mutex_, deadline);
  }
  return {};
}

void EmbeddedJournal::on_commit(std::function<void(Offset durable_end)> listener) {
  const MutexLock lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void EmbeddedJournal::shut_down() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    work_.notify_one();
  }
  const MutexLock lock(join_mutex_);
  if (writer_.joinable()) {
    writer_.join();
  }
}

void EmbeddedJournal::run() {
  while (take_waiting()) {
    if (const auto written = write_taken(); !written) {
      poison(written.error());
      break;
    }
  }
  const MutexLock lock(mutex_);
  writer_ended_ = true;
  changed_.notify_all();
}

/// Waits for work and takes all of it; false when the journal stops and nothing waits.
bool EmbeddedJournal::take_waiting() {
  const MutexLock lock(mutex_);
  while (queue_.empty() && !stopping_) {
    work_.wait(mutex_);
  }
  taken_.swap(queue_);
  return !taken_.empty();
}

Result<void> EmbeddedJournal::write_taken() {
  const std::size_t block_bytes_max = std::min(options_.block_bytes_max, kBlockPlainBytesMax);
  while (!taken_.empty()) {
    unacknowledged_.push_back(std::move(taken_.front()));
    taken_.pop_front();
    // Stays where it is: a commit on the way acknowledges only batches that are written whole.
    const Pending& batch = unacknowledged_.back();
    for (const record::Record& record : batch.records) {
      if (packer_.record_count() > 0 && packer_.bytes() + stored_bytes(record) > block_bytes_max) {
        OT_TRY_DO(write_block());
      }
      packer_.add(record);
    }
  }
  OT_TRY_DO(write_block());
  return commit();
}

Result<void> EmbeddedJournal::write_block() {
  const PackedBlock block = packer_.pack();
  if (active_bytes_ > 0 && active_bytes_ + block.block_bytes() > options_.segment_bytes_max) {
    OT_TRY_DO(commit());
    OT_TRY_DO(rotate());
  }
  OT_TRY_DO(active_->append(as_bytes(block.to_bytes(written_end_, commit_position_))));
  written_blocks_.push_back({written_end_, active_bytes_});
  active_bytes_ += block.block_bytes();
  written_end_ = written_end_ + block.header.record_count;
  return {};
}

/// The active segment must be durable to its last byte: only the last one may have a torn tail.
Result<void> EmbeddedJournal::rotate() {
  OT_TRY(active_, create_segment(files_, options_.folder, written_end_));
  active_bytes_ = 0;
  commit_position_ = 0;
  segments_.begin_segment({.path = io::join_path(options_.folder, segment_name(written_end_)),
                           .first_offset = written_end_,
                           .end_offset = written_end_,
                           .bytes = 0,
                           .index = {}});
  return {};
}

Result<void> EmbeddedJournal::commit() {
  if (written_blocks_.empty()) {
    return {};
  }
  OT_TRY_DO(active_->sync());
  const std::uint64_t records = value(written_end_) - value(written_blocks_.front().first_offset);
  const std::uint64_t bytes = active_bytes_ - commit_position_;
  segments_.committed({written_end_, active_bytes_, std::move(written_blocks_)});
  written_blocks_.clear();
  commit_position_ = active_bytes_;
  acknowledge(records, bytes);
  return {};
}

/// Tells all who wait for what has just become durable.
void EmbeddedJournal::acknowledge(std::uint64_t records, std::uint64_t bytes) {
  std::vector<Pending> acknowledged;
  std::size_t acknowledged_bytes = 0;
  while (!unacknowledged_.empty() && unacknowledged_.front().end() <= written_end_) {
    acknowledged_bytes += unacknowledged_.front().bytes;
    acknowledged.push_back(std::move(unacknowledged_.front()));
    unacknowledged_.pop_front();
  }
  std::vector<std::function<void(Offset)>> listeners;
  {
    const MutexLock lock(mutex_);
    waiting_bytes_ -= acknowledged_bytes;
    metrics_.queue_bytes.set(static_cast<double>(waiting_bytes_));
    listeners = listeners_;
    changed_.notify_all();
  }
  metrics_.commits.add();
  metrics_.records.add(static_cast<double>(records));
  metrics_.bytes.add(static_cast<double>(bytes));
  for (const Pending& batch : acknowledged) {
    if (batch.done) {
      batch.done(batch.first);
    }
  }
  for (const auto& listener : listeners) {
    listener(written_end_);
  }
}

/// What was being written may or may not be on disk, and no later sync of the file would tell: the
/// journal is not written again before it has been read anew.
void EmbeddedJournal::poison(const Error& cause) {
  const Error failure(
      ErrorCode::Unavailable,
      fmt::format("the journal failed and must be opened again: {}", cause.message()),
      std::string(to_string(cause.code())));
  log::error("{}", failure.message());
  metrics_.failed.set(1);
  {
    const MutexLock lock(mutex_);
    failure_ = failure;
    std::ranges::move(taken_, std::back_inserter(unacknowledged_));
    std::ranges::move(queue_, std::back_inserter(unacknowledged_));
    taken_.clear();
    queue_.clear();
    waiting_bytes_ = 0;
    metrics_.queue_bytes.set(0);
    changed_.notify_all();
  }
  for (const Pending& batch : unacknowledged_) {
    if (batch.done) {
      batch.done(std::unexpected(failure));
    }
  }
  unacknowledged_.clear();
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(io::Filesystem& files, JournalOptions options) {
  auto recovered = recover_folder(files, options.folder);
  if (!recovered) {
    return std::unexpected(std::move(recovered).error().while_doing("open the journal"));
  }
  return std::make_unique<EmbeddedJournal>(files, std::move(options), *std::move(recovered));
}

Result<Offset> Journal::append_and_wait(std::vector<record::Record> batch) {
  // Shared: the journal's thread may still be inside set_value() when this call returns.
  const auto outcome = std::make_shared<std::promise<Result<Offset>>>();
  auto future = outcome->get_future();
  OT_TRY_DO(append(std::move(batch),
                   [outcome](Result<Offset> result) { outcome->set_value(std::move(result)); }));
  return future.get();
}

}  // namespace opentrail::journal

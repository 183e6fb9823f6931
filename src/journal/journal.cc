#include "journal/journal.h"

#include "base/checksum.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "journal/block.h"
#include "journal/dictionary_trainer.h"
#include "journal/recent_batches.h"
#include "journal/recovery.h"
#include "journal/segment_set.h"
#include "journal/segment_writer.h"

#include <algorithm>
#include <deque>
#include <future>
#include <thread>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

/// A batch from append() until its end.
struct Pending {
  RecordRun run;
  Journal::Done done;
  std::size_t bytes = 0;
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
  metrics::Gauge failed =
      metrics::gauge("opentrail_journal_failed", "1 while nothing can be written: appends fail");
};

class EmbeddedJournal final : public Journal {
 public:
  EmbeddedJournal(io::Filesystem& files, JournalOptions options, RecoveredFolder recovered)
      : options_(std::move(options)),
        recovery_(std::move(recovered.report)),
        writer_(files, writer_options(options_), writer_start(options_, recovered)),
        trainer_(writer_.dictionary() ? 0 : options_.dictionary_sample_bytes),
        recent_(options_.recent_bytes_max),
        segments_(files, options_.folder, std::move(recovered.segments)),
        end_(writer_.end_offset()) {
    metrics_.failed.set(0);
    if (writer_.dictionary()) {
      (void)segments_.share(writer_.dictionary());  // read with the one that is written with
    }
    thread_ = std::thread([this] { run(); });
  }
  ~EmbeddedJournal() override { shut_down(); }
  EmbeddedJournal(const EmbeddedJournal&) = delete;
  EmbeddedJournal& operator=(const EmbeddedJournal&) = delete;

  Result<Offset> append(std::vector<record::Record> batch, Done done) override {
    return enqueue(std::move(batch), std::move(done), true);
  }
  Result<Offset> append_soon(std::vector<record::Record> batch, Done done) override {
    return enqueue(std::move(batch), std::move(done), false);
  }
  [[nodiscard]] std::optional<Error> failure() const override;
  [[nodiscard]] Offset end() const override;
  std::uint64_t times_taken_back() const override EXCLUDES(mutex_);
  [[nodiscard]] Offset durable_end() const override { return segments_.durable_end(); }
  [[nodiscard]] Offset begin() const override { return segments_.begin(); }
  Result<void> wait_durable(Offset offset, std::chrono::milliseconds timeout) override;
  Result<std::vector<StoredRecord>> read(Offset from, std::size_t bytes_max) override;
  Result<std::vector<RawBlock>> read_blocks(Offset from, std::size_t bytes_max) override {
    return segments_.read_blocks(from, bytes_max);
  }
  Result<std::optional<RecordRun>> read_run(Offset from) override;
  void on_commit(std::function<void(Offset durable_end)> listener) override;
  Result<void> drop_before(Offset offset) override { return segments_.drop_before(offset); }
  [[nodiscard]] const RecoveryReport& recovery() const override { return recovery_; }
  void stop() override { shut_down(); }

 private:
  Result<Offset> enqueue(std::vector<record::Record> batch, Done done, bool hurry);
  void hurry() REQUIRES(mutex_);
  void shut_down();

  static SegmentWriter::Options writer_options(const JournalOptions& options);
  SegmentWriter::Start writer_start(const JournalOptions& options, RecoveredFolder& recovered);
  /// What read_run() gives, for an offset that is durable.
  Result<RecordRun> run_at(Offset from);

  // The writer's thread.
  enum class Work : std::uint8_t { Write, Probe, None };
  void run();
  [[nodiscard]] Work wait_for_work();
  Result<void> write_taken();
  Result<void> begin_segment();
  Result<void> commit();
  Result<void> probe();
  void acknowledge(std::uint64_t bytes);
  void take_trained_dictionary();
  void train_dictionary(std::size_t appended_bytes);
  /// False when the journal must not be written again.
  [[nodiscard]] bool settle(const Error& cause);
  void take_back(const Error& cause);
  void poison(const Error& cause);
  void fail_waiting(const Error& failure, bool for_good);

  const JournalOptions options_;
  const RecoveryReport recovery_;
  Metrics metrics_;

  // The writer's alone.
  SegmentWriter writer_;
  DictionaryTrainer trainer_;
  std::deque<Pending> taken_;
  std::deque<Pending> unacknowledged_;  ///< Given to writer_, whole but for the last one.

  RecentBatches recent_;
  SegmentSet segments_;  ///< Its lock may be taken while mutex_ is held, not the other way.

  mutable Mutex mutex_;
  Condition work_;     ///< For the writer: the queue is not empty, or stop.
  Condition changed_;  ///< For those who wait: a commit, a failure or the writer's end.
  std::deque<Pending> queue_ GUARDED_BY(mutex_);
  bool hurried_ GUARDED_BY(mutex_) = false;  ///< Somebody waits for what is in the queue.
  /// The latest that it is written, in a hurry or not.
  std::chrono::steady_clock::time_point write_at_ GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;  ///< Of all batches not yet durable.
  Offset end_ GUARDED_BY(mutex_);
  std::vector<std::function<void(Offset)>> listeners_ GUARDED_BY(mutex_);
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  bool failed_for_good_ GUARDED_BY(mutex_) = false;
  std::uint64_t times_taken_back_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool writer_ended_ GUARDED_BY(mutex_) = false;

  Mutex join_mutex_;
  std::thread thread_ GUARDED_BY(join_mutex_);
};

SegmentWriter::Options EmbeddedJournal::writer_options(const JournalOptions& options) {
  return {.folder = options.folder,
          .segment_bytes_max = options.segment_bytes_max,
          .block_bytes_max = options.block_bytes_max};
}

SegmentWriter::Start EmbeddedJournal::writer_start(const JournalOptions& options,
                                                   RecoveredFolder& recovered) {
  const Segment& last = recovered.segments.back();
  return {.active = std::move(recovered.active),
          .active_bytes = last.bytes,
          .has_dictionary = last.has_dictionary,
          .is_version_1 = recovered.active_is_version_1,
          .first_offset = last.first_offset,
          .end_offset = last.end_offset,
          .dictionary = recovered.dictionary ? recovered.dictionary : options.dictionary};
}

Result<Offset> EmbeddedJournal::enqueue(std::vector<record::Record> batch, Done done, bool hurry) {
  if (batch.empty()) {
    return fail(ErrorCode::InvalidArgument, "journal: an empty batch");
  }
  std::size_t bytes = 0;
  for (const record::Record& record : batch) {
    OT_TRY_DO(check_storable(record));
    bytes += sizeof(record::Record) + stored_bytes(record);
  }
  auto records = std::make_shared<const std::vector<record::Record>>(std::move(batch));
  const MutexLock lock(mutex_);
  if (failure_ && failed_for_good_) {
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
  end_ = end_ + records->size();
  waiting_bytes_ += bytes;
  metrics_.queue_bytes.set(static_cast<double>(waiting_bytes_));
  const bool is_first = queue_.empty();
  queue_.push_back({{first, std::move(records)}, std::move(done), bytes});
  if (hurry || waiting_bytes_ > options_.queue_bytes_max / 2) {
    this->hurry();
  } else if (is_first) {
    write_at_ = std::chrono::steady_clock::now() + options_.soon_delay;
    work_.notify_one();
  }
  return first;
}

/// What waits is written as soon as the writer can.
void EmbeddedJournal::hurry() {
  hurried_ = true;
  work_.notify_one();
}

std::optional<Error> EmbeddedJournal::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

Offset EmbeddedJournal::end() const {
  const MutexLock lock(mutex_);
  return end_;
}

std::uint64_t EmbeddedJournal::times_taken_back() const {
  const MutexLock lock(mutex_);
  return times_taken_back_;
}

Result<void> EmbeddedJournal::wait_durable(Offset offset, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  const std::uint64_t taken_back_before = times_taken_back_;
  bool in_time = true;
  while (segments_.durable_end() < offset) {
    if (!queue_.empty() && !hurried_) {
      hurry();
    }
    const bool hopeless =
        failed_for_good_ || times_taken_back_ != taken_back_before || end_ < offset;
    if (failure_ && hopeless) {
      return std::unexpected(*failure_);
    }
    if (times_taken_back_ != taken_back_before) {
      return fail(
          ErrorCode::ResourceExhausted,
          fmt::format("journal: record {} was taken back while the disk was full", value(offset)));
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
  if (thread_.joinable()) {
    thread_.join();
  }
}

// ---- reading

Result<RecordRun> EmbeddedJournal::run_at(Offset from) {
  if (auto recent = recent_.find(from)) {
    return *std::move(recent);
  }
  OT_TRY(const auto blocks, segments_.read_blocks(from, 1));
  OT_CHECK(!blocks.empty());
  OT_TRY(const auto decoded, blocks.front().decode());
  OT_TRY(auto records, decoded.records());
  return RecordRun{blocks.front().first,
                   std::make_shared<const std::vector<record::Record>>(std::move(records))};
}

Result<std::optional<RecordRun>> EmbeddedJournal::read_run(Offset from) {
  if (from >= durable_end()) {
    return std::nullopt;
  }
  if (from < begin()) {
    return fail(ErrorCode::NotFound,
                fmt::format("journal: record {} was dropped; the first kept is {}", value(from),
                            value(begin())));
  }
  OT_TRY(auto run, run_at(from));
  return run;
}

namespace {

/// What read() collects.
class Reading {
 public:
  Reading(Offset from, std::size_t bytes_max) : next_(from), bytes_max_(bytes_max) {}

  [[nodiscard]] Offset next() const { return next_; }
  [[nodiscard]] bool full() const { return !records_.empty() && bytes_ >= bytes_max_; }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  /// Blocks are a fraction of their records; what is read beyond need is decompressed for nothing.
  [[nodiscard]] std::size_t payload_bytes_wanted() const {
    constexpr std::size_t kReadBytesMax = 256 << 10;
    return std::min(kReadBytesMax, (bytes_max_ - std::min(bytes_, bytes_max_)) / 8);
  }
  /// Takes the record over, or copies it.
  template <typename T>
  void add(T&& record) {
    bytes_ += stored_bytes(record);
    records_.push_back({next_, std::forward<T>(record)});
    next_ = next_ + 1;
  }
  void add(const RecordRun& run) {
    for (auto i = value(next_) - value(run.first); i < run.records->size() && !full(); ++i) {
      add((*run.records)[i]);
    }
  }
  Result<void> add(const RawBlock& block) {
    OT_TRY(const auto decoded, block.decode());
    for (auto i = value(next_) - value(block.first); i < decoded.size() && !full(); ++i) {
      OT_TRY(auto record, decoded.record(i));
      add(std::move(record));
    }
    return {};
  }
  std::vector<StoredRecord> take() { return std::move(records_); }

 private:
  Offset next_;
  std::size_t bytes_ = 0;
  std::size_t bytes_max_;
  std::vector<StoredRecord> records_;
};

/// Adds what one step finds; false at the durable end.
Result<bool> read_some(SegmentSet& segments, const RecentBatches& recent, Reading& reading) {
  if (reading.next() >= segments.durable_end()) {
    return false;
  }
  if (const auto run = recent.find(reading.next()); run && reading.next() >= segments.begin()) {
    reading.add(*run);
    return true;
  }
  OT_TRY(const auto blocks, segments.read_blocks(reading.next(), reading.payload_bytes_wanted()));
  for (const RawBlock& block : blocks) {
    if (reading.full()) {
      break;
    }
    OT_TRY_DO(reading.add(block));
  }
  return !blocks.empty();
}

}  // namespace

Result<std::vector<StoredRecord>> EmbeddedJournal::read(Offset from, std::size_t bytes_max) {
  Reading reading(from, bytes_max);
  while (!reading.full()) {
    auto more = read_some(segments_, recent_, reading);
    // What stands before an error is good; a reader that goes on from there meets it first.
    if (!more && reading.empty()) {
      return std::unexpected(std::move(more).error());
    }
    if (!more || !*more) {
      break;
    }
  }
  return reading.take();
}

// ---- the writer's thread

void EmbeddedJournal::run() {
  for (Work work = wait_for_work(); work != Work::None; work = wait_for_work()) {
    const auto done = work == Work::Write ? write_taken() : probe();
    if (!done && !settle(done.error())) {
      break;
    }
  }
  const MutexLock lock(mutex_);
  writer_ended_ = true;
  changed_.notify_all();
}

/// Takes all that waits. None when the journal stops and nothing waits.
EmbeddedJournal::Work EmbeddedJournal::wait_for_work() {
  const MutexLock lock(mutex_);
  const auto retry = std::chrono::steady_clock::now() + options_.retry_interval;
  while (queue_.empty() && !stopping_) {
    if (!failure_) {
      work_.wait(mutex_);
    } else if (!work_.wait_until(mutex_, retry) && queue_.empty() && !stopping_) {
      return Work::Probe;
    }
  }
  while (!queue_.empty() && !hurried_ && !stopping_ && work_.wait_until(mutex_, write_at_)) {
  }
  hurried_ = false;
  taken_.swap(queue_);
  return taken_.empty() ? Work::None : Work::Write;
}

Result<void> EmbeddedJournal::write_taken() {
  take_trained_dictionary();
  while (!taken_.empty()) {
    // Between batches only: a commit is of whole ones, so that all of one or nothing is kept.
    if (writer_.wants_new_segment()) {
      OT_TRY_DO(commit());
      OT_TRY_DO(begin_segment());
    }
    unacknowledged_.push_back(std::move(taken_.front()));
    taken_.pop_front();
    for (const record::Record& record : *unacknowledged_.back().run.records) {
      OT_TRY_DO(writer_.add(record));
    }
  }
  return commit();
}

Result<void> EmbeddedJournal::begin_segment() {
  OT_TRY(auto segment, writer_.begin_segment());
  segments_.begin_segment(std::move(segment));
  return {};
}

Result<void> EmbeddedJournal::commit() {
  OT_TRY(const auto committed, writer_.commit());
  if (!committed) {
    return {};
  }
  const std::uint64_t bytes = committed->bytes - committed->position;
  // Before readers are told that the records are durable: they are to find them here.
  for (const Pending& batch : unacknowledged_) {
    recent_.add({batch.run, batch.bytes});
  }
  segments_.committed(*committed);
  acknowledge(bytes);
  return {};
}

/// Tells all who wait for what has just become durable.
void EmbeddedJournal::acknowledge(std::uint64_t bytes) {
  std::deque<Pending> acknowledged;
  acknowledged.swap(unacknowledged_);
  std::size_t acknowledged_bytes = 0;
  std::size_t records = 0;
  for (const Pending& batch : acknowledged) {
    acknowledged_bytes += batch.bytes;
    records += batch.run.records->size();
  }
  std::vector<std::function<void(Offset)>> listeners;
  {
    const MutexLock lock(mutex_);
    waiting_bytes_ -= acknowledged_bytes;
    metrics_.queue_bytes.set(static_cast<double>(waiting_bytes_));
    listeners = listeners_;
    failure_.reset();
    changed_.notify_all();
  }
  metrics_.failed.set(0);
  metrics_.commits.add();
  metrics_.records.add(static_cast<double>(records));
  metrics_.bytes.add(static_cast<double>(bytes));
  for (const Pending& batch : acknowledged) {
    if (batch.done) {
      batch.done(batch.run.first);
    }
  }
  for (const auto& listener : listeners) {
    listener(writer_.end_offset());
  }
  train_dictionary(acknowledged_bytes);
}

void EmbeddedJournal::train_dictionary(std::size_t appended_bytes) {
  if (!writer_.dictionary() && trainer_.appended(appended_bytes)) {
    trainer_.start(recent_.newest(trainer_.wanted_bytes()));
  }
}

void EmbeddedJournal::take_trained_dictionary() {
  if (auto dictionary = trainer_.take()) {
    writer_.set_dictionary(segments_.share(std::move(dictionary)));
  }
}

// ---- failures

bool EmbeddedJournal::settle(const Error& cause) {
  if (cause.code() != ErrorCode::ResourceExhausted) {
    poison(cause);
    return false;
  }
  if (const auto rolled_back = writer_.roll_back(); !rolled_back) {
    poison(rolled_back.error());
    return false;
  }
  take_back(cause);
  return true;
}

/// The disk is full, and everything that was not durable is off it again.
void EmbeddedJournal::take_back(const Error& cause) {
  const Error failure(
      ErrorCode::ResourceExhausted,
      fmt::format("the journal cannot write: {}; nothing of it was kept. Make room on the disk of "
                  "{} (or allow more open files) and try again; no restart is needed",
                  cause.message(), options_.folder));
  // Once, not for each batch that tries.
  if (!this->failure()) {
    log::error("{}", failure.message());
  }
  fail_waiting(failure, false);
}

/// What was being written may or may not be on disk, and no later sync of the file would tell: the
/// journal is not written again before it has been read anew.
void EmbeddedJournal::poison(const Error& cause) {
  const Error failure(
      ErrorCode::Unavailable,
      fmt::format("the journal failed and must be opened again: {}", cause.message()),
      cause.reason().empty() ? std::string(to_string(cause.code())) : cause.reason());
  log::error("{}", failure.message());
  fail_waiting(failure, true);
}

void EmbeddedJournal::fail_waiting(const Error& failure, bool for_good) {
  metrics_.failed.set(1);
  std::deque<Pending> failed;
  failed.swap(unacknowledged_);
  {
    const MutexLock lock(mutex_);
    failure_ = failure;
    failed_for_good_ = for_good;
    std::ranges::move(taken_, std::back_inserter(failed));
    std::ranges::move(queue_, std::back_inserter(failed));
    taken_.clear();
    queue_.clear();
    waiting_bytes_ = 0;
    metrics_.queue_bytes.set(0);
    if (!for_good) {
      end_ = segments_.durable_end();
      ++times_taken_back_;
    }
    changed_.notify_all();
  }
  for (const Pending& batch : failed) {
    if (batch.done) {
      batch.done(std::unexpected(failure));
    }
  }
}

Result<void> EmbeddedJournal::probe() {
  if (writer_.wants_new_segment()) {
    OT_TRY_DO(begin_segment());
  }
  OT_TRY_DO(writer_.probe());
  log::info("journal: the disk takes records again");
  metrics_.failed.set(0);
  const MutexLock lock(mutex_);
  failure_.reset();
  return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(io::Filesystem& files, JournalOptions options) {
  auto recovered = recover_folder(files, options.folder);
  if (!recovered) {
    return std::unexpected(std::move(recovered).error().while_doing("open the journal"));
  }
  return std::make_unique<EmbeddedJournal>(files, std::move(options), *std::move(recovered));
}

Result<DecodedBlock> RawBlock::decode() const {
  auto decoded = copyable
                     ? decode_block(codec, plain_bytes, record_count, payload, dictionary.get())
                     : decode_block_version_1(codec, plain_bytes, record_count, payload);
  if (!decoded) {
    return std::unexpected(std::move(decoded).error().while_doing(
        fmt::format("records {} to {}", value(first), value(end()))));
  }
  return decoded;
}

Result<std::vector<RawBlock>> Journal::read_blocks(Offset from, std::size_t bytes_max) {
  OT_TRY(const auto records, read(from, bytes_max));
  if (records.empty()) {
    return std::vector<RawBlock>();
  }
  BlockBuilder builder;
  for (const StoredRecord& stored : records) {
    if (!builder.has_room(stored.record, kBlockPlainBytesMax)) {
      break;
    }
    builder.add(stored.record);
  }
  EncodedBlock block = builder.finish(nullptr);
  const std::uint32_t crc = crc32c(as_bytes(block.payload));
  std::vector<RawBlock> blocks;
  blocks.push_back({.first = records.front().offset,
                    .record_count = block.record_count,
                    .codec = block.codec,
                    .plain_bytes = block.plain_bytes,
                    .payload_crc = crc,
                    .payload = std::move(block.payload),
                    .dictionary = nullptr});
  return blocks;
}

Result<std::optional<RecordRun>> Journal::read_run(Offset from) {
  constexpr std::size_t kRunBytes = 8 << 10;
  OT_TRY(auto stored, read(from, kRunBytes));
  if (stored.empty()) {
    return std::nullopt;
  }
  std::vector<record::Record> records;
  records.reserve(stored.size());
  for (StoredRecord& one : stored) {
    records.push_back(std::move(one.record));
  }
  return RecordRun{from, std::make_shared<const std::vector<record::Record>>(std::move(records))};
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

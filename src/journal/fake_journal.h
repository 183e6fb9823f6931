#pragma once
#include "base/mutex.h"
#include "journal/journal.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace opentrail::journal {

/// A journal in memory, for tests: commits at once, or when the test says so, and can be told to
/// fail. Any thread.
class FakeJournal final : public Journal {
 public:
  Result<Offset> append(std::vector<record::Record> batch, Done done) override EXCLUDES(mutex_) {
    Offset first{};
    {
      const MutexLock lock(mutex_);
      if (failure_) {
        return std::unexpected(*failure_);
      }
      if (refusal_) {
        return std::unexpected(*refusal_);
      }
      first = Offset{records_.size()};
      for (record::Record& record : batch) {
        records_.push_back({.offset = Offset{records_.size()}, .record = std::move(record)});
      }
      waiting_.emplace_back(first, std::move(done));
    }
    if (!is_holding()) {
      commit();
    }
    return first;
  }

  /// Appends one record; commits it unless held.
  Offset add(record::Record record) {
    std::vector<record::Record> batch;
    batch.push_back(std::move(record));
    return append(std::move(batch), [](const Result<Offset>&) {}).value();
  }

  /// From now on records become durable by commit() only.
  void hold() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    holding_ = true;
  }
  void commit() EXCLUDES(mutex_) {
    std::vector<std::pair<Offset, Done>> done;
    std::function<void(Offset)> listener;
    Offset durable{};
    {
      const MutexLock lock(mutex_);
      durable = durable_ = Offset{records_.size()};
      done.swap(waiting_);
      listener = listener_;
      changed_.notify_all();
    }
    for (auto& [first, callback] : done) {
      callback(first);
    }
    if (listener) {
      listener(durable);
    }
  }
  /// Appends and waits fail from now on.
  void fail_with(Error error) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    failure_ = std::move(error);
    changed_.notify_all();
  }
  /// Appends alone fail from now on, or no longer: a full queue is no failure().
  void refuse_with(std::optional<Error> error) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    refusal_ = std::move(error);
  }
  /// What waits is taken back, as by a full disk; its offsets are given to later ones.
  void take_back(const Error& error) EXCLUDES(mutex_) {
    std::vector<std::pair<Offset, Done>> done;
    {
      const MutexLock lock(mutex_);
      records_.resize(value(durable_));
      ++times_taken_back_;
      done.swap(waiting_);
    }
    for (auto& [first, callback] : done) {
      callback(std::unexpected(error));
    }
  }
  /// Reads fail from now on, or no longer.
  void fail_reads_with(std::optional<Error> error) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    read_failure_ = std::move(error);
  }
  /// Calls of read() so far.
  [[nodiscard]] std::uint64_t reads() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return reads_;
  }

  std::optional<Error> failure() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return failure_;
  }
  Offset end() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return Offset{records_.size()};
  }
  std::uint64_t times_taken_back() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return times_taken_back_;
  }
  Offset durable_end() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return durable_;
  }
  Offset begin() const override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return begin_;
  }
  Result<void> wait_durable(Offset offset, std::chrono::milliseconds timeout) override
      EXCLUDES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const MutexLock lock(mutex_);
    while (durable_ < offset) {
      if (failure_) {
        return opentrail::fail(ErrorCode::Unavailable, failure_->message());
      }
      if (!changed_.wait_until(mutex_, deadline)) {
        return opentrail::fail(ErrorCode::Timeout, "not durable in time");
      }
    }
    return {};
  }
  Result<std::vector<StoredRecord>> read(Offset from, std::size_t bytes_max) override
      EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++reads_;
    if (read_failure_) {
      return std::unexpected(*read_failure_);
    }
    if (from < begin_) {
      return opentrail::fail(ErrorCode::NotFound, "before the first record kept");
    }
    std::vector<StoredRecord> found;
    std::size_t bytes = 0;
    for (Offset at = from; at < durable_ && (found.empty() || bytes < bytes_max); at = at + 1) {
      found.push_back(records_[value(at)]);
      bytes += found.back().record.json.size();
    }
    return found;
  }
  void on_commit(std::function<void(Offset)> listener) override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    listener_ = std::move(listener);
  }
  /// To the record, where the real one drops whole segments.
  Result<void> drop_before(Offset offset) override EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    begin_ = std::max(begin_, offset);
    return {};
  }
  const RecoveryReport& recovery() const override { return recovery_; }
  void stop() override {}

 private:
  [[nodiscard]] bool is_holding() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return holding_;
  }

  mutable Mutex mutex_;
  Condition changed_;
  std::vector<StoredRecord> records_ GUARDED_BY(mutex_);
  std::vector<std::pair<Offset, Done>> waiting_ GUARDED_BY(mutex_);
  std::uint64_t times_taken_back_ GUARDED_BY(mutex_) = 0;
  Offset begin_ GUARDED_BY(mutex_){};
  Offset durable_ GUARDED_BY(mutex_){};
  bool holding_ GUARDED_BY(mutex_) = false;
  std::uint64_t reads_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  std::optional<Error> refusal_ GUARDED_BY(mutex_);
  std::optional<Error> read_failure_ GUARDED_BY(mutex_);
  std::function<void(Offset)> listener_ GUARDED_BY(mutex_);
  const RecoveryReport recovery_;
};

}  // namespace opentrail::journal

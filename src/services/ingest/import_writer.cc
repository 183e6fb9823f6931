#include "services/ingest/import_writer.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

namespace opentrail::services::ingest {

namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

std::uint64_t hash_of(std::string_view id) { return std::hash<std::string_view>()(id); }

milliseconds until(SteadyClock::time_point deadline) {
  return std::max(milliseconds(0), ceil<milliseconds>(deadline - SteadyClock::now()));
}

}  // namespace

/// What the journal's thread tells.
struct ImportWriter::Shared {
  Mutex mutex;
  Condition changed;
  std::size_t unstored_bytes GUARDED_BY(mutex) = 0;

  void give_back(std::size_t bytes) REQUIRES(mutex) {
    unstored_bytes -= bytes;
    changed.notify_all();
  }
};

/// A share of ImportLimits::unstored_bytes_max; given back when it goes.
class ImportWriter::Room {
 public:
  Room(std::shared_ptr<Shared> shared, std::size_t bytes)
      : shared_(std::move(shared)), bytes_(bytes) {}
  Room(Room&&) = default;
  Room& operator=(Room&&) = delete;
  ~Room() {
    if (shared_) {
      const MutexLock lock(shared_->mutex);
      shared_->give_back(leave());
    }
  }
  /// So many are for the caller to give back.
  [[nodiscard]] std::size_t leave() { return std::exchange(bytes_, 0); }

 private:
  std::shared_ptr<Shared> shared_;
  std::size_t bytes_;
};

class ImportWriter::Appended {
 public:
  Appended(std::shared_ptr<Shared> shared, Room room,
           boost::unordered_flat_set<std::uint64_t> id_hashes, std::uint64_t count)
      : shared_(std::move(shared)),
        room_(std::move(room)),
        id_hashes_(std::move(id_hashes)),
        count_(count) {}

  /// Before anyone but the journal sees it.
  void set_end(journal::Offset end) { end_ = end; }

  [[nodiscard]] bool has(std::uint64_t id_hash) const { return id_hashes_.contains(id_hash); }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] journal::Offset end() const { return end_; }

  /// On the journal's thread.
  void tell(const Result<journal::Offset>& outcome) EXCLUDES(shared_->mutex) {
    const MutexLock lock(shared_->mutex);
    outcome_ = outcome ? Result<void>() : std::unexpected(outcome.error());
    shared_->give_back(room_.leave());
  }
  /// Absent while it is not known.
  [[nodiscard]] std::optional<Result<void>> outcome() const EXCLUDES(shared_->mutex) {
    const MutexLock lock(shared_->mutex);
    return outcome_;
  }
  [[nodiscard]] Result<void> wait_durable(Deadline deadline) const EXCLUDES(shared_->mutex) {
    const MutexLock lock(shared_->mutex);
    while (!outcome_) {
      if (!shared_->changed.wait_until(shared_->mutex, deadline) && !outcome_) {
        return fail(ErrorCode::Timeout, "the records are not on disk in time; send them again");
      }
    }
    return *outcome_;
  }

 private:
  const std::shared_ptr<Shared> shared_;
  Room room_;
  const boost::unordered_flat_set<std::uint64_t> id_hashes_;
  const std::uint64_t count_;
  journal::Offset end_{0};
  std::optional<Result<void>> outcome_ GUARDED_BY(shared_->mutex);
};

/// What the check of a batch came to.
struct ImportWriter::Verdict {
  std::vector<ItemStatus> statuses;                ///< Of its items.
  boost::unordered_flat_set<std::uint64_t> fresh;  ///< Hashes of the ids that are New.
  /// A record of one of the ids is on its way: what it is must be known first.
  std::shared_ptr<const Appended> blocked_by;
};

ImportWriter::ImportWriter(journal::Journal& journal, history::History& history,
                           const ImportLimits& limits)
    : journal_(journal), history_(history), limits_(limits), shared_(std::make_shared<Shared>()) {}

ImportWriter::Deadline ImportWriter::deadline() const {
  return SteadyClock::now() + limits_.patience;
}

Result<void> ImportWriter::wait_for_what_is_there() {
  return history_.wait_applied(journal_.end(), limits_.patience);
}

Result<ImportWriter::Room> ImportWriter::wait_for_room(std::size_t bytes, Deadline deadline) {
  const MutexLock lock(shared_->mutex);
  // A batch that is larger than all room has to itself what there is.
  while (shared_->unstored_bytes > 0 &&
         shared_->unstored_bytes + bytes > limits_.unstored_bytes_max) {
    if (!shared_->changed.wait_until(shared_->mutex, deadline)) {
      return fail(ErrorCode::Throttled, "the disk does not keep up; try again later");
    }
  }
  shared_->unstored_bytes += bytes;
  return Room(shared_, bytes);
}

Result<void> ImportWriter::put(ImportBatch batch, ImportTally& tally, Unsettled& unsettled) {
  const Deadline deadline = this->deadline();
  OT_TRY(Room room, wait_for_room(batch.bytes, deadline));
  for (;;) {
    OT_TRY(const auto blocked_by, try_put(batch, room, tally, unsettled));
    if (!blocked_by) {
      return {};
    }
    OT_TRY_DO(wait_known(*blocked_by, deadline));
  }
}

/// Gives what the batch has to wait for, if that is so; then nothing was done.
Result<std::shared_ptr<const ImportWriter::Appended>> ImportWriter::try_put(ImportBatch& batch,
                                                                            Room& room,
                                                                            ImportTally& tally,
                                                                            Unsettled& unsettled) {
  const MutexLock lock(mutex_);
  const Timestamp oldest = history_.oldest_kept();
  OT_TRY(Verdict verdict, judge(batch, oldest));
  if (verdict.blocked_by) {
    return verdict.blocked_by;
  }
  OT_TRY_DO(append(batch, verdict, room, unsettled));
  tally.set_oldest_kept(oldest);
  tally.add(batch, verdict.statuses);
  return nullptr;
}

Result<ImportWriter::Verdict> ImportWriter::judge(const ImportBatch& batch, Timestamp oldest) {
  Verdict verdict;
  forget_applied();  // before the history is asked: what is forgotten here is known there
  const std::size_t count = batch.items.size();
  verdict.statuses.assign(count, ItemStatus::Expired);
  verdict.fresh.reserve(count);
  std::vector<history::PresenceQuery> queries;
  std::vector<std::uint64_t> hashes(count);
  queries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const record::Record& record = batch.items[i].record;
    if (record.event_time < oldest) {
      continue;
    }
    hashes[i] = hash_of(record.id);
    for (const auto& appended : on_their_way_) {
      if (appended->has(hashes[i])) {
        verdict.blocked_by = appended;
        return verdict;
      }
    }
    queries.push_back({.id = record.id, .json = record.json});
  }
  OT_TRY(const std::vector<history::Presence> found, history_.presence(queries));
  // The first of an id in this batch stands for it, unless the history has another.
  boost::unordered_flat_map<std::string_view, std::string_view> firsts;
  firsts.reserve(count);
  auto presence = found.begin();
  for (std::size_t i = 0; i < count; ++i) {
    const record::Record& record = batch.items[i].record;
    if (record.event_time < oldest) {
      continue;
    }
    const history::Presence in_history = *presence++;
    bool same = in_history == history::Presence::Same;
    if (in_history == history::Presence::New) {
      const auto [first, is_first] = firsts.emplace(record.id, record.json);
      if (is_first) {
        verdict.statuses[i] = ItemStatus::New;
        verdict.fresh.insert(hashes[i]);
        continue;
      }
      same = first->second == record.json;
    }
    verdict.statuses[i] = same ? ItemStatus::Duplicate : ItemStatus::Conflicting;
  }
  return verdict;
}

Result<void> ImportWriter::append(ImportBatch& batch, Verdict& verdict, Room& room,
                                  Unsettled& unsettled) {
  std::vector<record::Record> fresh;
  fresh.reserve(verdict.fresh.size());
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (verdict.statuses[i] == ItemStatus::New) {
      fresh.push_back(std::move(batch.items[i].record));
    }
  }
  if (fresh.empty()) {
    return {};
  }
  const std::uint64_t count = fresh.size();
  const auto appended =
      std::make_shared<Appended>(shared_, std::move(room), std::move(verdict.fresh), count);
  OT_TRY(const journal::Offset first,
         journal_.append(std::move(fresh), [appended](const Result<journal::Offset>& outcome) {
           appended->tell(outcome);
         }));
  appended->set_end(first + count);
  on_their_way_.push_back(appended);
  unsettled.push_back(appended);
  return {};
}

/// What the history knows by now, and what did not come to be stored.
void ImportWriter::forget_applied() {
  const journal::Offset applied = history_.applied_end();
  std::erase_if(on_their_way_, [&](const auto& appended) {
    const auto outcome = appended->outcome();
    return outcome && (!*outcome || appended->end() <= applied);
  });
}

Result<void> ImportWriter::wait_known(const Appended& appended, Deadline deadline) {
  const auto durable = appended.wait_durable(deadline);
  if (!durable) {
    // Not stored: the next look at it finds nothing in the way.
    return durable.error().code() == ErrorCode::Timeout ? durable : Result<void>();
  }
  return history_.wait_applied(appended.end(), until(deadline));
}

Result<void> ImportWriter::settle(ImportTally& tally, Unsettled& unsettled) {
  const Deadline deadline = this->deadline();
  Result<void> settled;
  journal::Offset end{0};
  for (; !unsettled.empty(); unsettled.pop_front()) {
    const Appended& appended = *unsettled.front();
    auto durable = appended.wait_durable(deadline);
    if (durable) {
      end = appended.end();
      continue;
    }
    if (durable.error().code() != ErrorCode::Timeout) {
      tally.take_back(appended.count());
    }
    if (settled) {
      settled = std::move(durable);
    }
  }
  OT_TRY_DO(history_.wait_applied(end, until(deadline)));
  return settled;
}

}  // namespace opentrail::services::ingest

#pragma once
#include "services/ingest/import_batch.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::services::ingest {

/// What became of an item. Ordered: the worst first, which an answer that cannot list all of them
/// keeps.
enum class ItemStatus : std::uint8_t {
  Conflicting,  ///< Another record of the same id is there, with other bytes. That one stays.
  Invalid,      ///< Not a record.
  Expired,      ///< Older than the history keeps.
  Duplicate,    ///< This very record is there.
  New,
};
inline constexpr std::size_t kItemStatusCount = 5;
[[nodiscard]] std::string_view to_string(ItemStatus status);

struct ItemResult {
  std::uint64_t line = 0;
  std::string id;  ///< Empty for invalid ones.
  ItemStatus status = ItemStatus::Invalid;
  std::string message;
};

struct StatusRun {
  ItemStatus status;
  std::uint64_t count = 0;
  bool operator==(const StatusRun&) const = default;
};

/// The account of one import, in bounded memory whatever its body holds.
class ImportTally {
 public:
  /// `all_statuses`: keep the runs, too. `limits` outlive it.
  ImportTally(const ImportLimits& limits, bool all_statuses)
      : limits_(limits), all_statuses_(all_statuses) {}

  /// One batch, in the body's order: the statuses are those of its items, none of them Invalid.
  /// Called before the records are moved away.
  void add(const ImportBatch& batch, std::span<const ItemStatus> statuses);
  void set_oldest_kept(Timestamp oldest) { oldest_kept_ = oldest; }
  /// So many that were counted as New did not come to be stored.
  void take_back(std::uint64_t count) {
    count_of(ItemStatus::New) -= count;
    not_stored_ += count;
  }

  /// The sum of all statuses and not_stored().
  [[nodiscard]] std::uint64_t received() const;
  [[nodiscard]] std::uint64_t count(ItemStatus status) const {
    return counts_[static_cast<std::size_t>(status)];
  }
  [[nodiscard]] std::uint64_t not_stored() const { return not_stored_; }
  [[nodiscard]] std::uint64_t digests() const { return digests_; }
  /// What stands behind the last item was not read.
  [[nodiscard]] bool broken_off() const { return broken_off_; }
  [[nodiscard]] Timestamp oldest_kept() const { return oldest_kept_; }
  [[nodiscard]] bool all_statuses() const { return all_statuses_; }
  /// Of all items, as long as there were not too many.
  [[nodiscard]] const std::vector<StatusRun>& runs() const { return runs_; }
  [[nodiscard]] bool runs_truncated() const { return runs_truncated_; }
  /// What is not new, the worst first, then by line; at most ImportLimits::results_max.
  [[nodiscard]] std::vector<ItemResult> results() const;
  [[nodiscard]] bool results_truncated() const;

 private:
  std::uint64_t& count_of(ItemStatus status) { return counts_[static_cast<std::size_t>(status)]; }
  void add_one(ItemStatus status);
  void add_run(ItemStatus status);
  void add_item(const ImportBatch::Item& item, ItemStatus status);
  [[nodiscard]] std::string message_of(const record::Record& record, ItemStatus status) const;

  const ImportLimits& limits_;
  const bool all_statuses_;
  std::array<std::uint64_t, kItemStatusCount> counts_{};
  /// The first of each status that have room.
  std::array<std::vector<ItemResult>, kItemStatusCount> listed_;
  std::vector<StatusRun> runs_;
  bool runs_truncated_ = false;
  std::uint64_t not_stored_ = 0;
  std::uint64_t digests_ = 0;
  bool broken_off_ = false;
  Timestamp oldest_kept_{};
};

}  // namespace opentrail::services::ingest

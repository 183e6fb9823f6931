#include "services/ingest/import_tally.h"

#include <numeric>

#include <fmt/format.h>

namespace opentrail::services::ingest {

std::string_view to_string(ItemStatus status) {
  switch (status) {
    case ItemStatus::Conflicting:
      return "Conflicting";
    case ItemStatus::Invalid:
      return "Invalid";
    case ItemStatus::Expired:
      return "Expired";
    case ItemStatus::Duplicate:
      return "Duplicate";
    case ItemStatus::New:
      return "New";
  }
  return "Invalid";
}

void ImportTally::add(const ImportBatch& batch, std::span<const ItemStatus> statuses) {
  OT_CHECK(statuses.size() == batch.items.size());
  digests_ += batch.digests;
  broken_off_ = broken_off_ || batch.broken_off;
  auto broken = batch.invalid.begin();
  for (std::size_t i = 0; i <= batch.items.size(); ++i) {
    for (; broken != batch.invalid.end() && broken->items_before == i; ++broken) {
      add_one(ItemStatus::Invalid);
      auto& listed = listed_[static_cast<std::size_t>(ItemStatus::Invalid)];
      if (listed.size() < limits_.results_max) {
        listed.push_back({.line = broken->line,
                          .id = {},
                          .status = ItemStatus::Invalid,
                          .message = broken->message});
      }
    }
    if (i < batch.items.size()) {
      add_one(statuses[i]);
      add_item(batch.items[i], statuses[i]);
    }
  }
}

void ImportTally::add_one(ItemStatus status) {
  ++count_of(status);
  if (all_statuses_) {
    add_run(status);
  }
}

void ImportTally::add_run(ItemStatus status) {
  if (!runs_.empty() && runs_.back().status == status && !runs_truncated_) {
    ++runs_.back().count;
  } else if (runs_.size() < limits_.status_runs_max) {
    runs_.push_back({.status = status, .count = 1});
  } else {
    runs_truncated_ = true;
  }
}

void ImportTally::add_item(const ImportBatch::Item& item, ItemStatus status) {
  auto& listed = listed_[static_cast<std::size_t>(status)];
  if (status == ItemStatus::New || listed.size() >= limits_.results_max) {
    return;
  }
  listed.push_back({.line = item.line,
                    .id = item.record.id,
                    .status = status,
                    .message = message_of(item.record, status)});
}

std::string ImportTally::message_of(const record::Record& record, ItemStatus status) const {
  switch (status) {
    case ItemStatus::Conflicting:
      return "another record of this id is there; it stays, and this one was not stored";
    case ItemStatus::Expired:
      return fmt::format("its time {} is before {}, the oldest that is kept",
                         to_iso_seconds(record.event_time), to_iso_seconds(oldest_kept_));
    case ItemStatus::Duplicate:
      return "already there";
    default:
      return {};
  }
}

std::uint64_t ImportTally::received() const {
  return std::accumulate(counts_.begin(), counts_.end(), not_stored_);
}

std::vector<ItemResult> ImportTally::results() const {
  std::vector<ItemResult> results;
  for (const auto& listed : listed_) {
    for (const ItemResult& result : listed) {
      if (results.size() == limits_.results_max) {
        return results;
      }
      results.push_back(result);
    }
  }
  return results;
}

bool ImportTally::results_truncated() const {
  return received() - not_stored_ - count(ItemStatus::New) > limits_.results_max;
}

}  // namespace opentrail::services::ingest

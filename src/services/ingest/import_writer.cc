#include "services/ingest/import_writer.h"

#include "crypto/hash.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

namespace opentrail::services::ingest {

struct ImportWriter::Sorted {
  std::vector<record::Record> fresh;
  ImportOutcome outcome;
};

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
  }
  return "Invalid";
}

ImportWriter::ImportWriter(journal::Journal& journal, history::History& history,
                           std::chrono::milliseconds searchable_timeout)
    : journal_(journal), history_(history), searchable_timeout_(searchable_timeout) {}

/// What the history has under the id of each item.
Result<std::vector<std::optional<std::string>>> ImportWriter::hashes_in_history(
    const ImportBody& body) {
  std::vector<std::string_view> ids;
  ids.reserve(body.items.size());
  for (const ImportBody::Item& item : body.items) {
    ids.push_back(item.record.id);
  }
  return history_.content_hashes(ids);
}

Result<ImportWriter::Sorted> ImportWriter::sort_out(ImportBody body) {
  Sorted sorted;
  ImportOutcome& outcome = sorted.outcome;
  outcome.oldest_kept = history_.oldest_kept();
  outcome.digests = body.digests;
  outcome.received = body.items.size() + body.invalid.size();
  outcome.invalid = body.invalid.size();
  for (auto& broken : body.invalid) {
    outcome.results.push_back(ItemResult{.line = broken.line,
                                         .id = {},
                                         .status = ItemStatus::Invalid,
                                         .message = std::move(broken.message)});
  }
  OT_TRY(std::vector<std::optional<std::string>> present_hashes, hashes_in_history(body));
  std::unordered_map<std::string, std::string> fresh_hashes;  // id -> hash of what goes in
  for (std::size_t i = 0; i < body.items.size(); ++i) {
    ImportBody::Item& item = body.items[i];
    record::Record& record = item.record;
    if (record.event_time < outcome.oldest_kept) {
      ++outcome.expired;
      outcome.results.push_back(ItemResult{
          .line = item.line,
          .id = std::move(record.id),
          .status = ItemStatus::Expired,
          .message =
              fmt::format("its time {} is before {}, the oldest that is kept",
                          to_iso_seconds(record.event_time), to_iso_seconds(outcome.oldest_kept))});
      continue;
    }
    std::string hash = crypto::sha256_hex(record.json);
    const auto in_this_body = fresh_hashes.find(record.id);
    const std::optional<std::string> present =
        in_this_body != fresh_hashes.end() ? in_this_body->second : std::move(present_hashes[i]);
    if (!present) {
      fresh_hashes.emplace(record.id, std::move(hash));
      sorted.fresh.push_back(std::move(record));
      continue;
    }
    const bool same = *present == hash;
    ++(same ? outcome.duplicate : outcome.conflicting);
    outcome.results.push_back(
        ItemResult{.line = item.line,
                   .id = std::move(record.id),
                   .status = same ? ItemStatus::Duplicate : ItemStatus::Conflicting,
                   .message = same ? "already there"
                                   : "another record of this id is there; it stays, and this one "
                                     "was not stored"});
  }
  outcome.added = sorted.fresh.size();
  std::ranges::sort(outcome.results, {}, [](const ItemResult& result) {
    return std::make_tuple(result.status, result.line);
  });
  return sorted;
}

Result<void> ImportWriter::append(std::vector<record::Record> records) {
  const std::uint64_t count = records.size();
  OT_TRY(const journal::Offset first, journal_.append_and_wait(std::move(records)));
  const journal::Offset end = first + count;
  const auto deadline = std::chrono::steady_clock::now() + searchable_timeout_;
  // The history follows on its own thread, a block behind: short naps, not a hot loop.
  while (history_.applied_end() < end) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorCode::Timeout,
                  "the records are stored but not searchable yet; send them again later");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

Result<ImportOutcome> ImportWriter::store(ImportBody body) {
  const MutexLock lock(mutex_);
  OT_TRY(Sorted sorted, sort_out(std::move(body)));
  if (!sorted.fresh.empty()) {
    OT_TRY_DO(append(std::move(sorted.fresh)));
  }
  return std::move(sorted.outcome);
}

}  // namespace opentrail::services::ingest

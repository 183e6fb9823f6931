#include "catalog/trail_store.h"

#include "base/mutex.h"
#include "catalog/trail_rows.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <tuple>

#include <fmt/format.h>

namespace opentrail::catalog {
namespace {

/// One trail and its versions, in order; never without a version.
struct Entry {
  Trail trail;
  std::vector<TrailVersion> versions;
  bool deleted = false;
};
using Entries = std::map<std::int64_t, Entry>;

sql::Value offset_column(const std::optional<std::uint64_t>& offset) {
  return offset ? sql::Value(static_cast<std::int64_t>(*offset)) : sql::Value(sql::Null{});
}

Result<void> insert_version(sql::Transaction& inside, const TrailVersion& version) {
  OT_TRY_DO(
      inside.execute("INSERT INTO trail_versions (trail_id, version, effective_from, config, "
                     "made_at, deleted) VALUES (?, ?, ?, ?, ?, ?)",
                     {version.trail_id, version.version, offset_column(version.effective_from),
                      to_json_text(version.config), to_column(version.made_at),
                      std::int64_t{version.deleted ? 1 : 0}}));
  return {};
}

Result<Entries> load(sql::Database& catalog) {
  Entries entries;
  OT_TRY(const auto trails,
         catalog.query("SELECT id, account_id, name, home_region, created_at, started_at, "
                       "stopped_at, deleted, tags FROM trails"));
  for (const sql::Row& row : trails) {
    Entry& entry = entries[row.integer(0)];
    entry.trail.id = row.integer(0);
    entry.trail.account_id = row.text(1);
    entry.trail.name = row.text(2);
    entry.trail.home_region = row.text(3);
    entry.trail.created_at = from_column(row.integer(4));
    if (!row.is_null(5)) {
      entry.trail.started_at = from_column(row.integer(5));
    }
    if (!row.is_null(6)) {
      entry.trail.stopped_at = from_column(row.integer(6));
    }
    entry.deleted = row.integer(7) != 0;
    OT_TRY(entry.trail.tags, parse_tags(row.text(8)));
  }
  OT_TRY(const auto versions,
         catalog.query("SELECT trail_id, version, effective_from, config, made_at, deleted FROM "
                       "trail_versions ORDER BY trail_id, version"));
  for (const sql::Row& row : versions) {
    const auto found = entries.find(row.integer(0));
    if (found == entries.end()) {
      return fail(
          ErrorCode::Corruption,
          fmt::format("the catalog has a version of trail {}, which is not there", row.integer(0)));
    }
    TrailVersion version;
    version.trail_id = row.integer(0);
    version.version = row.integer(1);
    if (!row.is_null(2)) {
      version.effective_from = static_cast<std::uint64_t>(row.integer(2));
    }
    OT_TRY(version.config, parse_trail_config(row.text(3)));
    version.made_at = from_column(row.integer(4));
    version.deleted = row.integer(5) != 0;
    found->second.trail.config = version.config;
    found->second.versions.push_back(std::move(version));
  }
  for (const auto& [id, entry] : entries) {
    if (entry.versions.empty()) {
      return fail(ErrorCode::Corruption, fmt::format("the catalog has no version of trail {}", id));
    }
  }
  return entries;
}

/// The offset nearest to `wanted` that keeps the versions' stretches in order.
std::uint64_t place_in_order(const std::vector<TrailVersion>& versions, std::size_t at,
                             std::uint64_t wanted) {
  for (std::size_t i = 0; i < at; ++i) {
    wanted = std::max(wanted, versions[i].effective_from.value_or(0));
  }
  for (std::size_t i = at + 1; i < versions.size(); ++i) {
    wanted = std::min(wanted, versions[i].effective_from.value_or(wanted));
  }
  return wanted;
}

/// Whether log files of the home region, and of the others, are validated under this version.
std::pair<bool, bool> validates(const TrailVersion& version) {
  const bool home =
      !version.deleted && version.config.logging && version.config.log_file_validation;
  return {home, home && version.config.multi_region};
}

class SqlTrailStore final : public TrailStore {
 public:
  SqlTrailStore(sql::Database& catalog, Entries entries)
      : catalog_(catalog), entries_(std::move(entries)) {}

  std::vector<Trail> trails(const std::string& account_id) const override;
  std::optional<Trail> find(const std::string& account_id, const std::string& home_region,
                            const std::string& name) const override;
  Result<Trail> create(Trail trail, Timestamp now, std::int64_t& version) override;
  Result<std::optional<std::int64_t>> update(const Trail& trail, Timestamp now) override;
  Result<std::int64_t> remove(std::int64_t trail_id, Timestamp now) override;
  Result<void> set_tags(std::int64_t trail_id, const Tags& tags) override;
  Result<void> set_effective(std::int64_t trail_id, std::int64_t version,
                             std::uint64_t offset) override;
  Result<void> save_places() override;
  Result<void> settle_pending(std::uint64_t journal_end) override;
  std::vector<TrailVersions> all_versions() const override;
  Result<void> forget_versions(std::int64_t trail_id, std::uint64_t offset) override;
  Result<void> forget_trail(std::int64_t trail_id) override;
  std::uint64_t generation() const override { return generation_.load(); }

 private:
  [[nodiscard]] std::optional<Entry> copy_of(std::int64_t trail_id) const EXCLUDES(mutex_);
  /// A copy of a trail that is there; NotFound.
  [[nodiscard]] Result<Entry> living(std::int64_t trail_id) const EXCLUDES(mutex_);
  void keep(Entry entry) EXCLUDES(mutex_);
  Result<void> place(Entry& entry, std::size_t at, std::uint64_t offset);
  Result<void> place_version(std::int64_t trail_id, std::int64_t version, std::uint64_t offset)
      REQUIRES(change_mutex_);

  sql::Database& catalog_;
  /// Held over the whole of a change, SQL included; always before mutex_.
  Mutex change_mutex_;
  mutable Mutex mutex_;
  Entries entries_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> generation_ = 0;
  /// Offsets that could not be saved, by trail and version.
  std::map<std::pair<std::int64_t, std::int64_t>, std::uint64_t> unsaved_ GUARDED_BY(change_mutex_);
  std::atomic<bool> has_unsaved_ = false;
};

std::optional<Entry> SqlTrailStore::copy_of(std::int64_t trail_id) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(trail_id);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

Result<Entry> SqlTrailStore::living(std::int64_t trail_id) const {
  auto entry = copy_of(trail_id);
  if (!entry || entry->deleted) {
    return fail(ErrorCode::NotFound, fmt::format("there is no trail {}", trail_id));
  }
  return *std::move(entry);
}

void SqlTrailStore::keep(Entry entry) {
  const MutexLock lock(mutex_);
  const std::int64_t id = entry.trail.id;
  entries_.insert_or_assign(id, std::move(entry));
  generation_.fetch_add(1);
}

std::vector<Trail> SqlTrailStore::trails(const std::string& account_id) const {
  std::vector<Trail> out;
  {
    const MutexLock lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      if (!entry.deleted && entry.trail.account_id == account_id) {
        out.push_back(entry.trail);
      }
    }
  }
  std::ranges::sort(out, {},
                    [](const Trail& trail) { return std::tie(trail.home_region, trail.name); });
  return out;
}

std::optional<Trail> SqlTrailStore::find(const std::string& account_id,
                                         const std::string& home_region,
                                         const std::string& name) const {
  const MutexLock lock(mutex_);
  for (const auto& [id, entry] : entries_) {
    if (!entry.deleted && entry.trail.account_id == account_id &&
        entry.trail.home_region == home_region && entry.trail.name == name) {
      return entry.trail;
    }
  }
  return std::nullopt;
}

Result<Trail> SqlTrailStore::create(Trail trail, Timestamp now, std::int64_t& version) {
  const MutexLock change(change_mutex_);
  if (find(trail.account_id, trail.home_region, trail.name)) {
    return fail(ErrorCode::AlreadyExists, fmt::format("{} is already there", trail.arn()));
  }
  trail.created_at = now;
  Entry entry;
  OT_TRY_DO(catalog_.transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY(const auto ids, inside.query("SELECT next_id FROM trail_ids"));
    if (ids.empty()) {
      return fail(ErrorCode::Corruption, "the catalog's table trail_ids is empty");
    }
    trail.id = ids.front().integer(0);
    OT_TRY_DO(inside.execute("UPDATE trail_ids SET next_id = next_id + 1"));
    OT_TRY_DO(inside.execute(
        "INSERT INTO trails (id, account_id, name, home_region, created_at, started_at, "
        "stopped_at, deleted, tags) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        {trail.id, trail.account_id, trail.name, trail.home_region, to_column(now),
         to_column(trail.started_at), to_column(trail.stopped_at), to_json_text(trail.tags)}));
    const TrailVersion first{trail.id, 1, std::nullopt, trail.config, now, false};
    OT_TRY_DO(insert_version(inside, first));
    entry = {trail, {first}, false};
    return {};
  }));
  version = entry.versions.front().version;
  keep(std::move(entry));
  return trail;
}

Result<std::optional<std::int64_t>> SqlTrailStore::update(const Trail& trail, Timestamp now) {
  const MutexLock change(change_mutex_);
  OT_TRY(Entry entry, living(trail.id));
  const bool new_version = entry.trail.config != trail.config;
  if (!new_version && entry.trail.started_at == trail.started_at &&
      entry.trail.stopped_at == trail.stopped_at) {
    return std::nullopt;
  }
  entry.trail.started_at = trail.started_at;
  entry.trail.stopped_at = trail.stopped_at;
  if (new_version) {
    entry.trail.config = trail.config;
    entry.versions.push_back(
        {trail.id, entry.versions.back().version + 1, std::nullopt, trail.config, now, false});
  }
  OT_TRY_DO(catalog_.transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY_DO(inside.execute("UPDATE trails SET started_at = ?, stopped_at = ? WHERE id = ?",
                             {to_column(trail.started_at), to_column(trail.stopped_at), trail.id}));
    return new_version ? insert_version(inside, entry.versions.back()) : Result<void>();
  }));
  const std::int64_t version = entry.versions.back().version;
  keep(std::move(entry));
  return new_version ? std::optional(version) : std::nullopt;
}

Result<std::int64_t> SqlTrailStore::remove(std::int64_t trail_id, Timestamp now) {
  const MutexLock change(change_mutex_);
  OT_TRY(Entry entry, living(trail_id));
  entry.deleted = true;
  entry.trail.config.logging = false;
  entry.versions.push_back(
      {trail_id, entry.versions.back().version + 1, std::nullopt, entry.trail.config, now, true});
  OT_TRY_DO(catalog_.transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY_DO(inside.execute("UPDATE trails SET deleted = 1 WHERE id = ?", {trail_id}));
    return insert_version(inside, entry.versions.back());
  }));
  const std::int64_t version = entry.versions.back().version;
  keep(std::move(entry));
  return version;
}

Result<void> SqlTrailStore::set_tags(std::int64_t trail_id, const Tags& tags) {
  const MutexLock change(change_mutex_);
  OT_TRY(Entry entry, living(trail_id));
  OT_TRY_DO(
      catalog_.execute("UPDATE trails SET tags = ? WHERE id = ?", {to_json_text(tags), trail_id}));
  entry.trail.tags = tags;
  keep(std::move(entry));
  return {};
}

Result<void> SqlTrailStore::place(Entry& entry, std::size_t at, std::uint64_t offset) {
  TrailVersion& version = entry.versions[at];
  version.effective_from = place_in_order(entry.versions, at, offset);
  OT_TRY_DO(catalog_.execute(
      "UPDATE trail_versions SET effective_from = ? WHERE trail_id = ? AND version = ?",
      {offset_column(version.effective_from), version.trail_id, version.version}));
  return {};
}

Result<void> SqlTrailStore::set_effective(std::int64_t trail_id, std::int64_t version,
                                          std::uint64_t offset) {
  const MutexLock change(change_mutex_);
  auto placed = place_version(trail_id, version, offset);
  if (!placed && placed.error().code() != ErrorCode::NotFound) {
    unsaved_.insert_or_assign({trail_id, version}, offset);
    has_unsaved_ = true;
  }
  return placed;
}

Result<void> SqlTrailStore::save_places() {
  if (!has_unsaved_.load()) {
    return {};
  }
  const MutexLock change(change_mutex_);
  while (!unsaved_.empty()) {
    const auto& [which, offset] = *unsaved_.begin();
    const auto placed = place_version(which.first, which.second, offset);
    if (!placed && placed.error().code() != ErrorCode::NotFound) {
      return placed;
    }
    unsaved_.erase(unsaved_.begin());
  }
  has_unsaved_ = false;
  return {};
}

Result<void> SqlTrailStore::place_version(std::int64_t trail_id, std::int64_t version,
                                          std::uint64_t offset) {
  auto entry = copy_of(trail_id);
  if (!entry) {
    return fail(ErrorCode::NotFound, fmt::format("there is no trail {}", trail_id));
  }
  const auto found = std::ranges::find(entry->versions, version, &TrailVersion::version);
  if (found == entry->versions.end()) {
    return fail(ErrorCode::NotFound, fmt::format("trail {} has no version {}", trail_id, version));
  }
  if (found->effective_from) {
    return {};
  }
  OT_TRY_DO(place(*entry, static_cast<std::size_t>(found - entry->versions.begin()), offset));
  keep(*std::move(entry));
  return {};
}

Result<void> SqlTrailStore::settle_pending(std::uint64_t journal_end) {
  const MutexLock change(change_mutex_);
  Entries entries;
  {
    const MutexLock lock(mutex_);
    entries = entries_;
  }
  for (auto& [id, entry] : entries) {
    bool changed = false;
    for (std::size_t i = 0; i < entry.versions.size(); ++i) {
      if (!entry.versions[i].effective_from) {
        OT_TRY_DO(place(entry, i, journal_end));
        changed = true;
      }
    }
    if (changed) {
      keep(std::move(entry));
    }
  }
  return {};
}

std::vector<TrailStore::TrailVersions> SqlTrailStore::all_versions() const {
  const MutexLock lock(mutex_);
  std::vector<TrailVersions> out;
  out.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) {
    out.push_back({entry.trail, entry.versions});
  }
  return out;
}

Result<void> SqlTrailStore::forget_versions(std::int64_t trail_id, std::uint64_t offset) {
  const MutexLock change(change_mutex_);
  auto entry = copy_of(trail_id);
  if (!entry) {
    return fail(ErrorCode::NotFound, fmt::format("there is no trail {}", trail_id));
  }
  // A version ends where the next one that has a place begins; one that waits for its place keeps
  // what is before it. Its stretch, all of it delivered, falls to the version before.
  const auto& versions = entry->versions;
  std::vector<TrailVersion> kept;
  std::vector<std::int64_t> dropped;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const bool ended = i + 1 < versions.size() && versions[i].effective_from &&
                       versions[i + 1].effective_from && *versions[i + 1].effective_from <= offset;
    if (ended && !kept.empty() && validates(versions[i]) == validates(kept.back())) {
      dropped.push_back(versions[i].version);
    } else {
      kept.push_back(versions[i]);
    }
  }
  if (dropped.empty()) {
    return {};
  }
  OT_TRY_DO(catalog_.transaction([&](sql::Transaction& inside) -> Result<void> {
    for (const std::int64_t version : dropped) {
      OT_TRY_DO(inside.execute("DELETE FROM trail_versions WHERE trail_id = ? AND version = ?",
                               {trail_id, version}));
    }
    return {};
  }));
  entry->versions = std::move(kept);
  keep(*std::move(entry));
  return {};
}

Result<void> SqlTrailStore::forget_trail(std::int64_t trail_id) {
  const MutexLock change(change_mutex_);
  const auto entry = copy_of(trail_id);
  if (!entry || !entry->deleted) {
    return fail(ErrorCode::NotFound, fmt::format("there is no deleted trail {}", trail_id));
  }
  OT_TRY_DO(catalog_.transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY_DO(inside.execute("DELETE FROM trail_versions WHERE trail_id = ?", {trail_id}));
    OT_TRY_DO(inside.execute("DELETE FROM trails WHERE id = ?", {trail_id}));
    return {};
  }));
  const MutexLock lock(mutex_);
  entries_.erase(trail_id);
  generation_.fetch_add(1);
  return {};
}

}  // namespace

std::string Trail::arn() const {
  return fmt::format("arn:aws:cloudtrail:{}:{}:trail/{}", home_region, account_id, name);
}

Result<std::unique_ptr<TrailStore>> TrailStore::open(sql::Database& catalog) {
  OT_TRY_DO(catalog.migrate("trails", trail_tables()));
  OT_TRY(auto entries, load(catalog));
  return std::make_unique<SqlTrailStore>(catalog, std::move(entries));
}

}  // namespace opentrail::catalog

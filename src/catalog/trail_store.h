#pragma once
#include "base/error.h"
#include "base/time.h"
#include "record/selectors.h"
#include "sql/database.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Trails, their tags, and the history of their configuration: rows with versions, because a record
/// is delivered by the configuration that was in force at its place in the journal.
namespace opentrail::catalog {

/// What UpdateTrail, StartLogging and PutEventSelectors change. A change makes a new version.
struct TrailConfig {
  std::string bucket;
  std::string key_prefix;  ///< Without a trailing "/"; may be empty.
  bool include_global_service_events = true;
  bool multi_region = false;
  bool log_file_validation = false;
  bool logging = false;
  std::vector<record::EventSelector> selectors;  ///< Basic ones; empty beside advanced ones.
  std::vector<record::AdvancedEventSelector> advanced_selectors;
  bool custom_selectors = false;  ///< Somebody has put selectors, be they the default ones.
  bool operator==(const TrailConfig&) const = default;
};

using Tags = std::map<std::string, std::string>;

struct Trail {
  /// Made once for each CreateTrail: a trail deleted and made again under its name is another one.
  std::int64_t id = 0;
  std::string account_id;
  std::string name;
  std::string home_region;
  Timestamp created_at;
  std::optional<Timestamp> started_at;  ///< Last StartLogging.
  std::optional<Timestamp> stopped_at;  ///< Last StopLogging.
  TrailConfig config;                   ///< The newest version.
  Tags tags;
  /// arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME
  [[nodiscard]] std::string arn() const;
};

/// One version. In force from `effective_from` (a journal offset) until the next version's.
struct TrailVersion {
  std::int64_t trail_id = 0;
  std::int64_t version = 0;
  /// Absent until the record of the call that made it has an offset.
  std::optional<std::uint64_t> effective_from;
  TrailConfig config;  ///< Of a deleted trail: logging is false.
  /// The moment of the call that made it: digest chains begin and end at such moments.
  Timestamp made_at;
  bool deleted = false;
};

/// Held in memory, written through to the catalog; reads take no SQL. Any thread.
class TrailStore {
 public:
  static Result<std::unique_ptr<TrailStore>> open(sql::Database& catalog);
  virtual ~TrailStore() = default;

  /// Trails that are there (not deleted), by home region and name.
  [[nodiscard]] virtual std::vector<Trail> trails(const std::string& account_id) const = 0;
  [[nodiscard]] virtual std::optional<Trail> find(const std::string& account_id,
                                                  const std::string& home_region,
                                                  const std::string& name) const = 0;

  /// `trail.id` is ignored. Returns the trail with its id and, in `version`, the number of its
  /// first version, which is pending. AlreadyExists (same account, home region and name).
  virtual Result<Trail> create(Trail trail, Timestamp now, std::int64_t& version) = 0;
  /// Saves what differs from the stored trail: `started_at`, `stopped_at` and, when `config`
  /// differs, a new pending version, whose number is returned (else nothing). NotFound.
  virtual Result<std::optional<std::int64_t>> update(const Trail& trail, Timestamp now) = 0;
  /// Ends it with a pending version that does not log. NotFound.
  virtual Result<std::int64_t> remove(std::int64_t trail_id, Timestamp now) = 0;
  virtual Result<void> set_tags(std::int64_t trail_id, const Tags& tags) = 0;

  /// The place from which a pending version is in force. Versions stay in order: calls whose
  /// records came to stand the other way round leave the older version an empty stretch. Does
  /// nothing when the version already has its place. NotFound. When the catalog fails, the place is
  /// remembered for save_places().
  virtual Result<void> set_effective(std::int64_t trail_id, std::int64_t version,
                                     std::uint64_t offset) = 0;
  /// Tries again what set_effective() could not save. Cheap when there is nothing.
  virtual Result<void> save_places() = 0;
  /// At start: versions whose call's record never got a place are in force from `journal_end`.
  virtual Result<void> settle_pending(std::uint64_t journal_end) = 0;

  struct TrailVersions {
    Trail trail;                         ///< Also when deleted: name, home region, account.
    std::vector<TrailVersion> versions;  ///< In order; pending ones included.
  };
  /// Everything delivery has to look after: trails that are there, and deleted ones that were not
  /// yet forgotten.
  [[nodiscard]] virtual std::vector<TrailVersions> all_versions() const = 0;
  /// Versions that ended at or before `offset` are dropped where nobody can tell any more: the
  /// newest, and those with which log file validation began or ended, stay (digest chains are
  /// named by them), and so does the first.
  virtual Result<void> forget_versions(std::int64_t trail_id, std::uint64_t offset) = 0;
  /// A deleted trail whose last file and digest are delivered.
  virtual Result<void> forget_trail(std::int64_t trail_id) = 0;
  /// Counts every change of a trail or version; readers compare it to know when to look again.
  [[nodiscard]] virtual std::uint64_t generation() const = 0;
};

}  // namespace opentrail::catalog

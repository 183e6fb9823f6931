#pragma once
#include "catalog/trail_store.h"
#include "record/record.h"
#include "record/selector_matcher.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Which trail gets which record. Pure.
namespace opentrail::delivery {

/// True when a trail with this home and configuration collects in `region`.
[[nodiscard]] bool collects_in(const catalog::TrailConfig& config, std::string_view home_region,
                               std::string_view region);

/// A record that trails are asked about. What selectors look at is read from it when the first
/// trail wants to know, and then stays: the record must outlive this.
class Candidate {
 public:
  explicit Candidate(const record::Record& record) : record_(record) {}
  [[nodiscard]] const record::Record& record() const { return record_; }
  /// Null when the record cannot be read, which our own always can.
  [[nodiscard]] const record::SelectorSubject* subject();

 private:
  const record::Record& record_;
  std::optional<Result<record::SelectorSubject>> subject_;
};

/// One configuration of a trail, ready to be asked about every record.
class TrailFilter {
 public:
  TrailFilter(const catalog::Trail& trail, const catalog::TrailConfig& config);
  /// Imported records are nobody's: they were delivered where they arose
  /// (docs/decisions/012-import.md).
  [[nodiscard]] bool wants(Candidate& candidate) const;

 private:
  std::string account_id_;
  std::string region_;  ///< The only one it collects in; empty: all.
  bool logging_;
  bool include_global_service_events_;
  record::SelectorMatcher selectors_;
};

/// The version in force at `offset`; null before the first one.
[[nodiscard]] const catalog::TrailVersion* version_at(
    std::span<const catalog::TrailVersion> versions, std::uint64_t offset);

/// A run of versions under which log files of a region are to be listed in digests: logging and
/// validation are on. One digest chain belongs to it.
struct ValidatedRun {
  std::int64_t version = 0;  ///< That began it.
  Timestamp since;
  std::uint64_t begin = 0;           ///< Journal offset.
  std::optional<std::uint64_t> end;  ///< Absent while it goes on.
};
/// Of versions that all have their place; in order.
[[nodiscard]] std::vector<ValidatedRun> validated_runs(
    const catalog::TrailStore::TrailVersions& subject, std::string_view region);
/// True when a file with records of [from, to) is to be listed in a digest.
[[nodiscard]] bool is_validated(const catalog::TrailStore::TrailVersions& subject,
                                std::string_view region, std::uint64_t from, std::uint64_t to);

}  // namespace opentrail::delivery

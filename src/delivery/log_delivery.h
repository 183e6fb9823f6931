#pragma once
#include "delivery/collector_set.h"
#include "delivery/log_file.h"
#include "delivery/pass.h"
#include "delivery/trail_match.h"
#include "journal/journal.h"

#include <map>
#include <string>
#include <vector>

namespace opentrail::delivery {

/// From the journal into log files, for one trail. A round plans files for a run of the journal,
/// commits the plan, writes the files, and commits each as it is written; a crash anywhere leaves
/// either no plan or one that is carried out again, byte for byte. One thread at a time.
class LogDelivery {
 public:
  LogDelivery(journal::Journal& journal, objects::ObjectStore& objects, CollectorSet& collectors)
      : journal_(journal), objects_(objects), collectors_(collectors) {}

  /// Carries out what earlier rounds planned and could not write. The answer is Sent::Yes when
  /// nothing is left of it. Errors: of the catalog or the journal.
  Result<Sent> retry(const Pass& pass);
  /// Plans and writes what the journal holds up to the pass's end; `stamp` goes into the names.
  Result<Sent> round(const Pass& pass, Timestamp stamp);

 private:
  using Collectors = std::vector<catalog::Collector>;
  using Files = std::map<std::string, LogFile>;  ///< By region.
  struct Scan {
    Files files;
    std::uint64_t to = 0;
  };

  /// The wanted records of these collectors in [from, end), until the files are large enough.
  Result<Scan> scan(const Pass& pass, const Collectors& of, std::uint64_t from, std::uint64_t end);
  /// Of one of the pass's versions.
  const TrailFilter& filter_of(const Pass& pass, const catalog::TrailVersion& version);
  void drop_old_filters(const Pass& pass);
  Result<Sent> round_of(const Pass& pass, Timestamp stamp, Collectors group);
  Result<Sent> write(const Pass& pass, catalog::Collector collector, LogFile file);
  Result<Sent> note_failure(const Pass& pass, catalog::Collector collector, const Error& error);
  Result<catalog::Collector> retarget(const Pass& pass, catalog::Collector collector);

  journal::Journal& journal_;
  objects::ObjectStore& objects_;
  CollectorSet& collectors_;
  RefusedRegions refused_;
  std::map<std::int64_t, TrailFilter> filters_;  ///< By version, which never changes.
};

}  // namespace opentrail::delivery

#pragma once
#include "delivery/collector_set.h"
#include "delivery/pass.h"
#include "delivery/signing_keys.h"
#include "delivery/trail_match.h"

#include <chrono>

namespace opentrail::delivery {

/// The digest chains of one trail, one a region (spec records §4.2). Each run of versions with
/// logging and validation on gets a chain of its own, one after the other; a chain ends when all
/// that its run wanted is delivered and listed. One thread at a time.
class DigestDelivery {
 public:
  DigestDelivery(objects::ObjectStore& objects, SigningKeys& keys, CollectorSet& collectors,
                 std::chrono::seconds interval)
      : objects_(objects), keys_(keys), collectors_(collectors), interval_(interval) {}

  /// Writes every digest that is due at the pass's time. Errors: of the catalog or the keys.
  Result<Sent> run(const Pass& pass);

 private:
  Result<Sent> run_collector(const Pass& pass, catalog::Collector collector);
  /// Decides the next digest; false when none is due.
  Result<bool> decide(const Pass& pass, catalog::Collector& collector);
  Result<bool> decide_first(const Pass& pass, catalog::Collector& collector,
                            const ValidatedRun& run);
  Result<bool> decide_last(const Pass& pass, catalog::Collector& collector,
                           const ValidatedRun& run);
  /// True when nothing of this run is left to be delivered or listed.
  Result<bool> is_over(const catalog::Collector& collector, const ValidatedRun& run);
  Result<bool> decide_next(const Pass& pass, catalog::Collector& collector);
  Result<void> intend(const Pass& pass, catalog::Collector& collector, Timestamp end,
                      Timestamp files_until, bool last);
  static void point(const Pass& pass, const catalog::Collector& collector,
                    catalog::DigestIntent& intent);
  Result<Sent> write(const Pass& pass, catalog::Collector collector);

  objects::ObjectStore& objects_;
  SigningKeys& keys_;
  CollectorSet& collectors_;
  std::chrono::seconds interval_;
  RefusedRegions refused_;
  Timestamp name_taken_until_;  ///< The last moment at which there was a namesake.
};

}  // namespace opentrail::delivery

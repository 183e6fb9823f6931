#pragma once
#include "delivery/collector_set.h"
#include "delivery/pass.h"
#include "delivery/signing_keys.h"

#include <chrono>

namespace opentrail::delivery {

/// The digest chains of one trail, one a region (spec records §4.2). A chain begins with the
/// version that turns logging and validation on and ends with the one that turns either off; a new
/// version of that kind begins a new chain. One thread at a time.
class DigestDelivery {
 public:
  DigestDelivery(objects::ObjectStore& objects, SigningKeys& keys, CollectorSet& collectors,
                 std::chrono::seconds interval)
      : objects_(objects), keys_(keys), collectors_(collectors), interval_(interval) {}

  /// Writes every digest that is due at the pass's time. Errors: of the catalog or the keys.
  Result<Sent> run(const Pass& pass);

 private:
  /// The run of versions that began the wanted chain and has not ended.
  struct OnRun {
    std::int64_t version = 0;
    Timestamp since;
  };
  [[nodiscard]] static std::optional<OnRun> on_run(const Pass& pass, std::string_view region);
  /// Where the chain that `version` began ends in the journal; absent while it goes on.
  [[nodiscard]] static std::optional<std::uint64_t> chain_end(const Pass& pass,
                                                              std::string_view region,
                                                              std::int64_t version);

  Result<Sent> run_collector(const Pass& pass, catalog::Collector collector);
  /// Decides the next digest; false when none is due.
  Result<bool> decide(const Pass& pass, catalog::Collector& collector);
  Result<bool> decide_first(const Pass& pass, catalog::Collector& collector, const OnRun& on);
  Result<bool> decide_last(const Pass& pass, catalog::Collector& collector);
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
};

}  // namespace opentrail::delivery

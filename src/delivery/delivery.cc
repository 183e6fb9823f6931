#include "delivery/delivery.h"

#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "catalog/delivery_store.h"
#include "catalog/signing_key_store.h"
#include "delivery/current_trails.h"
#include "delivery/object_names.h"
#include "delivery/signing_keys.h"
#include "delivery/trail_worker.h"

#include <algorithm>
#include <map>
#include <thread>
#include <tuple>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace opentrail::delivery {
namespace {

/// How often the background looks whether something is due. Each look is cheap.
constexpr std::chrono::milliseconds kLook{200};
/// How long the digests of a trail may keep its log files waiting.
constexpr std::chrono::milliseconds kDigestTime{500};

class DeliveryEngine final : public Delivery {
 public:
  DeliveryEngine(DeliveryParts parts, DeliveryOptions options,
                 std::unique_ptr<catalog::DeliveryStore> store,
                 std::unique_ptr<catalog::SigningKeyStore> key_store)
      : parts_(parts),
        options_(std::move(options)),
        store_(std::move(store)),
        key_store_(std::move(key_store)),
        current_trails_(parts.trails),
        keys_(*key_store_, parts.keyring, parts.random),
        opened_at_offset_(value(parts.journal.end())),
        workers_({parts_.journal, parts_.objects, *store_, keys_, options_}) {}
  ~DeliveryEngine() override { stop(); }
  DeliveryEngine(const DeliveryEngine&) = delete;
  DeliveryEngine& operator=(const DeliveryEngine&) = delete;

  /// Takes up what the last run left.
  Result<void> restore() {
    OT_TRY(const auto collectors, store_->collectors());
    const MutexLock lock(mutex_);
    for (const auto& collector : collectors) {
      restored_[collector.trail_id].push_back(collector);
    }
    for (const auto& subject : parts_.trails.all_versions()) {
      // Marks that passed while the server was away are made up for at once.
      worker_of(subject, Timestamp{});
    }
    for (const auto& [trail_id, left] : std::exchange(restored_, {})) {
      OT_TRY_DO(store_->forget(trail_id));  // a crash came between the two steps of forget()
    }
    return {};
  }

  void start() override {
    pool_ = std::make_unique<boost::asio::thread_pool>(std::max<std::size_t>(options_.threads, 1));
    scheduler_ = std::thread([this] { schedule(); });
  }

  void run_due(Timestamp now) override {
    for (const auto& job : jobs()) {
      run(job, now, std::chrono::steady_clock::time_point::max());
    }
  }

  void stop() override {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
      stopped_.notify_all();
    }
    if (scheduler_.joinable()) {
      scheduler_.join();
    }
    if (pool_) {
      pool_->join();
      pool_.reset();
    }
  }

  [[nodiscard]] DeliveryStatus status(std::int64_t trail_id) const override {
    const MutexLock lock(mutex_);
    const auto found = by_trail_.find(trail_id);
    return found == by_trail_.end() ? DeliveryStatus{} : found->second->collectors().status();
  }

  [[nodiscard]] bool wanted(const record::Record& record) const override {
    return current_trails_.want(record);
  }

  Result<void> check_bucket(const catalog::Trail& trail) override {
    const auto who = principal_of(trail);
    OT_TRY_DO(parts_.objects.check_bucket(trail.config.bucket, who));
    OT_TRY_DO(parts_.objects.check_acl_readable(trail.config.bucket, who));
    objects::PutRequest marker;
    marker.bucket = trail.config.bucket;
    marker.key = marker_key(trail.config.key_prefix, trail.account_id);
    marker.content_encoding = "gzip";
    return parts_.objects.put(marker, who);
  }

  Result<std::vector<PublicKey>> public_keys(const std::string& region, Timestamp from,
                                             Timestamp to) override {
    const Timestamp now = parts_.clock.now();
    if (from <= now && now <= to) {
      OT_TRY_DO(keys_.current(region, now));  // there is always one that is valid now
    }
    OT_TRY(const auto rows, key_store_->keys(region, from, to));
    std::vector<PublicKey> keys;
    for (const auto& row : rows) {
      const auto der = from_base64(row.public_der_base64);
      if (!der) {
        return fail(ErrorCode::Corruption, "the catalog's public key " + row.fingerprint +
                                               " cannot be read; restore catalog.db");
      }
      keys.push_back({*der, row.fingerprint, row.valid_from, row.valid_until});
    }
    return keys;
  }

  [[nodiscard]] journal::Offset needed_from() const override {
    // The journal's end first: a trail that is made meanwhile begins behind it.
    std::uint64_t least = value(parts_.journal.durable_end());
    const auto all = parts_.trails.all_versions();
    const MutexLock lock(mutex_);
    for (const auto& subject : all) {
      const auto found = by_trail_.find(subject.trail.id);
      auto from =
          found == by_trail_.end() ? std::nullopt : found->second->collectors().needed_from();
      if (!from && !subject.versions.empty()) {
        from = subject.versions.front().effective_from;
      }
      // Without a place of its own yet, nothing may be dropped for a moment.
      least = std::min(least, from.value_or(0));
    }
    return journal::Offset{least};
  }

 private:
  struct Job {
    catalog::TrailStore::TrailVersions subject;
    std::uint64_t journal_end = 0;
    std::shared_ptr<TrailWorker> worker;
    bool has_namesake = false;
  };

  /// True for a trail that was made under the name of one that is not cleared yet.
  static bool has_namesake(const std::vector<catalog::TrailStore::TrailVersions>& all,
                           const catalog::Trail& trail) {
    const auto digests_of = [](const catalog::Trail& one) {
      return std::tie(one.account_id, one.home_region, one.name, one.config.bucket,
                      one.config.key_prefix);
    };
    return std::ranges::any_of(all, [&](const auto& other) {
      return other.trail.id < trail.id && digests_of(other.trail) == digests_of(trail);
    });
  }

  std::shared_ptr<TrailWorker> worker_of(const catalog::TrailStore::TrailVersions& subject,
                                         Timestamp first_mark) REQUIRES(mutex_) {
    auto& worker = by_trail_[subject.trail.id];
    if (!worker) {
      worker = std::make_shared<TrailWorker>(workers_, std::move(restored_[subject.trail.id]),
                                             first_mark, opened_at_offset_);
      restored_.erase(subject.trail.id);
    }
    return worker;
  }

  /// What there is to look after. The order matters: see Pass::journal_end.
  std::vector<Job> jobs() EXCLUDES(mutex_) {
    if (const auto saved = parts_.trails.save_places(); !saved) {
      log::debug("places of trail versions still wait for the catalog: {}",
                 saved.error().message());
    }
    const std::uint64_t end = value(parts_.journal.durable_end());
    const Timestamp now = parts_.clock.now();
    const MutexLock lock(mutex_);  // before the versions: forget() must not come between
    std::vector<Job> jobs;
    const auto all = parts_.trails.all_versions();
    jobs.reserve(all.size());
    for (const auto& subject : all) {
      jobs.push_back({subject, end, worker_of(subject, now), has_namesake(all, subject.trail)});
    }
    return jobs;
  }

  void run(const Job& job, Timestamp now, std::chrono::steady_clock::time_point give_way) {
    const Pass pass{job.subject, job.journal_end, now, stopping_, give_way, job.has_namesake};
    job.worker->run(pass);
    forget_versions(job);
    if (!stopping_.load() && job.worker->finished(pass)) {
      forget(job.subject.trail.id);
    }
  }

  /// A trail that is changed again and again would fill the memory with its past.
  void forget_versions(const Job& job) {
    constexpr std::size_t kVersionsMax = 16;
    const auto needed = job.worker->collectors().needed_from();
    if (!needed || job.worker->retired.load() || job.subject.versions.size() <= kVersionsMax ||
        *needed <= job.worker->forgotten_to) {
      return;
    }
    const auto forgotten = parts_.trails.forget_versions(job.subject.trail.id, *needed);
    if (forgotten) {
      job.worker->forgotten_to = *needed;
    } else {
      log::warn("old versions of trail {} could not be dropped: {}; it is tried again",
                job.subject.trail.name, forgotten.error().message());
    }
  }

  void forget(std::int64_t trail_id) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    // The trail first: one without its collectors would be delivered again from its beginning,
    // while collectors without their trail are cleared by the next restore().
    if (const auto done = parts_.trails.forget_trail(trail_id); !done) {
      log::warn("a deleted trail could not be cleared from the catalog: {}; it is tried again",
                done.error().message());
      return;
    }
    if (const auto found = by_trail_.find(trail_id); found != by_trail_.end()) {
      found->second->retired = true;
      by_trail_.erase(found);
    }
    if (const auto done = store_->forget(trail_id); !done) {
      log::warn(
          "the collectors of a deleted trail are still in the catalog: {}; the next start "
          "clears them",
          done.error().message());
    }
  }

  void schedule() {
    while (!stopping_.load()) {
      for (auto& job : jobs()) {
        if (job.worker->busy.exchange(true)) {
          continue;
        }
        boost::asio::post(*pool_, [this, job = std::move(job)] {
          if (!stopping_.load()) {
            run(job, parts_.clock.now(), std::chrono::steady_clock::now() + kDigestTime);
          }
          job.worker->busy = false;
        });
      }
      const MutexLock lock(mutex_);
      if (!stopping_.load()) {
        stopped_.wait_until(mutex_, std::chrono::steady_clock::now() + kLook);
      }
    }
  }

  DeliveryParts parts_;
  DeliveryOptions options_;
  std::unique_ptr<catalog::DeliveryStore> store_;
  std::unique_ptr<catalog::SigningKeyStore> key_store_;
  CurrentTrails current_trails_;
  SigningKeys keys_;
  std::uint64_t opened_at_offset_;
  TrailWorker::Parts workers_;
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  Condition stopped_;
  std::map<std::int64_t, std::shared_ptr<TrailWorker>> by_trail_ GUARDED_BY(mutex_);
  std::map<std::int64_t, std::vector<catalog::Collector>> restored_ GUARDED_BY(mutex_);
  std::thread scheduler_;
  std::unique_ptr<boost::asio::thread_pool> pool_;
};

}  // namespace

Result<std::unique_ptr<Delivery>> Delivery::open(DeliveryParts parts, DeliveryOptions options) {
  OT_CHECK(options.delivery_interval.count() > 0 && options.digest_interval.count() > 0);
  OT_TRY(auto store, catalog::DeliveryStore::open(parts.catalog));
  OT_TRY(auto keys, catalog::SigningKeyStore::open(parts.catalog));
  auto engine = std::make_unique<DeliveryEngine>(parts, std::move(options), std::move(store),
                                                 std::move(keys));
  OT_TRY_DO(engine->restore());
  return engine;
}

}  // namespace opentrail::delivery

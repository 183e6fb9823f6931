#include "delivery/trail_worker.h"

#include "base/log.h"

#include <algorithm>
#include <set>

namespace opentrail::delivery {
namespace {

constexpr std::chrono::seconds kPauseMin{1};
constexpr std::chrono::seconds kPauseMax{300};
/// As AWS does with a bucket that cannot be written to (spec records §3.6).
constexpr std::chrono::days kGiveUpAfter{30};

Timestamp mark_of(Timestamp now, std::chrono::seconds interval) {
  const auto since = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return Timestamp(interval * (since / interval));
}

bool has_pending(const Pass& pass) {
  return std::ranges::any_of(pass.subject.versions,
                             [](const auto& version) { return !version.effective_from; });
}

}  // namespace

TrailWorker::TrailWorker(const Parts& parts, std::vector<catalog::Collector> collectors,
                         Timestamp first_mark, std::uint64_t new_regions_from)
    : options_(parts.options),
      collectors_(parts.store, std::move(collectors)),
      logs_(parts.journal, parts.objects, collectors_),
      digests_(parts.objects, parts.keys, collectors_, parts.options.digest_interval),
      last_mark_(mark_of(first_mark, parts.options.delivery_interval)),
      new_regions_from_(new_regions_from) {}

void TrailWorker::run(const Pass& pass) {
  // A version without a place yet belongs to a call that is being answered: a moment later the
  // place is known, and until then nobody can say which records it is about.
  // A pause longer than any that is made means that the clock was put back.
  const bool pauses = pass.now < not_before_ && not_before_ - pass.now <= kPauseMax;
  if (retired.load() || pass.subject.versions.empty() || has_pending(pass) || pauses) {
    return;
  }
  const auto sent = deliver(pass);
  if (!sent) {
    log::error("trail {}: delivery: {}; it is tried again", pass.trail().name,
               sent.error().message());
  }
  if (sent && *sent == Sent::Yes) {
    failures_ = 0;
    left_over_ = false;
  } else {
    left_over_ = true;
    pause(pass);
  }
}

Result<Sent> TrailWorker::deliver(const Pass& pass) {
  OT_TRY_DO(add_missing_collectors(pass));
  Sent outcome = Sent::Yes;
  if (left_over_) {
    OT_TRY(outcome, logs_.retry(pass));
    if (outcome == Sent::Unreachable) {
      return outcome;
    }
  }
  const Timestamp mark = mark_of(pass.now, options_.delivery_interval);
  if (mark != last_mark_) {  // an earlier one: the clock was put back
    OT_TRY(const Sent sent, logs_.round(pass, mark));
    if (sent == Sent::Unreachable) {
      return sent;
    }
    last_mark_ = mark;
    outcome = sent == Sent::Yes ? outcome : sent;
  }
  OT_TRY(const Sent sent, digests_.run(pass));
  return sent == Sent::Yes ? outcome : sent;
}

Result<void> TrailWorker::add_missing_collectors(const Pass& pass) {
  std::set<std::string> regions(options_.regions.begin(), options_.regions.end());
  regions.insert(pass.trail().home_region);
  const bool fresh = collectors_.all().empty();
  std::vector<catalog::Collector> missing;
  for (const auto& region : regions) {
    if (!collectors_.has(region)) {
      catalog::Collector& collector = missing.emplace_back();
      collector.trail_id = pass.trail().id;
      collector.account_id = pass.trail().account_id;
      collector.region = region;
      collector.next_offset =
          fresh ? *pass.subject.versions.front().effective_from : new_regions_from_;
    }
  }
  return missing.empty() ? Result<void>{} : collectors_.save(missing);
}

void TrailWorker::pause(const Pass& pass) {
  constexpr int kDoublingsMax = 9;
  const auto pause = std::min(kPauseMax, kPauseMin * (1 << std::min(failures_, kDoublingsMax)));
  ++failures_;
  not_before_ = pass.now + pause;
}

bool TrailWorker::finished(const Pass& pass) const {
  if (retired.load() || pass.subject.versions.empty() || !pass.newest().deleted ||
      has_pending(pass)) {
    return false;
  }
  const auto all = collectors_.all();
  const auto is_done = [&](const catalog::Collector& collector) {
    if (collector.intent || collector.chain.version || collector.chain.intent ||
        collector.next_offset < *pass.newest().effective_from) {
      return false;
    }
    // A chain that could not begin yet owes a digest all the same.
    const auto unlisted = collectors_.store().files(collector, Timestamp::max());
    return unlisted && unlisted->empty();
  };
  if (!all.empty() && std::ranges::all_of(all, is_done)) {
    return true;
  }
  if (pass.now - pass.newest().made_at < kGiveUpAfter) {
    return false;
  }
  log::error(
      "trail {} was deleted 30 days ago and its bucket {} still does not take its last "
      "files: they are given up; the records stay in the event history",
      pass.trail().name, pass.newest().config.bucket);
  return true;
}

}  // namespace opentrail::delivery

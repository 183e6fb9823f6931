#include "delivery/digest_delivery.h"

#include "base/log.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "delivery/digest_file.h"
#include "delivery/gzip_member.h"
#include "delivery/object_names.h"
#include "delivery/trail_match.h"

#include <algorithm>

namespace opentrail::delivery {
namespace {

using catalog::Collector;
using catalog::DigestIntent;
using std::chrono::seconds;

Timestamp whole_seconds(Timestamp time) { return std::chrono::floor<seconds>(time); }

}  // namespace

Result<Sent> DigestDelivery::run(const Pass& pass) {
  name_taken_until_ = pass.has_namesake ? pass.now : name_taken_until_;
  Sent outcome = Sent::Yes;
  for (const Collector& collector : collectors_.all()) {
    if (pass.stopping.load() || std::chrono::steady_clock::now() > pass.give_way) {
      break;  // a moment later it goes on where it stopped
    }
    OT_TRY(const Sent sent, run_collector(pass, collector));
    if (sent == Sent::Unreachable) {
      return sent;
    }
    outcome = sent == Sent::Yes ? outcome : sent;
  }
  return outcome;
}

Result<Sent> DigestDelivery::run_collector(const Pass& pass, Collector collector) {
  // At most: what was planned, the last of an old chain, the first of a new one, and the next.
  constexpr int kDigestsMax = 4;
  for (int i = 0; i < kDigestsMax; ++i) {
    if (!collector.chain.intent) {
      OT_TRY(const bool due, decide(pass, collector));
      if (!due) {
        return Sent::Yes;
      }
    }
    OT_TRY(const Sent sent, write(pass, collector));
    if (sent != Sent::Yes) {
      return sent;
    }
    const auto all = collectors_.all();
    collector = *std::ranges::find(all, collector.region, &Collector::region);
  }
  return Sent::Yes;
}

Result<bool> DigestDelivery::decide(const Pass& pass, Collector& collector) {
  for (const ValidatedRun& run : validated_runs(pass.subject, collector.region)) {
    if (run.version < collector.chain.last_version) {
      continue;
    }
    if (run.version > collector.chain.last_version) {
      OT_TRY(const bool over, is_over(collector, run));
      if (!over) {
        return decide_first(pass, collector, run);
      }
      continue;
    }
    if (!collector.chain.version) {
      continue;  // its chain has ended
    }
    OT_TRY(const bool due,
           run.end ? decide_last(pass, collector, run) : decide_next(pass, collector));
    if (due || collector.chain.version) {
      return due;
    }
  }
  return false;
}

Result<bool> DigestDelivery::is_over(const Collector& collector, const ValidatedRun& run) {
  if (!run.end || collector.intent || collector.next_offset < *run.end) {
    return false;
  }
  OT_TRY(const auto files, collectors_.store().files(collector, Timestamp::max()));
  return files.empty();
}

/// The starting digest covers the interval before the chain began, and so lists nothing; what was
/// delivered before is not digested, as in AWS.
Result<bool> DigestDelivery::decide_first(const Pass& pass, Collector& collector,
                                          const ValidatedRun& run) {
  // Names must not repeat, those of a deleted trail of this name included: all its digests ended
  // before this one was made, or else while it is waited for here.
  const Timestamp taken = std::max({run.since, collector.chain.last_end, name_taken_until_});
  const Timestamp begin = whole_seconds(taken) + seconds(1);
  if (begin > pass.now || pass.has_namesake) {
    return false;
  }
  collector.chain.version = run.version;
  collector.chain.last_version = run.version;
  collector.chain.previous.reset();
  collector.chain.from = begin - interval_;
  OT_TRY_DO(intend(pass, collector, begin, begin, false));
  return true;
}

Result<bool> DigestDelivery::decide_next(const Pass& pass, Collector& collector) {
  const auto passed = std::chrono::floor<seconds>(pass.now - collector.chain.from);
  if (passed < interval_) {
    return false;
  }
  // After a stop of the server one digest covers all the time that passed.
  const Timestamp end = collector.chain.from + interval_ * (passed / interval_);
  OT_TRY_DO(intend(pass, collector, end, end, false));
  return true;
}

/// Waits until all records up to the end of the chain are delivered, then lists what no digest has
/// listed yet.
Result<bool> DigestDelivery::decide_last(const Pass& pass, Collector& collector,
                                         const ValidatedRun& run) {
  if (collector.intent || collector.next_offset < *run.end) {
    return false;
  }
  const Timestamp end = std::max(whole_seconds(pass.now), collector.chain.from + seconds(1));
  OT_TRY(const auto files, collectors_.store().files(collector, Timestamp::max()));
  if (!files.empty()) {
    if (end > pass.now) {
      return false;
    }
    OT_TRY_DO(intend(pass, collector, end, Timestamp::max(), true));
    return true;
  }
  collector.chain.version.reset();
  collector.chain.previous.reset();
  OT_TRY_DO(collectors_.save({collector}));
  return false;
}

void DigestDelivery::point(const Pass& pass, const Collector& collector, DigestIntent& intent) {
  const auto& config = pass.newest().config;
  const FilePlace place{config.key_prefix, collector.account_id, collector.region};
  intent.bucket = config.bucket;
  intent.key = digest_file_key(place, pass.trail().name, pass.trail().home_region, intent.end);
}

Result<void> DigestDelivery::intend(const Pass& pass, Collector& collector, Timestamp end,
                                    Timestamp files_until, bool last) {
  OT_TRY(const auto files, collectors_.store().files(collector, files_until));
  OT_TRY(const auto key, keys_.current(collector.region, pass.now));
  DigestIntent intent;
  intent.start = collector.chain.from;
  intent.end = end;
  intent.files_through = files.empty() ? 0 : files.back().id;
  intent.last = last;
  intent.fingerprint = key->fingerprint;
  point(pass, collector, intent);
  collector.chain.intent = std::move(intent);
  return collectors_.save({collector});
}

Result<Sent> DigestDelivery::write(const Pass& pass, Collector collector) {
  DigestIntent intent = *collector.chain.intent;
  if (!pass.newest().deleted && refused_.contains(collector.region)) {
    point(pass, collector, intent);
    if (intent != *collector.chain.intent) {
      collector.chain.intent = intent;
      OT_TRY_DO(collectors_.save({collector}));
      refused_.erase(collector.region);
    }
  }
  DigestFacts facts{collector.account_id,
                    intent.start,
                    intent.end,
                    intent.bucket,
                    intent.key,
                    intent.fingerprint,
                    collector.chain.previous,
                    {}};
  OT_TRY(facts.files, collectors_.store().files_through(collector, intent.files_through));
  const std::string json = digest_json(facts);
  const std::string hash = crypto::sha256_hex(json);
  OT_TRY(const auto key, keys_.by_fingerprint(collector.region, intent.fingerprint));
  OT_TRY(const auto raw, key->rsa.sign(digest_string_to_sign(facts, hash)));
  const std::string signature = to_hex(as_bytes(raw));

  objects::PutRequest request;
  request.bucket = intent.bucket;
  request.key = intent.key;
  request.body = gzip_member(json);
  request.content_encoding = "gzip";
  request.metadata = {{"signature", signature}, {"signature-algorithm", "SHA256withRSA"}};
  if (auto put = objects_.put(request, principal_of(pass.trail())); !put) {
    log::warn("trail {}: digest {} could not be written to bucket {}: {}; it is tried again",
              pass.trail().name, intent.key, intent.bucket, put.error().message());
    note_outcome(refused_, collector.region, put.error());
    collector.latest_digest_error = status_code(put.error());
    OT_TRY_DO(collectors_.save({collector}));
    return judge(put.error());
  }
  refused_.erase(collector.region);
  collector.chain.from = intent.end;
  collector.chain.last_end = intent.end;
  collector.chain.previous = catalog::PreviousDigest{intent.bucket, intent.key, hash, signature};
  collector.chain.intent.reset();
  if (intent.last) {
    collector.chain.version.reset();
    collector.chain.previous.reset();
  }
  collector.latest_digest = pass.now;
  collector.latest_digest_error.clear();
  OT_TRY_DO(collectors_.digest_delivered(collector, intent.files_through));
  return Sent::Yes;
}

}  // namespace opentrail::delivery

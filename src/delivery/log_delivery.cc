#include "delivery/log_delivery.h"

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/hash.h"
#include "delivery/gzip_member.h"
#include "delivery/object_names.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::delivery {
namespace {

using catalog::Collector;

constexpr std::size_t kReadBytes = 1 << 20;

FilePlace place_of(const Pass& pass, const Collector& collector) {
  return {pass.newest().config.key_prefix, collector.account_id, collector.region};
}

catalog::FileIntent plan(const Pass& pass, const Collector& collector, std::uint64_t to,
                         Timestamp stamp) {
  const FilePlace place = place_of(pass, collector);
  const std::string suffix = file_suffix(collector.trail_id, place, collector.next_offset);
  return {to, stamp, pass.newest().config.bucket, log_file_key(place, stamp, suffix)};
}

const metrics::Counter& delivered_counter() {
  static const metrics::Counter kCounter = metrics::counter(
      "opentrail_delivery_records_total", "Records delivered to buckets in log files");
  return kCounter;
}

const metrics::Counter& failed_counter() {
  static const metrics::Counter kCounter = metrics::counter(
      "opentrail_delivery_failures_total", "Attempts to deliver a log file that did not succeed");
  return kCounter;
}

}  // namespace

Result<Sent> LogDelivery::retry(const Pass& pass) {
  Sent outcome = Sent::Yes;
  for (Collector& collector : collectors_.all()) {
    if (!collector.intent || pass.stopping.load()) {
      continue;
    }
    OT_TRY(collector, retarget(pass, std::move(collector)));
    OT_TRY(auto scanned, scan(pass, {collector}, collector.next_offset, collector.intent->to));
    OT_TRY(const Sent sent, write(pass, collector, std::move(scanned.files[collector.region])));
    if (sent == Sent::Unreachable) {
      return sent;
    }
    outcome = sent == Sent::Yes ? outcome : sent;
  }
  return outcome;
}

/// What was refused goes where the trail points now: that is how a bucket that is gone for good is
/// mended.
Result<Collector> LogDelivery::retarget(const Pass& pass, Collector collector) {
  if (pass.newest().deleted || !refused_.contains(collector.region)) {
    return collector;
  }
  const auto planned = plan(pass, collector, collector.intent->to, collector.intent->stamp);
  if (planned != *collector.intent) {
    collector.intent = planned;
    OT_TRY_DO(collectors_.save({collector}));
    refused_.erase(collector.region);
  }
  return collector;
}

Result<Sent> LogDelivery::round(const Pass& pass, Timestamp stamp) {
  Sent outcome = Sent::Yes;
  while (!pass.stopping.load()) {
    // Collectors that stand at one place share one reading of the journal.
    std::map<std::uint64_t, Collectors> groups;
    for (const Collector& collector : collectors_.all()) {
      if (!collector.intent && collector.next_offset < pass.journal_end) {
        groups[collector.next_offset].push_back(collector);
      }
    }
    if (groups.empty()) {
      break;
    }
    for (auto& [from, group] : groups) {
      OT_TRY(const Sent sent, round_of(pass, stamp, std::move(group)));
      if (sent == Sent::Unreachable) {
        return sent;
      }
      outcome = sent == Sent::Yes ? outcome : sent;
    }
  }
  return outcome;
}

Result<Sent> LogDelivery::round_of(const Pass& pass, Timestamp stamp, Collectors group) {
  const std::uint64_t from = group.front().next_offset;
  OT_TRY(auto scanned, scan(pass, group, from, pass.journal_end));
  for (Collector& collector : group) {
    if (scanned.files.contains(collector.region)) {
      collector.intent = plan(pass, collector, scanned.to, stamp);
    } else {
      collector.next_offset = scanned.to;
    }
  }
  OT_TRY_DO(collectors_.save(group));
  Sent outcome = Sent::Yes;
  for (const Collector& collector : group) {
    const auto file = scanned.files.find(collector.region);
    if (file == scanned.files.end()) {
      continue;
    }
    if (pass.stopping.load()) {
      break;
    }
    OT_TRY(const Sent sent, write(pass, collector, std::move(file->second)));
    if (sent == Sent::Unreachable) {
      return sent;
    }
    outcome = sent == Sent::Yes ? outcome : sent;
  }
  return outcome;
}

const TrailFilter& LogDelivery::filter_of(const Pass& pass, const catalog::TrailVersion& version) {
  const auto found = filters_.find(version.version);
  return found != filters_.end()
             ? found->second
             : filters_.try_emplace(version.version, pass.trail(), version.config).first->second;
}

void LogDelivery::drop_old_filters(const Pass& pass) {
  std::erase_if(filters_, [&](const auto& entry) {
    return std::ranges::find(pass.subject.versions, entry.first, &catalog::TrailVersion::version) ==
           pass.subject.versions.end();
  });
}

Result<LogDelivery::Scan> LogDelivery::scan(const Pass& pass, const Collectors& of,
                                            std::uint64_t from, std::uint64_t end) {
  drop_old_filters(pass);
  Scan scanned;
  scanned.to = from;
  std::size_t bytes = 0;
  const auto asked = [&](const std::string& region) {
    return std::ranges::find(of, region, &Collector::region) != of.end();
  };
  while (scanned.to < end && bytes < kFileBytesMax) {
    OT_TRY(const auto records, journal_.read(journal::Offset{scanned.to}, kReadBytes));
    if (records.empty()) {
      return fail(ErrorCode::Corruption,
                  fmt::format("the journal has no record at offset {}", scanned.to));
    }
    for (const auto& stored : records) {
      if (scanned.to >= end || bytes >= kFileBytesMax) {
        break;
      }
      scanned.to = value(stored.offset) + 1;
      const auto* version = version_at(pass.subject.versions, value(stored.offset));
      if (version == nullptr || !asked(stored.record.region)) {
        continue;
      }
      Candidate candidate(stored.record);
      if (!filter_of(pass, *version).wants(candidate)) {
        continue;
      }
      scanned.files[stored.record.region].add(stored.record);
      bytes += stored.record.json.size();
    }
  }
  return scanned;
}

Result<Sent> LogDelivery::write(const Pass& pass, Collector collector, LogFile file) {
  const std::size_t records = file.records();
  catalog::DeliveredFile delivered;
  delivered.bucket = collector.intent->bucket;
  delivered.key = collector.intent->key;
  delivered.oldest = file.oldest();
  delivered.newest = file.newest();
  delivered.delivered_at = pass.now;
  objects::PutRequest request;
  request.bucket = delivered.bucket;
  request.key = delivered.key;
  request.content_encoding = "gzip";
  {
    const std::string text = std::move(file).finish();
    delivered.hash = crypto::sha256_hex(text);
    request.body = gzip_member(text);
  }
  if (auto put = objects_.put(request, principal_of(pass.trail())); !put) {
    return note_failure(pass, std::move(collector), put.error());
  }
  const bool listed =
      is_validated(pass.subject, collector.region, collector.next_offset, collector.intent->to);
  refused_.erase(collector.region);
  collector.next_offset = collector.intent->to;
  collector.intent.reset();
  collector.latest_attempt = pass.now;
  collector.latest_delivery = pass.now;
  collector.latest_error.clear();
  OT_TRY_DO(
      collectors_.file_delivered(collector, listed ? std::optional(delivered) : std::nullopt));
  delivered_counter().add(static_cast<double>(records));
  return Sent::Yes;
}

Result<Sent> LogDelivery::note_failure(const Pass& pass, Collector collector, const Error& error) {
  failed_counter().add();
  note_outcome(refused_, collector.region, error);
  log::warn("trail {}: log file {} could not be written to bucket {}: {}; it is tried again",
            pass.trail().name, collector.intent->key, collector.intent->bucket, error.message());
  collector.latest_attempt = pass.now;
  collector.latest_error = status_code(error);
  OT_TRY_DO(collectors_.save({collector}));
  return judge(error);
}

}  // namespace opentrail::delivery

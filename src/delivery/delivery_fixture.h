#pragma once
#include "base/json.h"
#include "base/text.h"
#include "catalog/signing_key_store.h"
#include "catalog/trail_store.h"
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "crypto/rsa.h"
#include "delivery/delivery.h"
#include "delivery/fake_bucket_store.h"
#include "delivery/signing_keys.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "io/temp_folder.h"
#include "journal/journal.h"
#include "record/builder.h"

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>

namespace opentrail::delivery {

inline constexpr auto kAccount = "123456789012";

/// A journal, a catalog and a bucket store around a delivery whose time the test moves.
class DeliveryFixture : public ::testing::Test {
 protected:
  DeliveryFixture() {
    catalog_ = sql::Database::open_sqlite(io::join_path(folder_.path(), "catalog.db")).value();
    keyring_ =
        crypto::Keyring::open(*files_, random_, io::join_path(folder_.path(), "key")).value();
    journal_ =
        journal::Journal::open(*files_, {.folder = io::join_path(folder_.path(), "j")}).value();
    trails_ = catalog::TrailStore::open(*catalog_).value();
    lend_keys();
    reopen();
  }
  ~DeliveryFixture() override { journal_->stop(); }
  DeliveryFixture(const DeliveryFixture&) = delete;
  DeliveryFixture& operator=(const DeliveryFixture&) = delete;

  /// RSA keys are slow to make, so all tests share one set: the seed gives all the same keyring.
  void lend_keys() {
    static const std::vector<catalog::SigningKeyRow> kKeys = [this] {
      auto scratch = sql::Database::open_sqlite(io::join_path(folder_.path(), "k.db")).value();
      auto store = catalog::SigningKeyStore::open(*scratch).value();
      SigningKeys keys(*store, *keyring_, random_);
      std::vector<catalog::SigningKeyRow> rows;
      for (const auto* region : {"us-east-1", "us-west-2", "eu-west-1"}) {
        EXPECT_TRUE(keys.current(region, clock_.now()));
        rows.push_back(store->keys(region, clock_.now(), clock_.now()).value().front());
      }
      return rows;
    }();
    auto store = catalog::SigningKeyStore::open(*catalog_).value();
    for (const auto& key : kKeys) {
      EXPECT_TRUE(store->add(key));
    }
  }

  /// As after a crash: only what is in the catalog, the journal and the buckets is left.
  void reopen() {
    delivery_.reset();
    DeliveryOptions options;
    options.delivery_interval = std::chrono::seconds(10);
    options.digest_interval = std::chrono::seconds(60);
    options.regions = {"us-east-1", "us-west-2", "eu-west-1"};
    delivery_ = Delivery::open({*journal_, *trails_, *catalog_, store_, *keyring_, random_, clock_},
                               options)
                    .value();
  }

  /// Lets `by` pass and does what is due.
  void pass(std::chrono::seconds by = std::chrono::seconds(10)) {
    clock_.advance(by);
    delivery_->run_due(clock_.now());
  }

  record::Record make_call(const std::string& region, const std::string& name,
                           bool read_only = false,
                           const std::string& source = "ec2.amazonaws.com") {
    record::CallFacts facts;
    facts.identity.type = "Root";
    facts.identity.account_id = kAccount;
    facts.event_time = clock_.now();
    facts.event_source = source;
    facts.event_name = name;
    facts.region = region;
    facts.event_id = io::make_uuid(random_);
    facts.read_only = read_only;
    facts.recipient_account_id = kAccount;
    return record::build_record(facts);
  }
  std::uint64_t append(record::Record record) {
    std::vector<record::Record> batch;
    batch.push_back(std::move(record));
    return journal::value(journal_->append_and_wait(std::move(batch)).value());
  }
  /// A call that is on the journal; returns its event id.
  std::string call(const std::string& region, const std::string& name = "RunInstances",
                   bool read_only = false, const std::string& source = "ec2.amazonaws.com") {
    record::Record record = make_call(region, name, read_only, source);
    const std::string id = record.id;
    append(std::move(record));
    return id;
  }

  static catalog::TrailConfig multi_region(bool validation = true) {
    catalog::TrailConfig config;
    config.bucket = "logs";
    config.multi_region = true;
    config.log_file_validation = validation;
    config.selectors = {record::EventSelector{}};
    return config;
  }
  catalog::Trail create_trail(const catalog::TrailConfig& config,
                              const std::string& home = "us-west-2",
                              const std::string& name = "audit") {
    catalog::Trail trail;
    trail.account_id = kAccount;
    trail.name = name;
    trail.home_region = home;
    trail.created_at = clock_.now();
    trail.config = config;
    std::int64_t version = 0;
    trail = trails_->create(trail, clock_.now(), version).value();
    EXPECT_TRUE(trails_->set_effective(trail.id, version, append(make_call(home, "CreateTrail"))));
    delivery_->run_due(clock_.now());  // takes note of it; its rounds begin with the next mark
    return trail;
  }
  /// As the handlers do: StartLogging is in force from its own record, all else behind it.
  /// Returns the event id of the call.
  std::string change(catalog::Trail& trail, const std::string& name) {
    const auto version = trails_->update(trail, clock_.now()).value();
    record::Record record = make_call(trail.home_region, name);
    const std::string id = record.id;
    const std::uint64_t offset = append(std::move(record));
    if (version) {
      EXPECT_TRUE(
          trails_->set_effective(trail.id, *version, name == "StartLogging" ? offset : offset + 1));
    }
    return id;
  }
  std::string start_logging(catalog::Trail& trail) {
    trail.config.logging = true;
    return change(trail, "StartLogging");
  }
  std::string stop_logging(catalog::Trail& trail) {
    trail.config.logging = false;
    return change(trail, "StopLogging");
  }

  static std::string gunzip(const std::string& bytes) {
    inflate_state state{};
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    std::string in = bytes;
    std::uint32_t size = 0;  // the last four bytes of a member, little endian
    std::memcpy(&size, bytes.data() + bytes.size() - sizeof(size), sizeof(size));
    std::string out(size, '\0');
    state.next_in = reinterpret_cast<std::uint8_t*>(in.data());
    state.avail_in = static_cast<std::uint32_t>(in.size());
    state.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state.avail_out = static_cast<std::uint32_t>(out.size());
    EXPECT_EQ(isal_inflate(&state), ISAL_DECOMP_OK);
    EXPECT_EQ(state.block_state, ISAL_BLOCK_FINISH);
    EXPECT_EQ(state.avail_in, 0U) << "more than one gzip member";
    out.resize(out.size() - state.avail_out);
    return out;
  }

  /// Keys of the log files, or of the digests, of a region ("" for all), oldest first.
  [[nodiscard]] std::vector<std::string> keys(const std::string& kind,
                                              const std::string& region = "") const {
    std::vector<std::string> keys;
    for (const auto& [name, stored] : store_.objects) {
      if (name.find("/" + kind + "/" + region) != std::string::npos) {
        keys.push_back(name);
      }
    }
    return keys;
  }
  [[nodiscard]] json::object content(const std::string& name) const {
    constexpr JsonLimits kLimits{.depth_max = 64, .bytes_max = 64 << 20};
    return parse_json(gunzip(store_.objects.at(name).request.body), kLimits).value().as_object();
  }
  /// How often each event id stands in a log file.
  [[nodiscard]] std::map<std::string, int> delivered() const {
    std::map<std::string, int> counts;
    for (const auto& key : keys("CloudTrail")) {
      const auto file = content(key);
      EXPECT_FALSE(file.at("Records").as_array().empty()) << key;
      for (const auto& record : file.at("Records").as_array()) {
        ++counts[std::string(record.at("eventID").as_string())];
      }
    }
    return counts;
  }
  /// Every log file of the regions is in exactly one digest, and the chains hold. Returns the
  /// number of digests.
  int expect_all_listed() {
    std::multiset<std::string> listed;
    int digests = 0;
    for (const auto* region : {"us-east-1", "us-west-2", "eu-west-1"}) {
      digests += check_chain(region, listed);
    }
    for (const auto& log : keys("CloudTrail")) {
      EXPECT_EQ(listed.count(log), 1U) << log;
    }
    EXPECT_EQ(listed.size(), keys("CloudTrail").size());
    return digests;
  }
  void expect_once(const std::vector<std::string>& ids) const {
    const auto counts = delivered();
    for (const auto& id : ids) {
      const auto found = counts.find(id);
      EXPECT_EQ(found == counts.end() ? 0 : found->second, 1) << id;
    }
    EXPECT_EQ(counts.size(), ids.size());
  }

  /// Checks the chain of a region from its newest digest back, as validate-logs does. Returns the
  /// number of digests; `listed` gets the log files they list.
  int check_chain(const std::string& region, std::multiset<std::string>& listed) {
    const auto digests = keys("CloudTrail-Digest", region);
    std::string previous;
    std::string previous_end;
    for (const auto& name : digests) {
      const auto& stored = store_.objects.at(name);
      const std::string text = gunzip(stored.request.body);
      const auto digest = parse_json(text).value().as_object();
      const auto text_of = [&](const char* member) {
        return std::string(digest.at(member).as_string());
      };
      EXPECT_EQ(text_of("digestS3Bucket") + "/" + text_of("digestS3Object"), name);
      const bool first = digest.at("previousDigestS3Object").is_null();
      const std::string signature_before = first ? "null" : text_of("previousDigestSignature");
      if (!first) {
        EXPECT_EQ(text_of("previousDigestS3Bucket") + "/" + text_of("previousDigestS3Object"),
                  previous);
        EXPECT_EQ(text_of("digestStartTime"), previous_end);
        EXPECT_EQ(signature_before, store_.objects.at(previous).request.metadata.at("signature"));
        EXPECT_EQ(text_of("previousDigestHashValue"),
                  crypto::sha256_hex(gunzip(store_.objects.at(previous).request.body)));
      }
      EXPECT_LT(text_of("digestStartTime"), text_of("digestEndTime"));
      const std::string to_sign = text_of("digestEndTime") + "\n" + name + "\n" +
                                  crypto::sha256_hex(text) + "\n" + signature_before;
      EXPECT_TRUE(verifies(region, text_of("digestPublicKeyFingerprint"), to_sign,
                           stored.request.metadata.at("signature")))
          << name;
      for (const auto& file : digest.at("logFiles").as_array()) {
        const std::string log = std::string(file.at("s3Bucket").as_string()) + "/" +
                                std::string(file.at("s3Object").as_string());
        EXPECT_EQ(std::string(file.at("hashValue").as_string()),
                  crypto::sha256_hex(gunzip(store_.objects.at(log).request.body)));
        listed.insert(log);
      }
      previous = name;
      previous_end = text_of("digestEndTime");
    }
    return static_cast<int>(digests.size());
  }
  bool verifies(const std::string& region, const std::string& fingerprint,
                const std::string& message, const std::string& signature_hex) {
    for (const auto& key : delivery_->public_keys(region, Timestamp{}, Timestamp::max()).value()) {
      if (key.fingerprint == fingerprint) {
        return crypto::rsa_verify(key.der, message, from_hex(signature_hex).value());
      }
    }
    return false;
  }

  io::TempFolder folder_{io::TempFolder::fast_parent()};
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  io::SeededRandom random_{7};
  io::FakeClock clock_{parse_iso("2026-11-24T08:00:01Z").value()};
  std::unique_ptr<sql::Database> catalog_;
  std::optional<crypto::Keyring> keyring_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<catalog::TrailStore> trails_;
  FakeBucketStore store_;
  std::unique_ptr<Delivery> delivery_;
};

}  // namespace opentrail::delivery

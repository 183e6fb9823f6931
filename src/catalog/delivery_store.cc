#include "catalog/delivery_store.h"

#include <limits>

namespace opentrail::catalog {
namespace {

using sql::Null;
using sql::Row;
using sql::Value;

const std::vector<std::string_view> kSteps = {
    "CREATE TABLE collectors ("
    "trail_id BIGINT NOT NULL, account_id TEXT NOT NULL, region TEXT NOT NULL, "
    "next_offset BIGINT NOT NULL, "
    "file_to BIGINT, file_stamp BIGINT, file_bucket TEXT, file_key TEXT, "
    "chain_version BIGINT, chain_last_version BIGINT NOT NULL, chain_from BIGINT NOT NULL, "
    "chain_last_end BIGINT NOT NULL, "
    "previous_bucket TEXT, previous_key TEXT, previous_hash TEXT, previous_signature TEXT, "
    "digest_start BIGINT, digest_end BIGINT, digest_files_through BIGINT, digest_last BIGINT, "
    "digest_fingerprint TEXT, digest_bucket TEXT, digest_key TEXT, "
    "latest_attempt BIGINT, latest_delivery BIGINT, latest_error TEXT NOT NULL, "
    "latest_digest BIGINT, latest_digest_error TEXT NOT NULL, "
    "PRIMARY KEY (trail_id, account_id, region))",
    "CREATE TABLE delivered_files ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "trail_id BIGINT NOT NULL, account_id TEXT NOT NULL, region TEXT NOT NULL, "
    "bucket TEXT NOT NULL, object_key TEXT NOT NULL, hash TEXT NOT NULL, "
    "oldest BIGINT NOT NULL, newest BIGINT NOT NULL, delivered_at BIGINT NOT NULL)",
    "CREATE INDEX delivered_files_of_collector ON delivered_files "
    "(trail_id, account_id, region, id)",
};

constexpr std::string_view kSelect =
    "SELECT trail_id, account_id, region, next_offset, "
    "file_to, file_stamp, file_bucket, file_key, "
    "chain_version, chain_last_version, chain_from, chain_last_end, "
    "previous_bucket, previous_key, previous_hash, previous_signature, "
    "digest_start, digest_end, digest_files_through, digest_last, "
    "digest_fingerprint, digest_bucket, digest_key, "
    "latest_attempt, latest_delivery, latest_error, latest_digest, latest_digest_error "
    "FROM collectors ORDER BY trail_id, account_id, region";

constexpr std::string_view kReplace =
    "INSERT OR REPLACE INTO collectors VALUES "
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

std::int64_t to_integer(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp to_time(std::int64_t millis) { return Timestamp(std::chrono::milliseconds(millis)); }

/// Reads a row's columns from the left.
class Columns {
 public:
  explicit Columns(const Row& row) : row_(row) {}
  std::int64_t integer() { return row_.integer(next_++); }
  std::string text() { return row_.text(next_++); }
  Timestamp time() { return to_time(integer()); }
  std::optional<std::int64_t> optional_integer() {
    const bool absent = row_.is_null(next_);
    const auto value = integer();
    return absent ? std::nullopt : std::optional(value);
  }
  std::optional<Timestamp> optional_time() {
    const auto value = optional_integer();
    return value ? std::optional(to_time(*value)) : std::nullopt;
  }
  [[nodiscard]] bool is_null() const { return row_.is_null(next_); }
  void skip(std::size_t count) { next_ += count; }

 private:
  const Row& row_;
  std::size_t next_ = 0;
};

constexpr std::size_t kFileColumns = 4;
constexpr std::size_t kPreviousColumns = 4;
constexpr std::size_t kDigestColumns = 7;

std::optional<FileIntent> read_file_intent(Columns& columns) {
  if (columns.is_null()) {
    columns.skip(kFileColumns);
    return std::nullopt;
  }
  FileIntent intent;
  intent.to = static_cast<std::uint64_t>(columns.integer());
  intent.stamp = columns.time();
  intent.bucket = columns.text();
  intent.key = columns.text();
  return intent;
}

std::optional<PreviousDigest> read_previous(Columns& columns) {
  if (columns.is_null()) {
    columns.skip(kPreviousColumns);
    return std::nullopt;
  }
  PreviousDigest previous;
  previous.bucket = columns.text();
  previous.key = columns.text();
  previous.hash = columns.text();
  previous.signature = columns.text();
  return previous;
}

std::optional<DigestIntent> read_digest_intent(Columns& columns) {
  if (columns.is_null()) {
    columns.skip(kDigestColumns);
    return std::nullopt;
  }
  DigestIntent intent;
  intent.start = columns.time();
  intent.end = columns.time();
  intent.files_through = columns.integer();
  intent.last = columns.integer() != 0;
  intent.fingerprint = columns.text();
  intent.bucket = columns.text();
  intent.key = columns.text();
  return intent;
}

Collector read_collector(const Row& row) {
  Columns columns(row);
  Collector collector;
  collector.trail_id = columns.integer();
  collector.account_id = columns.text();
  collector.region = columns.text();
  collector.next_offset = static_cast<std::uint64_t>(columns.integer());
  collector.intent = read_file_intent(columns);
  collector.chain.version = columns.optional_integer();
  collector.chain.last_version = columns.integer();
  collector.chain.from = columns.time();
  collector.chain.last_end = columns.time();
  collector.chain.previous = read_previous(columns);
  collector.chain.intent = read_digest_intent(columns);
  collector.latest_attempt = columns.optional_time();
  collector.latest_delivery = columns.optional_time();
  collector.latest_error = columns.text();
  collector.latest_digest = columns.optional_time();
  collector.latest_digest_error = columns.text();
  return collector;
}

Value optional_value(const std::optional<Timestamp>& time) {
  return time ? Value(to_integer(*time)) : Value(Null{});
}

void append_nulls(std::vector<Value>& values, std::size_t count) {
  values.insert(values.end(), count, Value(Null{}));
}

void append_file_intent(std::vector<Value>& values, const std::optional<FileIntent>& intent) {
  if (!intent) {
    append_nulls(values, kFileColumns);
    return;
  }
  values.emplace_back(static_cast<std::int64_t>(intent->to));
  values.emplace_back(to_integer(intent->stamp));
  values.emplace_back(intent->bucket);
  values.emplace_back(intent->key);
}

void append_chain(std::vector<Value>& values, const DigestChain& chain) {
  values.emplace_back(chain.version ? Value(*chain.version) : Value(Null{}));
  values.emplace_back(chain.last_version);
  values.emplace_back(to_integer(chain.from));
  values.emplace_back(to_integer(chain.last_end));
  if (chain.previous) {
    values.emplace_back(chain.previous->bucket);
    values.emplace_back(chain.previous->key);
    values.emplace_back(chain.previous->hash);
    values.emplace_back(chain.previous->signature);
  } else {
    append_nulls(values, kPreviousColumns);
  }
  if (!chain.intent) {
    append_nulls(values, kDigestColumns);
    return;
  }
  const DigestIntent& intent = *chain.intent;
  values.emplace_back(to_integer(intent.start));
  values.emplace_back(to_integer(intent.end));
  values.emplace_back(intent.files_through);
  values.emplace_back(std::int64_t{intent.last ? 1 : 0});
  values.emplace_back(intent.fingerprint);
  values.emplace_back(intent.bucket);
  values.emplace_back(intent.key);
}

Result<void> replace(sql::Transaction& transaction, const Collector& collector) {
  std::vector<Value> values{collector.trail_id, collector.account_id, collector.region,
                            static_cast<std::int64_t>(collector.next_offset)};
  append_file_intent(values, collector.intent);
  append_chain(values, collector.chain);
  values.push_back(optional_value(collector.latest_attempt));
  values.push_back(optional_value(collector.latest_delivery));
  values.emplace_back(collector.latest_error);
  values.push_back(optional_value(collector.latest_digest));
  values.emplace_back(collector.latest_digest_error);
  OT_TRY_DO(transaction.execute(kReplace, std::move(values)));
  return {};
}

constexpr std::string_view kFilesOfCollector =
    "SELECT id, bucket, object_key, hash, oldest, newest, delivered_at FROM delivered_files "
    "WHERE trail_id = ? AND account_id = ? AND region = ? AND id <= ? AND delivered_at <= ? "
    "ORDER BY id";

Result<std::vector<DeliveredFile>> read_files(sql::Database& catalog, const Collector& collector,
                                              std::int64_t through, std::int64_t until) {
  OT_TRY(const auto rows,
         catalog.query(kFilesOfCollector, {collector.trail_id, collector.account_id,
                                           collector.region, through, until}));
  std::vector<DeliveredFile> files;
  files.reserve(rows.size());
  for (const Row& row : rows) {
    Columns columns(row);
    DeliveredFile& file = files.emplace_back();
    file.id = columns.integer();
    file.bucket = columns.text();
    file.key = columns.text();
    file.hash = columns.text();
    file.oldest = columns.time();
    file.newest = columns.time();
    file.delivered_at = columns.time();
  }
  return files;
}

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

}  // namespace

Result<std::unique_ptr<DeliveryStore>> DeliveryStore::open(sql::Database& catalog) {
  OT_TRY_DO(catalog.migrate("delivery", kSteps));
  return std::make_unique<DeliveryStore>(catalog);
}

Result<std::vector<Collector>> DeliveryStore::collectors() {
  OT_TRY(const auto rows, catalog_.query(kSelect));
  std::vector<Collector> collectors;
  collectors.reserve(rows.size());
  for (const Row& row : rows) {
    collectors.push_back(read_collector(row));
  }
  return collectors;
}

Result<void> DeliveryStore::save(const std::vector<Collector>& collectors) {
  return catalog_.transaction([&](sql::Transaction& transaction) -> Result<void> {
    for (const Collector& collector : collectors) {
      OT_TRY_DO(replace(transaction, collector));
    }
    return {};
  });
}

Result<void> DeliveryStore::file_delivered(const Collector& collector,
                                           const std::optional<DeliveredFile>& file) {
  return catalog_.transaction([&](sql::Transaction& transaction) -> Result<void> {
    OT_TRY_DO(replace(transaction, collector));
    if (file) {
      OT_TRY_DO(transaction.execute(
          "INSERT INTO delivered_files (trail_id, account_id, region, bucket, object_key, hash, "
          "oldest, newest, delivered_at) VALUES (?,?,?,?,?,?,?,?,?)",
          {collector.trail_id, collector.account_id, collector.region, file->bucket, file->key,
           file->hash, to_integer(file->oldest), to_integer(file->newest),
           to_integer(file->delivered_at)}));
    }
    return {};
  });
}

Result<std::vector<DeliveredFile>> DeliveryStore::files(const Collector& collector,
                                                        Timestamp until) {
  return read_files(catalog_, collector, kAll, to_integer(until));
}

Result<std::vector<DeliveredFile>> DeliveryStore::files_through(const Collector& collector,
                                                                std::int64_t file_id) {
  return read_files(catalog_, collector, file_id, kAll);
}

Result<void> DeliveryStore::digest_delivered(const Collector& collector,
                                             std::int64_t files_through) {
  return catalog_.transaction([&](sql::Transaction& transaction) -> Result<void> {
    OT_TRY_DO(replace(transaction, collector));
    OT_TRY_DO(transaction.execute(
        "DELETE FROM delivered_files WHERE trail_id = ? AND account_id = ? AND region = ? "
        "AND id <= ?",
        {collector.trail_id, collector.account_id, collector.region, files_through}));
    return {};
  });
}

Result<void> DeliveryStore::forget(std::int64_t trail_id) {
  return catalog_.transaction([&](sql::Transaction& transaction) -> Result<void> {
    OT_TRY_DO(transaction.execute("DELETE FROM delivered_files WHERE trail_id = ?", {trail_id}));
    OT_TRY_DO(transaction.execute("DELETE FROM collectors WHERE trail_id = ?", {trail_id}));
    return {};
  });
}

}  // namespace opentrail::catalog

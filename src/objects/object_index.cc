#include "objects/object_index.h"

#include "objects/object_properties.h"
#include "objects/s3_errors.h"

#include <algorithm>
#include <iterator>

namespace opentrail::objects {
namespace {

using sql::Row;
using sql::Transaction;

// Released steps are never edited; a change is a new step. Keys compare by their bytes (BINARY).
const std::vector<std::string_view> kSteps = {
    ("CREATE TABLE buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL, owner TEXT NOT NULL, "
     "created_at BIGINT NOT NULL, policy TEXT NOT NULL, public_access_block TEXT NOT NULL, "
     "encryption TEXT NOT NULL)"),
    ("CREATE TABLE objects (bucket TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, "
     "size BIGINT NOT NULL, etag TEXT NOT NULL, last_modified BIGINT NOT NULL, "
     "properties TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID"),
    ("CREATE TABLE blobs (id TEXT PRIMARY KEY, owner TEXT NOT NULL, ordinal BIGINT NOT NULL, "
     "size BIGINT NOT NULL, sealed_key TEXT NOT NULL) WITHOUT ROWID"),
    "CREATE INDEX blobs_by_owner ON blobs (owner, ordinal)",
    ("CREATE TABLE uploads (id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, "
     "initiated BIGINT NOT NULL, properties TEXT NOT NULL) WITHOUT ROWID"),
    "CREATE INDEX uploads_by_bucket ON uploads (bucket, key, id)",
    ("CREATE TABLE parts (upload_id TEXT NOT NULL, number BIGINT NOT NULL, id TEXT NOT NULL, "
     "size BIGINT NOT NULL, etag TEXT NOT NULL, last_modified BIGINT NOT NULL, "
     "checksums TEXT NOT NULL, PRIMARY KEY (upload_id, number)) WITHOUT ROWID"),
};

std::int64_t to_number(Timestamp time) { return time.time_since_epoch().count(); }
std::int64_t to_number(std::uint64_t size) { return static_cast<std::int64_t>(size); }
Timestamp to_time(std::int64_t number) { return Timestamp(std::chrono::milliseconds(number)); }

Bucket bucket_of(const Row& row) {
  return {.name = row.text(0),
          .region = row.text(1),
          .owner_account_id = row.text(2),
          .created_at = to_time(row.integer(3)),
          .policy_json = row.text(4),
          .public_access_block_json = row.text(5),
          .encryption_json = row.text(6)};
}
constexpr std::string_view kBucketSelect =
    "SELECT name, region, owner, created_at, policy, public_access_block, encryption FROM buckets ";

Result<void> require_bucket(Transaction& inside, const std::string& name) {
  OT_TRY(const auto rows, inside.query("SELECT 1 FROM buckets WHERE name = ?", {name}));
  if (rows.empty()) {
    return s3_fail("NoSuchBucket");
  }
  return {};
}

/// Takes the blobs of `owner` out of the index.
Result<Retired> retire_blobs(Transaction& inside, const std::string& owner) {
  OT_TRY(const auto rows, inside.query("SELECT id FROM blobs WHERE owner = ?", {owner}));
  OT_TRY_DO(inside.execute("DELETE FROM blobs WHERE owner = ?", {owner}));
  Retired retired{.owner = owner, .blob_ids = {}};
  retired.blob_ids.reserve(rows.size());
  for (const Row& row : rows) {
    retired.blob_ids.push_back(row.text(0));
  }
  return retired;
}

/// Takes an object out of the index, when there is one.
Result<std::vector<Retired>> retire_object(Transaction& inside, const std::string& bucket,
                                           const std::string& key) {
  OT_TRY(const auto rows,
         inside.query("SELECT id FROM objects WHERE bucket = ? AND key = ?", {bucket, key}));
  std::vector<Retired> all;
  if (!rows.empty()) {
    OT_TRY(all.emplace_back(), retire_blobs(inside, rows.front().text(0)));
    OT_TRY_DO(inside.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", {bucket, key}));
  }
  return all;
}

Result<void> insert_blob(Transaction& inside, const std::string& owner, std::size_t ordinal,
                         const Blob& blob) {
  OT_TRY_DO(inside.execute(
      "INSERT INTO blobs (id, owner, ordinal, size, sealed_key) VALUES (?, ?, ?, ?, ?)",
      {blob.id, owner, static_cast<std::int64_t>(ordinal), to_number(blob.size), blob.sealed_key}));
  return {};
}

Result<void> insert_object(Transaction& inside, const std::string& bucket,
                           const StoredObject& object) {
  const ObjectInfo& info = object.info;
  OT_TRY_DO(
      inside.execute("INSERT INTO objects (bucket, key, id, size, etag, last_modified, "
                     "properties) VALUES (?, ?, ?, ?, ?, ?, ?)",
                     {bucket, info.key, object.id, to_number(info.size), info.etag,
                      to_number(info.last_modified), to_properties(info)}));
  return {};
}

Result<StoredObject> find_object(Transaction& inside, const std::string& bucket,
                                 const std::string& key) {
  OT_TRY_DO(require_bucket(inside, bucket));
  OT_TRY(const auto rows, inside.query("SELECT id, size, etag, last_modified, properties "
                                       "FROM objects WHERE bucket = ? AND key = ?",
                                       {bucket, key}));
  if (rows.empty()) {
    return s3_fail("NoSuchKey");
  }
  const Row& row = rows.front();
  StoredObject object;
  object.id = row.text(0);
  OT_TRY_DO(read_properties(row.text(4), object.info));
  object.info.key = key;
  object.info.size = static_cast<std::uint64_t>(row.integer(1));
  object.info.etag = row.text(2);
  object.info.last_modified = to_time(row.integer(3));
  return object;
}

Result<std::vector<Blob>> find_blobs(Transaction& inside, const std::string& owner) {
  OT_TRY(const auto rows,
         inside.query("SELECT id, size, sealed_key FROM blobs WHERE owner = ? ORDER BY ordinal",
                      {owner}));
  std::vector<Blob> all;
  all.reserve(rows.size());
  for (const Row& row : rows) {
    all.push_back({.id = row.text(0),
                   .size = static_cast<std::uint64_t>(row.integer(1)),
                   .sealed_key = row.text(2)});
  }
  return all;
}

Result<Upload> upload_of(const Row& row) {
  Upload upload;
  upload.id = row.text(0);
  upload.initiated = to_time(row.integer(3));
  OT_TRY_DO(read_properties(row.text(4), upload.object));
  upload.object.bucket = row.text(1);
  upload.object.key = row.text(2);
  return upload;
}
constexpr std::string_view kUploadSelect =
    "SELECT id, bucket, key, initiated, properties FROM uploads ";

Result<Upload> find_upload(Transaction& inside, const std::string& bucket, const std::string& key,
                           const std::string& upload_id) {
  OT_TRY_DO(require_bucket(inside, bucket));
  OT_TRY(const auto rows,
         inside.query(std::string(kUploadSelect) + "WHERE id = ? AND bucket = ? AND key = ?",
                      {upload_id, bucket, key}));
  if (rows.empty()) {
    return s3_fail("NoSuchUpload");
  }
  return upload_of(rows.front());
}

Result<std::vector<StoredPart>> find_parts(Transaction& inside, const std::string& upload_id) {
  OT_TRY(const auto rows,
         inside.query("SELECT number, id, size, etag, last_modified, checksums FROM parts "
                      "WHERE upload_id = ? ORDER BY number",
                      {upload_id}));
  std::vector<StoredPart> parts;
  for (const Row& row : rows) {
    StoredPart& part = parts.emplace_back();
    part.id = row.text(1);
    part.info.number = static_cast<int>(row.integer(0));
    part.info.size = static_cast<std::uint64_t>(row.integer(2));
    part.info.etag = row.text(3);
    part.info.last_modified = to_time(row.integer(4));
    OT_TRY(part.info.checksums, read_checksums(row.text(5)));
  }
  return parts;
}

/// Takes an upload out of the index with the parts that still have blobs of their own.
Result<std::vector<Retired>> retire_upload(Transaction& inside, const std::string& upload_id) {
  OT_TRY(const auto parts, find_parts(inside, upload_id));
  std::vector<Retired> all;
  for (const StoredPart& part : parts) {
    OT_TRY(all.emplace_back(), retire_blobs(inside, part.id));
  }
  OT_TRY_DO(inside.execute("DELETE FROM parts WHERE upload_id = ?", {upload_id}));
  OT_TRY_DO(inside.execute("DELETE FROM uploads WHERE id = ?", {upload_id}));
  return all;
}

void append(std::vector<Retired>& all, std::vector<Retired> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Runs `work` in a transaction and hands its value out.
template <typename Value, typename Work>
Result<Value> in_transaction(sql::Database& database, const Work& work) {
  Value value;
  OT_TRY_DO(database.transaction([&](Transaction& inside) -> Result<void> {
    OT_TRY(value, work(inside));
    return {};
  }));
  return value;
}

}  // namespace

Result<std::unique_ptr<ObjectIndex>> ObjectIndex::open(const std::string& path) {
  OT_TRY(auto database, sql::Database::open_sqlite(path));
  OT_TRY_DO(database->migrate("objects", kSteps));
  return std::make_unique<ObjectIndex>(std::move(database));
}

ObjectIndex::ObjectIndex(std::unique_ptr<sql::Database> database)
    : database_(std::move(database)) {}

Result<void> ObjectIndex::add_bucket(const Bucket& bucket) {
  return database_->transaction([&](Transaction& inside) -> Result<void> {
    OT_TRY(const auto rows,
           inside.query("SELECT owner FROM buckets WHERE name = ?", {bucket.name}));
    if (!rows.empty()) {
      return s3_fail(rows.front().text(0) == bucket.owner_account_id ? "BucketAlreadyOwnedByYou"
                                                                     : "BucketAlreadyExists");
    }
    OT_TRY_DO(inside.execute(
        "INSERT INTO buckets (name, region, owner, created_at, policy, public_access_block, "
        "encryption) VALUES (?, ?, ?, ?, ?, ?, ?)",
        {bucket.name, bucket.region, bucket.owner_account_id, to_number(bucket.created_at),
         bucket.policy_json, bucket.public_access_block_json, bucket.encryption_json}));
    return {};
  });
}

Result<Bucket> ObjectIndex::bucket(const std::string& name) {
  OT_TRY(const auto rows, database_->query(std::string(kBucketSelect) + "WHERE name = ?", {name}));
  if (rows.empty()) {
    return s3_fail("NoSuchBucket");
  }
  return bucket_of(rows.front());
}

Result<std::vector<Bucket>> ObjectIndex::buckets(const std::string& account_id) {
  OT_TRY(
      const auto rows,
      database_->query(std::string(kBucketSelect) + "WHERE owner = ? ORDER BY name", {account_id}));
  std::vector<Bucket> all;
  std::ranges::transform(rows, std::back_inserter(all), bucket_of);
  return all;
}

Result<std::vector<Retired>> ObjectIndex::delete_bucket(const std::string& name) {
  using All = std::vector<Retired>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY_DO(require_bucket(inside, name));
    OT_TRY(const auto objects,
           inside.query("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", {name}));
    if (!objects.empty()) {
      return s3_fail("BucketNotEmpty");
    }
    OT_TRY(const auto uploads, inside.query("SELECT id FROM uploads WHERE bucket = ?", {name}));
    All all;
    for (const Row& row : uploads) {
      OT_TRY(All more, retire_upload(inside, row.text(0)));
      append(all, std::move(more));
    }
    OT_TRY_DO(inside.execute("DELETE FROM buckets WHERE name = ?", {name}));
    return all;
  });
}

Result<void> ObjectIndex::set_bucket_text(const std::string& name, BucketText which,
                                          const std::string& json) {
  std::string_view statement;
  switch (which) {
    case BucketText::Policy:
      statement = "UPDATE buckets SET policy = ? WHERE name = ?";
      break;
    case BucketText::PublicAccessBlock:
      statement = "UPDATE buckets SET public_access_block = ? WHERE name = ?";
      break;
    case BucketText::Encryption:
      statement = "UPDATE buckets SET encryption = ? WHERE name = ?";
      break;
  }
  OT_TRY(const std::int64_t changed, database_->execute(statement, {json, name}));
  if (changed == 0) {
    return s3_fail("NoSuchBucket");
  }
  return {};
}

Result<std::vector<Retired>> ObjectIndex::put_object(const std::string& bucket,
                                                     const StoredObject& object,
                                                     const std::vector<Blob>& blobs,
                                                     bool if_none_match) {
  using All = std::vector<Retired>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY_DO(require_bucket(inside, bucket));
    OT_TRY(All all, retire_object(inside, bucket, object.info.key));
    if (if_none_match && !all.empty()) {
      return s3_fail("PreconditionFailed");
    }
    OT_TRY_DO(insert_object(inside, bucket, object));
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      OT_TRY_DO(insert_blob(inside, object.id, i, blobs[i]));
    }
    return all;
  });
}

Result<StoredObject> ObjectIndex::object(const std::string& bucket, const std::string& key) {
  return in_transaction<StoredObject>(
      *database_, [&](Transaction& inside) { return find_object(inside, bucket, key); });
}

Result<std::vector<Retired>> ObjectIndex::remove_object(const std::string& bucket,
                                                        const std::string& key) {
  using All = std::vector<Retired>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY_DO(require_bucket(inside, bucket));
    return retire_object(inside, bucket, key);
  });
}

Result<std::vector<ObjectInfo>> ObjectIndex::page(const std::string& bucket,
                                                  const std::string& from, bool inclusive,
                                                  std::size_t limit) {
  const std::string statement =
      std::string("SELECT key, size, etag, last_modified FROM objects WHERE bucket = ? AND key ") +
      (inclusive ? ">= ?" : "> ?") + " ORDER BY key LIMIT ?";
  OT_TRY(const auto rows,
         database_->query(statement, {bucket, from, static_cast<std::int64_t>(limit)}));
  std::vector<ObjectInfo> page;
  for (const Row& row : rows) {
    ObjectInfo& info = page.emplace_back();
    info.key = row.text(0);
    info.size = static_cast<std::uint64_t>(row.integer(1));
    info.etag = row.text(2);
    info.last_modified = to_time(row.integer(3));
  }
  return page;
}

Result<StoredContents> ObjectIndex::contents(const std::string& bucket, const std::string& key) {
  return in_transaction<StoredContents>(
      *database_, [&](Transaction& inside) -> Result<StoredContents> {
        StoredContents contents;
        OT_TRY(contents.object, find_object(inside, bucket, key));
        OT_TRY(contents.blobs, find_blobs(inside, contents.object.id));
        return contents;
      });
}

Result<std::vector<std::string>> ObjectIndex::blob_ids(const std::string& from,
                                                       const std::string& to) {
  OT_TRY(const auto rows,
         database_->query("SELECT id FROM blobs WHERE id >= ? AND id < ? ORDER BY id", {from, to}));
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const Row& row : rows) {
    ids.push_back(row.text(0));
  }
  return ids;
}

Result<void> ObjectIndex::add_upload(const Upload& upload) {
  return database_->transaction([&](Transaction& inside) -> Result<void> {
    OT_TRY_DO(require_bucket(inside, upload.object.bucket));
    OT_TRY_DO(inside.execute(
        "INSERT INTO uploads (id, bucket, key, initiated, properties) VALUES (?, ?, ?, ?, ?)",
        {upload.id, upload.object.bucket, upload.object.key, to_number(upload.initiated),
         to_properties(upload.object)}));
    return {};
  });
}

Result<Upload> ObjectIndex::upload(const std::string& bucket, const std::string& key,
                                   const std::string& upload_id) {
  return in_transaction<Upload>(
      *database_, [&](Transaction& inside) { return find_upload(inside, bucket, key, upload_id); });
}

Result<std::vector<Retired>> ObjectIndex::put_part(const Upload& upload, const StoredPart& part,
                                                   const Blob& blob) {
  using All = std::vector<Retired>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY_DO(find_upload(inside, upload.object.bucket, upload.object.key, upload.id));
    const auto number = static_cast<std::int64_t>(part.info.number);
    OT_TRY(const auto rows, inside.query("SELECT id FROM parts WHERE upload_id = ? AND number = ?",
                                         {upload.id, number}));
    All all;
    if (!rows.empty()) {
      OT_TRY(all.emplace_back(), retire_blobs(inside, rows.front().text(0)));
      OT_TRY_DO(inside.execute("DELETE FROM parts WHERE upload_id = ? AND number = ?",
                               {upload.id, number}));
    }
    OT_TRY_DO(
        inside.execute("INSERT INTO parts (upload_id, number, id, size, etag, last_modified, "
                       "checksums) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       {upload.id, number, part.id, to_number(part.info.size), part.info.etag,
                        to_number(part.info.last_modified), to_json(part.info.checksums)}));
    OT_TRY_DO(insert_blob(inside, part.id, 0, blob));
    return all;
  });
}

Result<std::vector<StoredPart>> ObjectIndex::parts(const Upload& upload) {
  return in_transaction<std::vector<StoredPart>>(
      *database_, [&](Transaction& inside) { return find_parts(inside, upload.id); });
}

Result<std::vector<Retired>> ObjectIndex::complete_upload(const std::string& bucket,
                                                          const std::string& key,
                                                          const std::string& upload_id,
                                                          const Decide& decide) {
  using All = std::vector<Retired>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY(const Upload upload, find_upload(inside, bucket, key, upload_id));
    OT_TRY(const auto parts, find_parts(inside, upload_id));
    OT_TRY(const Completion completion, decide(upload, parts));
    OT_TRY(All all, retire_object(inside, bucket, key));
    OT_TRY_DO(insert_object(inside, bucket, completion.object));
    for (std::size_t i = 0; i < completion.parts.size(); ++i) {
      OT_TRY_DO(inside.execute(
          "UPDATE blobs SET owner = ?, ordinal = ? WHERE owner = ?",
          {completion.object.id, static_cast<std::int64_t>(i), completion.parts[i].id}));
    }
    OT_TRY(All more, retire_upload(inside, upload_id));
    append(all, std::move(more));
    return all;
  });
}

Result<std::vector<Retired>> ObjectIndex::abort_upload(const std::string& bucket,
                                                       const std::string& key,
                                                       const std::string& upload_id) {
  using All = std::vector<Retired>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY_DO(find_upload(inside, bucket, key, upload_id));
    return retire_upload(inside, upload_id);
  });
}

Result<std::vector<Upload>> ObjectIndex::uploads(const std::string& bucket) {
  using All = std::vector<Upload>;
  return in_transaction<All>(*database_, [&](Transaction& inside) -> Result<All> {
    OT_TRY_DO(require_bucket(inside, bucket));
    OT_TRY(const auto rows,
           inside.query(std::string(kUploadSelect) + "WHERE bucket = ? ORDER BY key, initiated, id",
                        {bucket}));
    All all;
    for (const Row& row : rows) {
      OT_TRY(all.emplace_back(), upload_of(row));
    }
    return all;
  });
}

}  // namespace opentrail::objects

#pragma once
#include "base/error.h"
#include "objects/blob_folder.h"
#include "objects/embedded_store.h"
#include "sql/database.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The SQLite index of the embedded store: which buckets, objects, uploads and parts there are and
/// which blobs hold their bytes (docs/formats/objects.md). Each call is one durable transaction.
/// Any thread. Errors carry S3's codes.
namespace opentrail::objects {

/// Blobs that no row refers to any more, for BlobFolder::retire.
struct Retired {
  std::string owner;
  std::vector<std::string> blob_ids;
};

struct StoredObject {
  std::string id;  ///< Random; owner of the blobs.
  ObjectInfo info;
};

struct StoredPart {
  std::string id;  ///< Random; owner of the blob.
  PartInfo info;
};

struct Upload {
  std::string id;
  NewObject object;
  Timestamp initiated;
};

/// An object with what holds its bytes, as one moment saw them.
struct StoredContents {
  StoredObject object;
  std::vector<Blob> blobs;  ///< In order.
};

/// An object made of parts: decided by the store, written by the index.
struct Completion {
  StoredObject object;
  std::vector<StoredPart> parts;  ///< In order.
};

class ObjectIndex {
 public:
  static Result<std::unique_ptr<ObjectIndex>> open(const std::string& path);
  explicit ObjectIndex(std::unique_ptr<sql::Database> database);

  Result<void> add_bucket(const Bucket& bucket);
  Result<Bucket> bucket(const std::string& name);
  Result<std::vector<Bucket>> buckets(const std::string& account_id);
  /// Uploads in progress end with the bucket.
  Result<std::vector<Retired>> delete_bucket(const std::string& name);
  enum class BucketText : unsigned char { Policy, PublicAccessBlock, Encryption };
  Result<void> set_bucket_text(const std::string& name, BucketText which, const std::string& json);

  /// Puts the object in the place of what was there, which is returned.
  Result<std::vector<Retired>> put_object(const std::string& bucket, const StoredObject& object,
                                          const std::vector<Blob>& blobs, bool if_none_match);
  Result<StoredObject> object(const std::string& bucket, const std::string& key);
  Result<std::vector<Retired>> remove_object(const std::string& bucket, const std::string& key);
  /// At most `limit` objects in byte order of their keys, from `from` (inclusive or not); with key,
  /// size, ETag and time only. No check of the bucket.
  Result<std::vector<ObjectInfo>> page(const std::string& bucket, const std::string& from,
                                       bool inclusive, std::size_t limit);
  Result<StoredContents> contents(const std::string& bucket, const std::string& key);
  /// Ids of blobs in [from, to), sorted.
  Result<std::vector<std::string>> blob_ids(const std::string& from, const std::string& to);

  Result<void> add_upload(const Upload& upload);
  Result<Upload> upload(const std::string& bucket, const std::string& key,
                        const std::string& upload_id);
  Result<std::vector<Retired>> put_part(const Upload& upload, const StoredPart& part,
                                        const Blob& blob);
  Result<std::vector<StoredPart>> parts(const Upload& upload);
  using Decide =
      std::function<Result<Completion>(const Upload&, const std::vector<StoredPart>& parts)>;
  /// Asks `decide` and makes the object of it; parts that it left out are retired.
  Result<std::vector<Retired>> complete_upload(const std::string& bucket, const std::string& key,
                                               const std::string& upload_id, const Decide& decide);
  Result<std::vector<Retired>> abort_upload(const std::string& bucket, const std::string& key,
                                            const std::string& upload_id);
  Result<std::vector<Upload>> uploads(const std::string& bucket);

 private:
  std::unique_ptr<sql::Database> database_;
};

}  // namespace opentrail::objects

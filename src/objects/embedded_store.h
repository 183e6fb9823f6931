#pragma once
#include "base/error.h"
#include "crypto/keyring.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "objects/object_store.h"
#include "sql/database.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The embedded object store: buckets in a folder, objects encrypted with AES-256-GCM in chunks,
/// names and properties in a SQLite index (docs/formats/objects.md). The S3 wire protocol is in
/// services/s3; here are the operations. Blocking; any thread.
/// Errors carry the S3 error code in reason() and S3's text in message().
namespace opentrail::objects {

struct Bucket {
  std::string name;
  std::string region;
  std::string owner_account_id;
  Timestamp created_at;
  std::string policy_json;               ///< Empty when none.
  std::string public_access_block_json;  ///< Empty when none was put.
  std::string encryption_json;           ///< Empty: the default, AES256.
};

/// Checksums that a client sent or that were computed, base64, by lower-case algorithm name:
/// "crc32", "crc32c", "crc64nvme", "sha1", "sha256".
using Checksums = std::map<std::string, std::string>;

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  ///< With quotes; "md5" or "md5-of-md5s-N".
  Timestamp last_modified;
  std::string content_type;
  std::string content_encoding;
  std::string cache_control;
  std::string content_disposition;
  std::string content_language;
  std::map<std::string, std::string> metadata;
  Checksums checksums;        ///< Of a multipart object they may be composite: "base64-N".
  std::string checksum_type;  ///< "FULL_OBJECT" or "COMPOSITE"; empty without checksums.
};

/// Properties that the client chooses for a new object.
struct NewObject {
  std::string bucket;
  std::string key;
  std::string content_type = "binary/octet-stream";
  std::string content_encoding;
  std::string cache_control;
  std::string content_disposition;
  std::string content_language;
  std::map<std::string, std::string> metadata;
  /// Of a multipart upload: how the parts' checksums become that of the whole. Empty: COMPOSITE,
  /// for crc64nvme FULL_OBJECT.
  std::string checksum_type;
};

/// What the client said the bytes must be; checked at commit. Empty members are not checked.
struct ExpectedBytes {
  std::string md5_base64{};  ///< Content-MD5.
  std::string sha256_hex{};  ///< x-amz-content-sha256.
  Checksums checksums{};     ///< x-amz-checksum-*.
  std::optional<std::uint64_t> size{};
  bool if_none_match = false;  ///< If-None-Match: *.
};

/// A new object or part while its bytes come in. Memory is one chunk. Destroyed without commit:
/// nothing remains. Which checksum algorithms are computed is given to the store's begin_*.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Result<void> write(std::string_view bytes) = 0;
  /// Checks, makes durable, puts in place. BadDigest, InvalidDigest, XAmzContentSHA256Mismatch,
  /// IncompleteBody, PreconditionFailed.
  virtual Result<ObjectInfo> commit(const ExpectedBytes& expected) = 0;
};

/// Reads an object's bytes in order from a position. A changed byte on disk is Corruption.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  [[nodiscard]] virtual const ObjectInfo& info() const = 0;
  /// The next bytes, at most one chunk (64 KiB); empty at the end.
  virtual Result<std::string> read() = 0;
  virtual Result<void> seek(std::uint64_t position) = 0;
};

struct ListQuery {
  std::string bucket;
  std::string prefix{};
  std::string delimiter{};
  std::string start_after{};  ///< Exclusive: marker, start-after or the decoded continuation token.
  std::size_t keys_max = 1000;
};

struct ListPage {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_start_after;  ///< For the next page, when truncated.
};

struct PartInfo {
  int number = 0;
  std::uint64_t size = 0;
  std::string etag;
  Timestamp last_modified;
  Checksums checksums;
};

struct UploadInfo {
  std::string upload_id;
  std::string key;
  Timestamp initiated;
};

struct CompletedPart {
  int number = 0;
  std::string etag;       ///< With or without quotes.
  Checksums checksums{};  ///< What the client says the part's are; may be empty.
};

class EmbeddedStore : public ObjectStore {
 public:
  struct Options {
    std::string folder;
  };
  /// Opens or makes the store in a folder; removes what half-written uploads left.
  static Result<std::unique_ptr<EmbeddedStore>> open(io::Filesystem& files, io::Random& random,
                                                     const io::Clock& clock,
                                                     const crypto::Keyring& keyring,
                                                     Options options);

  // Buckets. NoSuchBucket, BucketAlreadyExists, BucketAlreadyOwnedByYou, BucketNotEmpty,
  // InvalidBucketName.
  virtual Result<Bucket> create_bucket(const std::string& name, const std::string& region,
                                       const std::string& account_id) = 0;
  virtual Result<Bucket> bucket(const std::string& name) = 0;
  virtual Result<std::vector<Bucket>> buckets(const std::string& account_id) = 0;
  virtual Result<void> delete_bucket(const std::string& name) = 0;
  /// Empty removes. MalformedPolicy when it is not a policy document for this bucket.
  virtual Result<void> set_bucket_policy(const std::string& name, const std::string& json) = 0;
  virtual Result<void> set_public_access_block(const std::string& name,
                                               const std::string& json) = 0;
  virtual Result<void> set_bucket_encryption(const std::string& name, const std::string& json) = 0;

  // Objects. NoSuchKey, KeyTooLongError, EntityTooLarge.
  /// `algorithms`: checksums to compute beside MD5 and SHA-256, for example {"crc64nvme"}.
  virtual Result<std::unique_ptr<ObjectWriter>> begin_put(
      const NewObject& object, const std::vector<std::string>& algorithms) = 0;
  virtual Result<std::unique_ptr<ObjectReader>> open_object(const std::string& bucket,
                                                            const std::string& key) = 0;
  virtual Result<ObjectInfo> head(const std::string& bucket, const std::string& key) = 0;
  /// Deleting a key that is not there succeeds, as in S3.
  virtual Result<void> remove(const std::string& bucket, const std::string& key) = 0;
  virtual Result<ListPage> list_page(const ListQuery& query) = 0;

  // Multipart uploads. NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall.
  virtual Result<std::string> create_upload(const NewObject& object) = 0;
  virtual Result<std::unique_ptr<ObjectWriter>> begin_part(
      const std::string& bucket, const std::string& key, const std::string& upload_id, int number,
      const std::vector<std::string>& algorithms) = 0;
  virtual Result<ObjectInfo> complete_upload(const std::string& bucket, const std::string& key,
                                             const std::string& upload_id,
                                             const std::vector<CompletedPart>& parts) = 0;
  virtual Result<void> abort_upload(const std::string& bucket, const std::string& key,
                                    const std::string& upload_id) = 0;
  virtual Result<std::vector<PartInfo>> parts(const std::string& bucket, const std::string& key,
                                              const std::string& upload_id) = 0;
  virtual Result<std::vector<UploadInfo>> uploads(const std::string& bucket) = 0;
};

}  // namespace opentrail::objects

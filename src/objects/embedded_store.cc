#include "objects/embedded_store.h"

#include "base/log.h"
#include "objects/bucket_name.h"
#include "objects/bucket_policy.h"
#include "objects/checksums.h"
#include "objects/list_page.h"
#include "objects/multipart.h"
#include "objects/object_checks.h"
#include "objects/object_reader.h"
#include "objects/object_writer.h"
#include "objects/s3_errors.h"
#include "objects/service_access.h"
#include "objects/store_parts.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace opentrail::objects {
namespace {

using BucketText = ObjectIndex::BucketText;

/// The object row of bytes that came in one piece.
StoredObject stored_object(const NewObject& object, const Digester& digester, std::string id,
                           Timestamp now) {
  StoredObject stored;
  stored.id = std::move(id);
  stored.info = {.key = object.key,
                 .size = digester.size(),
                 .etag = single_etag(digester),
                 .last_modified = now,
                 .content_type = object.content_type,
                 .content_encoding = object.content_encoding,
                 .cache_control = object.cache_control,
                 .content_disposition = object.content_disposition,
                 .content_language = object.content_language,
                 .metadata = object.metadata,
                 .checksums = digester.checksums(),
                 .checksum_type = {}};
  if (!stored.info.checksums.empty()) {
    stored.info.checksum_type = kFullObject;
  }
  return stored;
}

NewObject new_object(const PutRequest& request) {
  NewObject object;
  object.bucket = request.bucket;
  object.key = request.key;
  object.content_type = request.content_type;
  object.content_encoding = request.content_encoding;
  object.metadata = request.metadata;
  return object;
}

class Store final : public EmbeddedStore {
 public:
  explicit Store(std::shared_ptr<StoreParts> parts) : parts_(std::move(parts)) {}

  // For services: the bucket's policy decides about what they write; what they read back is their
  // own.

  Result<void> check_bucket(const std::string& bucket, const ServicePrincipal& /*who*/) override {
    OT_TRY_DO(index().bucket(bucket));
    return {};
  }

  Result<void> check_acl_readable(const std::string& bucket, const ServicePrincipal& who) override {
    OT_TRY(const Bucket found, index().bucket(bucket));
    return check_service_access(found, who,
                                {.action = "s3:GetBucketAcl", .key = {}, .canned_acl = {}});
  }

  Result<void> put(const PutRequest& request, const ServicePrincipal& who) override {
    OT_TRY(const Bucket found, index().bucket(request.bucket));
    OT_TRY_DO(check_service_access(
        found, who,
        {.action = "s3:PutObject", .key = request.key, .canned_acl = request.canned_acl}));
    if (is_there(request)) {
      return {};
    }
    OT_TRY(const auto writer, begin_put(new_object(request), {}));
    OT_TRY_DO(writer->write(request.body));
    OT_TRY_DO(writer->commit({}));
    return {};
  }

  Result<ObjectBytes> get(const std::string& bucket, const std::string& key,
                          const ServicePrincipal& /*who*/) override {
    return read_whole(bucket, key);
  }

  Result<std::vector<ListedObject>> list(const std::string& bucket, const std::string& prefix,
                                         const std::string& start_after,
                                         const ServicePrincipal& /*who*/) override {
    ListQuery query;
    query.bucket = bucket;
    query.prefix = prefix;
    query.start_after = start_after;
    OT_TRY(ListPage page, list_page(query));
    std::vector<ListedObject> listed;
    listed.reserve(page.objects.size());
    for (ObjectInfo& info : page.objects) {
      listed.push_back({.key = std::move(info.key),
                        .size = info.size,
                        .etag = std::move(info.etag),
                        .last_modified = info.last_modified});
    }
    return listed;
  }

  // Buckets.

  Result<Bucket> create_bucket(const std::string& name, const std::string& region,
                               const std::string& account_id) override {
    if (!is_bucket_name(name)) {
      return s3_fail("InvalidBucketName");
    }
    Bucket bucket;
    bucket.name = name;
    bucket.region = region;
    bucket.owner_account_id = account_id;
    bucket.created_at = parts_->clock.now();
    OT_TRY_DO(index().add_bucket(bucket));
    return bucket;
  }

  Result<Bucket> bucket(const std::string& name) override { return index().bucket(name); }

  Result<std::vector<Bucket>> buckets(const std::string& account_id) override {
    return index().buckets(account_id);
  }

  Result<void> delete_bucket(const std::string& name) override {
    return retire(index().delete_bucket(name));
  }

  Result<void> set_bucket_policy(const std::string& name, const std::string& json) override {
    OT_TRY_DO(index().bucket(name));  // NoSuchBucket comes before MalformedPolicy
    if (!json.empty()) {
      OT_TRY_DO(BucketPolicy::parse(json, name));
    }
    return index().set_bucket_text(name, BucketText::Policy, json);
  }

  Result<void> set_public_access_block(const std::string& name, const std::string& json) override {
    OT_TRY_DO(check_configuration(json));
    return index().set_bucket_text(name, BucketText::PublicAccessBlock, json);
  }

  Result<void> set_bucket_encryption(const std::string& name, const std::string& json) override {
    OT_TRY_DO(check_configuration(json));
    return index().set_bucket_text(name, BucketText::Encryption, json);
  }

  // Objects.

  Result<std::unique_ptr<ObjectWriter>> begin_put(
      const NewObject& object, const std::vector<std::string>& algorithms) override {
    OT_TRY_DO(check_new_object(object));
    OT_TRY_DO(check_algorithms(algorithms));
    OT_TRY_DO(index().bucket(object.bucket));
    return make_object_writer(
        parts_, algorithms,
        [parts = parts_, object](const Digester& digester, const Blob& blob,
                                 const ExpectedBytes& expected) -> Result<ObjectInfo> {
          StoredObject stored =
              stored_object(object, digester, make_owner_id(parts->random), parts->clock.now());
          OT_TRY(const auto retired,
                 parts->index->put_object(object.bucket, stored, {blob}, expected.if_none_match));
          parts->retire(retired);
          return std::move(stored.info);
        });
  }

  Result<std::unique_ptr<ObjectReader>> open_object(const std::string& bucket,
                                                    const std::string& key) override {
    return open_reader(parts_, bucket, key);
  }

  Result<ObjectInfo> head(const std::string& bucket, const std::string& key) override {
    OT_TRY(StoredObject object, index().object(bucket, key));
    return std::move(object.info);
  }

  Result<void> remove(const std::string& bucket, const std::string& key) override {
    return retire(index().remove_object(bucket, key));
  }

  Result<ListPage> list_page(const ListQuery& query) override {
    OT_TRY_DO(index().bucket(query.bucket));
    return list_objects(index(), query);
  }

  // Multipart uploads.

  Result<std::string> create_upload(const NewObject& object) override {
    OT_TRY_DO(check_new_object(object));
    OT_TRY_DO(check_checksum_type(object.checksum_type));
    const Upload upload{
        .id = make_owner_id(parts_->random), .object = object, .initiated = parts_->clock.now()};
    OT_TRY_DO(index().add_upload(upload));
    return upload.id;
  }

  Result<std::unique_ptr<ObjectWriter>> begin_part(
      const std::string& bucket, const std::string& key, const std::string& upload_id, int number,
      const std::vector<std::string>& algorithms) override {
    OT_TRY_DO(check_part_number(number));
    OT_TRY_DO(check_algorithms(algorithms));
    OT_TRY(Upload upload, index().upload(bucket, key, upload_id));
    return make_object_writer(
        parts_, algorithms,
        [parts = parts_, number, upload = std::move(upload)](
            const Digester& digester, const Blob& blob,
            const ExpectedBytes& /*expected*/) -> Result<ObjectInfo> {
          StoredObject whole = stored_object(upload.object, digester, make_owner_id(parts->random),
                                             parts->clock.now());
          const StoredPart part{.id = whole.id,
                                .info = {.number = number,
                                         .size = whole.info.size,
                                         .etag = whole.info.etag,
                                         .last_modified = whole.info.last_modified,
                                         .checksums = whole.info.checksums}};
          OT_TRY(const auto retired, parts->index->put_part(upload, part, blob));
          parts->retire(retired);
          return std::move(whole.info);
        });
  }

  Result<ObjectInfo> complete_upload(const std::string& bucket, const std::string& key,
                                     const std::string& upload_id,
                                     const std::vector<CompletedPart>& parts) override {
    ObjectInfo info;
    const auto decide = [&](const Upload& upload,
                            const std::vector<StoredPart>& stored) -> Result<Completion> {
      OT_TRY(Completion completion,
             complete(upload, stored, parts, make_owner_id(parts_->random), parts_->clock.now()));
      info = completion.object.info;
      return completion;
    };
    OT_TRY_DO(retire(index().complete_upload(bucket, key, upload_id, decide)));
    return info;
  }

  Result<void> abort_upload(const std::string& bucket, const std::string& key,
                            const std::string& upload_id) override {
    return retire(index().abort_upload(bucket, key, upload_id));
  }

  Result<std::vector<PartInfo>> parts(const std::string& bucket, const std::string& key,
                                      const std::string& upload_id) override {
    OT_TRY(const Upload upload, index().upload(bucket, key, upload_id));
    OT_TRY(const auto stored, index().parts(upload));
    std::vector<PartInfo> all;
    all.reserve(stored.size());
    for (const StoredPart& part : stored) {
      all.push_back(part.info);
    }
    return all;
  }

  Result<std::vector<UploadInfo>> uploads(const std::string& bucket) override {
    OT_TRY(const auto stored, index().uploads(bucket));
    std::vector<UploadInfo> all;
    all.reserve(stored.size());
    for (const Upload& upload : stored) {
      all.push_back(
          {.upload_id = upload.id, .key = upload.object.key, .initiated = upload.initiated});
    }
    return all;
  }

 private:
  [[nodiscard]] ObjectIndex& index() const { return *parts_->index; }

  Result<void> retire(const Result<std::vector<Retired>>& all) const {
    if (!all) {
      return std::unexpected(all.error());
    }
    parts_->retire(*all);
    return {};
  }

  Result<ObjectBytes> read_whole(const std::string& bucket, const std::string& key) {
    OT_TRY(const auto reader, open_object(bucket, key));
    const ObjectInfo& info = reader->info();
    if (info.size > kWholeObjectBytesMax) {
      return fail(ErrorCode::ResourceExhausted,
                  fmt::format("object of {} bytes is too large to be read at once", info.size));
    }
    ObjectBytes bytes{.body = {},
                      .content_type = info.content_type,
                      .content_encoding = info.content_encoding,
                      .etag = info.etag,
                      .metadata = info.metadata};
    for (;;) {
      OT_TRY(const std::string chunk, reader->read());
      if (chunk.empty()) {
        return bytes;
      }
      bytes.body += chunk;
    }
  }

  /// True when a repeated put would change nothing: the same bytes, intact, with the same
  /// properties.
  bool is_there(const PutRequest& request) {
    const auto info = head(request.bucket, request.key);
    const bool alike =
        info && info->size == request.body.size() && info->content_type == request.content_type &&
        info->content_encoding == request.content_encoding && info->metadata == request.metadata;
    if (!alike) {
      return false;
    }
    const auto stored = read_whole(request.bucket, request.key);
    return stored && stored->etag == info->etag && stored->body == request.body;
  }

  std::shared_ptr<StoreParts> parts_;
};

Result<void> sweep(StoreParts& parts) {
  OT_TRY(const auto report, parts.blobs->sweep([&](const std::string& from, const std::string& to) {
    return parts.index->blob_ids(from, to);
  }));
  if (report.removed > 0) {
    log::info("objects: removed {} files that no object uses", report.removed);
  }
  if (report.missing_count > 0) {
    log::error("objects: {} data files are missing; their objects cannot be read: {}{}",
               report.missing_count, fmt::join(report.missing, " "),
               report.missing.size() < report.missing_count ? " ..." : "");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(io::Filesystem& files,
                                                           io::Random& random,
                                                           const io::Clock& clock,
                                                           const crypto::Keyring& keyring,
                                                           Options options) {
  const std::string folder = std::move(options.folder);
  const std::string data = io::join_path(folder, "data");
  OT_TRY_DO(files.create_directories(data));
  OT_TRY_DO(files.sync_directory(folder));
  OT_TRY_DO(files.sync_directory(io::parent_path(folder)));
  OT_TRY(auto lock, files.lock(io::join_path(folder, "lock")));
  OT_TRY(auto index, ObjectIndex::open(io::join_path(folder, "index.db")));
  auto parts = std::make_shared<StoreParts>(StoreParts{
      .random = random,
      .clock = clock,
      .keyring = keyring,
      .lock = std::move(lock),
      .blobs = std::make_shared<BlobFolder>(files, data),
      .index = std::move(index),
  });
  OT_TRY_DO(sweep(*parts));
  return std::make_unique<Store>(std::move(parts));
}

}  // namespace opentrail::objects

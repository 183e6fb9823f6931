#include "objects/s3_client.h"

#include "base/log.h"
#include "base/mutex.h"
#include "crypto/hash.h"
#include "crypto/sigv4.h"
#include "io/filesystem.h"
#include "net/client.h"
#include "objects/aws_profile.h"
#include "objects/object_checks.h"
#include "objects/s3_xml.h"

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

namespace sigv4 = crypto::sigv4;

constexpr std::size_t kIdleClientsMax = 8;
constexpr std::size_t kListKeysMax = 1000;
constexpr std::size_t kCredentialsFileBytesMax = 1 << 20;
constexpr int kFirstRefusal = 300;
constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::string_view kEncryptionHeader = "x-amz-server-side-encryption";

/// The variable's value, or "".
std::string environment(const char* name) {
  // Read once at start, before other threads run. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A request before it is signed.
struct Call {
  std::string method;
  std::string bucket;
  std::string key;    ///< Empty: the bucket itself.
  std::string query;  ///< Encoded, without "?".
  net::Headers headers;
  std::string_view body;  ///< Of the caller, who waits.
};

/// Connections of one origin, each used by one thread at a time.
class ClientPool {
 public:
  explicit ClientPool(net::Url origin) : origin_(std::move(origin)) {}

  Result<net::ClientResponse> send(const net::ClientRequest& request) EXCLUDES(mutex_) {
    std::unique_ptr<net::Client> client = take();
    if (client == nullptr) {
      net::ClientOptions options;
      options.response_bytes_max = kWholeObjectBytesMax;
      OT_TRY(client, net::Client::make(origin_, options));
    }
    auto response = client->send(request);
    if (response) {  // after an error nobody knows what is still on its way
      give_back(std::move(client));
    }
    return response;
  }
  [[nodiscard]] const net::Url& origin() const { return origin_; }

 private:
  std::unique_ptr<net::Client> take() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (idle_.empty()) {
      return nullptr;
    }
    auto client = std::move(idle_.back());
    idle_.pop_back();
    return client;
  }

  void give_back(std::unique_ptr<net::Client> client) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (idle_.size() < kIdleClientsMax) {
      idle_.push_back(std::move(client));
    }
  }

  net::Url origin_;
  Mutex mutex_;
  std::vector<std::unique_ptr<net::Client>> idle_ GUARDED_BY(mutex_);
};

/// The other side does not offer server-side encryption as it was asked for: an S3 without a key
/// service says NotImplemented, others call the header's value invalid.
bool refuses_encryption(const Error& error) {
  if (error.reason() == "NotImplemented") {
    return true;
  }
  const std::string message = to_lower(error.message());
  return (error.reason() == "InvalidArgument" || error.reason() == "InvalidRequest") &&
         (message.find("encrypt") != std::string::npos || message.find("sse") != std::string::npos);
}

class S3Client final : public ObjectStore {
 public:
  S3Client(S3ClientOptions options, net::Url origin, const io::Clock& clock)
      : options_(std::move(options)), clock_(clock), clients_(std::move(origin)) {}

  Result<void> check_bucket(const std::string& bucket, const ServicePrincipal& /*who*/) override {
    auto answer = send(
        {.method = "HEAD", .bucket = bucket, .key = {}, .query = {}, .headers = {}, .body = {}});
    if (!answer && answer.error().code() == ErrorCode::NotFound) {
      return fail(ErrorCode::NotFound, answer.error().message(), "NoSuchBucket");
    }
    return without_value(std::move(answer));
  }

  Result<void> check_acl_readable(const std::string& bucket,
                                  const ServicePrincipal& /*who*/) override {
    auto answer = send(
        {.method = "GET", .bucket = bucket, .key = {}, .query = "acl=", .headers = {}, .body = {}});
    if (!answer && answer.error().reason() == "NotImplemented") {
      return {};  // a store without ACLs has none to forbid
    }
    return without_value(std::move(answer));
  }

  Result<void> put(const PutRequest& request, const ServicePrincipal& /*who*/) override {
    OT_TRY(Call call, put_call(request));
    if (encryption_refused_.load()) {
      return without_value(send(call));
    }
    Call encrypted = call;
    encrypted.headers.add(std::string(kEncryptionHeader), "AES256");
    auto answer = send(encrypted);
    if (answer || !refuses_encryption(answer.error())) {
      return without_value(std::move(answer));
    }
    OT_TRY_DO(send(call));
    if (!encryption_refused_.exchange(true)) {
      log::warn("objects: {} does not encrypt at rest on request; objects are put without asking",
                clients_.origin().authority());
    }
    return {};
  }

  Result<ObjectBytes> get(const std::string& bucket, const std::string& key,
                          const ServicePrincipal& /*who*/) override {
    OT_TRY(net::ClientResponse answer, send({.method = "GET",
                                             .bucket = bucket,
                                             .key = key,
                                             .query = {},
                                             .headers = {},
                                             .body = {}}));
    ObjectBytes bytes;
    bytes.body = std::move(answer.body);
    bytes.content_type = answer.headers.get("Content-Type");
    bytes.content_encoding = answer.headers.get("Content-Encoding");
    bytes.etag = answer.headers.get("ETag");
    for (const auto& [name, value] : answer.headers.fields()) {
      const std::string lower = to_lower(name);
      if (lower.starts_with(kMetadataPrefix)) {
        bytes.metadata.emplace(lower.substr(kMetadataPrefix.size()), value);
      }
    }
    return bytes;
  }

  Result<std::vector<ListedObject>> list(const std::string& bucket, const std::string& prefix,
                                         const std::string& start_after,
                                         const ServicePrincipal& /*who*/) override {
    std::vector<ListedObject> all;
    std::string behind = start_after;
    // A store may answer with fewer keys than asked for although there are more.
    while (all.size() < kListKeysMax) {
      const std::string query =
          fmt::format("encoding-type=url&list-type=2&max-keys={}&prefix={}&start-after={}",
                      kListKeysMax - all.size(), uri_encode(prefix), uri_encode(behind));
      OT_TRY(const net::ClientResponse answer, send({.method = "GET",
                                                     .bucket = bucket,
                                                     .key = {},
                                                     .query = query,
                                                     .headers = {},
                                                     .body = {}}));
      OT_TRY(ForeignPage page, parse_list_answer(answer.body));
      OT_TRY_DO(append(all, std::move(page.objects), prefix, behind));
      if (!page.truncated) {
        break;
      }
      if (all.empty() || all.back().key == behind) {
        return fail(ErrorCode::Unavailable, "the listing goes on without any keys");
      }
      behind = all.back().key;
    }
    return all;
  }

 private:
  /// Refuses a page that is not what was asked for: whoever walks the bucket would lose its place.
  static Result<void> append(std::vector<ListedObject>& all, std::vector<ListedObject> page,
                             const std::string& prefix, std::string before) {
    for (ListedObject& object : page) {
      if (!object.key.starts_with(prefix) || object.key <= before || all.size() == kListKeysMax) {
        return fail(ErrorCode::Unavailable, "the listing is not in the order or range asked for");
      }
      before = object.key;
      all.push_back(std::move(object));
    }
    return {};
  }

  static Result<void> without_value(Result<net::ClientResponse> answer) {
    if (!answer) {
      return std::unexpected(std::move(answer).error());
    }
    return {};
  }

  static Result<Call> put_call(const PutRequest& request) {
    NewObject checked;
    checked.key = request.key;
    checked.content_type = request.content_type;
    checked.content_encoding = request.content_encoding;
    checked.metadata = request.metadata;
    OT_TRY_DO(check_new_object(checked));
    Call call{.method = "PUT",
              .bucket = request.bucket,
              .key = request.key,
              .query = {},
              .headers = {},
              .body = request.body};
    call.headers.add("Content-MD5", to_base64(crypto::md5(as_bytes(request.body))));
    const auto add = [&](std::string name, const std::string& value) {
      if (!value.empty()) {
        call.headers.add(std::move(name), value);
      }
    };
    add("Content-Type", request.content_type);
    add("Content-Encoding", request.content_encoding);
    add("x-amz-acl", request.canned_acl);
    for (const auto& [name, value] : request.metadata) {
      call.headers.add(std::string(kMetadataPrefix) + to_lower(name), value);
    }
    return call;
  }

  [[nodiscard]] std::string path_of(const Call& call) const {
    std::string path = clients_.origin().path;
    while (path.ends_with('/')) {
      path.pop_back();
    }
    path += "/" + uri_encode(call.bucket);
    if (!call.key.empty()) {
      path += "/" + uri_encode(call.key, true);
    }
    return path;
  }

  Result<net::ClientResponse> send(const Call& call) {
    const std::string path = path_of(call);
    net::ClientRequest request;
    request.method = call.method;
    request.target = call.query.empty() ? path : path + "?" + call.query;
    request.headers = call.headers;
    request.headers.set("Host", clients_.origin().authority());
    request.body = call.body;

    sigv4::SignedRequest to_sign{
        .method = request.method, .path = path, .query = call.query, .headers = {}};
    for (const auto& [name, value] : request.headers.fields()) {
      to_sign.headers.emplace_back(name, value);
    }
    const auto added =
        sigv4::sign(to_sign,
                    {.access_key_id = options_.access_key_id,
                     .secret_access_key = options_.secret_access_key,
                     .session_token = options_.session_token},
                    options_.region, "s3", clock_.now(), crypto::sha256_hex(call.body));
    for (const auto& [name, value] : added) {
      request.headers.set(name, value);
    }
    return checked(call, clients_.send(request));
  }

  static Result<net::ClientResponse> checked(const Call& call, Result<net::ClientResponse> answer) {
    const auto what = [&] {
      return fmt::format("{} s3://{}/{}", call.method, call.bucket, call.key);
    };
    if (!answer) {
      return std::unexpected(std::move(answer).error().while_doing(what()));
    }
    if (answer->status >= kFirstRefusal) {
      return std::unexpected(error_of_answer(answer->status, answer->body).while_doing(what()));
    }
    return answer;
  }

  S3ClientOptions options_;
  const io::Clock& clock_;
  ClientPool clients_;
  std::atomic<bool> encryption_refused_ = false;
};

Result<S3ClientOptions> load_from_file(S3ClientOptions options) {
  std::string path = environment("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty()) {
    const std::string home = environment("HOME");
    if (home.empty()) {
      return fail(ErrorCode::NotFound, "no AWS credentials in the environment, and no HOME");
    }
    path = io::join_path(home, ".aws/credentials");
  }
  std::string profile = environment("AWS_PROFILE");
  if (profile.empty()) {
    profile = "default";
  }
  const auto files = io::make_posix_filesystem();
  auto text = io::read_file(*files, path, kCredentialsFileBytesMax);
  if (!text) {
    return std::unexpected(
        std::move(text).error().while_doing("no AWS credentials in the environment"));
  }
  auto found = parse_profile(*text, profile);
  if (!found) {
    return std::unexpected(std::move(found).error().while_doing(path));
  }
  options.access_key_id = std::move(found->access_key_id);
  options.secret_access_key = std::move(found->secret_access_key);
  options.session_token = std::move(found->session_token);
  return options;
}

}  // namespace

Result<S3ClientOptions> load_credentials(S3ClientOptions options) {
  std::string id = environment("AWS_ACCESS_KEY_ID");
  std::string secret = environment("AWS_SECRET_ACCESS_KEY");
  if (id.empty() || secret.empty()) {
    return load_from_file(std::move(options));
  }
  options.access_key_id = std::move(id);
  options.secret_access_key = std::move(secret);
  options.session_token = environment("AWS_SESSION_TOKEN");
  return options;
}

Result<std::unique_ptr<ObjectStore>> make_s3_client(S3ClientOptions options,
                                                    const io::Clock& clock) {
  OT_TRY(net::Url origin, net::parse_url(options.endpoint));
  return std::make_unique<S3Client>(std::move(options), std::move(origin), clock);
}

}  // namespace opentrail::objects

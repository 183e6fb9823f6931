#include "delivery/digest_file.h"

#include "base/json_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::delivery {
namespace {

void write_times(JsonWriter& json, const std::vector<catalog::DeliveredFile>& files) {
  if (files.empty()) {
    json.key("newestEventTime").null().key("oldestEventTime").null();
    return;
  }
  const auto newest = std::ranges::max(files, {}, &catalog::DeliveredFile::newest).newest;
  const auto oldest = std::ranges::min(files, {}, &catalog::DeliveredFile::oldest).oldest;
  json.field("newestEventTime", to_iso_seconds(newest));
  json.field("oldestEventTime", to_iso_seconds(oldest));
}

void write_previous(JsonWriter& json, const std::optional<catalog::PreviousDigest>& previous) {
  if (!previous) {
    for (const auto* name :
         {"previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue",
          "previousDigestHashAlgorithm", "previousDigestSignature"}) {
      json.key(name).null();
    }
    return;
  }
  json.field("previousDigestS3Bucket", previous->bucket)
      .field("previousDigestS3Object", previous->key)
      .field("previousDigestHashValue", previous->hash)
      .field("previousDigestHashAlgorithm", "SHA-256")
      .field("previousDigestSignature", previous->signature);
}

void write_files(JsonWriter& json, const std::vector<catalog::DeliveredFile>& files) {
  json.key("logFiles").begin_array();
  for (const auto& file : files) {
    json.begin_object()
        .field("s3Bucket", file.bucket)
        .field("s3Object", file.key)
        .field("hashValue", file.hash)
        .field("hashAlgorithm", "SHA-256")
        .field("newestEventTime", to_iso_seconds(file.newest))
        .field("oldestEventTime", to_iso_seconds(file.oldest))
        .end_object();
  }
  json.end_array();
}

}  // namespace

std::string digest_json(const DigestFacts& facts) {
  JsonWriter json;
  json.begin_object()
      .field("awsAccountId", facts.account_id)
      .field("digestStartTime", to_iso_seconds(facts.start))
      .field("digestEndTime", to_iso_seconds(facts.end))
      .field("digestS3Bucket", facts.bucket)
      .field("digestS3Object", facts.key)
      .field("digestPublicKeyFingerprint", facts.fingerprint)
      .field("digestSignatureAlgorithm", "SHA256withRSA");
  write_times(json, facts.files);
  write_previous(json, facts.previous);
  write_files(json, facts.files);
  json.end_object();
  return std::move(json).text();
}

std::string digest_string_to_sign(const DigestFacts& facts, std::string_view hash) {
  return fmt::format("{}\n{}/{}\n{}\n{}", to_iso_seconds(facts.end), facts.bucket, facts.key, hash,
                     facts.previous ? std::string_view(facts.previous->signature) : "null");
}

}  // namespace opentrail::delivery

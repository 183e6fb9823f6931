#include "aws/recorded/s3.h"

#include "aws/recorded/xml.h"
#include "base/text.h"

#include <algorithm>

namespace opentrail::aws::recorded {
namespace {

constexpr std::size_t kTextBytesMax = 1 << 10;

/// Of the headers that begin with x-amz-: those that carry a secret, the signature, or what is
/// about the transport alone.
constexpr std::string_view kUnrecordedHeaders[] = {
    "x-amz-content-sha256",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
};
constexpr std::string_view kAnsweredHeaders[] = {
    "x-amz-expiration",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-version-id",
};

json::string recorded_text(std::string_view text) {
  return json::string(cut_utf8(to_valid_utf8(text), kTextBytesMax));
}

bool is_recorded_header(std::string_view lower) {
  return lower.starts_with("x-amz-") && !lower.starts_with("x-amz-meta-") &&
         !lower.starts_with("x-amz-checksum-") && !lower.starts_with("x-amz-sdk-") &&
         std::ranges::find(kUnrecordedHeaders, lower) == std::end(kUnrecordedHeaders);
}

/// Text as a number where it is one: "Days": 1.
json::value typed_text(std::string_view text) {
  const auto number = parse_int(text);
  const bool canonical = number && std::to_string(*number) == text;
  return canonical ? json::value(*number) : json::value(recorded_text(text));
}

json::value generic_xml(const pugi::xml_node& node) {
  json::object out;
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    if (std::string_view(attribute.name()) == "xmlns") {
      out["xmlns"] = recorded_text(attribute.value());
    }
  }
  bool has_elements = false;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) {
      continue;
    }
    has_elements = true;
    json::value value = generic_xml(child);
    auto* there = out.if_contains(child.name());
    if (there == nullptr) {
      out[child.name()] = std::move(value);
    } else if (there->is_array()) {
      there->get_array().push_back(std::move(value));
    } else {
      json::value first = std::move(*there);
      *there = json::array{std::move(first), std::move(value)};
    }
  }
  return has_elements || !out.empty() ? json::value(std::move(out)) : typed_text(node.text().get());
}

void record_body(std::string_view body, json::object& recorded, Parameters& parameters) {
  if (body.starts_with('{') || body.starts_with('[')) {
    if (auto policy = parse_json(body)) {
      recorded["bucketPolicy"] = *std::move(policy);
      return;
    }
  }
  pugi::xml_document document;
  if (!read_xml(body, document)) {
    parameters.defect = "the body is not XML";
    return;
  }
  const pugi::xml_node root = document.document_element();
  recorded[root.name()] = generic_xml(root);
}

/// CloudTrail shows a bucket's configuration; lists of keys and parts, and objects, it does not.
bool records_body(const model::RecognisedCall& call) {
  return call.operation.method == "PUT" && !call.operation.data_event;
}

std::string_view label(const model::RecognisedCall& call, std::string_view name) {
  const auto found = std::ranges::find(call.labels, name, &model::NamedValues::value_type::first);
  return found == call.labels.end() ? std::string_view{} : std::string_view(found->second);
}

}  // namespace

Parameters s3_request_parameters(const model::RecognisedCall& call, const net::RequestHead& head,
                                 std::optional<std::string_view> body) {
  Parameters parameters;
  json::object recorded;
  for (const auto& [name, value] : call.query) {
    const std::string lower = to_lower(name);
    const bool signing = (lower.starts_with("x-amz-") && !is_recorded_header(lower)) ||
                         lower.starts_with("x-amz-s") || lower == "x-amz-algorithm" ||
                         lower == "x-amz-credential" || lower == "x-amz-expires" ||
                         lower == "awsaccesskeyid" || lower == "signature" || lower == "x-id";
    if (!signing) {
      recorded[recorded_text(name)] = recorded_text(value);
    }
  }
  for (const auto& [name, value] : head.headers.fields()) {
    const std::string lower = to_lower(name);
    if (is_recorded_header(lower)) {
      recorded[lower] = recorded_text(value);
    }
  }
  if (body && !body->empty() && records_body(call)) {
    record_body(*body, recorded, parameters);
  }
  // Last, so that no query parameter can stand in for what the call was really about.
  if (const auto bucket = label(call, "Bucket"); !bucket.empty()) {
    recorded["bucketName"] = recorded_text(bucket);
  }
  if (const auto key = label(call, "Key"); !key.empty()) {
    recorded["key"] = recorded_text(key);
  }
  recorded["Host"] = recorded_text(head.headers.get("host"));
  parameters.value = std::move(recorded);
  return parameters;
}

json::value s3_response_elements(const net::Headers& headers) {
  json::object out;
  for (const std::string_view name : kAnsweredHeaders) {
    if (const auto value = headers.find(name)) {
      out[name] = recorded_text(*value);
    }
  }
  return out.empty() ? json::value(nullptr) : json::value(std::move(out));
}

}  // namespace opentrail::aws::recorded

#include "gateway/call_facts.h"

#include "aws/recorded/call.h"
#include "aws/regions.h"
#include "base/text.h"
#include "record/selectors.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::gateway {
namespace {

namespace recorded = aws::recorded;
using aws::model::RecognisedCall;

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kOperationBytesMax = 256;
constexpr int kErrorStatusMin = 400;
/// IAM's errors that have "Exception" behind them on the record alone.
constexpr std::string_view kIamErrors[] = {
    "ConcurrentModification",
    "DeleteConflict",
    "DuplicateCertificate",
    "DuplicateSSHPublicKey",
    "EntityAlreadyExists",
    "EntityTemporarilyUnmodifiable",
    "InvalidAuthenticationCode",
    "InvalidCertificate",
    "InvalidInput",
    "InvalidPublicKey",
    "InvalidUserType",
    "KeyPairMismatch",
    "LimitExceeded",
    "MalformedCertificate",
    "MalformedPolicyDocument",
    "NoSuchEntity",
    "PasswordPolicyViolation",
    "ServiceFailure",
    "UnmodifiableEntity",
    "UnrecognizedPublicKeyEncoding",
};
constexpr std::string_view kUnknownOperation = "the operation is not known";

bool is_s3(const ObservedRequest& request) { return request.signing_name == "s3"; }

/// Only what a service name can hold: it was set by the caller.
std::string clean_name(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, kNameBytesMax)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    name += plain ? c : '_';
  }
  return name.empty() ? "unknown" : name;
}

std::string source_of(const ObservedRequest& request) {
  return request.call ? std::string(request.call->service->event_source)
                      : clean_name(request.signing_name) + ".amazonaws.com";
}

/// What the request calls its operation, else its method and path.
std::string name_of(const ObservedRequest& request) {
  if (request.call) {
    return std::string(request.call->operation.event_name);
  }
  std::string name = aws::model::named_operation(*request.head, request.body);
  if (name.empty()) {
    name = fmt::format("{} {}", request.head->method, request.head->path());
  }
  return std::string(cut_utf8(to_valid_utf8(name), kOperationBytesMax));
}

/// How the record spells an error (spec records §1.5).
std::string record_code(std::string_view source, std::string code) {
  if (code == "AccessDeniedException") {
    return "AccessDenied";
  }
  const bool modelled = std::ranges::find(kIamErrors, code) != std::end(kIamErrors);
  return source == "iam.amazonaws.com" && modelled ? code + "Exception" : code;
}

std::string label(const RecognisedCall& call, std::string_view name) {
  const auto found =
      std::ranges::find(call.labels, name, &aws::model::NamedValues::value_type::first);
  return found == call.labels.end() ? std::string() : found->second;
}

std::vector<record::ResourceItem> s3_resources(const RecognisedCall& call) {
  const std::string bucket = label(call, "Bucket");
  const std::string key = label(call, "Key");
  std::vector<record::ResourceItem> items;
  if (bucket.empty()) {
    return items;
  }
  const std::string arn = "arn:aws:s3:::" + bucket;
  if (!key.empty()) {
    items.push_back({{}, "AWS::S3::Object", arn + "/" + key});
  } else if (call.operation.data_event) {
    items.push_back({{}, "AWS::S3::Object", arn + "/"});
  }
  items.push_back({{}, "AWS::S3::Bucket", arn});
  return items;
}

/// A body that is content and no parameter is not missed when it was not read.
bool is_content(const ObservedRequest& request) {
  if (!request.call || !request.call->operation.input) {
    return false;
  }
  const auto payload = request.call->operation.input.payload();
  return payload && (payload->streaming || payload->shape.streaming() ||
                     payload->shape.kind() == aws::model::Kind::Blob);
}

/// What is said beside AWS's own fields: what could not be understood, and S3's numbers.
json::object additional_data(const ObservedRequest& request, const ObservedAnswer& answer,
                             const recorded::Parameters& parameters) {
  json::object data;
  if (request.call && is_s3(request) && answer.head) {
    data["bytesTransferredIn"] = request.body_bytes;
    data["bytesTransferredOut"] = answer.body_bytes;
    data["httpStatusCode"] = answer.head->status;
    if (const auto id = answer.head->headers.find("x-amz-id-2")) {
      data["x-amz-id-2"] = *id;
    }
  }
  json::object notes;
  if (!request.call) {
    notes["unparsed"] = kUnknownOperation;
  } else if (!parameters.defect.empty()) {
    notes["unparsed"] = parameters.defect;
  } else if (!request.body_whole && !is_content(request)) {
    notes["unparsed"] = "the body was too large to be read";
  }
  if (!parameters.unknown.empty()) {
    json::array names;
    for (const std::string& name : parameters.unknown) {
      names.emplace_back(to_valid_utf8(name));
    }
    notes["unknownParameters"] = std::move(names);
  }
  if (!notes.empty()) {
    data["gateway"] = std::move(notes);
  }
  return data;
}

void set_outcome(const ObservedRequest& request, const ObservedAnswer& answer,
                 record::CallFacts& facts) {
  if (answer.head && answer.head->status >= kErrorStatusMin) {
    const auto error =
        recorded::answer_error(request.call ? &*request.call : nullptr, answer.head->status,
                               answer.head->headers, answer.body);
    facts.error_code = record_code(facts.event_source, to_valid_utf8(error.code));
    facts.error_message = to_valid_utf8(error.message);
    return;
  }
  facts.error_code = answer.error_code;
  facts.error_message = answer.error_message;
  if (answer.head && request.call && answer.error_code.empty()) {
    const json::value elements =
        recorded::response_elements(*request.call, answer.head->headers, answer.body);
    facts.response_elements_json = elements.is_null() ? std::string() : to_text(elements);
  }
}

}  // namespace

record::UserIdentity unknown_identity(std::string_view access_key_id, std::string_view account_id,
                                      bool s3) {
  record::UserIdentity identity;
  if (access_key_id.empty() && s3) {
    // As CloudTrail writes an anonymous call to S3.
    identity.type = "AWSAccount";
    identity.account_id = "ANONYMOUS_PRINCIPAL";
    return identity;
  }
  identity.type = "Unknown";
  identity.account_id = account_id;
  if (!access_key_id.empty()) {
    identity.principal_id = access_key_id;
    identity.access_key_id = std::string(access_key_id);
  }
  return identity;
}

bool is_read_only(const ObservedRequest& request) {
  return request.call ? request.call->operation.read_only
                      : request.head->method == "GET" || request.head->method == "HEAD";
}

record::Category category_of(const ObservedRequest& request) {
  return request.call && request.call->operation.data_event ? record::Category::Data
                                                            : record::Category::Management;
}

record::CallFacts make_facts(const ObservedRequest& request, const ObservedAnswer& answer) {
  record::CallFacts facts;
  facts.event_source = source_of(request);
  facts.event_name = name_of(request);
  facts.region = record::is_global_service(facts.event_source) ? std::string(aws::kGlobalRegion)
                                                               : request.region;
  const std::string agent = to_valid_utf8(request.head->headers.get("user-agent"));
  facts.user_agent = is_s3(request) ? fmt::format("[{}]", agent) : agent;
  facts.read_only = is_read_only(request);
  facts.category = category_of(request);
  recorded::Parameters parameters;
  if (request.call) {
    const auto body = request.body_whole ? std::optional<std::string_view>(request.body)
                                         : std::optional<std::string_view>();
    parameters = recorded::request_parameters(*request.call, *request.head, body);
    facts.resources = is_s3(request) ? s3_resources(*request.call) : facts.resources;
  }
  if (!parameters.value.is_null()) {
    facts.request_parameters_json = to_text(parameters.value);
  }
  set_outcome(request, answer, facts);
  const json::object data = additional_data(request, answer, parameters);
  facts.additional_event_data_json = data.empty() ? std::string() : to_text(data);
  if (answer.head) {
    facts.request_id = to_valid_utf8(recorded::request_id(answer.head->headers, answer.body));
  }
  return facts;
}

}  // namespace opentrail::gateway

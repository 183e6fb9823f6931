#include "record/builder.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "record/json_document.h"

#include <chrono>
#include <span>

namespace opentrail::record {
namespace {

constexpr std::string_view kEventVersion = "1.11";

std::string bounded(std::string_view text) {
  // A character that is cut here stands wholly behind the final cut.
  constexpr std::size_t kCharacterBytesMax = 4;
  const std::string valid = to_valid_utf8(text.substr(0, kScalarBytesMax + kCharacterBytesMax));
  return std::string(cut_utf8(valid, kScalarBytesMax));
}

std::string omission(std::string_view reason, std::size_t original_size) {
  JsonWriter w;
  w.begin_object().field("reason", reason).key("omitted").boolean(true);
  w.key("originalSize").number(static_cast<std::int64_t>(original_size)).end_object();
  return std::move(w).text();
}

/// An object field of the record: its JSON, or what stands for it.
class ObjectField {
 public:
  ObjectField(std::string_view name, std::string_view json, std::size_t bytes_max)
      : name_(name), json_(json), original_size_(json.size()) {
    if (json_.size() > bytes_max) {
      omit();
    } else if (!json_.empty() && !is_json_value(json_)) {
      json_ = omission(std::string(name_) + " is not valid JSON", original_size_);
    }
  }
  void omit() {
    if (!json_.empty()) {
      json_ = omission(std::string(name_) + " too large", original_size_);
    }
  }
  void write_or_null(JsonWriter& w) const { w.key(name_).raw(json_.empty() ? "null" : json_); }
  void write_if_any(JsonWriter& w) const {
    if (!json_.empty()) {
      w.key(name_).raw(json_);
    }
  }

 private:
  std::string_view name_;
  std::string json_;
  std::size_t original_size_;
};

struct Shape {
  ObjectField session_context;
  ObjectField request_parameters;
  ObjectField response_elements;
  ObjectField additional_event_data;
  std::size_t resources;  ///< How many of them are written.
};

void write_identity(JsonWriter& w, const UserIdentity& identity, const ObjectField& session) {
  w.key("userIdentity").begin_object();
  w.optional_field("type", bounded(identity.type));
  w.optional_field("principalId", bounded(identity.principal_id));
  w.optional_field("arn", bounded(identity.arn));
  w.optional_field("accountId", bounded(identity.account_id));
  if (identity.access_key_id) {
    w.field("accessKeyId", bounded(*identity.access_key_id));
  }
  w.optional_field("userName", bounded(identity.user_name));
  session.write_if_any(w);
  w.optional_field("invokedBy", bounded(identity.invoked_by));
  w.end_object();
}

void write_resources(JsonWriter& w, std::span<const ResourceItem> resources) {
  if (resources.empty()) {
    return;
  }
  w.key("resources").begin_array();
  for (const ResourceItem& resource : resources) {
    w.begin_object();
    w.optional_field("accountId", bounded(resource.account_id));
    w.optional_field("type", bounded(resource.type));
    w.optional_field("ARN", bounded(resource.arn));
    w.end_object();
  }
  w.end_array();
}

void write_tls(JsonWriter& w, const TlsInfo& tls) {
  w.key("tlsDetails").begin_object();
  w.optional_field("tlsVersion", bounded(tls.version));
  w.optional_field("cipherSuite", bounded(tls.cipher_suite));
  w.optional_field("clientProvidedHostHeader", bounded(tls.client_provided_host_header));
  w.end_object();
}

/// What the called service adds about the call; network activity records have little of it.
void write_call(JsonWriter& w, const CallFacts& facts, const Shape& shape) {
  const bool network = facts.category == Category::NetworkActivity;
  if (!network) {
    w.optional_field("userAgent", bounded(facts.user_agent));
  }
  w.optional_field("errorCode", bounded(facts.error_code));
  w.optional_field("errorMessage", bounded(facts.error_message));
  if (!network) {
    shape.request_parameters.write_or_null(w);
    shape.response_elements.write_or_null(w);
  }
  shape.additional_event_data.write_if_any(w);
  w.optional_field("requestID", bounded(facts.request_id));
  w.optional_field("eventID", bounded(facts.event_id));
  if (!network) {
    if (facts.read_only) {
      w.key("readOnly").boolean(*facts.read_only);
    }
    write_resources(w, std::span(facts.resources).first(shape.resources));
  }
  w.optional_field("eventType", bounded(facts.event_type));
  w.optional_field("apiVersion", bounded(facts.api_version));
  if (!network) {
    w.key("managementEvent").boolean(facts.category == Category::Management);
  }
}

std::string write_record(const CallFacts& facts, const Shape& shape) {
  JsonWriter w;
  w.begin_object().field("eventVersion", kEventVersion);
  write_identity(w, facts.identity, shape.session_context);
  w.field("eventTime", to_iso_seconds(facts.event_time));
  w.field("eventSource", bounded(facts.event_source));
  w.field("eventName", bounded(facts.event_name));
  w.field("awsRegion", bounded(facts.region));
  w.field("sourceIPAddress", bounded(facts.source_ip_address));
  write_call(w, facts, shape);
  w.optional_field("recipientAccountId", bounded(facts.recipient_account_id));
  w.optional_field("eventCategory", to_string(facts.category));
  if (facts.tls) {
    write_tls(w, *facts.tls);
  }
  w.end_object();
  return std::move(w).text();
}

/// AWS's order of shrinking (spec records §1.6). The scalars of that list are at most 1 KB each by
/// now, so only its objects are worth giving up. What is left then without resources is at most 24
/// strings of 6 KB (each byte escaped) and the session context: under the limit.
std::string write_within_limit(const CallFacts& facts, Shape shape) {
  std::string json = write_record(facts, shape);
  for (ObjectField* field :
       {&shape.additional_event_data, &shape.response_elements, &shape.request_parameters}) {
    if (json.size() <= kOwnRecordBytesMax) {
      return json;
    }
    field->omit();
    json = write_record(facts, shape);
  }
  while (json.size() > kOwnRecordBytesMax && shape.resources > 0) {
    shape.resources /= 2;
    json = write_record(facts, shape);
  }
  return json;
}

}  // namespace

Record build_record(const CallFacts& facts) {
  Shape shape{.session_context = ObjectField("sessionContext", facts.identity.session_context_json,
                                             kSessionContextBytesMax),
              .request_parameters = ObjectField("requestParameters", facts.request_parameters_json,
                                                kParametersBytesMax),
              .response_elements = ObjectField("responseElements", facts.response_elements_json,
                                               kParametersBytesMax),
              .additional_event_data = ObjectField(
                  "additionalEventData", facts.additional_event_data_json, kAdditionalDataBytesMax),
              .resources = facts.resources.size()};
  std::string json = write_within_limit(facts, std::move(shape));
  // Reading it back is the one way in which bytes and routing cannot disagree.
  auto record = parse_record(std::move(json), Origin::Call,
                             std::chrono::floor<std::chrono::seconds>(facts.event_time));
  OT_CHECK(record.has_value());
  return *std::move(record);
}

}  // namespace opentrail::record

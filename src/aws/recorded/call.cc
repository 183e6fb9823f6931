#include "aws/recorded/call.h"

#include "aws/json_protocol.h"
#include "aws/recorded/cbor.h"
#include "aws/recorded/form.h"
#include "aws/recorded/rest.h"
#include "aws/recorded/s3.h"
#include "aws/recorded/xml.h"
#include "base/text.h"

#include <algorithm>

namespace opentrail::aws::recorded {
namespace {

using model::Protocol;
using model::RecognisedCall;
using model::Shape;

Parameters rpc_parameters(const RecognisedCall& call, std::optional<std::string_view> body) {
  Parameters parameters;
  Writing writing{style_of(*call.service), {}};
  const Shape& input = call.operation.input;
  if (call.protocol == model::Protocol::Query || call.protocol == model::Protocol::Ec2) {
    parameters.value = from_form(call.form, input, writing);
  } else if (body && !body->empty()) {
    const bool cbor = call.protocol == model::Protocol::Cbor;
    const auto parsed = cbor ? json_from_cbor(*body) : parse_json(*body);
    if (parsed) {
      parameters.value = from_json(*parsed, input, writing);
    } else {
      parameters.defect = cbor ? "the body is not CBOR" : "the body is not JSON";
    }
  }
  // A call without parameters has none; EC2's and those with empty structures are not null.
  if (parameters.value.is_object() && parameters.value.get_object().empty() &&
      call.protocol != model::Protocol::Ec2) {
    parameters.value = nullptr;
  }
  parameters.unknown = std::move(writing.unknown);
  return parameters;
}

/// Members of a data event's input that say what it was done to; what was done with it, content
/// and keys of items, is not kept.
bool names_resource(std::string_view key) {
  constexpr std::string_view kEndings[] = {"Name", "Arn", "ARN", "Url", "Id", "Type", "Qualifier"};
  return std::ranges::any_of(kEndings, [&](std::string_view end) { return key.ends_with(end); }) ||
         key == "namespace" || key == "bucket" || key == "key";
}

void keep_names_only(Parameters& parameters) {
  if (!parameters.value.is_object()) {
    return;
  }
  json::object kept;
  for (auto& member : parameters.value.get_object()) {
    if (names_resource(member.key()) && !member.value().is_object() && !member.value().is_array()) {
      kept[member.key()] = std::move(member.value());
    }
  }
  parameters.value = std::move(kept);
}

bool is_s3(const RecognisedCall& call) { return call.service->id == "s3"; }

json::value xml_elements(const RecognisedCall& call, std::string_view body, Writing& writing) {
  pugi::xml_document document;
  if (!read_xml(body, document)) {
    return nullptr;
  }
  pugi::xml_node node = document.document_element();
  if (!call.operation.result_wrapper.empty()) {
    const auto inner = node.child(std::string(call.operation.result_wrapper).c_str());
    node = inner ? inner : node;
  }
  const auto payload = call.operation.output.payload();
  if (!payload) {
    json::value value = from_xml(node, call.operation.output, writing);
    if (call.protocol == model::Protocol::Ec2 && value.is_object()) {
      json::object with_id{{"requestId", json::string(node.child("requestId").text().get())}};
      for (auto& member : value.get_object()) {
        with_id[member.key()] = std::move(member.value());
      }
      return with_id;
    }
    return value;
  }
  json::object out;
  json::value value = from_xml(node, payload->shape, writing);
  if (!value.is_null()) {
    out[member_key(*payload, writing.style)] = std::move(value);
  }
  return out;
}

json::value json_elements(const RecognisedCall& call, std::string_view body, Writing& writing) {
  const auto payload = call.operation.output.payload();
  const Shape shape = payload ? payload->shape : call.operation.output;
  if (shape.streaming() || (payload && payload->streaming)) {
    return nullptr;
  }
  const auto parsed =
      call.protocol == model::Protocol::Cbor ? json_from_cbor(body) : parse_json(body);
  if (!parsed) {
    return nullptr;
  }
  json::value value = from_json(*parsed, shape, writing);
  if (!payload || value.is_null()) {
    return value;
  }
  json::object out;
  out[member_key(*payload, writing.style)] = std::move(value);
  return out;
}

std::string_view before(std::string_view text, char mark) {
  return text.substr(0, text.find(mark));
}

/// "com.amazon.x#NotFoundException:http://..." -> "NotFoundException".
std::string bare_code(std::string_view code) {
  code = before(code, ':');
  code = code.substr(code.find('#') == std::string_view::npos ? 0 : code.find('#') + 1);
  return std::string(trim(code));
}

std::string text_member(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto* value = object.if_contains(name); value != nullptr && value->is_string()) {
      return std::string(value->get_string());
    }
  }
  return {};
}

void read_object_error(const json::value& value, AnswerError& error) {
  if (!value.is_object()) {
    return;
  }
  const json::object& object = value.get_object();
  if (error.code.empty()) {
    error.code = bare_code(text_member(object, {"__type", "code", "Code"}));
  }
  error.message = text_member(object, {"message", "Message", "errorMessage"});
}

/// <ErrorResponse><Error>, <Response><Errors><Error> of EC2, <Error> of S3.
void read_xml_error(std::string_view body, AnswerError& error) {
  pugi::xml_document document;
  if (!read_xml(body, document)) {
    return;
  }
  const pugi::xml_node root = document.document_element();
  pugi::xml_node found = root.child("Error");
  found = found ? found : root.child("Errors").child("Error");
  found = found ? found : root;
  if (error.code.empty()) {
    error.code = bare_code(found.child("Code").text().get());
  }
  const auto message = found.child("Message");
  error.message = (message ? message : found.child("message")).text().get();
}

std::string code_of_status(int status) {
  switch (status) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "AccessDenied";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 409:
      return "Conflict";
    case 412:
      return "PreconditionFailed";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalFailure";
    case 502:
      return "BadGateway";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "GatewayTimeout";
    default:
      return "Http" + std::to_string(status);
  }
}

}  // namespace

Parameters request_parameters(const RecognisedCall& call, const net::RequestHead& head,
                              std::optional<std::string_view> body) {
  if (is_s3(call)) {
    return s3_request_parameters(call, head, body);
  }
  const bool rest =
      call.protocol == model::Protocol::RestJson || call.protocol == model::Protocol::RestXml;
  Parameters parameters =
      rest ? rest_request_parameters(call, head, body) : rpc_parameters(call, body);
  if (call.operation.data_event) {
    keep_names_only(parameters);
  }
  return parameters;
}

json::value response_elements(const RecognisedCall& call, const net::Headers& headers,
                              std::string_view body) {
  if (is_s3(call)) {
    return call.operation.read_only ? json::value(nullptr) : s3_response_elements(headers);
  }
  if (!call.operation.output || call.operation.data_event || body.empty()) {
    return nullptr;
  }
  Writing writing{style_of(*call.service), {}};
  const bool xml = call.protocol == model::Protocol::Query ||
                   call.protocol == model::Protocol::Ec2 ||
                   call.protocol == model::Protocol::RestXml;
  json::value value = xml ? xml_elements(call, body, writing) : json_elements(call, body, writing);
  const bool empty = value.is_object() && value.get_object().empty();
  return empty ? json::value(nullptr) : value;
}

AnswerError answer_error(const RecognisedCall* call, int status, const net::Headers& headers,
                         std::string_view body) {
  AnswerError error;
  // Services that spoke Query once say the code that callers know beside the shape's name.
  error.code = trim(before(headers.get("x-amzn-query-error"), ';'));
  if (error.code.empty()) {
    error.code = bare_code(headers.get("x-amzn-errortype"));
  }
  const std::string_view start = trim(body.substr(0, 16));
  if (start.starts_with('<')) {
    read_xml_error(body, error);
  } else if (start.starts_with('{')) {
    if (const auto parsed = parse_json(body)) {
      read_object_error(*parsed, error);
    }
  } else if (const auto parsed = json_from_cbor(body)) {
    read_object_error(*parsed, error);
  }
  if (error.code.empty()) {
    error.code = code_of_status(status);
  }
  // EC2 says whose fault it was (spec records §1.5).
  if (call != nullptr && call->protocol == model::Protocol::Ec2) {
    error.code = (status >= 500 ? "Server." : "Client.") + error.code;
  }
  return error;
}

std::string request_id(const net::Headers& headers, std::string_view body) {
  for (const std::string_view name :
       {"x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"}) {
    if (const auto value = headers.find(name)) {
      return std::string(*value);
    }
  }
  for (const std::string_view tag : {"<RequestId>", "<requestId>", "<RequestID>"}) {
    const auto at = body.find(tag);
    if (at != std::string_view::npos) {
      const auto rest = body.substr(at + tag.size());
      return std::string(before(rest.substr(0, 128), '<'));
    }
  }
  return {};
}

}  // namespace opentrail::aws::recorded

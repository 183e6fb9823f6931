#include "aws/query_protocol.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

namespace opentrail::aws {
namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

std::string print(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return std::move(out).str();
}

/// XML 1.0 has no way to write most control characters; they become U+FFFD.
std::string xml_text(std::string_view text) {
  std::string out = to_valid_utf8(text);
  std::string clean;
  for (const char c : out) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      clean += "\xEF\xBF\xBD";
    } else {
      clean += c;
    }
  }
  return clean;
}

void append_value(pugi::xml_node parent, const json::value& value) {
  switch (value.kind()) {
    case json::kind::object:
      for (const auto& [name, member] : value.get_object()) {
        if (!member.is_null()) {
          append_value(parent.append_child(std::string(name).c_str()), member);
        }
      }
      return;
    case json::kind::array:
      for (const json::value& item : value.get_array()) {
        append_value(parent.append_child("member"), item);
      }
      return;
    case json::kind::string:
      parent.text().set(xml_text(value.get_string()).c_str());
      return;
    default:
      parent.text().set(json::serialize(value).c_str());
  }
}

}  // namespace

Result<QueryRequest> QueryRequest::parse(const net::RequestHead& head, std::string_view body) {
  QueryRequest request;
  const bool form = head.headers.get("content-type").starts_with(kForm);
  const std::string_view text = head.method == "POST" && form ? body : head.query();
  auto fields = net::parse_query(text, true);
  if (!fields || fields->size() > kQueryParametersMax) {
    return fail(ErrorCode::InvalidArgument,
                "The query string is malformed or does not adhere to AWS standards",
                "MalformedQueryString");
  }
  for (auto& [name, value] : *fields) {
    if (name == "Action") {
      request.action_ = std::move(value);
    } else if (name == "Version") {
      request.version_ = std::move(value);
    } else if (!name.starts_with("X-Amz-")) {
      request.parameters_.emplace_back(std::move(name), std::move(value));
    }
  }
  if (request.action_.empty()) {
    return fail(ErrorCode::InvalidArgument,
                "The request must contain the parameter Action with the name of an operation",
                "MissingAction");
  }
  return request;
}

std::string_view QueryRequest::get(std::string_view name) const {
  const auto found = std::ranges::find(parameters_, name, [](const auto& p) { return p.first; });
  return found == parameters_.end() ? std::string_view() : std::string_view(found->second);
}

bool QueryRequest::has(std::string_view name) const {
  return std::ranges::any_of(parameters_, [&](const auto& p) { return p.first == name; });
}

std::vector<std::pair<std::string, std::string>> QueryRequest::tags() const {
  constexpr std::string_view kPrefix = "Tags.member.";
  std::map<std::int64_t, std::pair<std::string, std::string>> by_number;
  for (const auto& [name, value] : parameters_) {
    if (!name.starts_with(kPrefix)) {
      continue;
    }
    const std::string_view rest = std::string_view(name).substr(kPrefix.size());
    const auto dot = rest.find('.');
    const auto number = parse_int(rest.substr(0, dot));
    if (!number || dot == std::string_view::npos) {
      continue;
    }
    if (rest.substr(dot + 1) == "Key") {
      by_number[*number].first = value;
    } else if (rest.substr(dot + 1) == "Value") {
      by_number[*number].second = value;
    }
  }
  std::vector<std::pair<std::string, std::string>> tags;
  tags.reserve(by_number.size());
  for (auto& [number, tag] : by_number) {
    tags.push_back(std::move(tag));
  }
  return tags;
}

std::string query_response(std::string_view action, std::string_view xml_namespace,
                           const json::value& result, std::string_view request_id) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child(fmt::format("{}Response", action).c_str());
  root.append_attribute("xmlns").set_value(std::string(xml_namespace).c_str());
  if (!result.is_null()) {
    append_value(root.append_child(fmt::format("{}Result", action).c_str()), result);
  }
  root.append_child("ResponseMetadata")
      .append_child("RequestId")
      .text()
      .set(std::string(request_id).c_str());
  return print(document);
}

std::string query_error(std::string_view xml_namespace, std::string_view code,
                        std::string_view message, bool sender_fault, std::string_view request_id) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("ErrorResponse");
  root.append_attribute("xmlns").set_value(std::string(xml_namespace).c_str());
  pugi::xml_node error = root.append_child("Error");
  error.append_child("Type").text().set(sender_fault ? "Sender" : "Receiver");
  error.append_child("Code").text().set(std::string(code).c_str());
  error.append_child("Message").text().set(xml_text(message).c_str());
  root.append_child("RequestId").text().set(std::string(request_id).c_str());
  return print(document);
}

}  // namespace opentrail::aws

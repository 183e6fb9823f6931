#include "aws/recorded/rest.h"

#include "aws/json_protocol.h"
#include "aws/recorded/xml.h"
#include "base/text.h"

#include <algorithm>

namespace opentrail::aws::recorded {
namespace {

using model::Kind;
using model::Location;
using model::Member;
using model::Shape;

class Reader {
 public:
  Reader(const model::RecognisedCall& call, const net::RequestHead& head)
      : call_(call), head_(head), writing_{style_of(*call.service), {}} {}

  Parameters read(std::optional<std::string_view> body) {
    const Shape& input = call_.operation.input;
    if (!input) {
      return {};
    }
    for (std::size_t i = 0; i < input.member_count(); ++i) {
      read_outside(input.member(i));
    }
    note_unknown_query(input);
    Parameters parameters;
    if (body && !body->empty()) {
      read_body(*body, parameters);
    }
    parameters.value = out_.empty() ? json::value(nullptr) : json::value(std::move(out_));
    parameters.unknown = std::move(writing_.unknown);
    return parameters;
  }

 private:
  void put(const Member& member, json::value value) {
    if (!value.is_null()) {
      out_[member_key(member, writing_.style)] = std::move(value);
    }
  }

  json::value text_value(std::string_view text, const Shape& shape) {
    return scalar(to_valid_utf8(text), shape, writing_.style);
  }

  void read_outside(const Member& member) {
    switch (member.location) {
      case Location::Uri:
        return read_label(member);
      case Location::Query:
        return read_query(member);
      case Location::Header:
        return read_header(member);
      default:
        return;  // the body is read on its own, user metadata is not recorded
    }
  }

  void read_label(const Member& member) {
    const auto found =
        std::ranges::find(call_.labels, member.wire_name, &model::NamedValues::value_type::first);
    if (found != call_.labels.end()) {
      put(member, text_value(found->second, member.shape));
    }
  }

  void read_query(const Member& member) {
    if (member.shape.kind() == Kind::Map) {
      return;  // every other field of the query: they are noted as unknown
    }
    json::array values;
    const bool list = member.shape.kind() == Kind::List;
    for (const auto& [name, value] : call_.query) {
      if (name == member.wire_name) {
        values.push_back(text_value(value, list ? member.shape.item() : member.shape));
      }
    }
    if (!values.empty()) {
      put(member, list ? json::value(std::move(values)) : std::move(values.front()));
    }
  }

  void read_header(const Member& member) {
    if (const auto value = head_.headers.find(member.wire_name)) {
      put(member, member.shape.kind() == Kind::List ? json::value(json::string(*value))
                                                    : text_value(*value, member.shape));
    }
  }

  void note_unknown_query(const Shape& input) {
    const auto literals = call_.operation.uri.substr(
        std::min(call_.operation.uri.find('?'), call_.operation.uri.size()));
    for (const auto& [name, value] : call_.query) {
      const auto member = input.find(name);
      const bool known = (member && member->location == Location::Query) ||
                         literals.find(name) != std::string_view::npos ||
                         name.starts_with("X-Amz-") || name == "x-id";
      if (!known) {
        writing_.note_unknown(name);
      }
    }
  }

  void read_body(std::string_view body, Parameters& parameters) {
    const auto payload = call_.operation.input.payload();
    const Shape shape = payload ? payload->shape : call_.operation.input;
    if (shape.streaming() || (payload && (payload->streaming || shape.kind() == Kind::Blob ||
                                          shape.kind() == Kind::String))) {
      return;  // a body of any kind is content, not a parameter
    }
    json::value value = call_.protocol == model::Protocol::RestXml
                            ? read_xml_body(body, shape, parameters)
                            : read_json_body(body, shape, parameters);
    if (payload) {
      put(*payload, std::move(value));
    } else if (value.is_object()) {
      for (auto& member : value.get_object()) {
        out_[member.key()] = std::move(member.value());
      }
    }
  }

  json::value read_json_body(std::string_view body, const Shape& shape, Parameters& parameters) {
    const auto parsed = parse_json(body);
    if (!parsed) {
      parameters.defect = "the body is not JSON";
      return nullptr;
    }
    return from_json(*parsed, shape, writing_);
  }

  json::value read_xml_body(std::string_view body, const Shape& shape, Parameters& parameters) {
    pugi::xml_document document;
    if (!read_xml(body, document)) {
      parameters.defect = "the body is not XML";
      return nullptr;
    }
    return from_xml(document.document_element(), shape, writing_);
  }

  const model::RecognisedCall& call_;
  const net::RequestHead& head_;
  Writing writing_;
  json::object out_;
};

}  // namespace

Parameters rest_request_parameters(const model::RecognisedCall& call, const net::RequestHead& head,
                                   std::optional<std::string_view> body) {
  return Reader(call, head).read(body);
}

}  // namespace opentrail::aws::recorded

#include "services/s3/xml_reader.h"

#include "base/text.h"
#include "services/s3/s3_status.h"

#include <pugixml.hpp>

namespace opentrail::services::s3 {
namespace {

constexpr int kDepthMax = 8;

std::string_view local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node as_node(void* internal) {
  return pugi::xml_node(static_cast<pugi::xml_node_struct*>(internal));
}

pugi::xml_node find_child(pugi::xml_node node, std::string_view name) {
  return node.find_child([&](pugi::xml_node child) { return local_name(child) == name; });
}

json::value leaf_value(pugi::xml_node node) {
  const std::string text = to_valid_utf8(trim(node.child_value()));
  if (text == "true" || text == "false") {
    return text == "true";
  }
  return json::value(text);
}

json::value to_value(pugi::xml_node node, int depth);

void add_child(json::object& object, pugi::xml_node child, int depth) {
  const std::string name = to_valid_utf8(local_name(child));
  json::value value = to_value(child, depth);
  const auto found = object.find(name);
  if (found == object.end()) {
    object[name] = std::move(value);
    return;
  }
  if (!found->value().is_array()) {
    json::array several;
    several.push_back(std::move(found->value()));
    found->value() = std::move(several);
  }
  found->value().get_array().push_back(std::move(value));
}

json::value to_value(pugi::xml_node node, int depth) {
  json::object object;
  for (const pugi::xml_attribute attribute : node.attributes()) {
    object[to_valid_utf8(attribute.name())] = to_valid_utf8(attribute.value());
  }
  bool has_elements = false;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() == pugi::node_element && depth < kDepthMax) {
      has_elements = true;
      add_child(object, child, depth + 1);
    }
  }
  return has_elements || !object.empty() ? json::value(std::move(object)) : leaf_value(node);
}

}  // namespace

XmlBody::XmlBody() : document_(std::make_unique<pugi::xml_document>()) {}
XmlBody::~XmlBody() = default;
XmlBody::XmlBody(XmlBody&&) noexcept = default;
XmlBody& XmlBody::operator=(XmlBody&&) noexcept = default;

Result<XmlBody> XmlBody::parse(std::string_view body, std::string_view root) {
  XmlBody parsed;
  const bool well_formed = body.size() <= kXmlBodyBytesMax && is_utf8(body) &&
                           parsed.document_->load_buffer(body.data(), body.size(),
                                                         pugi::parse_default, pugi::encoding_utf8);
  const pugi::xml_node element = parsed.document_->document_element();
  if (!well_formed || !element || (!root.empty() && local_name(element) != root)) {
    return refuse("MalformedXML");
  }
  return parsed;
}

XmlBody::Element XmlBody::root() const {
  return Element(document_->document_element().internal_object());
}

json::object XmlBody::to_json() const {
  json::object object;
  add_child(object, document_->document_element(), 1);
  return object;
}

bool XmlBody::Element::has(std::string_view child) const {
  return !find_child(as_node(node_), child).empty();
}

std::string XmlBody::Element::text(std::string_view child) const {
  return std::string(trim(find_child(as_node(node_), child).child_value()));
}

std::string XmlBody::Element::raw_text(std::string_view child) const {
  return find_child(as_node(node_), child).child_value();
}

XmlBody::Element XmlBody::Element::child(std::string_view name) const {
  return Element(find_child(as_node(node_), name).internal_object());
}

std::vector<XmlBody::Element> XmlBody::Element::children(std::string_view name) const {
  std::vector<Element> found;
  for (const pugi::xml_node child : as_node(node_).children()) {
    if (local_name(child) == name) {
      found.push_back(Element(child.internal_object()));
    }
  }
  return found;
}

std::string XmlBody::Element::name() const { return std::string(local_name(as_node(node_))); }

}  // namespace opentrail::services::s3

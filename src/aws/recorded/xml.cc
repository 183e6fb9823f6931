#include "aws/recorded/xml.h"

#include "aws/json_protocol.h"
#include "base/text.h"

namespace opentrail::aws::recorded {
namespace {

using model::Kind;
using model::Member;
using model::Shape;

/// The name behind a namespace prefix.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
}

pugi::xml_node child_of(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& child : node.children()) {
    if (local_name(child) == name) {
      return child;
    }
  }
  return {};
}

class Reader {
 public:
  explicit Reader(Writing& writing) : writing_(writing) {}

  json::value value(const pugi::xml_node& node, const Shape& shape, std::size_t depth) {
    if (!shape || depth > kDepthMax) {
      return nullptr;
    }
    if (shape.sensitive()) {
      return json::string(writing_.style.hidden);
    }
    switch (shape.kind()) {
      case Kind::Structure:
        return structure(node, shape, depth);
      case Kind::List:
        return list(node, shape, depth);
      case Kind::Map:
        return map(node, shape, depth);
      default:
        return scalar(node.text().get(), shape, writing_.style);
    }
  }

 private:
  json::value structure(const pugi::xml_node& node, const Shape& shape, std::size_t depth) {
    json::object out;
    for (std::size_t i = 0; i < shape.member_count(); ++i) {
      const Member member = shape.member(i);
      json::value written = member_value(node, member, depth);
      if (!written.is_null()) {
        const std::string_view name = writing_.style.ec2 ? member.wire_name : member.name;
        out[name == "return" ? "_return" : record_member_name(name)] = std::move(written);
      }
    }
    return out;
  }

  json::value member_value(const pugi::xml_node& node, const Member& member, std::size_t depth) {
    if (member.attribute) {
      const auto attribute = node.attribute(std::string(member.wire_name).c_str());
      return attribute ? scalar(attribute.value(), member.shape, writing_.style)
                       : json::value(nullptr);
    }
    if (member.location != model::Location::Body) {
      return nullptr;
    }
    const bool flattened = member.flattened || member.shape.flattened();
    if (flattened && member.shape.kind() == Kind::List) {
      return flattened_list(node, member, depth);
    }
    const pugi::xml_node child = child_of(node, member.wire_name);
    return child ? value(child, member.shape, depth + 1) : json::value(nullptr);
  }

  json::value flattened_list(const pugi::xml_node& node, const Member& member, std::size_t depth) {
    json::array items;
    for (const pugi::xml_node& child : node.children()) {
      if (local_name(child) == member.wire_name || local_name(child) == member.shape.item_name()) {
        items.push_back(value(child, member.shape.item(), depth + 1));
      }
    }
    return items.empty() ? json::value(nullptr) : list_value(std::move(items), writing_.style);
  }

  json::value list(const pugi::xml_node& node, const Shape& shape, std::size_t depth) {
    json::array items;
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() == pugi::node_element) {
        items.push_back(value(child, shape.item(), depth + 1));
      }
    }
    return list_value(std::move(items), writing_.style);
  }

  json::value map(const pugi::xml_node& node, const Shape& shape, std::size_t depth) {
    json::object out;
    for (const pugi::xml_node& entry : node.children()) {
      const pugi::xml_node key = child_of(entry, shape.key_name());
      if (key) {
        out[key.text().get()] =
            value(child_of(entry, shape.value_name()), shape.value(), depth + 1);
      }
    }
    return out;
  }

  Writing& writing_;
};

bool is_flat_enough(const pugi::xml_node& root) {
  struct Walker final : pugi::xml_tree_walker {
    bool for_each(pugi::xml_node&) override { return depth() <= static_cast<int>(kDepthMax); }
  } walker;
  pugi::xml_node top = root;
  return top.traverse(walker);
}

}  // namespace

bool read_xml(std::string_view foreign, pugi::xml_document& document) {
  const std::string text = to_valid_utf8(foreign);  // the parser takes any bytes
  return document.load_buffer(text.data(), text.size()) && is_flat_enough(document);
}

json::value from_xml(const pugi::xml_node& node, const Shape& shape, Writing& writing,
                     std::size_t depth) {
  return Reader(writing).value(node, shape, depth);
}

}  // namespace opentrail::aws::recorded

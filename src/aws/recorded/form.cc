#include "aws/recorded/form.h"

#include "aws/json_protocol.h"
#include "base/text.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

namespace opentrail::aws::recorded {
namespace {

using model::Kind;
using model::Member;
using model::Shape;

/// Numbers before names, numbers by value: ".10" stands behind ".9".
struct ByNumber {
  using is_transparent = void;
  bool operator()(std::string_view left, std::string_view right) const {
    const bool numbers = is_digits(left) && is_digits(right);
    return numbers && left.size() != right.size() ? left.size() < right.size() : left < right;
  }
};

/// The dotted names as a tree. Depth is bounded by kDepthMax.
struct Node {
  std::optional<std::string_view> value;
  std::map<std::string_view, Node, ByNumber> children;
  mutable bool used = false;

  [[nodiscard]] const Node* child(std::string_view name) const {
    const auto found = children.find(name);
    return found == children.end() ? nullptr : &found->second;
  }
};

Node make_tree(const model::NamedValues& form) {
  Node root;
  for (const auto& [name, value] : form) {
    Node* node = &root;
    std::size_t depth = 0;
    for (const std::string_view part : split(name, '.')) {
      if (++depth > kDepthMax) {
        break;
      }
      node = &node->children[part];
    }
    if (depth <= kDepthMax && !node->value) {
      node->value = value;
    }
  }
  return root;
}

/// "instanceId" of "InstanceId": the name of an item in EC2's lists of plain values.
std::string item_key(const Member& member) { return record_member_name(member.wire_name); }

class Reader {
 public:
  explicit Reader(Writing& writing) : writing_(writing) {}

  json::value structure(const Node& node, const Shape& shape) {
    json::object out;
    std::vector<const Node*> read;
    for (std::size_t i = 0; i < shape.member_count(); ++i) {
      const Member member = shape.member(i);
      const Node* child = find_child(node, member);
      if (child == nullptr) {
        continue;
      }
      read.push_back(child);
      json::value value = member_value(*child, member);
      if (!value.is_null()) {
        out[key_of(member)] = std::move(value);
      }
    }
    for (const auto& [name, child] : node.children) {
      if (std::ranges::find(read, &child) == read.end()) {
        writing_.note_unknown(name);
      }
    }
    return out;
  }

 private:
  static std::string upper_first(std::string_view name) {
    std::string text(name);
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
      text[0] = static_cast<char>(text[0] - 'a' + 'A');
    }
    return text;
  }

  /// By the wire's name, which EC2 writes with a capital; a flattened list by its items' name.
  const Node* find_child(const Node& node, const Member& member) const {
    if (const Node* found = node.child(member.wire_name)) {
      return found;
    }
    if (const Node* found = node.child(upper_first(member.wire_name))) {
      return found;
    }
    if (is_flattened(member) && member.shape.kind() == Kind::List) {
      if (const Node* found = node.child(member.shape.item_name())) {
        return found;
      }
    }
    return node.child(member.name);
  }

  static bool is_flattened(const Member& member) {
    return member.flattened || member.shape.flattened();
  }

  /// EC2's lists are "Sets" on the record: "filterSet".
  std::string key_of(const Member& member) const {
    if (writing_.style.ec2 && member.shape.kind() == Kind::List) {
      const std::string name = record_member_name(member.wire_name);
      return name.ends_with("Set") || name == "ipPermissions" ? name : name + "Set";
    }
    return record_member_name(writing_.style.ec2 ? member.wire_name : member.name);
  }

  json::value member_value(const Node& node, const Member& member) {
    const Shape& shape = member.shape;
    if (shape.sensitive()) {
      return json::string(writing_.style.hidden);
    }
    switch (shape.kind()) {
      case Kind::Structure:
        return structure(node, shape);
      case Kind::List:
        return list(node, member);
      case Kind::Map:
        return map(node, shape);
      default:
        return node.value ? scalar(*node.value, shape, writing_.style) : json::value(nullptr);
    }
  }

  /// The node whose children are the numbers: the list itself, or its "member" or "entry".
  static const Node& numbered(const Node& node) {
    const bool single = node.children.size() == 1 && !is_digits(node.children.begin()->first);
    return single ? node.children.begin()->second : node;
  }

  json::value list(const Node& node, const Member& member) {
    json::array items;
    const Shape item = member.shape.item();
    for (const auto& [number, child] : numbered(node).children) {
      json::value value = member_value(child, {member.name, member.wire_name, item});
      if (writing_.style.ec2 && item.kind() != Kind::Structure) {
        json::object wrapped;
        wrapped[item_key(member)] = std::move(value);
        value = std::move(wrapped);
      }
      items.push_back(std::move(value));
    }
    return list_value(std::move(items), writing_.style);
  }

  json::value map(const Node& node, const Shape& shape) {
    json::object out;
    for (const auto& [number, entry] : numbered(node).children) {
      const Node* key = entry.child(shape.key_name());
      const Node* value = entry.child(shape.value_name());
      if (key != nullptr && key->value) {
        out[*key->value] = value == nullptr
                               ? json::value(nullptr)
                               : member_value(*value, {"value", "value", shape.value()});
      }
    }
    return out;
  }

  Writing& writing_;
};

}  // namespace

json::value from_form(const model::NamedValues& form, const Shape& shape, Writing& writing) {
  const Node root = make_tree(form);
  if (!shape) {
    for (const auto& [name, child] : root.children) {
      writing.note_unknown(name);
    }
    return nullptr;
  }
  return Reader(writing).structure(root, shape);
}

}  // namespace opentrail::aws::recorded

#include "record/json_path.h"

#include "base/text.h"
#include "record/record.h"

#include <bitset>
#include <cstring>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

namespace opentrail::record {
namespace {

namespace ondemand = simdjson::ondemand;

/// Records up to this size share their thread's parser and buffer.
constexpr std::size_t kSharedBytesMax = 64 << 10;

/// simdjson reads a little beyond the end of its input, so the record is copied once.
class Workspace {
 public:
  simdjson::error_code iterate(std::string_view json, ondemand::document& document) {
    const std::size_t needed = json.size() + simdjson::SIMDJSON_PADDING;
    if (bytes_max_ < needed) {
      bytes_ = std::make_unique_for_overwrite<char[]>(needed);
      bytes_max_ = needed;
    }
    std::memcpy(bytes_.get(), json.data(), json.size());
    std::memset(bytes_.get() + json.size(), 0, simdjson::SIMDJSON_PADDING);
    return parser_.iterate(simdjson::padded_string_view(bytes_.get(), json.size(), bytes_max_))
        .get(document);
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t bytes_max_ = 0;
  ondemand::parser parser_;
};

Workspace& shared_workspace() {
  thread_local Workspace workspace;
  return workspace;
}

/// A parser that is in use by a visit further up this thread's stack cannot be shared again.
thread_local bool shared_in_use = false;

class SharedUse {
 public:
  SharedUse() { shared_in_use = true; }
  ~SharedUse() { shared_in_use = false; }
  SharedUse(const SharedUse&) = delete;
  SharedUse& operator=(const SharedUse&) = delete;
};

}  // namespace

/// One pass over one record.
class JsonWalk {
 public:
  JsonWalk(const JsonPathSet& paths, const JsonPathSet::Visit& visit)
      : nodes_(paths.nodes_), visit_(visit) {}

  /// The members of `object` that a path names.
  simdjson::error_code members(ondemand::object object, const JsonPathSet::Node& node) {
    std::bitset<kJsonPathsMax> seen;
    std::size_t left = node.children.size();
    for (auto member : object) {
      ondemand::field field;
      std::string_view name;
      if (const auto error = std::move(member).get(field); error != simdjson::SUCCESS) {
        return error;
      }
      if (const auto error = field.unescaped_key().get(name); error != simdjson::SUCCESS) {
        return error;
      }
      const auto child = find_child(node, name);
      if (!child || seen[*child]) {
        continue;
      }
      seen.set(*child);
      const auto error = value(field.value(), nodes_[node.children[*child]]);
      if (error != simdjson::SUCCESS || stopped_ || --left == 0) {
        return error;
      }
    }
    return simdjson::SUCCESS;
  }

 private:
  std::optional<std::size_t> find_child(const JsonPathSet::Node& node,
                                        std::string_view name) const {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (nodes_[node.children[i]].name == name) {
        return i;
      }
    }
    return std::nullopt;
  }

  void tell(const JsonPathSet::Node& node, JsonValue::Kind kind, std::string_view text) {
    for (const std::size_t path : node.paths) {
      if (!stopped_) {
        stopped_ = visit_(path, {.kind = kind, .text = text}) == JsonPathSet::Next::Stop;
      }
    }
  }

  simdjson::error_code value(ondemand::value at, const JsonPathSet::Node& node) {
    ondemand::json_type type = ondemand::json_type::null;
    if (const auto error = at.type().get(type); error != simdjson::SUCCESS) {
      return error;
    }
    switch (type) {
      case ondemand::json_type::object:
        return object(at, node);
      case ondemand::json_type::array:
        return array(at, node);
      case ondemand::json_type::string:
        return string(at, node);
      case ondemand::json_type::number:
        tell(node, JsonValue::Kind::Number, trim(at.raw_json_token()));
        return simdjson::SUCCESS;
      case ondemand::json_type::boolean:
        tell(node, JsonValue::Kind::Boolean, trim(at.raw_json_token()));
        return simdjson::SUCCESS;
      case ondemand::json_type::null:
        return simdjson::SUCCESS;
    }
    return simdjson::INCORRECT_TYPE;
  }

  simdjson::error_code string(ondemand::value at, const JsonPathSet::Node& node) {
    if (node.paths.empty()) {
      return simdjson::SUCCESS;
    }
    std::string_view text;
    const auto error = at.get_string().get(text);
    if (error == simdjson::SUCCESS) {
      tell(node, JsonValue::Kind::String, text);
    }
    return error;
  }

  /// Tells the bytes of an object or array, and goes back to its beginning.
  template <typename Container>
  simdjson::error_code raw(Container& container, const JsonPathSet::Node& node,
                           JsonValue::Kind kind) {
    if (node.paths.empty()) {
      return simdjson::SUCCESS;
    }
    std::string_view text;
    if (const auto error = container.raw_json().get(text); error != simdjson::SUCCESS) {
      return error;
    }
    tell(node, kind, trim(text));
    bool any = false;
    return container.reset().get(any);
  }

  simdjson::error_code object(ondemand::value at, const JsonPathSet::Node& node) {
    ondemand::object object;
    if (const auto error = at.get_object().get(object); error != simdjson::SUCCESS) {
      return error;
    }
    if (const auto error = raw(object, node, JsonValue::Kind::Object);
        error != simdjson::SUCCESS || stopped_ || node.children.empty()) {
      return error;
    }
    return members(object, node);
  }

  simdjson::error_code array(ondemand::value at, const JsonPathSet::Node& node) {
    ondemand::array array;
    if (const auto error = at.get_array().get(array); error != simdjson::SUCCESS) {
      return error;
    }
    if (const auto error = raw(array, node, JsonValue::Kind::Array);
        error != simdjson::SUCCESS || stopped_) {
      return error;
    }
    if (++depth_ > kRecordDepthMax) {
      return simdjson::DEPTH_ERROR;
    }
    for (auto element : array) {
      ondemand::value next;
      if (const auto error = std::move(element).get(next); error != simdjson::SUCCESS) {
        return error;
      }
      if (const auto error = value(next, node); error != simdjson::SUCCESS || stopped_) {
        return error;
      }
    }
    --depth_;
    return simdjson::SUCCESS;
  }

  const std::vector<JsonPathSet::Node>& nodes_;
  const JsonPathSet::Visit& visit_;
  std::size_t depth_ = 0;  ///< Of arrays in arrays; objects go no deeper than the paths do.
  bool stopped_ = false;
};

JsonPathSet::JsonPathSet(std::span<const JsonPath> paths) {
  OT_CHECK(paths.size() <= kJsonPathsMax);
  nodes_.emplace_back();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    OT_CHECK(!paths[i].empty());
    std::size_t at = 0;
    for (const std::string& name : paths[i]) {
      at = child_of(at, name);
    }
    nodes_[at].paths.push_back(i);
  }
}

std::size_t JsonPathSet::child_of(std::size_t parent, const std::string& name) {
  for (const std::size_t child : nodes_[parent].children) {
    if (nodes_[child].name == name) {
      return child;
    }
  }
  nodes_.push_back({.name = name, .children = {}, .paths = {}});
  nodes_[parent].children.push_back(nodes_.size() - 1);
  return nodes_.size() - 1;
}

Result<void> JsonPathSet::visit(std::string_view json, const Visit& visit) const {
  if (json.size() > kRecordBytesMax) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("a record has at most {} bytes, this one has {}", kRecordBytesMax,
                            json.size()));
  }
  std::optional<Workspace> own;
  std::optional<SharedUse> use;
  if (json.size() > kSharedBytesMax || shared_in_use) {
    own.emplace();
  } else {
    use.emplace();
  }
  Workspace& workspace = own ? *own : shared_workspace();
  ondemand::document document;
  ondemand::object record;
  auto error = workspace.iterate(json, document);
  if (error == simdjson::SUCCESS) {
    error = document.get_object().get(record);
  }
  if (error == simdjson::SUCCESS && !nodes_.front().children.empty()) {
    error = JsonWalk(*this, visit).members(record, nodes_.front());
  }
  if (error != simdjson::SUCCESS) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the record is not valid JSON: {}", simdjson::error_message(error)));
  }
  return {};
}

}  // namespace opentrail::record

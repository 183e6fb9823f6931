#pragma once
#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The values behind paths into a record's JSON, found in one pass over its bytes.
namespace opentrail::record {

/// Names of members from the record down: {"requestParameters", "bucketName"}. Arrays on the way
/// are walked through and have no step of their own.
using JsonPath = std::vector<std::string>;

inline constexpr std::size_t kJsonPathsMax = 256;  ///< In one JsonPathSet.

struct JsonValue {
  enum class Kind : std::uint8_t { String, Number, Boolean, Object, Array };
  Kind kind = Kind::String;
  /// Of a string its characters, escapes resolved; of anything else its bytes as they stand in the
  /// record. Valid during the visit only.
  std::string_view text;
};

/// Paths, made once and used for many records. Immutable: any thread.
class JsonPathSet {
 public:
  enum class Next : std::uint8_t { GoOn, Stop };
  using Visit = std::function<Next(std::size_t path, const JsonValue& value)>;

  JsonPathSet() : JsonPathSet(std::span<const JsonPath>()) {}
  /// `paths` has at most kJsonPathsMax, none of them empty; the visit names each by its index.
  explicit JsonPathSet(std::span<const JsonPath> paths);

  /// Calls `visit` with each value behind each path, in the order in which they stand in `json`,
  /// until there are no more or it says Stop. An array is a value itself, and so is each of its
  /// elements, to any depth; null is no value; of a name that stands twice in an object the first
  /// counts, as in parse_record().
  /// Errors: InvalidArgument when `json` is not one JSON object within kRecordBytesMax and
  /// kRecordDepthMax. What no path leads to is not looked at closely: only a record that
  /// parse_record() took is sure to be judged whole.
  [[nodiscard]] Result<void> visit(std::string_view json, const Visit& visit) const;

 private:
  friend class JsonWalk;
  /// A tree of names: what several paths begin with is walked once.
  struct Node {
    std::string name;
    std::vector<std::size_t> children;
    std::vector<std::size_t> paths;  ///< That end here.
  };
  std::size_t child_of(std::size_t parent, const std::string& name);

  std::vector<Node> nodes_;  ///< The first is the record itself.
};

}  // namespace opentrail::record

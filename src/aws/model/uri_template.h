#pragma once
#include "net/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opentrail::aws::model {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// A request's target, taken apart once: path segments and query fields, decoded.
class Target {
 public:
  /// Bounds what one request can make us compare.
  static constexpr std::size_t kSegmentsMax = 256;

  /// Absent when an escape is broken or there are more than kSegmentsMax segments. `prefix` is put
  /// before the path: the bucket of a virtual-host request.
  static std::optional<Target> parse(std::string_view prefix, std::string_view path,
                                     std::string_view query);

  [[nodiscard]] const std::vector<std::string>& segments() const { return segments_; }
  [[nodiscard]] const NamedValues& query() const { return query_; }
  [[nodiscard]] const std::string* query_value(std::string_view name) const;

 private:
  std::vector<std::string> segments_;
  NamedValues query_;
};

/// One operation's URI pattern: "/{Bucket}/{Key+}?uploads" (Smithy's http trait: literal segments,
/// labels, one greedy label, query literals).
class UriTemplate {
 public:
  explicit UriTemplate(std::string_view text);

  /// How well it fits, more is better; absent when it does not. Literals weigh more than labels,
  /// labels more than a greedy one, and query literals decide between equals.
  [[nodiscard]] std::optional<unsigned> match(const Target& target) const;
  /// What the labels stand for, of a target that fits.
  [[nodiscard]] NamedValues labels(const Target& target) const;

 private:
  struct Part {
    std::string_view text;
    bool label = false;
    bool greedy = false;
  };
  std::vector<Part> parts_;
  std::vector<std::pair<std::string_view, std::string_view>> query_;
  bool slash_ = false;  ///< It ends with one.
  std::size_t greedy_at_ = std::string_view::npos;
};

}  // namespace opentrail::aws::model

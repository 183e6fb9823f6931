#pragma once
#include "record/record.h"
#include "record/record_walk.h"

#include <array>
#include <string_view>

namespace opentrail::record {

/// Pairs of type and name, each once, as views of the record. At most kResourceNamesMax; what comes
/// then is left out.
class ResourceNames {
 public:
  struct Name {
    std::string_view type;
    std::string_view name;
    bool operator==(const Name&) const = default;
  };
  void add(std::string_view type, std::string_view name);
  void add_with_short_name(std::string_view type, std::string_view name);
  [[nodiscard]] bool full() const { return count_ == names_.size(); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const Name* begin() const { return names_.data(); }
  [[nodiscard]] const Name* end() const { return names_.data() + count_; }

 private:
  // Not set before it is used: most records have two.
  std::array<Name, kResourceNamesMax> names_;
  std::size_t count_ = 0;
};

/// The names by which LookupEvents finds a record: not the record's `resources` alone (spec records
/// §7.1), but also what its parameters and response name. Each ARN counts twice, whole and by the
/// name at its end. In the order of the table.
[[nodiscard]] ResourceNames resource_names(RecordWalk& record);

/// The name at the end of an ARN: "arn:aws:iam::1:user/path/Bob" -> "Bob"; of an S3 object its
/// whole key. Empty when `arn` is not an ARN or has nothing at its end.
[[nodiscard]] std::string_view short_name(std::string_view arn);

}  // namespace opentrail::record

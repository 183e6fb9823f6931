#pragma once
#include "base/error.h"
#include "record/json_path.h"
#include "search/expression.h"

#include <string>
#include <string_view>
#include <vector>

namespace opentrail::cli {

struct LookupEvent;

/// Columns that a person chose: names of the search language (user, ip, eventName), paths into the
/// record (requestParameters.bucketName), and time, type and resources of an event.
class EventColumns {
 public:
  /// `list` between commas. Errors: InvalidArgument, naming the field.
  static Result<EventColumns> parse(std::string_view list);

  /// As they were written.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// One for each name: all its values, ", " between them; "" when the event has none.
  [[nodiscard]] std::vector<std::string> values(const LookupEvent& event) const;

 private:
  enum class Special : unsigned char { None, Time, Resources };
  struct Column {
    Special special = Special::None;
    search::Target target;
    std::size_t path = 0;  ///< Of a path its index in paths_.
  };
  Result<void> add(std::string_view name, std::vector<record::JsonPath>& paths);

  std::vector<std::string> names_;
  std::vector<Column> columns_;
  record::JsonPathSet paths_;
  bool reads_terms_ = false;
  std::size_t path_count_ = 0;
};

}  // namespace opentrail::cli

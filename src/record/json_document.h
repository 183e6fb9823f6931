#pragma once
#include "base/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

/// simdjson behind the few questions that this module asks. Internal: only the .cc files of this
/// folder include it, because it brings all of simdjson with it.
namespace opentrail::record {

/// One parsed record. Lives on one thread and, for small records, borrows that thread's parser:
/// make one, use it, let it go before the next is made.
class JsonDocument {
 public:
  /// Errors: InvalidArgument when `json` is not one JSON object within kRecordBytesMax and
  /// kRecordDepthMax.
  static Result<JsonDocument> parse(std::string_view json);

  [[nodiscard]] const simdjson::dom::element& root() const { return root_; }
  /// True when it was read from without_large_numbers(json).
  [[nodiscard]] bool has_large_numbers() const { return has_large_numbers_; }

 private:
  std::unique_ptr<simdjson::dom::parser> own_parser_;  ///< Of a large record only.
  simdjson::dom::element root_;
  bool has_large_numbers_ = false;
};

/// A parser with room for `bytes`: the thread's own for small records, else one that `own` keeps.
/// Null when there is no memory.
[[nodiscard]] simdjson::dom::parser* parser_for(std::size_t bytes,
                                                std::unique_ptr<simdjson::dom::parser>& own);

/// The value behind `path` (names with dots between), absent when a step is missing. Of a name that
/// stands twice, the first counts.
[[nodiscard]] std::optional<simdjson::dom::element> find(const simdjson::dom::element& from,
                                                         std::string_view path);
/// A string as it is, a whole number as its digits; anything else is absent.
[[nodiscard]] std::optional<std::string> scalar_text(const simdjson::dom::element& value);
/// Both in one: the text behind `path`, or "".
[[nodiscard]] std::string text_at(const simdjson::dom::element& from, std::string_view path);

/// True when the whole of `text` is a number as RFC 8259, section 6, has it.
[[nodiscard]] bool is_number(std::string_view text);

/// `json` with each well-formed number that does not fit a machine word replaced by 0. JSON sets no
/// bound on numbers, simdjson does, and no number decides how a record is routed.
[[nodiscard]] std::string without_large_numbers(std::string_view json);

/// True when `json` is one complete JSON value of any kind, nested at most kRecordDepthMax - 2
/// deep: it has room inside a member of a record.
[[nodiscard]] bool is_json_value(std::string_view json);

}  // namespace opentrail::record

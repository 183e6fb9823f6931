#pragma once
#include "base/error.h"
#include "base/time.h"
#include "cli/connection.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opentrail::cli {

/// `opentrail lookup` as it was written.
struct LookupCommand {
  ConnectionOptions connection;         ///< Of `region` several may be named, between commas.
  std::vector<std::string> expression;  ///< Words; together one text of docs/search.md.
  /// LookupEvents' key or another field, and the value: {"EventName", "CreateUser"}. All must hold.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string start_time;
  std::string end_time;
  std::string last;                   ///< "2h": instead of a start.
  std::vector<std::string> accounts;  ///< Empty: the caller's own.
  bool all_accounts = false;
  bool all_regions = false;
  bool oldest_first = false;
  std::uint64_t results_max = 50;  ///< 0: all. Of a count by a field: how many values.
  bool count = false;
  std::string by;
  std::string histogram;         ///< "auto", "1h": the width of the buckets.
  std::string output = "table";  ///< "table", "text", "json", "ndjson" or "csv".
  std::string fields;            ///< Between commas; empty: the usual columns.

  [[nodiscard]] bool counts() const { return count || !by.empty() || !histogram.empty(); }
};

/// What is asked of the server.
struct LookupQuery {
  std::string text;  ///< Of the expression.
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
  std::vector<std::string> accounts;  ///< Empty: the caller's own; {"*"}: all.
  std::vector<std::string> regions;   ///< Empty: the one that the call is signed for; {"*"}: all.
};

/// Errors: InvalidArgument. That of an expression shows it, with a caret below the place.
[[nodiscard]] Result<LookupQuery> make_lookup_query(const LookupCommand& command, Timestamp now);

/// The body of SearchEvents.
[[nodiscard]] std::string search_body(const LookupQuery& query, bool oldest_first,
                                      std::uint64_t results_max, std::string_view next_token);
/// The body of CountEvents.
[[nodiscard]] std::string count_body(const LookupQuery& query, std::string_view by,
                                     std::uint64_t groups_max, std::string_view bucket);

/// "eventName = \"CreateUser\" in us-east-1 of all accounts since 2026-11-24T00:00:00Z": for the
/// line that says what is going on. One line.
[[nodiscard]] std::string describe(const LookupQuery& query, std::string_view region);

/// An error of parse_expression() ("at 13: ...") with the text and a caret under its place.
[[nodiscard]] std::string with_caret(std::string_view message, std::string_view text);

}  // namespace opentrail::cli

// Property: whatever parses prints to a text that parses to the same tree, and simplifying twice is
// simplifying once; a time range is in order; no expression makes the matcher miss what its
// prefilter ruled out.
#include "search/expression.h"
#include "search/matcher.h"
#include "search/time_range.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

namespace search = opentrail::search;

constexpr std::string_view kJson =
    R"({"eventName":"CreateTrail","eventID":"a","requestParameters":{"name":"x\u0079","n":[1,null,)"
    R"({"a":"b\/c"}]},"responseElements":null})";

bool holds(const search::Expression& expression) {
  const auto again = search::parse_expression(search::to_text(expression));
  const auto simple = search::simplify(expression);
  const search::Matcher matcher(expression);
  opentrail::record::Terms terms;
  terms.add(opentrail::record::Field::EventName, "CreateTrail");
  const auto found =
      matcher.matches(search::Matcher::Subject{.id = "a", .json = kJson, .terms = terms});
  return again && *again == expression && search::simplify(simple) == simple && found &&
         (!*found || matcher.may_match(kJson));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = search::parse_expression(text);
  const auto range = search::parse_time_range(text, opentrail::Timestamp());
  const bool in_order = !range || !range->begin || !range->end || *range->begin <= *range->end;
  if (!in_order || (expression && !holds(*expression))) {
    std::abort();
  }
  return 0;
}

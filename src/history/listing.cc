#include "history/listing.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

using record::Field;
using search::Expression;
using search::Target;

/// The last instant of the second that `time` is in.
Timestamp end_of_second(Timestamp time) {
  using std::chrono::seconds;
  // Room for the arithmetic at both ends of what a client can send.
  time = std::clamp(time, Timestamp::min() + seconds(1), Timestamp::max() - seconds(1));
  return std::chrono::floor<seconds>(time) + seconds(1) - std::chrono::milliseconds(1);
}

Expression equals(Field field, std::string value) {
  search::Test test;
  test.target.kind = Target::Kind::Field;
  test.target.field = field;
  test.op = search::Operator::Equals;
  test.value = std::move(value);
  return search::make_test(std::move(test));
}

Expression one_of(Field field, const std::vector<std::string>& values) {
  std::vector<Expression> tests;
  tests.reserve(values.size());
  for (const std::string& value : values) {
    tests.push_back(equals(field, value));
  }
  return search::make_or(std::move(tests));
}

Expression is_management() {
  return equals(Field::EventCategory, std::string(record::to_string(record::Category::Management)));
}

Expression test_of(const LookupFilter& filter) {
  switch (filter.key) {
    case LookupKey::EventId: {
      search::Test test;
      test.target.kind = Target::Kind::EventId;
      test.op = search::Operator::Equals;
      test.value = filter.value;
      return search::make_test(std::move(test));
    }
    case LookupKey::EventName:
      return equals(Field::EventName, filter.value);
    case LookupKey::ReadOnly:
      return equals(Field::ReadOnly, filter.value);
    case LookupKey::Username:
      return equals(Field::Username, filter.value);
    case LookupKey::ResourceType:
      return equals(Field::ResourceType, filter.value);
    case LookupKey::ResourceName:
      return equals(Field::ResourceName, filter.value);
    case LookupKey::EventSource:
      return equals(Field::EventSource, filter.value);
    case LookupKey::AccessKeyId:
      return equals(Field::AccessKeyId, filter.value);
  }
  return search::make_not(Expression{});
}

bool tests_category(const Expression& expression) {
  if (expression.kind == Expression::Kind::Test) {
    return expression.test.target.kind == Target::Kind::Field &&
           expression.test.target.field == Field::EventCategory;
  }
  return std::ranges::any_of(expression.children, tests_category);
}

/// What the token remembers goes into the bounds.
Result<void> go_on(Listing& listing, const std::string& next_token, journal::Offset end) {
  listing.bounds.end = end;
  if (next_token.empty()) {
    return {};
  }
  OT_TRY(const LookupToken token, decode(next_token, listing.digest));
  if (token.end > end) {
    return std::unexpected(invalid_token());
  }
  listing.bounds.end = token.end;
  listing.bounds.after = token.last;
  return {};
}

Result<void> check_results_max(std::size_t asked, std::size_t most) {
  if (asked < 1 || asked > most) {
    return fail(ErrorCode::InvalidArgument, fmt::format("a page has 1 to {} results", most),
                "InvalidMaxResults");
  }
  return {};
}

}  // namespace

Expression whole_expression(const SearchQuery& query) {
  std::vector<Expression> all;
  if (!query.accounts.empty()) {
    all.push_back(one_of(Field::AccountId, query.accounts));
  }
  if (!query.regions.empty()) {
    all.push_back(one_of(Field::Region, query.regions));
  }
  if (!tests_category(query.where)) {
    all.push_back(is_management());
  }
  all.push_back(query.where);
  return search::make_and(std::move(all));
}

Result<Listing> Listing::begin(const LookupQuery& query, Timestamp oldest, journal::Offset end) {
  OT_TRY_DO(check_results_max(query.results_max, kResultsMax));
  Listing listing;
  std::vector<Expression> all;
  // The most selective first: what is left is asked of fewer records.
  if (query.filter) {
    all.push_back(test_of(*query.filter));
  }
  all.push_back(equals(Field::AccountId, query.account_id));
  all.push_back(equals(Field::Region, query.region));
  all.push_back(is_management());
  listing.where = search::make_and(std::move(all));
  listing.bounds.oldest = std::max(query.start_time.value_or(oldest), oldest);
  listing.bounds.newest = query.end_time ? end_of_second(*query.end_time) : Timestamp::max();
  listing.results_max = query.results_max;
  listing.digest = digest_of(query);
  OT_TRY_DO(go_on(listing, query.next_token, end));
  return listing;
}

Result<Listing> Listing::begin(const SearchQuery& query, Timestamp oldest, journal::Offset end) {
  OT_TRY_DO(check_results_max(query.results_max, kSearchResultsMax));
  Listing listing;
  listing.where = whole_expression(query);
  listing.bounds.oldest = std::max(query.start_time.value_or(oldest), oldest);
  listing.bounds.newest = query.end_time.value_or(Timestamp::max());
  listing.bounds.direction = query.direction;
  listing.results_max = query.results_max;
  listing.bytes_max = query.bytes_max;
  listing.digest = digest_of(query);
  OT_TRY_DO(go_on(listing, query.next_token, end));
  return listing;
}

std::string Listing::token_after(EntryKey last) const {
  return encode({.end = bounds.end, .last = last}, digest);
}

}  // namespace opentrail::history

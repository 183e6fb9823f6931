#include "services/event_search/search_request.h"

#include "aws/json_protocol.h"
#include "base/text.h"
#include "search/human_time.h"
#include "search/names.h"
#include "search/time_range.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace opentrail::services::event_search {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using MemberNames = std::span<const std::string_view>;

constexpr std::size_t kBodyDepthMax = 8;
constexpr std::size_t kNameBytesMax = 256;  // of an account or a Region, as records have them
constexpr std::string_view kAll = "*";
constexpr char kTokenGap = '.';

constexpr std::string_view kSearchMembers[] = {"Query",    "StartTime", "EndTime",    "Regions",
                                               "Accounts", "Order",     "MaxResults", "NextToken"};
constexpr std::string_view kCountMembers[] = {"Query",    "StartTime", "EndTime", "Regions",
                                              "Accounts", "By",        "Groups",  "Bucket"};

std::unexpected<ApiError> refuse(std::string code, std::string message) {
  constexpr int kBadRequest = 400;
  return std::unexpected(ApiError{.code = std::move(code),
                                  .message = std::move(message),
                                  .status = kBadRequest,
                                  .record_code = {}});
}

std::unexpected<ApiError> bad_value(std::string message) {
  return refuse("ValidationException", std::move(message));
}

std::unexpected<ApiError> bad_type(std::string_view name, std::string_view wanted) {
  return refuse("SerializationException", fmt::format("{} must be {}", name, wanted));
}

std::unexpected<ApiError> bad_token() {
  return refuse("InvalidNextTokenException",
                "The token is not valid: repeat the call's other parameters as they were, or begin "
                "again without a token.");
}

ApiResult<json::object> read_object(std::string_view body, MemberNames known) {
  if (trim(body).empty()) {
    return json::object();
  }
  auto value = parse_json(body, {.depth_max = kBodyDepthMax, .bytes_max = kBodyBytesMax});
  if (!value) {
    return refuse("SerializationException", value.error().message());
  }
  if (!value->is_object()) {
    return refuse("SerializationException", "The body must be a JSON object");
  }
  for (const auto& member : value->get_object()) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
      return bad_value(fmt::format("There is no parameter {}; there are {}",
                                   cut_utf8(member.key(), kNameBytesMax), fmt::join(known, ", ")));
    }
  }
  return std::move(value->get_object());
}

/// A member that was sent and is not null.
const json::value* find(const json::object& input, std::string_view name) {
  const json::value* member = input.if_contains(name);
  return member == nullptr || member->is_null() ? nullptr : member;
}

ApiResult<std::string> read_text(const json::object& input, std::string_view name) {
  const json::value* member = find(input, name);
  if (member == nullptr) {
    return std::string();
  }
  if (!member->is_string()) {
    return bad_type(name, "a string");
  }
  return std::string(member->get_string());
}

ApiResult<std::optional<std::int64_t>> read_integer(const json::object& input,
                                                    std::string_view name) {
  const json::value* member = find(input, name);
  if (member == nullptr) {
    return std::nullopt;
  }
  if (!member->is_int64()) {
    return bad_type(name, "a whole number");
  }
  return member->get_int64();
}

ApiResult<search::Expression> read_query(const json::object& input) {
  OT_TRY(const std::string text, read_text(input, "Query"));
  auto expression = search::parse_expression(text);
  if (!expression) {
    return bad_value("Query: " + expression.error().message());
  }
  return *std::move(expression);
}

struct ReadTime {
  std::optional<Timestamp> time;
  bool was_text = false;
};

ApiResult<ReadTime> read_time(const json::object& input, std::string_view name, Timestamp now,
                              search::SpanEdge edge) {
  const json::value* member = find(input, name);
  if (member == nullptr) {
    return ReadTime{};
  }
  if (member->is_string()) {
    const std::string_view text = member->get_string();
    const bool begins = edge == search::SpanEdge::Begin;
    const auto range = search::parse_time_range(begins ? text : "", begins ? "" : text, now);
    if (!range) {
      return bad_value(fmt::format("{}: {}", name, range.error().message()));
    }
    return ReadTime{begins ? range->begin : range->end, true};
  }
  const auto time = member->is_number() ? aws::json_timestamp(*member) : std::nullopt;
  if (!time) {
    return bad_type(name, "epoch seconds, or text: 2026-11-24T08:46:13Z, 2026-11-24, 2 hours ago");
  }
  return ReadTime{time, false};
}

/// Names, sorted, each once; empty for all of them.
ApiResult<std::vector<std::string>> read_names(const json::object& input, std::string_view name,
                                               std::string_view otherwise) {
  const json::value* member = find(input, name);
  if (member == nullptr) {
    return std::vector<std::string>{std::string(otherwise)};
  }
  if (!member->is_array()) {
    return bad_type(name, "a list of strings");
  }
  std::vector<std::string> names;
  bool all = false;
  for (const json::value& item : member->get_array()) {
    if (!item.is_string()) {
      return bad_type(name, "a list of strings");
    }
    const std::string_view text = item.get_string();
    if (text.empty() || text.size() > kNameBytesMax) {
      return bad_value(fmt::format("{}: a name has 1 to {} bytes", name, kNameBytesMax));
    }
    all = all || text == kAll;
    names.emplace_back(text);
  }
  if (names.empty() || names.size() > kNamesMax) {
    return bad_value(fmt::format("{}: name 1 to {} of them, or [\"*\"] for all", name, kNamesMax));
  }
  if (all) {
    return std::vector<std::string>();
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

/// What both calls have.
ApiResult<SearchRequest> read_common(const json::object& input, const AskedBy& asked_by) {
  SearchRequest request;
  history::SearchQuery& query = request.query;
  OT_TRY(query.where, read_query(input));
  OT_TRY(query.accounts, read_names(input, "Accounts", asked_by.account_id));
  OT_TRY(query.regions, read_names(input, "Regions", asked_by.region));
  OT_TRY(const ReadTime start,
         read_time(input, "StartTime", asked_by.now, search::SpanEdge::Begin));
  OT_TRY(const ReadTime end, read_time(input, "EndTime", asked_by.now, search::SpanEdge::End));
  query.start_time = start.time;
  query.end_time = end.time;
  request.times_in_token = start.was_text || end.was_text;
  return request;
}

ApiResult<void> check_times(const history::SearchQuery& query) {
  if (query.start_time && query.end_time && *query.start_time > *query.end_time) {
    return refuse("InvalidTimeRangeException",
                  fmt::format("The start time {} is later than the end time {}.",
                              to_iso_seconds(*query.start_time), to_iso_seconds(*query.end_time)));
  }
  return {};
}

ApiResult<void> read_order(const json::object& input, history::SearchQuery& query) {
  OT_TRY(const std::string order, read_text(input, "Order"));
  if (order.empty() || order == "newest") {
    query.direction = history::Direction::NewestFirst;
  } else if (order == "oldest") {
    query.direction = history::Direction::OldestFirst;
  } else {
    return bad_value("Order must be newest or oldest");
  }
  return {};
}

ApiResult<void> read_results_max(const json::object& input, history::SearchQuery& query) {
  OT_TRY(const auto wanted, read_integer(input, "MaxResults"));
  if (wanted && (*wanted < 1 || *wanted > static_cast<std::int64_t>(history::kSearchResultsMax))) {
    return refuse("InvalidMaxResultsException",
                  fmt::format("A max results value of {} is invalid. Specify max results between 1 "
                              "and {}.",
                              *wanted, history::kSearchResultsMax));
  }
  query.results_max = static_cast<std::size_t>(wanted.value_or(history::kResultsMax));
  return {};
}

std::string time_text(std::optional<Timestamp> time) {
  return time ? fmt::to_string(time->time_since_epoch().count()) : std::string();
}

std::optional<std::optional<Timestamp>> time_of_token(std::string_view text) {
  if (text.empty()) {
    return std::optional<Timestamp>();
  }
  const auto millis = parse_int(text);
  if (!millis) {
    return std::nullopt;
  }
  return std::optional(Timestamp(milliseconds(*millis)));
}

/// Takes the token apart: times, where it carries some, and history's own.
ApiResult<void> read_token(const json::object& input, SearchRequest& request) {
  OT_TRY(std::string token, read_text(input, "NextToken"));
  if (token.empty() || !request.times_in_token) {
    request.query.next_token = std::move(token);
    return {};
  }
  const auto parts = split(token, kTokenGap);
  constexpr std::size_t kParts = 3;
  if (parts.size() != kParts || parts.back().empty()) {
    return bad_token();
  }
  const auto start = time_of_token(parts[0]);
  const auto end = time_of_token(parts[1]);
  if (!start || !end) {
    return bad_token();
  }
  request.query.start_time = *start;
  request.query.end_time = *end;
  request.query.next_token = parts[2];
  return {};
}

ApiResult<std::optional<record::Field>> read_by(const json::object& input) {
  OT_TRY(const std::string name, read_text(input, "By"));
  if (name.empty()) {
    return std::nullopt;
  }
  const auto target = search::named_target(name);
  if (target && target->kind == search::Target::Kind::Field) {
    return target->field;
  }
  std::string known;
  for (std::size_t i = 0; i < record::kFieldCount; ++i) {
    known += (known.empty() ? "" : ", ");
    known += record::to_string(static_cast<record::Field>(i));
  }
  return bad_value(fmt::format("By: '{}' is not a field that events are counted by; there are {}",
                               cut_utf8(name, kNameBytesMax), known));
}

/// "30s", "15m", "1h", "1d", "1w".
std::optional<milliseconds> parse_width(std::string_view text) {
  constexpr std::pair<char, seconds> kUnits[] = {{'s', seconds{1}},
                                                 {'m', std::chrono::minutes{1}},
                                                 {'h', std::chrono::hours{1}},
                                                 {'d', std::chrono::days{1}},
                                                 {'w', std::chrono::weeks{1}}};
  constexpr std::size_t kDigitsMax = 9;
  if (text.size() < 2 || text.size() > kDigitsMax + 1) {
    return std::nullopt;
  }
  const auto* unit = std::ranges::find(kUnits, text.back(), &std::pair<char, seconds>::first);
  text.remove_suffix(1);
  if (unit == std::end(kUnits) || !is_digits(text)) {
    return std::nullopt;
  }
  return unit->second * *parse_int(text);
}

ApiResult<void> read_bucket(const json::object& input, CountRequest& request) {
  const json::value* member = find(input, "Bucket");
  if (member == nullptr) {
    return {};
  }
  constexpr std::int64_t kSecondsMax = 10LL * 366 * 24 * 3600;
  std::optional<milliseconds> width;
  if (member->is_int64() && member->get_int64() > 0 && member->get_int64() <= kSecondsMax) {
    width = seconds{member->get_int64()};
  } else if (member->is_string()) {
    request.bucket_auto = member->get_string() == "auto";
    width = request.bucket_auto ? seconds{1} : parse_width(member->get_string());
  }
  if (!width || *width <= milliseconds{0} || *width > seconds{kSecondsMax}) {
    return bad_value("Bucket must be auto, a width like 30s, 15m, 1h, 1d or 1w, or seconds");
  }
  request.count.bucket = *width;
  return {};
}

ApiResult<void> read_groups(const json::object& input, history::CountQuery& count) {
  OT_TRY(const auto wanted, read_integer(input, "Groups"));
  if (wanted && (*wanted < 1 || *wanted > static_cast<std::int64_t>(history::kGroupsMax))) {
    return bad_value(fmt::format("Groups must be 1 to {}", history::kGroupsMax));
  }
  if (wanted) {
    count.groups_max = static_cast<std::size_t>(*wanted);
  }
  return {};
}

}  // namespace

ApiResult<SearchRequest> read_search_request(std::string_view body, const AskedBy& asked_by) {
  OT_TRY(const json::object input, read_object(body, kSearchMembers));
  OT_TRY(SearchRequest request, read_common(input, asked_by));
  OT_TRY_DO(read_order(input, request.query));
  OT_TRY_DO(read_results_max(input, request.query));
  OT_TRY_DO(read_token(input, request));
  OT_TRY_DO(check_times(request.query));
  return request;
}

ApiResult<CountRequest> read_count_request(std::string_view body, const AskedBy& asked_by) {
  OT_TRY(const json::object input, read_object(body, kCountMembers));
  OT_TRY(SearchRequest search, read_common(input, asked_by));
  OT_TRY_DO(check_times(search.query));
  CountRequest request;
  request.count.query = std::move(search.query);
  OT_TRY(request.count.by, read_by(input));
  OT_TRY_DO(read_groups(input, request.count));
  OT_TRY_DO(read_bucket(input, request));
  return request;
}

std::string client_token(const SearchRequest& request, std::string_view token) {
  if (token.empty() || !request.times_in_token) {
    return std::string(token);
  }
  return fmt::format("{}{}{}{}{}", time_text(request.query.start_time), kTokenGap,
                     time_text(request.query.end_time), kTokenGap, token);
}

json::value recorded_parameters(std::string_view body) {
  const auto value = parse_json(body, {.depth_max = kBodyDepthMax, .bytes_max = kBodyBytesMax});
  if (!value || !value->is_object() || value->get_object().empty()) {
    return nullptr;
  }
  return aws::with_record_member_names(*value);
}

milliseconds bucket_for(milliseconds span) {
  using std::chrono::days;
  using std::chrono::hours;
  using std::chrono::minutes;
  constexpr milliseconds kLadder[] = {seconds{1}, seconds{5},  seconds{10}, seconds{30}, minutes{1},
                                      minutes{5}, minutes{15}, minutes{30}, hours{1},    hours{3},
                                      hours{6},   hours{12},   days{1},     days{7}};
  constexpr int kBucketsWanted = 60;
  for (const milliseconds width : kLadder) {
    if (span < width * (kBucketsWanted - 1)) {
      return width;
    }
  }
  // Years: whole weeks, as many as it takes.
  const auto weeks = span / (milliseconds(std::chrono::weeks{1}) * (kBucketsWanted - 1)) + 1;
  return std::chrono::weeks{weeks};
}

}  // namespace opentrail::services::event_search

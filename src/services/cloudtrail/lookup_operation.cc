#include "base/json_writer.h"
#include "base/text.h"
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/validation.h"
#include "services/event_view.h"

#include <array>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

using history::LookupKey;

constexpr std::int64_t kResultsMax = 50;
constexpr std::size_t kValueWeightMax = 2000;
constexpr std::size_t kAccountIdDigits = 12;

std::optional<LookupKey> parse_key(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, LookupKey>, 8> kKeys = {{
      {"EventId", LookupKey::EventId},
      {"EventName", LookupKey::EventName},
      {"ReadOnly", LookupKey::ReadOnly},
      {"Username", LookupKey::Username},
      {"ResourceType", LookupKey::ResourceType},
      {"ResourceName", LookupKey::ResourceName},
      {"EventSource", LookupKey::EventSource},
      {"AccessKeyId", LookupKey::AccessKeyId},
  }};
  for (const auto& [spelt, key] : kKeys) {
    if (spelt == name) {
      return key;
    }
  }
  return std::nullopt;
}

/// "_", space, "," and newline count twice (spec api §5.1).
std::size_t weight(std::string_view value) {
  std::size_t total = 0;
  for (const char c : value) {
    total += c == '_' || c == ' ' || c == ',' || c == '\n' ? 2U : 1U;
  }
  return total;
}

std::unexpected<ApiError> bad_attributes(std::string message) {
  return refuse("InvalidLookupAttributesException", std::move(message));
}

ApiResult<std::optional<history::LookupFilter>> read_filter(const json::array& attributes) {
  if (attributes.empty()) {
    return std::nullopt;
  }
  if (attributes.size() > 1) {
    return bad_attributes("You can specify only one lookup attribute.");
  }
  const json::object& attribute = attributes.front().get_object();
  const std::string name = string_member(attribute, "AttributeKey");
  const std::string value = string_member(attribute, "AttributeValue");
  const auto key = parse_key(name);
  if (!key) {
    return bad_attributes(fmt::format("The lookup attribute key {} is not valid.", shown(name)));
  }
  if (value.empty() || weight(value) > kValueWeightMax) {
    return bad_attributes(
        fmt::format("The value of the lookup attribute {} must have 1 to {} characters.", name,
                    kValueWeightMax));
  }
  return history::LookupFilter{*key, value};
}

ApiResult<void> read_time_range(const json::object& input, history::LookupQuery& query) {
  query.start_time = time_of(input, "StartTime");
  query.end_time = time_of(input, "EndTime");
  if (query.start_time && query.end_time && *query.start_time > *query.end_time) {
    return refuse("InvalidTimeRangeException",
                  "Invalid time range: the start time is later than the end time.");
  }
  return {};
}

ApiResult<void> read_results_max(const json::object& input, history::LookupQuery& query) {
  const json::value* member = input.if_contains("MaxResults");
  if (member == nullptr) {
    query.results_max = kResultsMax;
    return {};
  }
  const std::int64_t wanted = member->get_int64();
  if (wanted < 1 || wanted > kResultsMax) {
    return refuse("InvalidMaxResultsException",
                  fmt::format("A max results value of {} is invalid. Specify max results between 1 "
                              "and {}.",
                              wanted, kResultsMax));
  }
  query.results_max = static_cast<std::size_t>(wanted);
  return {};
}

/// True when Insights events are asked for.
ApiResult<bool> wants_insights(const json::object& input,
                               const std::optional<history::LookupFilter>& filter) {
  const auto category = text_of(input, "EventCategory");
  if (!category) {
    return false;
  }
  if (*category != "insight") {
    return refuse(
        "InvalidEventCategoryException",
        fmt::format("Event category {} is not valid: the only one is insight.", shown(*category)));
  }
  if (filter && filter->key != LookupKey::EventId && filter->key != LookupKey::EventName &&
      filter->key != LookupKey::EventSource) {
    return bad_attributes(
        "Insights events can be looked up by EventId, EventName and EventSource.");
  }
  return true;
}

/// Whose history: the caller's own, or, for an administrator of the server, the one that the header
/// x-opentrail-account names.
ApiResult<std::string> account_to_search(Request& request) {
  if (!request.other_account || *request.other_account == request.account_id) {
    return request.account_id;
  }
  const std::string& wanted = *request.other_account;
  if (wanted.size() != kAccountIdDigits || !is_digits(wanted)) {
    return refuse("ValidationException",
                  "The header x-opentrail-account must be an account id of 12 digits.");
  }
  if (!request.parts.iam.is_administrator(request.caller)) {
    return std::unexpected(
        ApiError{"AccessDeniedException",
                 fmt::format("User: {} is not authorized to perform: cloudtrail:LookupEvents in "
                             "account {}: only an administrator of the management account is",
                             request.caller.arn, wanted),
                 400, "AccessDenied"});
  }
  return wanted;
}

std::string write_page(const history::LookupPage& page) {
  std::size_t bytes = 0;
  for (const history::FoundEvent& event : page.events) {
    bytes += event.json.size();
  }
  JsonWriter out;
  out.reserve(bytes + bytes / 2);  // quotes become two bytes, and the members come beside
  out.begin_object().key("Events").begin_array();
  for (const history::FoundEvent& event : page.events) {
    out.begin_object();
    write_event_members(out, event);
    out.end_object();
  }
  out.end_array().optional_field("NextToken", page.next_token).end_object();
  return std::move(out).text();
}

ApiResult<history::LookupPage> search(Request& request, const history::LookupQuery& query) {
  auto page = request.parts.history.lookup(query);
  if (page) {
    return *std::move(page);
  }
  if (page.error().reason() == "InvalidNextToken") {
    return refuse("InvalidNextTokenException",
                  "The token is not valid: repeat the call's other parameters as they were, or "
                  "begin again without a token.");
  }
  return std::unexpected(own_trouble(page.error()));
}

}  // namespace

ApiResult<Answer> lookup_events(Request& request) {
  history::LookupQuery query;
  query.region = request.region;
  OT_TRY(query.account_id, account_to_search(request));
  OT_TRY(query.filter, read_filter(list_of(request.input, "LookupAttributes")));
  OT_TRY_DO(read_time_range(request.input, query));
  OT_TRY_DO(read_results_max(request.input, query));
  OT_TRY(const bool insights, wants_insights(request.input, query.filter));
  query.next_token = text_of(request.input, "NextToken").value_or("");
  Answer answer;
  if (query.account_id != request.account_id) {
    answer.additional_event_data = json::object{{"lookupAccountId", query.account_id}};
  }
  if (!insights) {
    OT_TRY(const history::LookupPage page, search(request, query));
    answer.body = write_page(page);
    return answer;
  }
  // Insights are not computed here: there are none to find, and no second page of them.
  if (!query.next_token.empty()) {
    return refuse("InvalidNextTokenException", "The token is not valid.");
  }
  answer.body = write_page({});
  return answer;
}

}  // namespace opentrail::services::cloudtrail

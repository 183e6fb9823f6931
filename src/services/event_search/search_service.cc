#include "services/event_search/search_service.h"

#include "base/metrics.h"
#include "services/event_search/search_answer.h"
#include "services/own_api.h"
#include "services/own_trouble.h"

#include <fmt/format.h>

namespace opentrail::services::event_search {
namespace {

constexpr std::string_view kSearchEvents = "SearchEvents";
constexpr std::string_view kCountEvents = "CountEvents";
constexpr int kBadRequest = 400;
constexpr int kServiceUnavailable = 503;

AskedBy asked_by(const Call& call) {
  return {.account_id = call.account_id, .region = call.region, .now = call.received_at};
}

Result<std::string> find_events(history::History& history, const SearchRequest& request) {
  OT_TRY(const history::SearchPage page, history.search(request.query));
  return search_answer(page, client_token(request, page.next_token));
}

/// The time between the first and the last match.
Result<std::chrono::milliseconds> span_of(history::History& history,
                                          const history::SearchQuery& query) {
  history::SearchQuery one = query;
  one.results_max = 1;
  one.direction = history::Direction::OldestFirst;
  OT_TRY(const history::SearchPage oldest, history.search(one));
  one.direction = history::Direction::NewestFirst;
  OT_TRY(const history::SearchPage newest, history.search(one));
  if (oldest.events.empty() || newest.events.empty()) {
    return std::chrono::milliseconds{0};
  }
  return newest.events.front().event_time - oldest.events.front().event_time;
}

Result<std::string> count_events(history::History& history, CountRequest request) {
  if (request.bucket_auto) {
    OT_TRY(const auto span, span_of(history, request.count.query));
    request.count.bucket = bucket_for(span);
  }
  OT_TRY(const history::Counts counts, history.count(request.count));
  return count_answer(counts, request.count.bucket, request.count.by.has_value());
}

void count_metric(std::string_view operation, std::string_view result) {
  metrics::counter("opentrail_searches_total", "Searches and counts of the event history",
                   {{"operation", std::string(operation)}, {"result", std::string(result)}})
      .add();
}

}  // namespace

SearchService::SearchService(history::History& history, iam::Iam& iam, const SearchLimits& limits)
    : history_(history), iam_(iam), pool_(limits) {}

Operation SearchService::identify(const Call& call) const {
  Operation operation;
  const bool counts = call.exchange.request().path() == kCountPath;
  operation.name = operation.event_name = counts ? kCountEvents : kSearchEvents;
  operation.action = "opentrail:" + operation.name;
  operation.resource = "*";
  operation.read_only = operation.reads_history = true;
  operation.request_parameters = recorded_parameters(call.body);
  if (counts) {
    if (auto request = read_count_request(call.body, asked_by(call)); !request) {
      operation.error = std::move(request).error();
    }
  } else if (auto request = read_search_request(call.body, asked_by(call)); !request) {
    operation.error = std::move(request).error();
  }
  return operation;
}

asio::awaitable<Outcome> SearchService::handle(Call& call, const Operation& operation) {
  Outcome outcome = operation.name == kCountEvents ? co_await count(call) : co_await search(call);
  count_metric(operation.name, outcome.error ? "error" : "ok");
  co_return outcome;
}

asio::awaitable<Outcome> SearchService::search(Call& call) {
  auto request = read_search_request(call.body, asked_by(call));
  OT_CHECK(request.has_value());  // identify() has let it through
  if (auto allowed = check_accounts(call, kSearchEvents, request->query.accounts); !allowed) {
    co_return own_api_error(allowed.error(), call.request_id);
  }
  auto job = [&history = history_, request = *std::move(request)]() {
    return find_events(history, request);
  };
  auto body = co_await pool_.run(std::move(job));
  co_return body ? own_api_answer(*std::move(body), call.request_id)
                 : own_api_error(to_api_error(body.error()), call.request_id);
}

asio::awaitable<Outcome> SearchService::count(Call& call) {
  auto request = read_count_request(call.body, asked_by(call));
  OT_CHECK(request.has_value());  // identify() has let it through
  if (auto allowed = check_accounts(call, kCountEvents, request->count.query.accounts); !allowed) {
    co_return own_api_error(allowed.error(), call.request_id);
  }
  auto job = [&history = history_, request = *std::move(request)]() mutable {
    return count_events(history, std::move(request));
  };
  auto body = co_await pool_.run(std::move(job));
  co_return body ? own_api_answer(*std::move(body), call.request_id)
                 : own_api_error(to_api_error(body.error()), call.request_id);
}

ApiResult<void> SearchService::check_accounts(const Call& call, std::string_view action,
                                              const std::vector<std::string>& accounts) const {
  const bool own_alone = accounts.size() == 1 && accounts.front() == call.account_id;
  if (own_alone || iam_.is_administrator(call.caller)) {
    return {};
  }
  return std::unexpected(ApiError{
      .code = "AccessDeniedException",
      .message = fmt::format("User: {} is not authorized to perform: opentrail:{} in other "
                             "accounts than its own: only an administrator of the "
                             "management account is",
                             call.caller.arn, action),
      .status = kBadRequest,
      .record_code = "AccessDenied"});
}

ApiError SearchService::to_api_error(const Error& error) const {
  if (error.reason() == "InvalidNextToken") {
    return {.code = "InvalidNextTokenException",
            .message =
                "The token is not valid: repeat the call's other parameters as they were, "
                "or begin again without a token.",
            .status = kBadRequest,
            .record_code = {}};
  }
  if (error.reason() == SearchPool::kReason && error.code() == ErrorCode::Throttled) {
    return {.code = "ThrottlingException",
            .message = "Too many searches are under way; try again",
            .status = kServiceUnavailable,
            .record_code = {}};
  }
  if (error.reason() == SearchPool::kReason) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(pool_.limits().deadline).count();
    // 400, since the same call would take as long again.
    return {.code = "SearchTimeoutException",
            .message = fmt::format(
                "The search has not ended within {} s. Ask for a shorter time, fewer results, or "
                "add a condition on an indexed field, such as eventName, user or source.",
                seconds),
            .status = kBadRequest,
            .record_code = {}};
  }
  if (error.code() == ErrorCode::InvalidArgument) {
    return {.code = "ValidationException",
            .message = error.message(),
            .status = kBadRequest,
            .record_code = {}};
  }
  return own_trouble(error);
}

Outcome SearchService::error_answer(const net::RequestHead& /*request*/, const ApiError& error,
                                    std::string_view request_id) const {
  return own_api_error(error, request_id);
}

}  // namespace opentrail::services::event_search

#include "services/ingest/ingest_service.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/offload.h"
#include "services/own_trouble.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace opentrail::services::ingest {

namespace {

constexpr std::string_view kImportRecords = "ImportRecords";
constexpr std::string_view kListKnownAccounts = "ListKnownAccounts";
constexpr std::string_view kRecordsPath = "/opentrail/v1/records";
constexpr std::string_view kAccountsPath = "/opentrail/v1/accounts";
constexpr int kServiceUnavailable = 503;
/// A pushed back import is worth a new try after about one commit of the others.
constexpr std::string_view kRetryAfterSeconds = "1";

/// Holds one of the places of imports that are under way.
class Place {
 public:
  Place(std::atomic<int>& taken, int places) : taken_(taken) {
    granted_ = taken_.fetch_add(1) < places;
  }
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] bool granted() const { return granted_; }

 private:
  std::atomic<int>& taken_;
  bool granted_;
};

ApiError to_api_error(const Error& error) {
  constexpr int kBadRequest = 400;
  constexpr int kTooLarge = 413;
  constexpr int kUnsupportedMediaType = 415;
  switch (error.code()) {
    case ErrorCode::InvalidArgument:
      return {.code = "ValidationException",
              .message = error.message(),
              .status = kBadRequest,
              .record_code = {}};
    case ErrorCode::ResourceExhausted:
      return {.code = "RequestEntityTooLarge",
              .message = error.message(),
              .status = kTooLarge,
              .record_code = {}};
    case ErrorCode::Unsupported:
      return {.code = "UnsupportedMediaTypeException",
              .message = error.message(),
              .status = kUnsupportedMediaType,
              .record_code = {}};
    case ErrorCode::Throttled:
      return {.code = "ThrottlingException",
              .message = error.message(),
              .status = kServiceUnavailable,
              .record_code = {}};
    default:
      return own_trouble(error);
  }
}

void count_metrics(const ImportOutcome& outcome) {
  const auto add = [](const char* result, std::uint64_t count) {
    if (count > 0) {
      metrics::counter("opentrail_import_records_total", "Records that were sent for import",
                       {{"result", result}})
          .add(static_cast<double>(count));
    }
  };
  add("new", outcome.added);
  add("duplicate", outcome.duplicate);
  add("conflicting", outcome.conflicting);
  add("expired", outcome.expired);
  add("invalid", outcome.invalid);
}

json::object counts_for_record(const ImportOutcome& outcome) {
  return {{"received", outcome.received},   {"new", outcome.added},
          {"duplicate", outcome.duplicate}, {"conflicting", outcome.conflicting},
          {"expired", outcome.expired},     {"invalid", outcome.invalid}};
}

void write_result(JsonWriter& writer, const ItemResult& result) {
  writer.begin_object();
  writer.key("Line").number(static_cast<std::int64_t>(result.line));
  writer.field("Id", result.id);
  writer.field("Status", to_string(result.status));
  writer.field("Message", result.message);
  writer.end_object();
}

std::string answer_text(const ImportOutcome& outcome, std::string_view request_id,
                        std::size_t results_max) {
  JsonWriter writer;
  const auto number = [&](std::string_view name, std::uint64_t count) {
    writer.key(name).number(static_cast<std::int64_t>(count));
  };
  writer.begin_object().field("RequestId", request_id);
  number("Received", outcome.received);
  number("New", outcome.added);
  number("Duplicate", outcome.duplicate);
  number("Conflicting", outcome.conflicting);
  number("Expired", outcome.expired);
  number("Invalid", outcome.invalid);
  number("Digests", outcome.digests);
  writer.field("OldestKept", to_iso_seconds(outcome.oldest_kept));
  writer.key("ResultsTruncated").boolean(outcome.results.size() > results_max);
  writer.key("Results").begin_array();
  for (std::size_t i = 0; i < std::min(results_max, outcome.results.size()); ++i) {
    write_result(writer, outcome.results[i]);
  }
  writer.end_array().end_object();
  return std::move(writer).text();
}

Outcome ok_answer(std::string body, std::string_view request_id) {
  Outcome outcome;
  outcome.head.headers.add("Content-Type", "application/json");
  outcome.head.headers.add("x-amzn-RequestId", std::string(request_id));
  outcome.body = std::move(body);
  return outcome;
}

std::vector<std::string> accounts_of(const ImportBody& body) {
  std::vector<std::string> accounts;
  for (const ImportBody::Item& item : body.items) {
    if (!item.record.account_id.empty()) {
      accounts.push_back(item.record.account_id);
    }
  }
  std::ranges::sort(accounts);
  const auto repeated = std::ranges::unique(accounts);
  accounts.erase(repeated.begin(), repeated.end());
  return accounts;
}

}  // namespace

IngestService::IngestService(journal::Journal& journal, history::History& history,
                             const io::Clock& clock, asio::thread_pool& workers,
                             ImportLimits limits, OnAccounts on_accounts)
    : history_(history),
      clock_(clock),
      workers_(workers),
      limits_(limits),
      on_accounts_(std::move(on_accounts)),
      writer_(journal, history) {}

IngestService::~IngestService() { stop(); }

Operation IngestService::identify(const Call& call) const {
  const net::RequestHead& head = call.exchange.request();
  Operation operation;
  operation.resource = "*";
  if (head.method == "POST" && head.path() == kRecordsPath) {
    operation.name = kImportRecords;
    const std::string_view encoding = head.headers.get("Content-Encoding");
    operation.request_parameters =
        json::object{{"contentLength", head.content_length.value_or(call.body.size())},
                     {"contentEncoding", encoding.empty() ? "identity" : to_valid_utf8(encoding)}};
  } else if (head.method == "GET" && head.path() == kAccountsPath) {
    operation.name = kListKnownAccounts;
    operation.read_only = true;
  } else {
    constexpr int kNotFound = 404;
    operation.name = "UnknownOperation";
    operation.read_only = head.method == "GET" || head.method == "HEAD";
    operation.error = ApiError{.code = "UnknownOperationException",
                               .message = "There is no such operation. Known are POST " +
                                          std::string(kRecordsPath) + " and GET " +
                                          std::string(kAccountsPath) + ".",
                               .status = kNotFound,
                               .record_code = {}};
  }
  operation.event_name = operation.name;
  operation.action = "opentrail:" + operation.name;
  return operation;
}

asio::awaitable<Outcome> IngestService::handle(Call& call, const Operation& operation) {
  if (operation.name == kListKnownAccounts) {
    co_return co_await list_known_accounts(call);
  }
  co_return co_await import_records(call);
}

asio::awaitable<Outcome> IngestService::import_records(Call& call) {
  const Place place(imports_waiting_, limits_.imports_waiting_max);
  if (!place.granted()) {
    const Error busy(ErrorCode::Throttled, "Other imports are under way; try again");
    co_return failed(call, busy);
  }
  auto read_job = [this, body = std::move(call.body),
                   encoding =
                       std::string(call.exchange.request().headers.get("Content-Encoding"))] {
    return read_import_body(body, encoding, limits_, clock_.now());
  };
  auto body = co_await io::offload(workers_, std::move(read_job));
  if (!body) {
    co_return failed(call, body.error());
  }
  auto store_job = [this, body = *std::move(body)]() mutable {
    const std::vector<std::string> accounts =
        on_accounts_ ? accounts_of(body) : std::vector<std::string>();
    auto stored = writer_.store(std::move(body));
    if (stored && stored->added > 0 && on_accounts_) {
      on_accounts_(accounts);
    }
    return stored;
  };
  const auto stored = co_await io::offload(import_thread_, std::move(store_job));
  if (!stored) {
    co_return failed(call, stored.error());
  }
  count_metrics(*stored);
  if (stored->conflicting > 0) {
    log::warn(
        "import {}: {} records have the id of a record that is there with other bytes; they "
        "were not stored",
        call.request_id, stored->conflicting);
  }
  Outcome outcome =
      ok_answer(answer_text(*stored, call.request_id, limits_.results_max), call.request_id);
  outcome.response_elements = counts_for_record(*stored);
  co_return outcome;
}

asio::awaitable<Outcome> IngestService::list_known_accounts(Call& call) {
  auto job = [this] { return history_.accounts(); };
  const std::vector<std::string> accounts = co_await io::offload(workers_, std::move(job));
  JsonWriter writer;
  writer.begin_object().key("Accounts").begin_array();
  for (const std::string& account : accounts) {
    writer.string(account);
  }
  writer.end_array().end_object();
  co_return ok_answer(std::move(writer).text(), call.request_id);
}

Outcome IngestService::failed(const Call& call, const Error& error) const {
  ApiError api_error = to_api_error(error);
  Outcome outcome = error_answer(call.exchange.request(), api_error, call.request_id);
  outcome.error = std::move(api_error);
  return outcome;
}

Outcome IngestService::error_answer(const net::RequestHead& /*request*/, const ApiError& error,
                                    std::string_view request_id) const {
  Outcome outcome = ok_answer({}, request_id);
  outcome.head.status = error.status;
  if (error.status == kServiceUnavailable) {
    outcome.head.headers.add("Retry-After", std::string(kRetryAfterSeconds));
  }
  JsonWriter writer;
  writer.begin_object().field("__type", error.code).field("message", error.message).end_object();
  outcome.body = std::move(writer).text();
  outcome.error = error;
  return outcome;
}

}  // namespace opentrail::services::ingest

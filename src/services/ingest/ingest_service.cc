#include "services/ingest/ingest_service.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "io/offload.h"
#include "services/ingest/body_source.h"
#include "services/ingest/import_answer.h"
#include "services/ingest/import_reader.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace opentrail::services::ingest {

namespace {

constexpr std::string_view kImportRecords = "ImportRecords";
constexpr std::string_view kListKnownAccounts = "ListKnownAccounts";
constexpr std::string_view kRecordsPath = "/opentrail/v1/records";
constexpr std::string_view kAccountsPath = "/opentrail/v1/accounts";
constexpr int kServiceUnavailable = 503;
/// A pushed back import is worth a new try after about one commit of the others.
constexpr std::string_view kRetryAfterSeconds = "1";

/// One of the places of imports that are under way.
class Place {
 public:
  explicit Place(std::shared_ptr<std::atomic<int>> taken) : taken_(std::move(taken)) {}
  ~Place() { taken_->fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::shared_ptr<std::atomic<int>> taken_;
};

bool is_import(const net::RequestHead& head) {
  return head.method == "POST" && head.path() == kRecordsPath;
}

bool wants_all_results(const net::RequestHead& head) {
  const auto fields = net::parse_query(head.query(), true);
  return fields && std::ranges::find(*fields, std::pair<std::string, std::string>(
                                                  "results", "all")) != fields->end();
}

Outcome ok_answer(std::string body, std::string_view request_id) {
  Outcome outcome;
  outcome.head.headers.add("Content-Type", "application/json");
  outcome.head.headers.add("x-amzn-RequestId", std::string(request_id));
  outcome.body = std::move(body);
  return outcome;
}

}  // namespace

/// One body on its way.
struct IngestService::Import {
  Import(Call& call_in, collect::Coding coding, const ImportLimits& limits, Timestamp arrival)
      : call(call_in),
        source(call_in, limits),
        reader(coding, limits, arrival),
        tally(limits, wants_all_results(call_in.exchange.request())) {}

  /// On a worker: fills the batch out of what was read. True when it is full, false when more must
  /// be read.
  Result<bool> fill(ImportBatch& batch) {
    if (std::exchange(is_read, false)) {
      OT_TRY(packed, source.take());
    }
    return reader.take(packed, batch);
  }
  Result<void> finish(ImportBatch& batch) {
    OT_TRY_DO(source.finish());
    return reader.finish(batch);
  }

  Call& call;
  BodySource source;
  ImportReader reader;
  ImportTally tally;
  ImportWriter::Unsettled unsettled;
  std::string_view packed;  ///< Of the piece that was read; not unpacked yet.
  bool is_read = false;     ///< A piece, and not taken out of its framing yet.
  bool has_packed = false;
  std::optional<Error> read_error;  ///< What ended the reading.
};

IngestService::IngestService(journal::Journal& journal, history::History& history,
                             const io::Clock& clock, asio::thread_pool& workers,
                             ImportLimits limits)
    : history_(history),
      clock_(clock),
      workers_(workers),
      limits_(limits),
      writer_(journal, history, limits_),
      import_threads_(static_cast<std::size_t>(limits.imports_max)) {}

IngestService::~IngestService() { stop(); }

bool IngestService::streams(const net::RequestHead& head) const {
  return is_import(head) && is_streamed(head);
}

Admission IngestService::admit(const net::RequestHead& head) {
  if (!is_import(head)) {
    return nullptr;
  }
  auto place = std::make_shared<Place>(imports_);  // gives back what is taken here, also when late
  if (imports_->fetch_add(1) < limits_.imports_max) {
    return place;
  }
  const Error busy(ErrorCode::Throttled, "Other imports are under way; try again");
  return std::unexpected(to_api_error(busy));
}

Operation IngestService::identify(const Call& call) const {
  const net::RequestHead& head = call.exchange.request();
  Operation operation;
  operation.resource = "*";
  if (is_import(head)) {
    operation.name = kImportRecords;
    operation.error = streaming_error(head);
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
  const net::RequestHead& head = call.exchange.request();
  if (!call.admission) {
    auto admission = admit(head);
    if (!admission) {
      call.exchange.close_after();  // the body was not read
      co_return error_answer(head, admission.error(), call.request_id);
    }
    call.admission = *std::move(admission);
  }
  const auto coding = coding_of(head);
  if (!coding) {
    call.exchange.close_after();
    co_return failed(call, coding.error());
  }
  Import import(call, *coding, limits_, clock_.now());
  const std::optional<Error> error = co_await import_all(import);
  count_metrics(import.tally);
  if (import.tally.count(ItemStatus::Conflicting) > 0) {
    log::warn(
        "import {}: {} records have the id of a record that is there with other bytes; they "
        "were not stored",
        call.request_id, import.tally.count(ItemStatus::Conflicting));
  }
  if (!import.source.ended()) {
    call.exchange.close_after();
  }
  co_return answer(import, error);
}

/// Reads, and stores what was read before, at the same time: two batches are in memory.
asio::awaitable<std::optional<Error>> IngestService::import_all(Import& import) {
  using asio::experimental::awaitable_operators::operator&&;
  auto look = [this]() { return writer_.wait_for_what_is_there(); };
  ImportBatch batch;
  import.tally.set_oldest_kept(history_.oldest_kept());
  auto [more, stored] =
      co_await (next_batch(import, batch) && io::offload(import_threads_, std::move(look)));
  while (stored && (more || !batch.empty())) {
    ImportBatch full = std::exchange(batch, {});
    if (more) {
      auto both = co_await (next_batch(import, batch) && put(import, std::move(full)));
      more = std::get<0>(both);
      stored = std::move(std::get<1>(both));
    } else {
      stored = co_await put(import, std::move(full));
    }
  }
  auto settle = [this, &import]() { return writer_.settle(import.tally, import.unsettled); };
  auto settled = co_await io::offload(import_threads_, std::move(settle));
  if (!stored) {
    co_return std::move(stored).error();
  }
  if (!settled) {
    co_return std::move(settled).error();
  }
  co_return import.read_error;
}

/// False when that was the last one, for whatever reason; it may be empty.
asio::awaitable<bool> IngestService::next_batch(Import& import, ImportBatch& batch) {
  using SteadyClock = std::chrono::steady_clock;
  const auto deadline = SteadyClock::now() + limits_.batch_age_max;
  auto fill = [&import, &batch]() { return import.fill(batch); };
  auto finish = [&import, &batch]() { return import.finish(batch); };
  while (!import.reader.broken_off()) {
    if (import.has_packed) {
      const auto full = co_await io::offload(workers_, fill);
      if (!full) {
        import.read_error = full.error();
        co_return false;
      }
      if (*full || (!batch.empty() && SteadyClock::now() >= deadline)) {
        co_return true;
      }
    }
    const auto got = co_await import.source.read();
    if (!got) {
      import.read_error = got.error();
      co_return false;
    }
    import.is_read = import.has_packed = *got;
    if (!*got) {
      const auto finished = co_await io::offload(workers_, finish);
      if (!finished) {
        import.read_error = finished.error();
      }
      co_return false;
    }
  }
  co_return false;
}

asio::awaitable<Result<void>> IngestService::put(Import& import, ImportBatch batch) {
  auto job = [this, &import, &batch]() {
    return writer_.put(std::move(batch), import.tally, import.unsettled);
  };
  co_return co_await io::offload(import_threads_, std::move(job));
}

Outcome IngestService::answer(const Import& import, const std::optional<Error>& error) const {
  const Call& call = import.call;
  ImportEnd end{.tally = import.tally, .request_id = call.request_id};
  if (!error) {
    Outcome outcome = ok_answer(answer_text(end), call.request_id);
    outcome.response_elements = counts_for_record(import.tally);
    return outcome;
  }
  const ApiError api_error = to_api_error(*error);
  Outcome outcome = error_answer(call.exchange.request(), api_error, call.request_id);
  end.error = &api_error;
  outcome.body = answer_text(end);
  outcome.additional_event_data = counts_for_record(import.tally);
  return outcome;
}

asio::awaitable<Outcome> IngestService::list_known_accounts(Call& call) {
  auto job = [this] { return history_.accounts(); };
  const auto accounts = co_await io::offload(workers_, std::move(job));
  if (!accounts) {
    co_return failed(call, accounts.error());
  }
  JsonWriter writer;
  writer.begin_object().key("Accounts").begin_array();
  for (const std::string& account : *accounts) {
    writer.string(account);
  }
  writer.end_array().end_object();
  co_return ok_answer(std::move(writer).text(), call.request_id);
}

Outcome IngestService::failed(const Call& call, const Error& error) const {
  return error_answer(call.exchange.request(), to_api_error(error), call.request_id);
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

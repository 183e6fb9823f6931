#pragma once
#include "history/history.h"
#include "io/clock.h"
#include "journal/journal.h"
#include "services/ingest/import_body.h"
#include "services/ingest/import_writer.h"
#include "services/service.h"

#include <atomic>
#include <functional>
#include <string_view>

#include <boost/asio/thread_pool.hpp>

namespace opentrail::services::ingest {

/// OpenTrail's own API, for what AWS has no call for:
///
///   POST /opentrail/v1/records    ImportRecords: records from outside, any form that
///                                 record::RecordSplitter takes, as it is or gzip-compressed.
///   GET  /opentrail/v1/accounts   ListKnownAccounts: {"Accounts":["111122223333", ...]}
///
/// SigV4 service name "opentrail". ImportRecords answers when everything is durable and searchable:
///
///   {"RequestId","Received","New","Duplicate","Conflicting","Expired","Invalid","Digests",
///    "OldestKept","ResultsTruncated",
///    "Results":[{"Line","Id","Status":"Conflicting|Invalid|Expired|Duplicate","Message"}]}
///
/// Results lists what is not new, the worst first, at most ImportLimits::results_max. A record
/// whose id is already there changes nothing. Errors are {"__type","message"}; when the server
/// cannot keep up it says 503 with Retry-After, and nothing of that body was taken.
class IngestService final : public Service {
 public:
  /// Told the accounts of the records of an import, sorted, once they are searchable. Called on
  /// the import thread; must be quick.
  using OnAccounts = std::function<void(const std::vector<std::string>&)>;

  /// All arguments must outlive the service. `workers` unpacks and parses; one thread of its own
  /// checks and appends, so that waiting for the disk holds no worker.
  IngestService(journal::Journal& journal, history::History& history, const io::Clock& clock,
                asio::thread_pool& workers, ImportLimits limits = {}, OnAccounts on_accounts = {});
  ~IngestService() override;
  IngestService(const IngestService&) = delete;
  IngestService& operator=(const IngestService&) = delete;

  /// Lets the import that runs end, and joins its thread. For after the last call came in and while
  /// its caller's executor still lives. Idempotent.
  void stop() { import_thread_.join(); }

  [[nodiscard]] std::string_view signing_name() const override { return "opentrail"; }
  [[nodiscard]] std::string_view event_source() const override { return "opentrail"; }
  [[nodiscard]] std::size_t body_bytes_max() const override { return limits_.body_bytes_max; }
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  asio::awaitable<Outcome> import_records(Call& call);
  asio::awaitable<Outcome> list_known_accounts(Call& call);
  [[nodiscard]] Outcome failed(const Call& call, const Error& error) const;

  history::History& history_;
  const io::Clock& clock_;
  asio::thread_pool& workers_;
  const ImportLimits limits_;
  const OnAccounts on_accounts_;
  ImportWriter writer_;
  std::atomic<int> imports_waiting_ = 0;
  asio::thread_pool import_thread_{1};
};

}  // namespace opentrail::services::ingest

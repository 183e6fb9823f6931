#pragma once
#include "history/history.h"
#include "io/clock.h"
#include "journal/journal.h"
#include "services/ingest/import_batch.h"
#include "services/ingest/import_writer.h"
#include "services/service.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/thread_pool.hpp>

namespace opentrail::services::ingest {

/// OpenTrail's own API, for what AWS has no call for:
///
///   POST /opentrail/v1/records    ImportRecords: records from outside, any form that
///                                 record::RecordSplitter takes; as it is, or packed as its
///                                 Content-Encoding says: gzip or zstd.
///   GET  /opentrail/v1/accounts   ListKnownAccounts: {"Accounts":["111122223333", ...]}
///
/// SigV4 service name "opentrail". ImportRecords answers when everything is durable and searchable:
///
///   {"RequestId","Received","New","Duplicate","Conflicting","Expired","Invalid","Digests",
///    "OldestKept","ResultsTruncated",
///    "Results":[{"Line","Id","Status":"Conflicting|Invalid|Expired|Duplicate","Message"}]}
///
/// Results lists what is not new, the worst first, at most ImportLimits::results_max. With
/// ?results=all there is also the status of each item in order, as runs:
///
///    "StatusesTruncated","Statuses":[{"Status":"New","Count":4000},...]
///
/// A record whose id is already there changes nothing.
///
/// How the body is signed says how it is read. With x-amz-content-sha256 UNSIGNED-PAYLOAD (TLS or
/// this machine only) or STREAMING-AWS4-HMAC-SHA256-PAYLOAD (aws-chunked) it is stored while it
/// comes, in the memory of a few batches, whatever its length. Otherwise its hash is signed: it is
/// held as it was sent, at most ImportLimits::held_bytes_max, and nothing of it is stored when the
/// hash is wrong.
///
/// Errors are {"__type","message"}. An import that ends early has stored what came before: such an
/// error has the counts and Results, too, and NotStored where records could not be made durable.
/// When the server cannot keep up (503 ThrottlingException), or its disk is full (503
/// InsufficientStorageException), it says so with Retry-After; nothing is dropped in silence.
class IngestService final : public Service {
 public:
  /// All arguments must outlive the service. `workers` unpacks and parses; threads of its own
  /// check, append and wait, so that waiting for the disk holds no worker.
  IngestService(journal::Journal& journal, history::History& history, const io::Clock& clock,
                asio::thread_pool& workers, ImportLimits limits = {});
  ~IngestService() override;
  IngestService(const IngestService&) = delete;
  IngestService& operator=(const IngestService&) = delete;

  /// Lets the imports that run end, and joins their threads. For after the last call came in and
  /// while its caller's executor still lives. Idempotent.
  void stop() { import_threads_.join(); }

  [[nodiscard]] std::string_view signing_name() const override { return "opentrail"; }
  [[nodiscard]] std::string_view event_source() const override { return "opentrail"; }
  [[nodiscard]] std::size_t body_bytes_max() const override { return limits_.held_bytes_max; }
  [[nodiscard]] bool streams(const net::RequestHead& head) const override;
  /// One of the places of imports that are under way; 503 when none is free.
  [[nodiscard]] Admission admit(const net::RequestHead& head) override;
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  struct Import;

  asio::awaitable<Outcome> import_records(Call& call);
  asio::awaitable<Outcome> list_known_accounts(Call& call);
  asio::awaitable<std::optional<Error>> import_all(Import& import);
  asio::awaitable<bool> next_batch(Import& import, ImportBatch& batch);
  asio::awaitable<Result<void>> put(Import& import, ImportBatch batch);
  [[nodiscard]] Outcome failed(const Call& call, const Error& error) const;
  [[nodiscard]] Outcome answer(const Import& import, const std::optional<Error>& error) const;

  history::History& history_;
  const io::Clock& clock_;
  asio::thread_pool& workers_;
  const ImportLimits limits_;
  ImportWriter writer_;
  const std::shared_ptr<std::atomic<int>> imports_ = std::make_shared<std::atomic<int>>(0);
  asio::thread_pool import_threads_;  ///< One for each import that may be under way.
};

}  // namespace opentrail::services::ingest

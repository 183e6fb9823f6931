#pragma once
#include "base/error.h"
#include "bench/record_generator.h"
#include "collect/signed_client.h"
#include "crypto/sigv4.h"
#include "io/clock.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// Calls by several kept connections at once, each on a thread of its own.
namespace opentrail::bench {

struct LoadTarget {
  std::string endpoint;
  crypto::sigv4::Credentials credentials;
  std::string ca_file;
  std::size_t connections = 2;
  /// Looked at between calls, may be null; an interrupted load is an error with the reason
  /// collect::kInterrupted.
  const std::atomic<bool>* stop = nullptr;
};

/// A request body that is ready to be sent.
struct PreparedBody {
  std::string bytes;  ///< Not packed.
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;
  bool has_probe = false;
  RecordFacts probe;  ///< One of its records, that LookupEvents can find.
};

/// One LookupEvents call.
struct LookupQuery {
  std::string account = {};
  std::string region = {};
  std::string key = {};  ///< "EventName"; empty: all of them.
  std::string value = {};
  std::string expected_id = {};  ///< Must be in the answer; empty: any event will do.
};

/// One call of the search API (services/event_search).
struct SearchCall {
  std::string operation = {};  ///< "search", "count".
  std::string body = {};
  std::string expected = {};  ///< Must stand in the answer.
};

/// One connection for each Region that is asked for: a signature names the Region.
class LoadConnection {
 public:
  LoadConnection(const LoadTarget& target, const io::Clock& clock)
      : target_(target), clock_(clock) {}

  /// POST /opentrail/v1/records. How many of its records were new.
  Result<std::uint64_t> send_records(const std::string& body, std::string_view encoding);
  /// The whole answer.
  Result<std::string> look_up(const LookupQuery& query, std::string_view next_token = {});
  /// POST /opentrail/v1/OPERATION. The whole answer.
  Result<std::string> ask(const SearchCall& search);

 private:
  Result<collect::SignedClient*> client_for(const std::string& region);

  const LoadTarget& target_;
  const io::Clock& clock_;
  std::map<std::string, std::unique_ptr<collect::SignedClient>> clients_;
};

/// Whether an answer of LookupEvents holds what `query` expects.
[[nodiscard]] bool holds_expected(std::string_view answer, const LookupQuery& query);

struct IngestOutcome {
  std::uint64_t added = 0;       ///< As the server counted them.
  std::uint64_t sent_bytes = 0;  ///< Of bodies, packed.
  std::vector<std::chrono::nanoseconds> acks;
  std::vector<std::chrono::nanoseconds> probes;  ///< Lookups of a record just acknowledged.
  std::uint64_t probe_misses = 0;
};

struct LookupOutcome {
  std::vector<std::chrono::nanoseconds> times;
  std::uint64_t misses = 0;  ///< Answers without what was expected.
};

/// GET /metrics. Errors: the client's; Unsupported when there is none.
[[nodiscard]] Result<std::string> read_metrics(const LoadTarget& target);

/// Told how many calls are done so far; from any of the threads, one at a time.
using OnCalls = std::function<void(std::size_t done)>;

/// Sends every body once; looks one record of each up right after it was acknowledged. Adds to
/// `outcome`. Errors: the first call's that failed; the others then end.
Result<void> send_bodies(const LoadTarget& target, const io::Clock& clock,
                         std::span<const PreparedBody> bodies, std::string_view encoding,
                         const OnCalls& on_calls, IngestOutcome& outcome);

/// Makes every call once.
Result<LookupOutcome> send_lookups(const LoadTarget& target, const io::Clock& clock,
                                   std::span<const LookupQuery> queries, const OnCalls& on_calls);
Result<LookupOutcome> send_searches(const LoadTarget& target, const io::Clock& clock,
                                    std::span<const SearchCall> searches, const OnCalls& on_calls);

}  // namespace opentrail::bench

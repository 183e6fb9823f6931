#include "bench/http_load.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "base/mutex.h"
#include "collect/gzip.h"
#include "collect/unpack.h"

#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::string_view kLookupTarget =
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
constexpr std::int64_t kPageSize = 50;  // the most that LookupEvents gives at once

std::string lookup_body(const LookupQuery& query, std::string_view next_token) {
  JsonWriter writer;
  writer.begin_object();
  if (!query.key.empty()) {
    writer.key("LookupAttributes").begin_array().begin_object();
    writer.field("AttributeKey", query.key).field("AttributeValue", query.value);
    writer.end_object().end_array();
  }
  writer.key("MaxResults").number(kPageSize);
  writer.optional_field("NextToken", next_token).end_object();
  return std::move(writer).text();
}

/// Runs `job(connection, i)` for each i below `count`, on as many threads as there are connections.
class Crew {
 public:
  using Job = std::function<Result<void>(LoadConnection&, std::size_t)>;

  Crew(const LoadTarget& target, const io::Clock& clock, const OnCalls& on_calls)
      : target_(target), clock_(clock), on_calls_(on_calls) {}

  Result<void> run(std::size_t count, const Job& job) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, target_.connections); ++i) {
      threads.emplace_back([this, count, &job] { work(count, job); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    const MutexLock lock(mutex_);
    if (error_) {
      return std::unexpected(*std::move(error_));
    }
    return {};
  }

 private:
  void work(std::size_t count, const Job& job) {
    LoadConnection connection(target_, clock_);
    while (!failed_.load()) {
      const std::size_t i = next_.fetch_add(1);
      if (i >= count) {
        return;
      }
      if (target_.stop != nullptr && target_.stop->load()) {
        return give_up(
            Error(ErrorCode::Unavailable, "interrupted", std::string(collect::kInterrupted)));
      }
      if (auto done = job(connection, i); !done) {
        return give_up(std::move(done).error());
      }
      const MutexLock lock(mutex_);
      ++done_;
      if (on_calls_) {
        on_calls_(done_);
      }
    }
  }

  void give_up(Error error) {
    const MutexLock lock(mutex_);
    if (!error_) {
      error_ = std::move(error);
    }
    failed_.store(true);
  }

  const LoadTarget& target_;
  const io::Clock& clock_;
  const OnCalls& on_calls_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  Mutex mutex_;
  std::size_t done_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

LookupQuery probe_query(const RecordFacts& facts) {
  return LookupQuery{.account = facts.account,
                     .region = facts.region,
                     .key = "EventId",
                     .value = facts.event_id,
                     .expected_id = facts.event_id};
}

}  // namespace

Result<collect::SignedClient*> LoadConnection::client_for(const std::string& region) {
  auto& client = clients_[region];
  if (!client) {
    collect::SignedClientOptions options;
    options.endpoint = target_.endpoint;
    options.region = region;
    options.credentials = target_.credentials;
    options.client.ca_file = target_.ca_file;
    // A batch waits for its turn and for the disk.
    options.client.request_timeout = std::chrono::minutes(5);
    options.retry.first_delay = std::chrono::milliseconds(20);
    options.retry.attempts_max = 100;
    OT_TRY(client, collect::SignedClient::make(std::move(options), clock_,
                                               collect::make_pause(target_.stop)));
  }
  return client.get();
}

Result<std::uint64_t> LoadConnection::send_records(const std::string& body,
                                                   std::string_view encoding) {
  OT_TRY(collect::SignedClient * client, client_for("us-east-1"));
  collect::SignedCall call;
  call.path = "/opentrail/v1/records";
  call.service = "opentrail";
  call.headers.add("Content-Type", "application/json");
  if (encoding != "identity") {
    call.headers.add("Content-Encoding", std::string(encoding));
  }
  call.body = body;
  OT_TRY(const net::ClientResponse response, client->call(call));
  const auto answer = parse_json(response.body);
  const json::value* added =
      answer && answer->is_object() ? answer->get_object().if_contains("New") : nullptr;
  if (added == nullptr || !added->is_int64() || added->get_int64() < 0) {
    return fail(ErrorCode::Unsupported, "the answer is not one of ImportRecords");
  }
  return static_cast<std::uint64_t>(added->get_int64());
}

Result<std::string> LoadConnection::look_up(const LookupQuery& query, std::string_view next_token) {
  OT_TRY(collect::SignedClient * client, client_for(query.region));
  collect::SignedCall call;
  call.service = "cloudtrail";
  call.headers.add("Content-Type", "application/x-amz-json-1.1");
  call.headers.add("X-Amz-Target", std::string(kLookupTarget));
  call.headers.add("x-opentrail-account", query.account);
  call.body = lookup_body(query, next_token);
  OT_TRY(net::ClientResponse response, client->call(call));
  return std::move(response.body);
}

Result<std::string> LoadConnection::ask(const SearchCall& search) {
  OT_TRY(collect::SignedClient * client, client_for("us-east-1"));
  collect::SignedCall call;
  call.path = "/opentrail/v1/" + search.operation;
  call.service = "opentrail";
  call.headers.add("Content-Type", "application/json");
  call.body = search.body;
  OT_TRY(net::ClientResponse response, client->call(call));
  return std::move(response.body);
}

Result<std::string> read_metrics(const LoadTarget& target) {
  OT_TRY(const net::Url url, net::parse_url(target.endpoint));
  net::ClientOptions options;
  options.ca_file = target.ca_file;
  OT_TRY(const auto client, net::Client::make(url, std::move(options)));
  net::ClientRequest request;
  request.target = url.path + "/metrics";
  OT_TRY(net::ClientResponse response, client->send(request));
  constexpr int kOk = 200;
  if (response.status != kOk) {
    return fail(ErrorCode::Unsupported, fmt::format("/metrics answered {}", response.status));
  }
  return std::move(response.body);
}

bool holds_expected(std::string_view answer, const LookupQuery& query) {
  // Searched and not parsed: the client's work must not be what is measured.
  return query.expected_id.empty()
             ? answer.contains(R"("EventId":")")
             : answer.contains(fmt::format(R"("EventId":"{}")", query.expected_id));
}

namespace {

/// While the clock runs, as every client would have to.
std::string pack(const std::string& bytes, std::string_view encoding) {
  if (encoding == "gzip") {
    return collect::gzip(bytes);
  }
  return encoding == "zstd" ? collect::pack_zstd(bytes) : bytes;
}

}  // namespace

Result<void> send_bodies(const LoadTarget& target, const io::Clock& clock,
                         std::span<const PreparedBody> bodies, std::string_view encoding,
                         const OnCalls& on_calls, IngestOutcome& outcome) {
  Mutex mutex;
  const auto job = [&](LoadConnection& connection, std::size_t i) -> Result<void> {
    const PreparedBody& body = bodies[i];
    const auto begin = steady_clock::now();
    const std::string packed = pack(body.bytes, encoding);
    OT_TRY(const std::uint64_t added, connection.send_records(packed, encoding));
    const auto acknowledged = steady_clock::now();
    bool found = true;
    if (body.has_probe) {
      const LookupQuery query = probe_query(body.probe);
      OT_TRY(const std::string answer, connection.look_up(query));
      found = holds_expected(answer, query);
    }
    const auto end = steady_clock::now();
    const MutexLock lock(mutex);
    outcome.added += added;
    outcome.sent_bytes += packed.size();
    outcome.acks.push_back(acknowledged - begin);
    if (body.has_probe) {
      outcome.probes.push_back(end - acknowledged);
    }
    outcome.probe_misses += found ? 0U : 1U;
    return {};
  };
  return Crew(target, clock, on_calls).run(bodies.size(), job);
}

namespace {

/// `ask(connection, i)` tells whether the answer was right.
Result<LookupOutcome> send_all(
    const LoadTarget& target, const io::Clock& clock, std::size_t count, const OnCalls& on_calls,
    const std::function<Result<bool>(LoadConnection&, std::size_t)>& ask) {
  LookupOutcome outcome;
  Mutex mutex;
  const auto job = [&](LoadConnection& connection, std::size_t i) -> Result<void> {
    const auto begin = steady_clock::now();
    OT_TRY(const bool right, ask(connection, i));
    const auto end = steady_clock::now();
    const MutexLock lock(mutex);
    outcome.times.push_back(end - begin);
    outcome.misses += right ? 0U : 1U;
    return {};
  };
  OT_TRY_DO(Crew(target, clock, on_calls).run(count, job));
  return outcome;
}

}  // namespace

Result<LookupOutcome> send_lookups(const LoadTarget& target, const io::Clock& clock,
                                   std::span<const LookupQuery> queries, const OnCalls& on_calls) {
  return send_all(target, clock, queries.size(), on_calls,
                  [&](LoadConnection& connection, std::size_t i) -> Result<bool> {
                    OT_TRY(const std::string answer, connection.look_up(queries[i]));
                    return holds_expected(answer, queries[i]);
                  });
}

Result<LookupOutcome> send_searches(const LoadTarget& target, const io::Clock& clock,
                                    std::span<const SearchCall> searches, const OnCalls& on_calls) {
  return send_all(target, clock, searches.size(), on_calls,
                  [&](LoadConnection& connection, std::size_t i) -> Result<bool> {
                    OT_TRY(const std::string answer, connection.ask(searches[i]));
                    return answer.contains(searches[i].expected);
                  });
}

}  // namespace opentrail::bench

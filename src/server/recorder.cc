#include "server/recorder.h"

#include "base/log.h"
#include "base/metrics.h"
#include "journal/await_append.h"

#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace opentrail::server {
namespace {

namespace asio = boost::asio;
using journal::Offset;

// How long a call waits for room in the journal's queue before it is refused.
constexpr std::chrono::seconds kQueuePatience{30};
constexpr std::chrono::milliseconds kQueueRetry{20};

metrics::Counter& recorded_counter() {
  static metrics::Counter counter =
      metrics::counter("opentrail_records_accepted_total", "Records of calls taken by the journal");
  return counter;
}

}  // namespace

Recorder::Recorder(journal::Journal& journal, WantsDataEvent wants_data_event)
    : journal_(journal), wants_data_event_(std::move(wants_data_event)) {}

asio::awaitable<Result<std::optional<Offset>>> Recorder::record(const record::CallFacts& facts,
                                                                Wait wait) {
  record::Record built = record::build_record(facts);
  const bool data = facts.category == record::Category::Data;
  if (data && !wants_data_event_(built)) {
    co_return std::nullopt;
  }
  const bool mutating = !data && !facts.read_only.value_or(false) && wait == Wait::ByKind;
  const auto deadline = std::chrono::steady_clock::now() + kQueuePatience;
  asio::steady_timer pause(co_await asio::this_coro::executor);
  for (;;) {
    auto result = mutating ? co_await append_durably(built) : co_await append_soon(built);
    if (result) {
      recorded_counter().add();
      co_return *result;
    }
    const bool full = result.error().code() == ErrorCode::Throttled;
    if (!full || std::chrono::steady_clock::now() > deadline) {
      log::error("a call could not be recorded: {}", result.error().message());
      co_return std::unexpected(std::move(result).error());
    }
    pause.expires_after(kQueueRetry);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<Result<Offset>> Recorder::append_durably(record::Record record) {
  std::vector<record::Record> batch;
  batch.push_back(std::move(record));
  auto result = co_await journal::await_append(journal_, std::move(batch));
  co_return result;
}

asio::awaitable<Result<Offset>> Recorder::append_soon(record::Record record) {
  std::vector<record::Record> batch;
  batch.push_back(std::move(record));
  auto accepted = journal_.append_soon(std::move(batch), [](Result<Offset> result) {
    if (!result) {
      log::error("the record of a read call was lost: {}", result.error().message());
    }
  });
  co_return accepted;
}

}  // namespace opentrail::server

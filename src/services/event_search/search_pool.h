#pragma once
#include "base/error.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace opentrail::services::event_search {

namespace asio = boost::asio;

struct SearchLimits {
  std::size_t threads = 4;       ///< Searches that run at the same time.
  std::size_t at_once_max = 32;  ///< With those that wait for a thread; more are pushed back.
  std::chrono::milliseconds deadline = std::chrono::seconds(60);  ///< From when it came in.
};

/// Threads for searches, which may read the whole history: they hold up neither the I/O threads nor
/// the workers of everything else. A search that has missed its deadline is answered so; it ends by
/// itself and keeps its place until then, so that at most `at_once_max` are ever under way.
class SearchPool {
 public:
  explicit SearchPool(const SearchLimits& limits) : limits_(limits), threads_(limits.threads) {}
  ~SearchPool() { stop(); }
  SearchPool(const SearchPool&) = delete;
  SearchPool& operator=(const SearchPool&) = delete;

  [[nodiscard]] const SearchLimits& limits() const { return limits_; }

  /// Runs `job`, which returns a Result and owns what it works with: it may outlive the caller.
  /// Errors: those of the job; Throttled when there is no place, Timeout after the deadline, both
  /// with the reason "SearchPool".
  template <typename Job>
  asio::awaitable<std::invoke_result_t<Job&>> run(Job job) {
    using Value = std::invoke_result_t<Job&>;
    auto place = std::make_shared<Place>(taken_, limits_.at_once_max);
    if (!place->granted()) {
      co_return fail(ErrorCode::Throttled, "too many searches are under way", std::string(kReason));
    }
    const auto home = co_await asio::this_coro::executor;
    auto waiting = std::make_shared<Waiting<Value>>(home);
    waiting->timer.expires_after(limits_.deadline);
    auto work = [waiting, home, place = std::move(place), job = std::move(job)]() mutable {
      if (!waiting->given_up) {
        auto deliver = [waiting, value = job()]() mutable {
          waiting->value = std::move(value);
          waiting->timer.cancel();
        };
        place.reset();
        asio::post(home, std::move(deliver));
      }
    };
    asio::post(threads_, std::move(work));
    co_await waiting->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    waiting->given_up = true;
    if (waiting->value) {
      co_return *std::move(waiting->value);
    }
    co_return fail(ErrorCode::Timeout, "the search has not ended in time", std::string(kReason));
  }

  /// Lets what runs end and joins the threads; for after the last call came in and while the
  /// callers' executors live. Idempotent.
  void stop() { threads_.join(); }

  static constexpr std::string_view kReason = "SearchPool";

 private:
  class Place {
   public:
    Place(std::atomic<std::size_t>& taken, std::size_t places) : taken_(taken) {
      granted_ = taken_.fetch_add(1) < places;
    }
    ~Place() { taken_.fetch_sub(1); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] bool granted() const { return granted_; }

   private:
    std::atomic<std::size_t>& taken_;
    bool granted_;
  };

  /// The timer and the value belong to the caller's thread.
  template <typename Value>
  struct Waiting {
    explicit Waiting(const asio::any_io_executor& home) : timer(home) {}
    asio::steady_timer timer;
    std::optional<Value> value;
    std::atomic<bool> given_up = false;
  };

  const SearchLimits limits_;
  std::atomic<std::size_t> taken_ = 0;
  asio::thread_pool threads_;
};

}  // namespace opentrail::services::event_search

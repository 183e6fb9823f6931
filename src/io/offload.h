#pragma once
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace opentrail::io {

namespace asio = boost::asio;

/// Runs `job` on the worker pool and comes back to the coroutine's own thread with its value.
/// For everything that blocks or computes: SQL, files, RSA, gzip. Jobs are bounded by the number of
/// connections, each of which waits for its own.
template <typename Job>
asio::awaitable<std::invoke_result_t<Job&>> offload(asio::thread_pool& workers, Job job) {
  const auto home = co_await asio::this_coro::executor;
  co_await asio::post(asio::bind_executor(workers.get_executor(), asio::use_awaitable));
  if constexpr (std::is_void_v<std::invoke_result_t<Job&>>) {
    job();
    co_await asio::post(asio::bind_executor(home, asio::use_awaitable));
  } else {
    auto value = job();
    co_await asio::post(asio::bind_executor(home, asio::use_awaitable));
    co_return value;
  }
}

}  // namespace opentrail::io

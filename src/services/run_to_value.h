#pragma once
#include "base/mutex.h"

#include <exception>
#include <list>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

/// For tests of coroutines.
namespace opentrail::services {

namespace asio = boost::asio;

/// A context that lives as long as the test program: a worker that has just handed a coroutine back
/// may still be waking it when its value is already here.
inline asio::io_context& kept_context() {
  static Mutex mutex;
  static std::list<asio::io_context> contexts;
  const MutexLock lock(mutex);
  return contexts.emplace_back(1);
}

/// Runs a coroutine to its value on a context of its own; what it throws comes out here.
template <typename T>
T run_to_value(asio::awaitable<T> work) {
  asio::io_context& context = kept_context();
  std::optional<T> value;
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T result) {
    thrown = std::move(error);
    value = std::move(result);
  });
  context.run();
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  return *std::move(value);
}

}  // namespace opentrail::services

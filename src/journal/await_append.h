#pragma once
#include "journal/journal.h"

#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace opentrail::journal {

/// Appends and comes back to the coroutine's thread when the batch is durable or has failed.
/// Errors: as Journal::append and its Done.
inline boost::asio::awaitable<Result<Offset>> await_append(Journal& journal,
                                                           std::vector<record::Record> batch) {
  namespace asio = boost::asio;
  auto start = [&journal](auto handler, std::vector<record::Record> records) {
    // std::function wants copies; the handler exists once, so it is shared.
    using Handler = decltype(handler);
    auto shared = std::make_shared<Handler>(std::move(handler));
    auto home = asio::get_associated_executor(*shared);
    auto work = asio::make_work_guard(home);
    auto complete = [shared, home, work](Result<Offset> result) {
      asio::post(home, [shared, result = std::move(result)]() mutable {
        std::move (*shared)(std::move(result));
      });
    };
    const auto accepted = journal.append(std::move(records), complete);
    if (!accepted) {
      complete(std::unexpected(accepted.error()));
    }
  };
  auto result = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Offset>)>(
      std::move(start), asio::use_awaitable, std::move(batch));
  co_return result;
}

}  // namespace opentrail::journal

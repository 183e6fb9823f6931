#pragma once
#include "base/json.h"
#include "base/mutex.h"
#include "catalog/trail_store.h"
#include "delivery/delivery.h"
#include "history/history.h"
#include "iam/iam.h"
#include "io/clock.h"
#include "services/own_trouble.h"
#include "services/service.h"

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/thread_pool.hpp>

/// What the operations of the CloudTrail API are given and give back.
namespace opentrail::services::cloudtrail {

/// What the service works with; everything lives longer than it does.
struct CloudTrailParts {
  catalog::TrailStore& trails;
  delivery::Delivery& delivery;
  history::History& history;
  iam::Iam& iam;
  const io::Clock& clock;
  asio::thread_pool& workers;
  std::vector<std::string> regions;  ///< Enabled ones: where multi-Region trails have shadows.
};

/// One call, ready to run: its input has the shape of the model.
struct Request {
  CloudTrailParts& parts;
  /// Held while a trail is read, changed and written, so that no change is lost.
  Mutex& change_mutex;
  const std::string& account_id;
  const std::string& region;
  const iam::Caller& caller;
  const json::object& input;
  /// The header x-opentrail-account (LookupEvents): whose history is meant.
  std::optional<std::string> other_account;
};

/// A successful answer.
struct Answer {
  std::string body = "{}";
  std::function<void(journal::Offset)> on_recorded;
  json::value additional_event_data;
};

template <typename T>
using ApiResult = std::expected<T, ApiError>;

/// 400, which CloudTrail sends for all of a caller's mistakes (spec api §1.2).
[[nodiscard]] inline std::unexpected<ApiError> refuse(std::string code, std::string message) {
  return std::unexpected(ApiError{std::move(code), std::move(message), 400, {}});
}

/// A text member of the input; absent when it was not sent.
[[nodiscard]] std::optional<std::string> text_of(const json::object& input, std::string_view name);
[[nodiscard]] std::optional<bool> flag_of(const json::object& input, std::string_view name);
[[nodiscard]] std::optional<Timestamp> time_of(const json::object& input, std::string_view name);
/// A list member; empty when it was not sent.
[[nodiscard]] const json::array& list_of(const json::object& input, std::string_view name);

// The operations. Each runs on a worker thread and may block.
ApiResult<Answer> create_trail(Request& request);
ApiResult<Answer> update_trail(Request& request);
ApiResult<Answer> delete_trail(Request& request);
ApiResult<Answer> start_logging(Request& request);
ApiResult<Answer> stop_logging(Request& request);
ApiResult<Answer> get_trail(Request& request);
ApiResult<Answer> describe_trails(Request& request);
ApiResult<Answer> list_trails(Request& request);
ApiResult<Answer> get_trail_status(Request& request);
ApiResult<Answer> put_event_selectors(Request& request);
ApiResult<Answer> get_event_selectors(Request& request);
ApiResult<Answer> add_tags(Request& request);
ApiResult<Answer> remove_tags(Request& request);
ApiResult<Answer> list_tags(Request& request);
ApiResult<Answer> list_public_keys(Request& request);
ApiResult<Answer> lookup_events(Request& request);

}  // namespace opentrail::services::cloudtrail

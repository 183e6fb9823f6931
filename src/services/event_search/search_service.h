#pragma once
#include "history/history.h"
#include "iam/iam.h"
#include "io/clock.h"
#include "services/event_search/search_pool.h"
#include "services/event_search/search_request.h"
#include "services/service.h"

#include <string_view>

namespace opentrail::services::event_search {

inline constexpr std::string_view kSearchPath = "/opentrail/v1/search";
inline constexpr std::string_view kCountPath = "/opentrail/v1/count";

/// The search of the event history (docs/search.md):
///
///   POST /opentrail/v1/search   SearchEvents
///   POST /opentrail/v1/count    CountEvents
///
/// SigV4 service name "opentrail"; search_request.h and search_answer.h say what goes in and comes
/// out. Whoever may look events up may search their own account; another one, or all of them, is
/// for administrators of the management account, as with LookupEvents. Both are recorded as reads.
/// Searches beyond SearchLimits::at_once_max get 503 ThrottlingException with Retry-After; one that
/// misses the deadline gets SearchTimeoutException.
class SearchService final : public Service {
 public:
  /// All arguments must outlive the service.
  SearchService(history::History& history, iam::Iam& iam, const SearchLimits& limits = {});

  /// As SearchPool::stop().
  void stop() { pool_.stop(); }

  [[nodiscard]] std::string_view signing_name() const override { return "opentrail"; }
  [[nodiscard]] std::string_view event_source() const override { return "opentrail"; }
  [[nodiscard]] std::size_t body_bytes_max() const override { return kBodyBytesMax; }
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  asio::awaitable<Outcome> search(Call& call);
  asio::awaitable<Outcome> count(Call& call);
  /// Whether the caller may look into these accounts.
  [[nodiscard]] ApiResult<void> check_accounts(const Call& call, std::string_view action,
                                               const std::vector<std::string>& accounts) const;
  [[nodiscard]] ApiError to_api_error(const Error& error) const;

  history::History& history_;
  iam::Iam& iam_;
  SearchPool pool_;
};

}  // namespace opentrail::services::event_search

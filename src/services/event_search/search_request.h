#pragma once
#include "base/json.h"
#include "history/history.h"
#include "services/service.h"

#include <expected>
#include <string>
#include <string_view>

/// What the bodies of SearchEvents and CountEvents ask for. Pure.
namespace opentrail::services::event_search {

inline constexpr std::size_t kBodyBytesMax = 64 << 10;
inline constexpr std::size_t kNamesMax = 100;  ///< Accounts, or Regions, that one call names.

template <typename T>
using ApiResult = std::expected<T, ApiError>;

/// What a body leaves open is the caller's own.
struct AskedBy {
  std::string_view account_id;
  std::string_view region;
  Timestamp now;
};

struct SearchRequest {
  history::SearchQuery query;
  /// Some time was written as text, which may mean another time at the next page: the tokens then
  /// carry what it meant at the first.
  bool times_in_token = false;
};

struct CountRequest {
  history::CountQuery count;
  /// "Bucket": "auto": the width follows from the times of the first and the last match.
  bool bucket_auto = false;
};

/// {"Query","StartTime","EndTime","Regions","Accounts","Order","MaxResults","NextToken"}, each of
/// them optional. Errors: SerializationException (no JSON object, or a member of another type),
/// ValidationException (also for a member that there is not), InvalidTimeRangeException,
/// InvalidMaxResultsException, InvalidNextTokenException.
[[nodiscard]] ApiResult<SearchRequest> read_search_request(std::string_view body,
                                                           const AskedBy& asked_by);
/// {"Query","StartTime","EndTime","Regions","Accounts","By","Groups","Bucket"}.
[[nodiscard]] ApiResult<CountRequest> read_count_request(std::string_view body,
                                                         const AskedBy& asked_by);

/// The token of the next page as the client gets it.
[[nodiscard]] std::string client_token(const SearchRequest& request, std::string_view token);

/// The members of a body as a record shows them; null when there are none or it is no object.
[[nodiscard]] json::value recorded_parameters(std::string_view body);

/// The width for "auto": the least of a ladder from a second to weeks with at most 60 buckets.
[[nodiscard]] std::chrono::milliseconds bucket_for(std::chrono::milliseconds span);

}  // namespace opentrail::services::event_search

#pragma once
#include "history/history.h"

#include <string>
#include <string_view>

/// What SearchEvents and CountEvents answer. Pure.
namespace opentrail::services::event_search {

/// {"Events":[...],"NextToken"}: each event as LookupEvents shows it, then AccountId and Region,
/// which are left out when its record names none.
[[nodiscard]] std::string search_answer(const history::SearchPage& page,
                                        std::string_view next_token);

/// {"Total","BucketSeconds","Buckets":[{"StartTime","Count"}],
///  "Values","Groups":[{"Value","Count","Buckets"}]}: Buckets where there is a width, Values and
/// Groups where `by_field`.
[[nodiscard]] std::string count_answer(const history::Counts& counts,
                                       std::chrono::milliseconds bucket, bool by_field);

}  // namespace opentrail::services::event_search

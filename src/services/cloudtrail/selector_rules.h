#pragma once
#include "services/cloudtrail/request.h"

#include <string>
#include <vector>

/// The selectors of a PutEventSelectors call, read and checked by CloudTrail's rules (spec api §4.1
/// to §4.3). All refusals are InvalidEventSelectorsException. Pure.
namespace opentrail::services::cloudtrail {

inline constexpr std::size_t kBasicSelectorsMax = 5;         ///< Of a trail.
inline constexpr std::size_t kDataResourceValuesMax = 250;   ///< Of all its basic selectors.
inline constexpr std::size_t kConditionValuesMax = 500;      ///< Of all its advanced selectors.
inline constexpr std::size_t kSelectorNameLengthMax = 1000;  ///< Characters.
inline constexpr std::size_t kFieldLengthMax = 1000;
inline constexpr std::size_t kSelectorValueLengthMax = 2048;

/// Of the member EventSelectors, which has the shape of the model.
ApiResult<std::vector<record::EventSelector>> read_basic_selectors(const json::array& items);
/// Of the member AdvancedEventSelectors, which has the shape of the model.
ApiResult<std::vector<record::AdvancedEventSelector>> read_advanced_selectors(
    const json::array& items);

[[nodiscard]] inline std::unexpected<ApiError> refuse_selectors(std::string message) {
  return refuse("InvalidEventSelectorsException", std::move(message));
}

}  // namespace opentrail::services::cloudtrail

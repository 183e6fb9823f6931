#include "services/cloudtrail/find_trail.h"
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/selector_rules.h"
#include "services/cloudtrail/trail_change.h"
#include "services/cloudtrail/trail_views.h"

namespace opentrail::services::cloudtrail {
namespace {

/// Gives the trail the selectors that a call asks for: one kind takes the place of the other. An
/// empty AdvancedEventSelectors, which Terraform sends when its last one is removed, gives back
/// what a new trail has; some clients send one beside basic selectors (spec api §2 and §7.2).
ApiResult<void> replace_selectors(const json::object& input, catalog::TrailConfig& config) {
  const json::array& basic = list_of(input, "EventSelectors");
  const json::array& advanced = list_of(input, "AdvancedEventSelectors");
  if (!basic.empty() && !advanced.empty()) {
    return refuse_selectors(
        "A trail can have either EventSelectors or AdvancedEventSelectors, not both.");
  }
  if (basic.empty() && advanced.empty() &&
      (input.contains("EventSelectors") || !input.contains("AdvancedEventSelectors"))) {
    return refuse_selectors("At least one event selector must be given.");
  }
  OT_TRY(auto basic_read, read_basic_selectors(basic));
  OT_TRY(auto advanced_read, read_advanced_selectors(advanced));
  config.custom_selectors = !basic.empty() || !advanced.empty();
  config.selectors =
      config.custom_selectors ? std::move(basic_read) : std::vector<record::EventSelector>(1);
  config.advanced_selectors = std::move(advanced_read);
  return {};
}

}  // namespace

ApiResult<Answer> put_event_selectors(Request& request) {
  const MutexLock lock(request.change_mutex);
  OT_TRY(catalog::Trail trail,
         find_for_change(request, text_of(request.input, "TrailName").value_or("")));
  OT_TRY_DO(replace_selectors(request.input, trail.config));
  const auto version = request.parts.trails.update(trail, request.parts.clock.now());
  if (!version) {
    return std::unexpected(own_trouble(version.error()));
  }
  Answer answer;
  answer.body = event_selectors(trail);
  if (*version) {
    answer.on_recorded =
        takes_effect(request.parts.trails, trail.id, **version, InForce::AfterItsRecord);
  }
  return answer;
}

ApiResult<Answer> get_event_selectors(Request& request) {
  OT_TRY(const catalog::Trail trail,
         find_for_read(request, text_of(request.input, "TrailName").value_or(""), Shadows::ByArn,
                       NamedAs::Arn));
  return Answer{event_selectors(trail), {}, {}};
}

}  // namespace opentrail::services::cloudtrail

#include "services/cloudtrail/find_trail.h"
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/trail_views.h"

#include <algorithm>
#include <set>

namespace opentrail::services::cloudtrail {
namespace {

/// The trails that DescribeTrails is asked about. Unknown ones are left out, as AWS does; a plain
/// name means a trail that is at home here, a shadow is asked for by its ARN (spec api §3.6).
ApiResult<std::vector<catalog::Trail>> named_trails(const Request& request,
                                                    const json::array& names) {
  std::vector<catalog::Trail> found;
  std::set<std::int64_t> seen;
  for (const json::value& item : names) {
    OT_TRY(const TrailReference reference, parse_trail_reference(item.get_string()));
    if (reference.is_arn() && reference.account_id != request.account_id) {
      continue;
    }
    auto trail = request.parts.trails.find(
        request.account_id, reference.is_arn() ? reference.region : request.region, reference.name);
    if (trail && is_visible(request, *trail) && seen.insert(trail->id).second) {
      found.push_back(*std::move(trail));
    }
  }
  return found;
}

}  // namespace

ApiResult<Answer> get_trail(Request& request) {
  OT_TRY(const catalog::Trail trail,
         find_for_read(request, text_of(request.input, "Name").value_or(""), Shadows::ByNameToo,
                       NamedAs::Given));
  JsonWriter out;
  out.begin_object().key("Trail");
  write_trail(out, trail);
  out.end_object();
  return Answer{std::move(out).text(), {}, {}};
}

ApiResult<Answer> describe_trails(Request& request) {
  const json::array& names = list_of(request.input, "trailNameList");
  std::vector<catalog::Trail> trails;
  if (names.empty()) {
    trails = request.parts.trails.trails(request.account_id);
  } else {
    OT_TRY(trails, named_trails(request, names));
  }
  const bool with_shadows = flag_of(request.input, "includeShadowTrails").value_or(true);
  std::erase_if(trails, [&](const catalog::Trail& trail) {
    return !is_visible(request, trail) || (!with_shadows && trail.home_region != request.region);
  });
  JsonWriter out;
  out.begin_object().key("trailList").begin_array();
  for (const catalog::Trail& trail : trails) {
    write_trail(out, trail);
  }
  out.end_array().end_object();
  return Answer{std::move(out).text(), {}, {}};
}

/// All of the account's trails, whatever their region; there are too few of them for pages.
ApiResult<Answer> list_trails(Request& request) {
  JsonWriter out;
  out.begin_object().key("Trails").begin_array();
  for (const catalog::Trail& trail : request.parts.trails.trails(request.account_id)) {
    out.begin_object()
        .field("TrailARN", trail.arn())
        .field("Name", trail.name)
        .field("HomeRegion", trail.home_region)
        .end_object();
  }
  out.end_array().end_object();
  return Answer{std::move(out).text(), {}, {}};
}

ApiResult<Answer> get_trail_status(Request& request) {
  OT_TRY(const catalog::Trail trail,
         find_for_read(request, text_of(request.input, "Name").value_or(""), Shadows::ByArn,
                       NamedAs::Arn));
  return Answer{trail_status(trail, request.parts.delivery.status(trail.id)), {}, {}};
}

}  // namespace opentrail::services::cloudtrail

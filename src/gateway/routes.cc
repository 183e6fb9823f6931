#include "gateway/routes.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace opentrail::gateway {
namespace {

bool is_ourselves(const net::Url& url, const std::vector<std::string>& own) {
  const std::string host = url.host == "localhost" ? "127.0.0.1" : url.host;
  const std::string address = fmt::format("{}:{}", host, url.port);
  return std::ranges::find(own, address) != own.end();
}

Result<net::Url> read_url(const RouteSetting& setting, const std::vector<std::string>& own) {
  auto url = net::parse_url(setting.url);
  if (!url) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("upstream {}: {}", setting.url, url.error().message()));
  }
  if (!url->path.empty() && url->path != "/") {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("upstream {}: must be scheme://host[:port] without a path, since "
                            "requests go on as they are",
                            setting.url));
  }
  if (is_ourselves(*url, own)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("upstream {}: that is this server itself", setting.url));
  }
  return url;
}

}  // namespace

Result<Routes> Routes::make(const RoutesOptions& options) {
  Routes made;
  std::map<std::string, std::shared_ptr<net::Upstream>> by_url;
  for (const RouteSetting& setting : options.settings) {
    OT_TRY(auto url, read_url(setting, options.own_addresses));
    auto& upstream = by_url[setting.url];
    if (upstream == nullptr) {
      OT_TRY(upstream, net::Upstream::make(std::move(url), options.upstream));
    }
    made.routes_.push_back({setting.service, setting.region, upstream});
  }
  return made;
}

const Routes::Route* Routes::choose(std::string_view service, std::string_view region) const {
  const Route* best = nullptr;
  int best_weight = -1;
  for (const Route& route : routes_) {
    const bool fits = (route.service.empty() || route.service == service) &&
                      (route.region.empty() || route.region == region);
    const int weight = (route.service.empty() ? 0 : 2) + (route.region.empty() ? 0 : 1);
    if (fits && weight > best_weight) {
      best = &route;
      best_weight = weight;
    }
  }
  return best;
}

net::Upstream* Routes::find(std::string_view service, std::string_view region) const {
  const Route* route = choose(service, region);
  return route == nullptr ? nullptr : route->upstream.get();
}

bool Routes::takes_over(std::string_view service, std::string_view region) const {
  const Route* route = choose(service, region);
  return route != nullptr && !route->service.empty();
}

void Routes::close_idle() const {
  for (const Route& route : routes_) {
    route.upstream->close_idle();
  }
}

}  // namespace opentrail::gateway

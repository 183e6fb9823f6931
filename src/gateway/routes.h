#pragma once
#include "net/upstream.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::gateway {

/// One line of the configuration: where calls go. Empty members stand for "any".
struct RouteSetting {
  std::string service;  ///< SigV4 signing name: "s3".
  std::string region;
  std::string url;  ///< "http://127.0.0.1:9000".
};

struct RoutesOptions {
  std::vector<RouteSetting> settings;
  net::UpstreamOptions upstream;
  /// Addresses that we listen on ourselves, "host:port": an upstream that leads back is refused.
  std::vector<std::string> own_addresses;
};

/// Which upstream a call is for. Fixed once made.
class Routes {
 public:
  /// Errors: InvalidArgument naming the setting: a URL that is none, has a path, or leads back to
  /// ourselves.
  static Result<Routes> make(const RoutesOptions& options);

  /// The most exact setting: service and region, service, region, any. Null when none fits.
  [[nodiscard]] net::Upstream* find(std::string_view service, std::string_view region) const;
  /// True when calls of the service, where we have one of that name ourselves, go on to an upstream
  /// all the same.
  [[nodiscard]] bool takes_over(std::string_view service, std::string_view region) const;
  [[nodiscard]] bool empty() const { return routes_.empty(); }
  /// Before the event loops go.
  void close_idle() const;

 private:
  struct Route {
    std::string service;
    std::string region;
    std::shared_ptr<net::Upstream> upstream;  ///< Shared by the routes of one URL.
  };
  [[nodiscard]] const Route* choose(std::string_view service, std::string_view region) const;

  std::vector<Route> routes_;
};

}  // namespace opentrail::gateway

#pragma once
#include "cli/context.h"
#include "collect/signed_client.h"

#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace opentrail::cli {

inline constexpr std::string_view kDefaultEndpoint = "http://127.0.0.1:4747";
inline constexpr std::string_view kDefaultRegion = "us-east-1";

/// Where to, and as whom: the flags that every command with a server has.
struct ConnectionOptions {
  std::string endpoint;  ///< Empty: AWS_ENDPOINT_URL, OPENTRAIL_ENDPOINT, kDefaultEndpoint.
  std::string region;    ///< Empty: AWS_REGION, AWS_DEFAULT_REGION, kDefaultRegion.
  std::string profile;
  std::string credentials_file;
  std::string ca_bundle;  ///< Empty: AWS_CA_BUNDLE, else the system's certificates alone.
};

void add_connection_options(CLI::App& app, ConnectionOptions& options);

struct Connection {
  std::unique_ptr<collect::SignedClient> client;
  std::string keys_from;  ///< For messages: "profile default of /data/credentials".
};

/// A client with credentials found by find_credentials(). Does not connect yet.
/// Errors: InvalidArgument, NotFound, PermissionDenied: each says what to do.
[[nodiscard]] Result<Connection> make_connection(const ConnectionOptions& options,
                                                 const Context& context, collect::Pause pause);

/// What a failed call came to: the error's message and, where a person can do something about it,
/// what. One or two lines, without a line break at the end.
[[nodiscard]] std::string with_advice(const Error& error, const Connection& connection);

}  // namespace opentrail::cli

#pragma once
#include "cli/context.h"
#include "collect/signed_client.h"

#include <memory>
#include <string>

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
};

void add_connection_options(CLI::App& app, ConnectionOptions& options);

/// A client with credentials found by find_credentials(). Does not connect yet.
/// Errors: InvalidArgument, NotFound: each says what to do.
[[nodiscard]] Result<std::unique_ptr<collect::SignedClient>> make_client(
    const ConnectionOptions& options, const Context& context, collect::Pause pause);

/// The error's message, and, where a person can do something about it, what.
[[nodiscard]] std::string with_advice(const Error& error, const std::string& endpoint);

}  // namespace opentrail::cli

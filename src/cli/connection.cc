#include "cli/connection.h"

#include "cli/credentials.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace opentrail::cli {

namespace {

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) {
      return value;
    }
  }
  return {};
}

}  // namespace

void add_connection_options(CLI::App& app, ConnectionOptions& options) {
  app.add_option(
      "--endpoint", options.endpoint,
      fmt::format("Server URL [AWS_ENDPOINT_URL, OPENTRAIL_ENDPOINT, {}]", kDefaultEndpoint));
  app.add_option("--region", options.region,
                 fmt::format("Region to ask [AWS_REGION, AWS_DEFAULT_REGION, {}]", kDefaultRegion));
  app.add_option("--profile", options.profile, "Profile of the credentials file [AWS_PROFILE]");
  app.add_option("--credentials-file", options.credentials_file,
                 "AWS credentials file; the server writes one into its data folder");
}

Result<std::unique_ptr<collect::SignedClient>> make_client(const ConnectionOptions& options,
                                                           const Context& context,
                                                           collect::Pause pause) {
  const GetEnvironment& environment = context.environment;
  OT_TRY(
      FoundCredentials credentials,
      find_credentials({.profile = options.profile, .credentials_file = options.credentials_file},
                       environment));
  collect::SignedClientOptions client;
  client.endpoint = first_of({options.endpoint, environment("AWS_ENDPOINT_URL"),
                              environment("OPENTRAIL_ENDPOINT"), std::string(kDefaultEndpoint)});
  client.region = first_of({options.region, environment("AWS_REGION"),
                            environment("AWS_DEFAULT_REGION"), std::string(kDefaultRegion)});
  client.credentials = std::move(credentials.keys);
  // A batch waits for its turn and for the disk: longer than a usual call.
  client.client.request_timeout = std::chrono::minutes(2);
  return collect::SignedClient::make(std::move(client), context.clock, std::move(pause));
}

std::string with_advice(const Error& error, const std::string& endpoint) {
  const std::string& message = error.message();
  switch (error.code()) {
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
      return fmt::format(
          "{}\nIs a server running at {}? Start one with `opentrail serve`, or name another with "
          "--endpoint or AWS_ENDPOINT_URL.",
          message, endpoint);
    case ErrorCode::PermissionDenied:
      return fmt::format(
          "{}\nCheck that --credentials-file and --profile name an administrator of this server "
          "(it writes DATA-DIR/credentials on its first start).",
          message);
    case ErrorCode::NotFound:
      return error.reason().empty()
                 ? message
                 : fmt::format("{}\nIs {} an OpenTrail server?", message, endpoint);
    case ErrorCode::Throttled:
      return message + "\nThe server cannot keep up; what went in stays in. Run it again later.";
    default:
      return message;
  }
}

}  // namespace opentrail::cli

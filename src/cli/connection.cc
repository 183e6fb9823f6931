#include "cli/connection.h"

#include "cli/credentials.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr std::string_view kHttps = "https://";

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) {
      return value;
    }
  }
  return {};
}

/// The keys are not those of this server, as opposed to keys that may not do this.
bool keys_are_unknown(std::string_view reason) {
  static constexpr std::array<std::string_view, 5> kReasons = {
      "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId",
      "SignatureDoesNotMatch", "InvalidSignatureException"};
  return std::ranges::find(kReasons, reason) != kReasons.end();
}

std::string advice_unreachable(const Error& error, const std::string& endpoint) {
  if (error.reason() == net::kUntrustedCertificate) {
    return "Name the certificate that signed the server's own, a PEM file: --ca-bundle or "
           "AWS_CA_BUNDLE.";
  }
  if (error.reason() == net::kTlsFailed) {
    return fmt::format("Does the server speak TLS? If it does not, use http://{}",
                       std::string_view(endpoint).substr(kHttps.size()));
  }
  return fmt::format(
      "Is a server running at {}? Start one with `opentrail serve`, or name another with "
      "--endpoint or AWS_ENDPOINT_URL.",
      endpoint);
}

std::string advice_refused(const Error& error, const Connection& connection) {
  if (keys_are_unknown(error.reason())) {
    return fmt::format(
        "The keys are those of {}. The server wrote its own into DATA-DIR/credentials: name that "
        "file with --credentials-file or AWS_SHARED_CREDENTIALS_FILE.",
        connection.keys_from);
  }
  return fmt::format(
      "The keys are those of {}. Take an administrator's (--profile, --credentials-file), or have "
      "this user allowed it.",
      connection.keys_from);
}

std::string advice(const Error& error, const Connection& connection) {
  const std::string& endpoint = connection.client->endpoint();
  switch (error.code()) {
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
      return advice_unreachable(error, endpoint);
    case ErrorCode::PermissionDenied:
      return advice_refused(error, connection);
    case ErrorCode::Unsupported:
      return fmt::format("Is {} an OpenTrail server?", endpoint);
    case ErrorCode::NotFound:
      // With a reason it is the server's word; without one, a path of this machine.
      return error.reason().empty() ? std::string()
                                    : fmt::format("Is {} an OpenTrail server?", endpoint);
    case ErrorCode::Throttled:
      return "The server cannot keep up; what went in stays in. Run it again later.";
    default:
      return {};
  }
}

}  // namespace

void add_connection_options(CLI::App& app, ConnectionOptions& options) {
  constexpr const char* kGroup = "Server and credentials";
  app.add_option("--endpoint", options.endpoint,
                 fmt::format("Server URL (or AWS_ENDPOINT_URL, OPENTRAIL_ENDPOINT)\n[{}]",
                             kDefaultEndpoint))
      ->option_text("URL")
      ->group(kGroup);
  app.add_option(
         "--region", options.region,
         fmt::format("Region to ask (or AWS_REGION, AWS_DEFAULT_REGION) [{}]", kDefaultRegion))
      ->option_text("REGION")
      ->group(kGroup);
  app.add_option("--profile", options.profile,
                 "Profile in the credentials file (or AWS_PROFILE) [default]")
      ->option_text("NAME")
      ->group(kGroup);
  app.add_option("--credentials-file", options.credentials_file,
                 "AWS credentials file (or AWS_SHARED_CREDENTIALS_FILE)\n"
                 "[./opentrail-data/credentials, then ~/.aws/credentials]")
      ->option_text("FILE")
      ->group(kGroup);
  app.add_option("--ca-bundle", options.ca_bundle,
                 "PEM certificates to trust beside the system's (or AWS_CA_BUNDLE)")
      ->option_text("FILE")
      ->group(kGroup);
}

Result<Connection> make_connection(const ConnectionOptions& options, const Context& context,
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
  client.client.ca_file = first_of({options.ca_bundle, environment("AWS_CA_BUNDLE")});
  // A batch waits for its turn and for the disk: longer than a usual call.
  client.client.request_timeout = std::chrono::minutes(2);
  Connection connection{.client = nullptr, .keys_from = std::move(credentials.from)};
  OT_TRY(connection.client,
         collect::SignedClient::make(std::move(client), context.clock, std::move(pause)));
  return connection;
}

std::string with_advice(const Error& error, const Connection& connection) {
  const std::string what_to_do = advice(error, connection);
  return what_to_do.empty() ? error.message() : error.message() + "\n" + what_to_do;
}

}  // namespace opentrail::cli

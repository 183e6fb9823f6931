#pragma once
#include "base/error.h"
#include "base/log.h"
#include "gateway/gateway.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::server {

/// One setting: a flag `--delivery-interval`, a variable OPENTRAIL_DELIVERY_INTERVAL and a TOML key
/// `delivery_interval` (or `table.key`), in this order of precedence.
struct Setting {
  std::string_view key;         ///< "objects.endpoint".
  std::string_view value;       ///< The default.
  std::string_view value_name;  ///< For help: "SECONDS".
  std::string_view help;
};

/// All settings, in the order of the help text.
[[nodiscard]] std::span<const Setting> settings();
/// "objects.endpoint" -> "--objects-endpoint".
[[nodiscard]] std::string flag_name(std::string_view key);
/// "objects.endpoint" -> "OPENTRAIL_OBJECTS_ENDPOINT".
[[nodiscard]] std::string variable_name(std::string_view key);

/// A setting's value and who gave it: "flag", "environment", "file <path>" or "default".
struct Resolved {
  std::string value;
  std::string source;
};
using ResolvedSettings = std::map<std::string, Resolved, std::less<>>;

/// Where values can come from; empty optionals and maps are fine.
struct Sources {
  std::map<std::string, std::string> flags;        ///< By key.
  std::map<std::string, std::string> environment;  ///< By variable name; others are ignored.
  std::string toml_path;                           ///< Empty: no file.
  std::string toml_text;
};

/// Errors: InvalidArgument naming file, line and key, also for unknown keys and OPENTRAIL_* names.
[[nodiscard]] Result<ResolvedSettings> resolve(const Sources& sources);

struct Config {
  std::string data_dir;
  std::string listen_address;
  std::uint16_t listen_port = 0;
  std::string account_id;
  std::vector<std::string> regions;
  std::chrono::days retention{};
  std::chrono::seconds delivery_interval{};
  std::chrono::seconds digest_interval{};
  std::string objects_endpoint;  ///< Empty: the embedded store.
  std::string objects_region;
  std::vector<gateway::RouteSetting> upstreams;  ///< Empty: there is no gateway.
  std::string upstream_ca_file;
  std::chrono::seconds upstream_timeout{};
  gateway::Mode upstream_recording = gateway::Mode::Blocking;
  std::string tls_certificate_file;
  std::string tls_key_file;
  double lookup_rate = 0;  ///< LookupEvents a second, account and region; 0: no limit.
  int threads = 0;
  log::Level log_level{};
};

/// Checks and converts. Errors: InvalidArgument naming the setting, its value, its source and what
/// is accepted.
[[nodiscard]] Result<Config> make_config(const ResolvedSettings& settings);
/// One line a setting: key = "value"  # source. Ready to be a TOML file.
[[nodiscard]] std::string print_config(const ResolvedSettings& settings);

}  // namespace opentrail::server

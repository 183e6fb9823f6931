#include "server/config.h"

#include "aws/regions.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace opentrail::server {
namespace {

constexpr std::array kSettings = {
    Setting{"data_dir", "./opentrail-data", "FOLDER", "Everything is kept here"},
    Setting{"listen", "127.0.0.1:4747", "ADDRESS:PORT", "Where to serve; port 0 takes a free one"},
    Setting{"account_id", "123456789012", "12 DIGITS", "The account that is made on first start"},
    Setting{"regions", "", "A,B,...", "Enabled regions (default: AWS's 17 default-enabled ones)"},
    Setting{"retention_days", "90", "DAYS", "How long event history is kept"},
    Setting{"delivery_interval", "300", "SECONDS", "How often trails deliver log files"},
    Setting{"digest_interval", "3600", "SECONDS", "How often trails deliver digest files"},
    Setting{"objects.endpoint", "", "URL",
            "S3 endpoint that trails deliver to (default: the embedded buckets)"},
    Setting{"objects.region", "us-east-1", "REGION", "Region of that S3 endpoint"},
    Setting{"upstream", "", "URL",
            "Where calls to services that are not ours go, to be recorded on their way"},
    Setting{"upstreams", "", "SERVICE[/REGION]=URL,...",
            "The same for single services, one of ours among them (s3=http://127.0.0.1:9000)"},
    Setting{"upstream_ca", "", "FILE", "PEM certificates that upstreams are trusted by, too"},
    Setting{"upstream_timeout", "60", "SECONDS", "How long an upstream may make no progress"},
    Setting{"upstream_recording", "blocking", "MODE",
            "When a changing call is recorded: strict (its intent before it is sent on), blocking "
            "(before its answer) or batch (behind it)"},
    Setting{"tls.cert", "", "FILE", "PEM certificate chain: serve HTTPS"},
    Setting{"tls.key", "", "FILE", "PEM private key of the certificate"},
    Setting{"lookup_rate", "0", "PER SECOND",
            "LookupEvents calls a second, account and region; 0 sets no limit"},
    Setting{"threads", "2", "COUNT", "Network threads"},
    Setting{"log_level", "info", "LEVEL", "debug, info, warn or error"},
};

const Setting* find_setting(std::string_view key) {
  const auto* found = std::ranges::find(kSettings, key, &Setting::key);
  return found == kSettings.end() ? nullptr : found;
}

/// A TOML value as the text that a flag would have given; arrays become comma-separated lists.
std::optional<std::string> value_text(const toml::node& node) {
  if (const auto* array = node.as_array()) {
    std::string joined;
    for (const toml::node& item : *array) {
      const auto text = value_text(item);
      if (!text) {
        return std::nullopt;
      }
      joined += (joined.empty() ? "" : ",") + *text;
    }
    return joined;
  }
  if (auto text = node.value_exact<std::string>()) {
    return text;
  }
  if (const auto number = node.value_exact<std::int64_t>()) {
    return std::to_string(*number);
  }
  if (const auto number = node.value_exact<double>()) {
    return fmt::format("{}", *number);
  }
  return std::nullopt;
}

constexpr std::string_view kUpstreams = "upstreams";

/// [upstreams] "s3/us-west-2" = "http://...": as the list that the flag takes.
Result<void> read_upstreams(const toml::table& table, const std::string& path,
                            ResolvedSettings& into) {
  std::string list;
  for (const auto& [name, node] : table) {
    const auto url = node.value_exact<std::string>();
    if (!url) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("{}:{}: upstreams.\"{}\" must be a URL in quotes", path,
                              name.source().begin.line, name.str()));
    }
    list += fmt::format("{}{}={}", list.empty() ? "" : ",", name.str(), *url);
  }
  into[std::string(kUpstreams)] = {std::move(list), "file " + path};
  return {};
}

Result<void> read_table(const toml::table& table, const std::string& prefix,
                        const std::string& path, ResolvedSettings& into) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto line = name.source().begin.line;
    if (key == kUpstreams && node.is_table()) {
      OT_TRY_DO(read_upstreams(*node.as_table(), path, into));
      continue;
    }
    if (const auto* inner = node.as_table()) {
      OT_TRY_DO(read_table(*inner, key + ".", path, into));
      continue;
    }
    if (find_setting(key) == nullptr) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("{}:{}: there is no setting '{}'; see opentrail serve --help", path,
                              line, key));
    }
    auto text = value_text(node);
    if (!text) {
      return fail(
          ErrorCode::InvalidArgument,
          fmt::format("{}:{}: '{}' must be a string, a number or a list of them", path, line, key));
    }
    into[key] = {std::move(*text), "file " + path};
  }
  return {};
}

Result<void> read_toml(const Sources& sources, ResolvedSettings& into) {
  try {
    const toml::table table = toml::parse(sources.toml_text, sources.toml_path);
    return read_table(table, "", sources.toml_path, into);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}:{}: {}", sources.toml_path, error.source().begin.line,
                            error.description()));
  }
}

/// Reads settings out of the resolved texts; each failure names the setting and where it came from.
class Reader {
 public:
  explicit Reader(const ResolvedSettings& settings) : settings_(settings) {}

  [[nodiscard]] const std::string& text(std::string_view key) const {
    const auto found = settings_.find(key);
    OT_CHECK(found != settings_.end());
    return found->second.value;
  }

  [[nodiscard]] std::unexpected<Error> refuse(std::string_view key, std::string_view wanted) const {
    const Resolved& given = settings_.find(key)->second;
    return fail(ErrorCode::InvalidArgument, fmt::format("{} = \"{}\" (from {}): must be {}", key,
                                                        given.value, given.source, wanted));
  }

  Result<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most) const {
    const auto value = parse_int(text(key));
    if (!value || *value < least || *value > most) {
      return refuse(key, fmt::format("a whole number from {} to {}", least, most));
    }
    return *value;
  }

 private:
  const ResolvedSettings& settings_;
};

Result<void> read_listen(const Reader& in, Config& config) {
  const std::string& listen = in.text("listen");
  const auto colon = listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(listen.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || colon == 0) {
    return in.refuse("listen", "ADDRESS:PORT, for example 127.0.0.1:4747");
  }
  config.listen_address = listen.substr(0, colon);
  config.listen_port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<void> read_regions(const Reader& in, Config& config) {
  if (in.text("regions").empty()) {
    config.regions.assign(aws::kDefaultEnabledRegions.begin(), aws::kDefaultEnabledRegions.end());
    return {};
  }
  for (const std::string_view part : split(in.text("regions"), ',')) {
    const std::string_view region = trim(part);
    if (!aws::is_region_name(region)) {
      return in.refuse("regions", "a list of region names, for example us-east-1,eu-west-1");
    }
    if (std::ranges::find(config.regions, region) == config.regions.end()) {
      config.regions.emplace_back(region);
    }
  }
  if (std::ranges::find(config.regions, aws::kGlobalRegion) == config.regions.end()) {
    return in.refuse("regions", "a list with us-east-1, where IAM and sign-in are recorded");
  }
  return {};
}

Result<void> read_upstream_settings(const Reader& in, Config& config) {
  if (!in.text("upstream").empty()) {
    config.upstreams.push_back({"", "", in.text("upstream")});
  }
  for (const std::string_view part : split(in.text(kUpstreams), ',')) {
    const std::string_view text = trim(part);
    if (text.empty()) {
      continue;
    }
    const auto equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const auto slash = name.find('/');
    if (equals == std::string_view::npos || name.empty() || slash == 0 ||
        slash + 1 == name.size()) {
      return in.refuse(kUpstreams, "a list of SERVICE=URL or SERVICE/REGION=URL");
    }
    config.upstreams.push_back(
        {std::string(name.substr(0, slash)),
         slash == std::string_view::npos ? "" : std::string(name.substr(slash + 1)),
         std::string(text.substr(equals + 1))});
  }
  config.upstream_ca_file = in.text("upstream_ca");
  OT_TRY(const auto timeout, in.number("upstream_timeout", 1, 3600));
  config.upstream_timeout = std::chrono::seconds(timeout);
  const auto mode = gateway::parse_mode(in.text("upstream_recording"));
  if (!mode) {
    return in.refuse("upstream_recording", "strict, blocking or batch");
  }
  config.upstream_recording = *mode;
  return {};
}

Result<void> read_lookup_rate(const Reader& in, Config& config) {
  const std::string& text = in.text("lookup_rate");
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), config.lookup_rate);
  if (error != std::errc() || end != text.data() + text.size() || config.lookup_rate < 0) {
    return in.refuse("lookup_rate", "a number of calls a second, 0 for no limit");
  }
  return {};
}

Result<void> read_log_level(const Reader& in, Config& config) {
  constexpr std::array<std::pair<std::string_view, log::Level>, 4> kLevels = {
      {{"debug", log::Level::Debug},
       {"info", log::Level::Info},
       {"warn", log::Level::Warning},
       {"error", log::Level::Error}}};
  for (const auto& [name, level] : kLevels) {
    if (in.text("log_level") == name) {
      config.log_level = level;
      return {};
    }
  }
  return in.refuse("log_level", "debug, info, warn or error");
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::string flag_name(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::ranges::replace(flag, '.', '-');
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string variable_name(std::string_view key) {
  std::string name = "OPENTRAIL_";
  for (const char c : key) {
    const bool lower = c >= 'a' && c <= 'z';
    name += lower ? static_cast<char>(c - 'a' + 'A') : c == '.' ? '_' : c;
  }
  return name;
}

Result<ResolvedSettings> resolve(const Sources& sources) {
  ResolvedSettings resolved;
  for (const Setting& setting : kSettings) {
    resolved[std::string(setting.key)] = {std::string(setting.value), "default"};
  }
  if (!sources.toml_path.empty()) {
    OT_TRY_DO(read_toml(sources, resolved));
  }
  for (const Setting& setting : kSettings) {
    const auto variable = sources.environment.find(variable_name(setting.key));
    if (variable != sources.environment.end()) {
      resolved[std::string(setting.key)] = {variable->second, "environment"};
    }
  }
  for (const auto& [key, value] : sources.flags) {
    OT_CHECK(find_setting(key) != nullptr);
    resolved[key] = {value, "flag"};
  }
  return resolved;
}

Result<Config> make_config(const ResolvedSettings& settings) {
  constexpr std::int64_t kDaySeconds = 86400;
  const Reader in(settings);
  Config config;
  config.data_dir = in.text("data_dir");
  if (config.data_dir.empty()) {
    return in.refuse("data_dir", "a folder");
  }
  OT_TRY_DO(read_listen(in, config));
  config.account_id = in.text("account_id");
  if (config.account_id.size() != 12 || !is_digits(config.account_id)) {
    return in.refuse("account_id", "12 digits");
  }
  OT_TRY_DO(read_regions(in, config));
  OT_TRY(const auto days, in.number("retention_days", 1, 100000));
  config.retention = std::chrono::days(days);
  OT_TRY(const auto delivery, in.number("delivery_interval", 1, kDaySeconds));
  config.delivery_interval = std::chrono::seconds(delivery);
  OT_TRY(const auto digest, in.number("digest_interval", 1, kDaySeconds));
  config.digest_interval = std::chrono::seconds(digest);
  config.objects_endpoint = in.text("objects.endpoint");
  config.objects_region = in.text("objects.region");
  config.tls_certificate_file = in.text("tls.cert");
  config.tls_key_file = in.text("tls.key");
  if (config.tls_certificate_file.empty() != config.tls_key_file.empty()) {
    return in.refuse(config.tls_key_file.empty() ? "tls.cert" : "tls.key",
                     "given together with the other of tls.cert and tls.key");
  }
  OT_TRY_DO(read_upstream_settings(in, config));
  OT_TRY_DO(read_lookup_rate(in, config));
  OT_TRY(const auto threads, in.number("threads", 1, 64));
  config.threads = static_cast<int>(threads);
  OT_TRY_DO(read_log_level(in, config));
  return config;
}

std::string print_config(const ResolvedSettings& settings) {
  // Tables come last in TOML, so the plain keys go first.
  std::string plain, tables, table;
  for (const Setting& setting : kSettings) {
    const Resolved& resolved = settings.find(setting.key)->second;
    std::ostringstream quoted;
    quoted << toml::value<std::string>(resolved.value);
    const auto dot = setting.key.find('.');
    if (dot == std::string_view::npos) {
      plain += fmt::format("{} = {}  # {}\n", setting.key, quoted.str(), resolved.source);
      continue;
    }
    if (table != setting.key.substr(0, dot)) {
      table = setting.key.substr(0, dot);
      tables += fmt::format("\n[{}]\n", table);
    }
    tables +=
        fmt::format("{} = {}  # {}\n", setting.key.substr(dot + 1), quoted.str(), resolved.source);
  }
  return plain + tables;
}

}  // namespace opentrail::server

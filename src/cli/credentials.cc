#include "cli/credentials.h"

#include "base/text.h"
#include "io/filesystem.h"

#include <optional>
#include <vector>

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr std::string_view kDefaultProfile = "default";

Result<std::string> section_name(std::string_view line, std::size_t number) {
  constexpr std::string_view kProfilePrefix = "profile ";
  const auto close = line.find(']');
  if (close == std::string_view::npos) {
    return fail(ErrorCode::InvalidArgument, fmt::format("line {}: '[' without ']'", number));
  }
  std::string_view name = trim(line.substr(1, close - 1));
  if (name.starts_with(kProfilePrefix)) {
    name = trim(name.substr(kProfilePrefix.size()));
  }
  return std::string(name);
}

std::string file_of_data_folder(const GetEnvironment& environment) {
  const std::string folder = environment("OPENTRAIL_DATA_DIR");
  return io::join_path(folder.empty() ? "./opentrail-data" : folder, "credentials");
}

/// Which files are looked at, in which order.
struct Candidates {
  std::vector<std::string> files;
  /// By what the user named the file: not to be found there is an error of its own. Else empty.
  std::string_view named_by;
};

Candidates candidate_files(const CredentialOptions& options, const GetEnvironment& environment) {
  if (!options.credentials_file.empty()) {
    return {.files = {options.credentials_file}, .named_by = "--credentials-file"};
  }
  if (std::string file = environment("AWS_SHARED_CREDENTIALS_FILE"); !file.empty()) {
    return {.files = {std::move(file)}, .named_by = "AWS_SHARED_CREDENTIALS_FILE"};
  }
  Candidates candidates{.files = {file_of_data_folder(environment)}, .named_by = {}};
  if (const std::string home = environment("HOME"); !home.empty()) {
    candidates.files.push_back(io::join_path(home, ".aws/credentials"));
  }
  return candidates;
}

std::string names_of(const Profiles& profiles) {
  constexpr std::size_t kNamesMax = 20;
  std::string names;
  std::size_t count = 0;
  for (const auto& [name, settings] : profiles) {
    if (count++ == kNamesMax) {
      return names + ", ...";
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  return names.empty() ? "none" : names;
}

/// reason() when the file is there and the profile is not in it.
constexpr std::string_view kNoProfile = "NoProfile";

Result<FoundCredentials> read_profile(io::Filesystem& files, const std::string& path,
                                      const std::string& profile) {
  OT_TRY(const std::string text, io::read_file(files, path, kCredentialsFileBytesMax));
  auto parsed = parse_profiles(text);
  if (!parsed) {
    return std::unexpected(std::move(parsed).error().while_doing(path));
  }
  const auto section = parsed->find(profile);
  if (section == parsed->end()) {
    return fail(ErrorCode::NotFound,
                fmt::format("{} has no profile '{}', but: {}", path, profile, names_of(*parsed)),
                std::string(kNoProfile));
  }
  const auto value = [&](const std::string& name) {
    const auto found = section->second.find(name);
    return found == section->second.end() ? std::string() : found->second;
  };
  FoundCredentials found{.keys = {.access_key_id = value("aws_access_key_id"),
                                  .secret_access_key = value("aws_secret_access_key"),
                                  .session_token = value("aws_session_token")},
                         .from = fmt::format("profile {} of {}", profile, path)};
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: profile '{}' lacks aws_access_key_id or aws_secret_access_key",
                            path, profile));
  }
  return found;
}

Result<std::optional<FoundCredentials>> from_environment(const GetEnvironment& environment) {
  FoundCredentials found{.keys = {.access_key_id = environment("AWS_ACCESS_KEY_ID"),
                                  .secret_access_key = environment("AWS_SECRET_ACCESS_KEY"),
                                  .session_token = environment("AWS_SESSION_TOKEN")},
                         .from = "the variable AWS_ACCESS_KEY_ID"};
  if (found.keys.access_key_id.empty() && found.keys.secret_access_key.empty()) {
    return std::nullopt;
  }
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty()) {
    return fail(ErrorCode::InvalidArgument,
                "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set");
  }
  return found;
}

}  // namespace

Result<Profiles> parse_profiles(std::string_view text) {
  Profiles profiles;
  std::map<std::string, std::string>* section = nullptr;
  bool nested = false;  // behind `s3 =` without a value, indented lines are its own settings
  std::size_t number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    const bool indented = raw.starts_with(' ') || raw.starts_with('\t');
    if (line.empty() || line.starts_with('#') || line.starts_with(';') || (nested && indented)) {
      continue;
    }
    if (line.starts_with('[')) {
      OT_TRY(std::string name, section_name(line, number));
      section = &profiles[std::move(name)];
      nested = false;
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || section == nullptr) {
      // The line itself may hold a secret: it is not shown.
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("line {}: neither [profile] nor key = value under one", number));
    }
    const std::string_view value = trim(line.substr(equals + 1));
    nested = value.empty();
    (*section)[to_lower(trim(line.substr(0, equals)))] = value;
  }
  return profiles;
}

Result<FoundCredentials> find_credentials(const CredentialOptions& options,
                                          const GetEnvironment& environment) {
  if (options.profile.empty() && options.credentials_file.empty()) {
    OT_TRY(std::optional<FoundCredentials> found, from_environment(environment));
    if (found) {
      return *std::move(found);
    }
  }
  std::string profile = options.profile.empty() ? environment("AWS_PROFILE") : options.profile;
  if (profile.empty()) {
    profile = kDefaultProfile;
  }
  const Candidates candidates = candidate_files(options, environment);
  const auto files = io::make_posix_filesystem();
  std::string looked_at;
  std::string other_profiles;
  for (const std::string& path : candidates.files) {
    auto found = read_profile(*files, path, profile);
    if (found) {
      return found;
    }
    if (!candidates.named_by.empty()) {
      return std::unexpected(std::move(found).error().while_doing(candidates.named_by));
    }
    if (found.error().code() != ErrorCode::NotFound) {
      return found;  // it is there and broken: to go on would hide that
    }
    looked_at += (looked_at.empty() ? "" : ", ") + path;
    if (found.error().reason() == kNoProfile) {
      other_profiles += found.error().message() + ". ";
    }
  }
  if (!other_profiles.empty()) {
    return fail(ErrorCode::NotFound, other_profiles +
                                         "Name one with --profile or AWS_PROFILE, or "
                                         "another file with --credentials-file.");
  }
  return fail(ErrorCode::NotFound,
              fmt::format("no credentials found (looked at {}). Name the file that the server "
                          "wrote into its data folder: --credentials-file DATA-DIR/credentials",
                          looked_at));
}

}  // namespace opentrail::cli

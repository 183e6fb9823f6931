#pragma once
#include "base/error.h"
#include "cli/context.h"
#include "crypto/sigv4.h"

#include <map>
#include <string>
#include <string_view>

/// Finds the keys that a command signs with. Free of network and of the server's settings.
namespace opentrail::cli {

/// One file of profiles: section -> name -> value.
using Profiles = std::map<std::string, std::map<std::string, std::string>>;

inline constexpr std::size_t kCredentialsFileBytesMax = 1 << 20;

/// Reads AWS's INI form: [name] or [profile name], then `key = value`; lines that begin with # or ;
/// are comments, settings nested under `key =` are passed over. Keys become lower case.
/// Errors: InvalidArgument, naming the line.
[[nodiscard]] Result<Profiles> parse_profiles(std::string_view text);

struct CredentialOptions {
  std::string profile;           ///< --profile; empty: AWS_PROFILE, else "default".
  std::string credentials_file;  ///< --credentials-file.
};

struct FoundCredentials {
  crypto::sigv4::Credentials keys;
  std::string from;  ///< For messages: "profile default of /data/credentials", never a secret.
};

/// The first of these that is there:
///   --credentials-file, or --profile looked up in the files below
///   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
///   AWS_SHARED_CREDENTIALS_FILE (the only file looked at when it is set)
///   ./opentrail-data/credentials (OPENTRAIL_DATA_DIR instead of ./opentrail-data when set)
///   ~/.aws/credentials
/// A file that is there but cannot be read or lacks the profile is an error when it was named, and
/// passed over otherwise.
/// Errors: NotFound, InvalidArgument, PermissionDenied: each says what to do.
[[nodiscard]] Result<FoundCredentials> find_credentials(const CredentialOptions& options,
                                                        const GetEnvironment& environment);

}  // namespace opentrail::cli

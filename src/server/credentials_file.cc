#include "server/credentials_file.h"

#include "aws/regions.h"

#include <fmt/format.h>

namespace opentrail::server {
namespace {

std::string profile(std::string_view name, const iam::NewAccessKey& key) {
  return fmt::format("[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = {}\n",
                     name, key.key.access_key_id, key.secret_access_key, aws::kGlobalRegion);
}

}  // namespace

Result<void> write_credentials_file(io::Filesystem& files, const std::string& path,
                                    const iam::Bootstrap& bootstrap) {
  constexpr unsigned kOwnerOnly = 0600;
  const std::string text =
      profile("default", bootstrap.admin) + "\n" + profile("root", bootstrap.root);
  return io::write_file_atomically(files, path, text, kOwnerOnly);
}

}  // namespace opentrail::server

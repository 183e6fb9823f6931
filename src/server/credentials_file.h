#pragma once
#include "base/error.h"
#include "iam/iam.h"
#include "io/filesystem.h"

#include <string>

namespace opentrail::server {

/// Writes the keys that first start made as AWS profiles: default (the IAM user admin) and root,
/// mode 0600. The only place where the secrets are shown.
Result<void> write_credentials_file(io::Filesystem& files, const std::string& path,
                                    const iam::Bootstrap& bootstrap);

}  // namespace opentrail::server

#pragma once
#include "io/random.h"

#include <string>
#include <string_view>

namespace opentrail::crypto {

/// argon2id, 19 MiB, 2 passes, 1 lane (OWASP's first choice); the encoded form carries its
/// parameters, so that they can be raised later.
[[nodiscard]] std::string hash_password(std::string_view password, io::Random& random);
[[nodiscard]] bool verify_password(std::string_view encoded, std::string_view password);

}  // namespace opentrail::crypto

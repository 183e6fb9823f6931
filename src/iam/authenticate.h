#pragma once
#include "iam/iam.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// The signature check itself: pure but for the look-up of a key it is given.
namespace opentrail::iam {

/// A key as the check needs it. The secret never leaves this struct.
struct KnownKey {
  std::string secret;
  bool active = true;
  Caller caller;  ///< Whom the key belongs to; `verified` is not read.
};

using KeyLookup = std::function<std::optional<KnownKey>(std::string_view access_key_id)>;

struct AuthenticateContext {
  const KeyLookup& lookup;
  /// Stands in for the secret of a key that is not known, so that the time of the answer does not
  /// tell which keys are. Random, never handed out.
  std::string_view decoy_secret;
  Timestamp now;
};

/// The checks of spec api §1.3, in its order: a signature is there; its parts are; the scope's
/// date, then its service; what must be signed is; the key is known, active and has no session
/// token; the time; the signature. (Whether the region is enabled is the server's question.)
[[nodiscard]] Authentication check_signature(const crypto::sigv4::SignedRequest& request,
                                             const AuthenticateOptions& options,
                                             const AuthenticateContext& context);

}  // namespace opentrail::iam

#pragma once
#include "base/error.h"
#include "services/service.h"

namespace opentrail::services {

/// A failure that is not the caller's: "ServiceUnavailable" (503) where waiting helps, else
/// "InternalFailure" (500). What went wrong goes to the log; the caller, whom paths and statements
/// do not concern, is told what to do.
[[nodiscard]] ApiError own_trouble(const Error& error);

}  // namespace opentrail::services

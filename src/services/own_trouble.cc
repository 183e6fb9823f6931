#include "services/own_trouble.h"

#include "base/log.h"

namespace opentrail::services {

ApiError own_trouble(const Error& error) {
  log::error("a call could not be carried out: {}", error.message());
  switch (error.code()) {
    case ErrorCode::Unavailable:
    case ErrorCode::ResourceExhausted:
    case ErrorCode::Throttled:
    case ErrorCode::Timeout:
      return {"ServiceUnavailable",
              "The server cannot carry this out at the moment. Try again; its log says why.",
              503,
              {}};
    default:
      return {
          "InternalFailure",
          "The server could not carry this out because of a fault of its own. Its log says what "
          "happened.",
          500,
          {}};
  }
}

}  // namespace opentrail::services

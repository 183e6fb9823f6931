#pragma once
#include "gateway/call_facts.h"
#include "net/http.h"

#include <string>
#include <string_view>

namespace opentrail::gateway {

/// An error of the gateway itself.
struct Refusal {
  int status = 502;
  std::string code;
  std::string message;
};

/// Head and body in the words of the protocol that the caller speaks (spec api §1.2).
struct RefusalAnswer {
  net::ResponseHead head;
  std::string body;
};
[[nodiscard]] RefusalAnswer make_refusal(const ObservedRequest& request, const Refusal& refusal,
                                         std::string_view request_id);

}  // namespace opentrail::gateway

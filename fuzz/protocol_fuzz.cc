// Property: a body of the Query or the JSON protocol is read or refused with a reason; what was
// read as JSON prints to text that reads as the same.
#include "aws/json_protocol.h"
#include "aws/query_protocol.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace aws = opentrail::aws;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  opentrail::net::RequestHead head;
  head.method = "POST";
  head.target = "/";
  head.headers.add("Content-Type", "application/x-www-form-urlencoded");
  const auto form = aws::QueryRequest::parse(head, text);
  if (form ? form->action().empty() : form.error().reason().empty()) {
    std::abort();
  }
  if (form) {
    static_cast<void>(form->tags());
  }
  if (const auto json = aws::parse_json_body(text)) {
    const auto again = aws::parse_json_body(opentrail::to_text(*json));
    if (!again || opentrail::to_text(*again) != opentrail::to_text(*json)) {
      std::abort();
    }
  }
  return 0;
}

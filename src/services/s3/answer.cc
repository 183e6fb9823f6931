#include "services/s3/answer.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "services/s3/xml_writer.h"

namespace opentrail::services::s3 {

std::string host_id(std::string_view request_id) {
  return to_base64(crypto::sha256(as_bytes("x-amz-id-2:" + std::string(request_id))));
}

json::object additional_data(const Call& call, const Traffic& traffic) {
  json::object data;
  data["SignatureVersion"] = "SigV4";
  if (const auto& tls = call.exchange.request().tls) {
    data["CipherSuite"] = tls->cipher_suite;
  }
  data["AuthenticationMethod"] = call.claim.presigned ? "QueryString" : "AuthHeader";
  data["x-amz-id-2"] = host_id(call.request_id);
  if (traffic.bytes_in) {
    data["bytesTransferredIn"] = *traffic.bytes_in;
  }
  if (traffic.bytes_out) {
    data["bytesTransferredOut"] = *traffic.bytes_out;
  }
  if (!traffic.sse_applied.empty()) {
    data["SSEApplied"] = traffic.sse_applied;
  }
  return data;
}

Outcome error_outcome(const net::RequestHead& request, const ApiError& error,
                      std::string_view request_id) {
  XmlWriter xml("Error", "");
  xml.element("Code", error.code)
      .element("Message", error.message)
      .element("Resource", to_valid_utf8(request.path()))
      .element("RequestId", request_id)
      .element("HostId", host_id(request_id));
  Outcome outcome = xml_outcome(xml.finish());
  outcome.head.status = error.status;
  outcome.head.headers.set("x-amz-id-2", host_id(request_id));
  if (request.method == "HEAD") {
    outcome.body.clear();
  }
  return outcome;
}

Outcome xml_outcome(std::string xml) {
  Outcome outcome;
  outcome.head.headers.add("Content-Type", "application/xml");
  outcome.body = std::move(xml);
  return outcome;
}

Outcome empty_outcome(int status) {
  Outcome outcome;
  outcome.head.status = status;
  return outcome;
}

}  // namespace opentrail::services::s3

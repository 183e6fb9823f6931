#pragma once
#include "aws/model/service_table.h"
#include "aws/model/uri_template.h"
#include "net/http.h"

#include <optional>
#include <string>
#include <string_view>

/// Which operation of which service a request asks for. Pure; any thread.
namespace opentrail::aws::model {

/// What is known before the operation is.
struct CallContext {
  std::string_view signing_name;  ///< Of the SigV4 scope or the host; "" when neither names one.
  std::string_view bucket;        ///< Of a virtual-host S3 request; else "".
};

struct RecognisedCall {
  const Service* service = nullptr;
  Operation operation;
  Protocol protocol = Protocol::Json;
  NamedValues labels;  ///< REST: what the pattern's labels stand for.
  NamedValues form;    ///< Query and EC2: the parameters but Action and Version.
  NamedValues query;   ///< REST: the query's fields.
};

/// (All of UTF-8: other bytes are replaced.) By X-Amz-Target, Action, the path of RPC v2 CBOR, or
/// the URI patterns of the service, in this order. Absent when the models know no such call. `body`
/// is read for a form's Action only.
[[nodiscard]] std::optional<RecognisedCall> recognise(const net::RequestHead& head,
                                                      std::string_view body,
                                                      const CallContext& context);

/// The name that the request itself gives its operation, known or not: the target's, the Action,
/// or "".
[[nodiscard]] std::string named_operation(const net::RequestHead& head, std::string_view body);

/// Service and region of a host name such as "monitoring.eu-west-1.amazonaws.com",
/// "bucket.s3.eu-west-1.amazonaws.com" or "sqs.localhost"; empty members where it does not say.
struct HostNames {
  std::string_view signing_name;
  std::string_view region;
  std::string_view bucket;
};
[[nodiscard]] HostNames read_host(std::string_view host);

}  // namespace opentrail::aws::model

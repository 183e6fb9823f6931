#pragma once
#include "aws/model/recognise.h"
#include "aws/recorded/style.h"
#include "net/http.h"

#include <optional>
#include <string>
#include <string_view>

/// A call and its answer as their record shows them. Pure; bodies are foreign bytes.
namespace opentrail::aws::recorded {

struct Parameters {
  json::value value;  ///< null: none.
  /// Members that the model does not know; their values are left out.
  std::vector<std::string> unknown;
  /// Why the body could not be read; empty when it could.
  std::string defect;
};

/// requestParameters. `body` is the whole body; absent when it was not kept.
[[nodiscard]] Parameters request_parameters(const model::RecognisedCall& call,
                                            const net::RequestHead& head,
                                            std::optional<std::string_view> body);

/// responseElements of an answer of the 2xx kind: null where records show none.
[[nodiscard]] json::value response_elements(const model::RecognisedCall& call,
                                            const net::Headers& headers, std::string_view body);

struct AnswerError {
  std::string code;
  std::string message;
};
/// What an answer of the 4xx or 5xx kind says: from x-amzn-ErrorType, JSON, XML or CBOR, else from
/// the status alone ("404 Not Found" has the code "NotFound"). `call` may be null.
[[nodiscard]] AnswerError answer_error(const model::RecognisedCall* call, int status,
                                       const net::Headers& headers, std::string_view body);

/// The caller's request id: a header, else what the body says; "" when neither does.
[[nodiscard]] std::string request_id(const net::Headers& headers, std::string_view body);

}  // namespace opentrail::aws::recorded

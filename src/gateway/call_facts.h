#pragma once
#include "aws/model/recognise.h"
#include "iam/iam.h"
#include "net/upstream.h"
#include "record/builder.h"

#include <optional>
#include <string>
#include <string_view>

/// What a call through the gateway and its answer say, as the facts of a record. Pure.
namespace opentrail::gateway {

/// A request as far as it was read.
struct ObservedRequest {
  const net::RequestHead* head = nullptr;
  std::optional<aws::model::RecognisedCall> call;  ///< Absent: the models know no such call.
  std::string signing_name;                        ///< "" when nothing names one.
  std::string region;
  bool body_whole = false;  ///< `body` is all of it.
  std::string body;
  std::uint64_t body_bytes = 0;  ///< Sent on, in all.
};

/// What came of it.
struct ObservedAnswer {
  std::optional<net::AnswerHead> head;  ///< Absent: the upstream gave none.
  bool body_whole = false;
  std::string body;
  std::uint64_t body_bytes = 0;  ///< Passed on, in all.
  /// Why there is no answer, or not all of it: what the record says then.
  std::string error_code;
  std::string error_message;
};

/// Who called, when our IAM does not know the key.
[[nodiscard]] record::UserIdentity unknown_identity(std::string_view access_key_id,
                                                    std::string_view account_id, bool s3);

/// True for what only reads. What the models do not know reads when its method says so.
[[nodiscard]] bool is_read_only(const ObservedRequest& request);
[[nodiscard]] record::Category category_of(const ObservedRequest& request);

/// The facts but for identity, time, ids and TLS, which the caller adds.
[[nodiscard]] record::CallFacts make_facts(const ObservedRequest& request,
                                           const ObservedAnswer& answer);

}  // namespace opentrail::gateway

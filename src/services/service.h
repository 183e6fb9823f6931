#pragma once
#include "base/json.h"
#include "iam/iam.h"
#include "io/clock.h"
#include "journal/journal.h"
#include "net/server.h"
#include "record/builder.h"

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

/// What the request pipeline and the services agree on. A service parses, calls and answers; the
/// pipeline identifies, authorises, records and sends (docs/architecture.md).
namespace opentrail::services {

namespace asio = boost::asio;

/// An error as the wire and the record show it.
struct ApiError {
  std::string code;  ///< "TrailNotFoundException".
  std::string message;
  int status = 400;
  /// What the record says when it differs from the wire (IAM: NoSuchEntity is logged
  /// NoSuchEntityException).
  std::string record_code;
};

/// One call, after its header was read. Lives until the answer is out.
struct Call {
  net::Exchange& exchange;
  Timestamp received_at;
  std::string
      request_id;  ///< UUID (S3: 16 of [A-Z0-9]); goes out as x-amzn-RequestId / x-amz-request-id.
  std::string event_id;     ///< Of the record that this call will have.
  std::string region;       ///< Of the SigV4 scope.
  std::string account_id;   ///< The caller's.
  iam::Caller caller;       ///< Verified.
  std::string body;         ///< Whole body, unless the service streams.
  std::string signing_key;  ///< For streaming signatures; secret.
  crypto::sigv4::Claim claim;
  std::shared_ptr<void> admission = nullptr;  ///< From Service::admit(), when it was asked.
};

/// Null where there is no limit; an error is the answer.
using Admission = std::expected<std::shared_ptr<void>, ApiError>;

/// The answer, and what the record says about it.
struct Outcome {
  net::ResponseHead head;
  std::string body;
  std::optional<ApiError> error;
  json::value response_elements;  ///< null: none.
  json::value additional_event_data;
  std::vector<record::ResourceItem> resources;
  /// Called once the record of the call is durable, with its offset; before the answer goes out.
  /// When a journal that works did not take the record: with the journal's end.
  std::function<void(journal::Offset)> on_recorded;
  /// The service has already sent the response itself (streamed); body is unused.
  bool sent = false;
};

/// What a call is, before it is authorised: filled by Service::identify.
struct Operation {
  std::string name;        ///< "CreateTrail"; what the caller asked for when unknown.
  std::string event_name;  ///< As recorded; usually the same.
  std::string action;      ///< "cloudtrail:CreateTrail".
  std::string resource;    ///< ARN for the authorisation text; "*" when none.
  bool read_only = false;
  /// It asks event history: those who ask it next do not wait for this call's record.
  bool reads_history = false;
  record::Category category = record::Category::Management;
  json::value request_parameters;  ///< As recorded: cased, redacted. null: none.
  std::vector<record::ResourceItem> resources;
  /// Set when the call cannot be run: unknown operation, malformed body, bad type. It is recorded
  /// and answered with this.
  std::optional<ApiError> error;
  std::string region_override;  ///< "us-east-1" for global services; empty: the scope's region.
  json::value additional_event_data;
  std::string api_version;
};

class Service {
 public:
  virtual ~Service() = default;
  /// SigV4 service name: "cloudtrail".
  [[nodiscard]] virtual std::string_view signing_name() const = 0;
  /// "cloudtrail.amazonaws.com".
  [[nodiscard]] virtual std::string_view event_source() const = 0;
  /// In which protocol's words a failed signature check is told.
  [[nodiscard]] virtual iam::ErrorStyle error_style() const { return iam::ErrorStyle::Json; }
  /// True when the body is read by handle() itself instead of into Call::body beforehand.
  [[nodiscard]] virtual bool streams(const net::RequestHead&) const { return false; }
  /// Largest body that is read for it; more is RequestEntityTooLarge.
  [[nodiscard]] virtual std::size_t body_bytes_max() const { return 1 << 20; }
  /// The same where it depends on the call.
  [[nodiscard]] virtual std::size_t body_bytes_max_of(const net::RequestHead& /*head*/) const {
    return body_bytes_max();
  }

  /// Asked before a large body is read, for a limit on how many are in memory: kept in the call
  /// until it is answered.
  [[nodiscard]] virtual Admission admit(const net::RequestHead& /*head*/) { return nullptr; }

  /// Pure parse of the call. Cheap; runs on the I/O thread.
  [[nodiscard]] virtual Operation identify(const Call& call) const = 0;
  /// Runs an identified, authorised call. Blocking work is offloaded inside.
  virtual asio::awaitable<Outcome> handle(Call& call, const Operation& operation) = 0;
  /// The wire form of an error in this service's protocol, request id included.
  [[nodiscard]] virtual Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                             std::string_view request_id) const = 0;
};

}  // namespace opentrail::services

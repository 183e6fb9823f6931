#include "collect/signed_client.h"

#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"

#include <algorithm>
#include <array>
#include <thread>

#include <fmt/format.h>

namespace opentrail::collect {

namespace {

using std::chrono::milliseconds;

struct Refusal {
  std::string name;     ///< "ThrottlingException"; may be empty.
  std::string message;  ///< May be empty.
};

/// What the server says about itself goes on a terminal: bounded, and no control characters.
std::string printable(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 500;
  std::string out = to_valid_utf8(cut_utf8(text, kShownBytesMax));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

/// AWS JSON errors: {"__type", "message" or "Message"}; anything else is shown as it is.
Refusal read_refusal(const net::ClientResponse& response) {
  const auto parsed = parse_json(response.body);
  if (!parsed || !parsed->is_object()) {
    return Refusal{.name = {}, .message = printable(response.body)};
  }
  const json::object& object = parsed->get_object();
  std::string name = string_member(object, "__type", string_member(object, "code"));
  if (const auto hash = name.rfind('#'); hash != std::string::npos) {
    name.erase(0, hash + 1);  // "com.amazonaws...#Name"
  }
  return Refusal{
      .name = printable(name),
      .message = printable(string_member(object, "message", string_member(object, "Message")))};
}

bool asks_for_patience(int status, std::string_view name) {
  static constexpr std::array<int, 5> kStatus = {429, 500, 502, 503, 504};
  static constexpr std::array<std::string_view, 4> kNames = {"ThrottlingException", "Throttling",
                                                             "RequestLimitExceeded", "SlowDown"};
  return std::ranges::find(kStatus, status) != kStatus.end() ||
         std::ranges::find(kNames, name) != kNames.end();
}

/// The JSON protocol answers 400 for refusals, too: there the name tells.
bool is_refusal(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "AccessDenied",          "AccessDeniedException",     "UnrecognizedClientException",
      "InvalidClientTokenId",  "InvalidSignatureException", "SignatureDoesNotMatch",
      "ExpiredTokenException", "MissingAuthenticationToken"};
  return std::ranges::find(kNames, name) != kNames.end();
}

ErrorCode code_of(int status, std::string_view name) {
  constexpr int kUnauthorized = 401;
  constexpr int kForbidden = 403;
  constexpr int kNotFound = 404;
  constexpr int kServerErrors = 500;
  if (asks_for_patience(status, name)) {
    return ErrorCode::Throttled;
  }
  if (status == kUnauthorized || status == kForbidden || is_refusal(name)) {
    return ErrorCode::PermissionDenied;
  }
  if (status == kNotFound) {
    return ErrorCode::NotFound;
  }
  return status >= kServerErrors ? ErrorCode::Unavailable : ErrorCode::InvalidArgument;
}

Error to_error(const net::ClientResponse& response, const Refusal& refusal) {
  std::string text = fmt::format("the server answered {}", response.status);
  if (!refusal.name.empty()) {
    text += " " + refusal.name;
  }
  if (!refusal.message.empty()) {
    text += ": " + refusal.message;
  }
  return Error(code_of(response.status, refusal.name), std::move(text), refusal.name);
}

/// Retry-After in seconds or as a date (RFC 9110, 10.2.3); zero when there is none.
milliseconds retry_after(const net::ClientResponse& response, Timestamp now) {
  const std::string_view text = trim(response.headers.get("Retry-After"));
  if (const auto seconds = parse_int(text)) {
    constexpr std::int64_t kSecondsMax = 86'400;
    return std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, kSecondsMax));
  }
  if (const auto date = parse_http_date(text)) {
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(*date - now));
  }
  return milliseconds(0);
}

milliseconds backoff(const RetryLimits& limits, int attempts_made) {
  milliseconds delay = limits.first_delay;
  for (int i = 1; i < attempts_made && delay < limits.delay_max; ++i) {
    delay *= 2;
  }
  return std::min(delay, limits.delay_max);
}

}  // namespace

Pause make_pause(const std::atomic<bool>* stop) {
  return [stop](milliseconds delay) {
    constexpr milliseconds kStep{50};
    const auto until = std::chrono::steady_clock::now() + delay;
    for (;;) {
      if (stop != nullptr && stop->load()) {
        return false;
      }
      const auto now = std::chrono::steady_clock::now();
      if (now >= until) {
        return true;
      }
      std::this_thread::sleep_for(std::min(kStep, std::chrono::ceil<milliseconds>(until - now)));
    }
  };
}

SignedClient::SignedClient(SignedClientOptions options, std::unique_ptr<net::Client> client,
                           const io::Clock& clock, Pause pause)
    : options_(std::move(options)),
      client_(std::move(client)),
      clock_(clock),
      pause_(std::move(pause)) {}

Result<std::unique_ptr<SignedClient>> SignedClient::make(SignedClientOptions options,
                                                         const io::Clock& clock, Pause pause) {
  auto url = net::parse_url(options.endpoint);
  if (!url) {
    return std::unexpected(
        std::move(url).error().while_doing(fmt::format("endpoint {}", options.endpoint)));
  }
  while (url->path.ends_with('/')) {
    url->path.pop_back();  // the call's own path begins with one
  }
  OT_TRY(auto client, net::Client::make(*std::move(url), options.client));
  return std::unique_ptr<SignedClient>(
      new SignedClient(std::move(options), std::move(client), clock, std::move(pause)));
}

net::ClientRequest SignedClient::sign(const SignedCall& call) const {
  net::ClientRequest request;
  request.method = call.method;
  request.target = call.path;
  request.headers = call.headers;
  request.headers.set("Host", client_->origin().authority());
  request.body = call.body;

  crypto::sigv4::SignedRequest to_sign;
  to_sign.method = request.method;
  // net::Client puts the base path in front, and what goes over the wire is what is signed.
  const std::string target = client_->origin().path + call.path;
  const auto question = target.find('?');
  to_sign.path = std::string_view(target).substr(0, question);
  if (question != std::string::npos) {
    to_sign.query = std::string_view(target).substr(question + 1);
  }
  for (const auto& [name, value] : request.headers.fields()) {
    to_sign.headers.emplace_back(name, value);
  }
  auto added = crypto::sigv4::sign(to_sign, options_.credentials, options_.region, call.service,
                                   clock_.now(), crypto::sha256_hex(request.body));
  for (auto& [name, value] : added) {
    request.headers.set(name, value);
  }
  return request;
}

Result<net::ClientResponse> SignedClient::call(const SignedCall& call) {
  for (int attempt = 1;; ++attempt) {
    // Signed anew each time: a signature is good for five minutes only.
    auto response = client_->send(sign(call));
    milliseconds asked_for{0};
    std::optional<Error> error;
    if (response) {
      reached_ = true;
      if (response->status / 100 == 2) {
        return response;
      }
      const Refusal refusal = read_refusal(*response);
      error = to_error(*response, refusal);
      if (error->code() != ErrorCode::Throttled) {
        return std::unexpected(*std::move(error));
      }
      asked_for = std::min(retry_after(*response, clock_.now()), options_.retry.retry_after_max);
    } else {
      error = std::move(response).error();
      const bool passes =
          error->code() == ErrorCode::Unavailable || error->code() == ErrorCode::Timeout;
      if (!reached_ || !passes) {
        return std::unexpected(*std::move(error));  // it names the server
      }
    }
    if (attempt >= options_.retry.attempts_max) {
      return std::unexpected(
          std::move(*error).while_doing(fmt::format("gave up after {} attempts", attempt)));
    }
    if (!pause_(std::max(asked_for, backoff(options_.retry, attempt)))) {
      return fail(ErrorCode::Unavailable, "interrupted", std::string(kInterrupted));
    }
  }
}

}  // namespace opentrail::collect

#include "services/ingest/body_source.h"

#include "base/text.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace opentrail::services::ingest {

namespace {

constexpr std::size_t kPieceBytes = 256 << 10;
constexpr std::string_view kContentSha256 = "x-amz-content-sha256";
constexpr std::string_view kDecodedLength = "x-amz-decoded-content-length";
constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";
constexpr std::string_view kSignedChunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

bool is_of_this_machine(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

}  // namespace

bool is_streamed(const net::RequestHead& head) {
  const std::string_view declared = head.headers.get(kContentSha256);
  return declared == kUnsigned || declared.starts_with("STREAMING-");
}

Result<collect::Coding> coding_of(const net::RequestHead& head) {
  const std::string_view encoding = head.headers.get("Content-Encoding");
  if (head.headers.get(kContentSha256).starts_with("STREAMING-")) {
    return collect::parse_coding(without_aws_chunked(encoding));
  }
  return collect::parse_coding(encoding);
}

std::optional<ApiError> streaming_error(const net::RequestHead& head) {
  constexpr int kBadRequest = 400;
  constexpr int kForbidden = 403;
  const std::string_view declared = head.headers.get(kContentSha256);
  if (!is_streamed(head) || declared == kSignedChunks) {
    return std::nullopt;
  }
  if (declared != kUnsigned) {
    return ApiError{.code = "ValidationException",
                    .message = fmt::format("x-amz-content-sha256 must be the body's SHA-256, {}, "
                                           "or {}",
                                           kSignedChunks, kUnsigned),
                    .status = kBadRequest,
                    .record_code = {}};
  }
  if (!head.tls && !is_of_this_machine(head.peer_address)) {
    return ApiError{.code = "UnprotectedPayloadException",
                    .message = fmt::format("{} is accepted over TLS only: sign the body's hash, or "
                                           "its chunks ({})",
                                           kUnsigned, kSignedChunks),
                    .status = kForbidden,
                    .record_code = {}};
  }
  return std::nullopt;
}

BodySource::BodySource(Call& call, const ImportLimits& limits)
    : call_(call), limits_(limits), streamed_(is_streamed(call.exchange.request())) {
  const net::RequestHead& head = call.exchange.request();
  if (head.headers.get(kContentSha256) == kSignedChunks) {
    decoder_.emplace(false, crypto::sigv4::ChunkVerifier(call.signing_key, call.claim));
  }
}

asio::awaitable<Result<bool>> BodySource::read() {
  if (!streamed_) {
    piece_ = call_.body;
    co_return !std::exchange(ended_, true);
  }
  buffer_.resize(kPieceBytes);
  std::size_t filled = 0;
  const auto deadline = std::chrono::steady_clock::now() + limits_.batch_age_max;
  while (filled < buffer_.size() && !ended_ &&
         (filled == 0 || std::chrono::steady_clock::now() < deadline)) {
    const std::span<char> rest = std::span(buffer_).subspan(filled);
    const auto got = co_await call_.exchange.read_some(rest);
    if (!got) {
      co_return fail(got.error().code(), got.error().message(), std::string(kClientFailed));
    }
    ended_ = *got == 0;
    filled += *got;
  }
  piece_ = std::string_view(buffer_).substr(0, filled);
  co_return filled > 0;
}

Result<std::string_view> BodySource::take() {
  if (!decoder_) {
    return std::exchange(piece_, {});
  }
  if (broken_) {
    return std::unexpected(*broken_);
  }
  taken_before_ += taken_;
  data_.erase(0, std::exchange(taken_, 0));
  const auto decoded = decoder_->decode(std::exchange(piece_, {}), data_);
  const std::size_t good = decoder_->verified_bytes() - taken_before_;
  if (!decoded) {
    broken_ = decoded.error();  // told once what came before it is taken
    if (good == 0) {
      return std::unexpected(*broken_);
    }
  }
  if (data_.size() - good > limits_.chunk_bytes_max) {
    return fail(ErrorCode::ResourceExhausted,
                fmt::format("a signed chunk is larger than {} bytes", limits_.chunk_bytes_max),
                std::string(kBodyTooLarge));
  }
  taken_ = good;
  return std::string_view(data_).substr(0, good);
}

Result<void> BodySource::finish() const {
  if (!decoder_) {
    return {};
  }
  if (broken_) {
    return std::unexpected(*broken_);
  }
  OT_TRY_DO(decoder_->finish());
  const auto declared = parse_int(call_.exchange.request().headers.get(kDecodedLength));
  if (declared && std::cmp_not_equal(*declared, decoder_->verified_bytes())) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("x-amz-decoded-content-length is {}, the body has {} bytes", *declared,
                            decoder_->verified_bytes()),
                "IncompleteBody");
  }
  return {};
}

}  // namespace opentrail::services::ingest

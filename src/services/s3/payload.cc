#include "services/s3/payload.h"

#include "base/text.h"
#include "io/offload.h"
#include "services/aws_chunked.h"
#include "services/s3/checksums.h"
#include "services/s3/s3_status.h"

#include <algorithm>
#include <optional>
#include <span>

namespace opentrail::services::s3 {
namespace {

constexpr std::string_view kContentSha256 = "x-amz-content-sha256";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::size_t kSha256HexBytes = 64;

Result<Framing> parse_framing(std::string_view declared) {
  if (declared == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    return Framing::SignedChunks;
  }
  if (declared == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return Framing::SignedChunksTrailer;
  }
  if (declared == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return Framing::UnsignedChunksTrailer;
  }
  if (declared.starts_with("STREAMING-AWS4-ECDSA-")) {
    return refuse("NotImplemented");
  }
  const bool is_hash = declared.size() == kSha256HexBytes && from_hex(declared).has_value();
  if (declared.empty() || declared == kUnsignedPayload || is_hash) {
    return Framing::Plain;
  }
  return refuse("InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
}

bool has_trailer(Framing framing) {
  return framing == Framing::SignedChunksTrailer || framing == Framing::UnsignedChunksTrailer;
}

bool is_signed(Framing framing) {
  return framing == Framing::SignedChunks || framing == Framing::SignedChunksTrailer;
}

/// The number of data bytes; absent when the transfer's own chunks end them.
Result<std::optional<std::uint64_t>> data_bytes(const net::RequestHead& head, Framing framing) {
  std::optional<std::uint64_t> bytes = head.content_length;
  if (framing != Framing::Plain) {
    const auto decoded = parse_int(head.headers.get("x-amz-decoded-content-length"));
    bytes = decoded && *decoded >= 0 ? std::optional<std::uint64_t>(*decoded) : std::nullopt;
  }
  if (!bytes && (framing != Framing::Plain || !head.chunked)) {
    return refuse("MissingContentLength");
  }
  if (bytes.value_or(0) > kUploadBytesMax) {
    return refuse("EntityTooLarge");
  }
  return bytes;
}

/// x-amz-trailer names at most one checksum, and nothing else.
Result<std::optional<std::string>> announced_trailer(const net::Headers& headers, Framing framing) {
  const std::string_view announced = trim(headers.get("x-amz-trailer"));
  if (announced.empty() || !has_trailer(framing)) {
    return std::optional<std::string>();
  }
  auto algorithm = checksum_algorithm_of_header(announced);
  if (!algorithm) {
    return refuse("InvalidRequest",
                  "The value specified in the x-amz-trailer header is not "
                  "supported");
  }
  return algorithm;
}

Result<std::vector<std::string>> algorithms_of(const PayloadPlan& plan,
                                               const net::Headers& headers) {
  std::vector<std::string> algorithms;
  for (const auto& [algorithm, value] : plan.expected.checksums) {
    algorithms.push_back(algorithm);
  }
  if (plan.trailer_algorithm) {
    algorithms.push_back(*plan.trailer_algorithm);
  }
  if (algorithms.size() > 1) {
    return refuse("InvalidRequest",
                  "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                  "allowed.");
  }
  if (algorithms.empty()) {
    const std::string_view named = headers.get("x-amz-sdk-checksum-algorithm");
    OT_TRY(std::string algorithm, parse_algorithm(named.empty() ? kDefaultAlgorithm : named));
    algorithms.push_back(std::move(algorithm));
  }
  return algorithms;
}

/// One body being read; the decoder is absent for plain ones.
struct Reception {
  Call& call;
  PayloadPlan plan;
  std::optional<AwsChunkedDecoder> decoder;
  std::string buffer;
  std::string data;
  std::uint64_t data_bytes = 0;
};

Error read_error(const Error& error) {
  return error.code() == ErrorCode::Timeout ? refuse("RequestTimeout").error()
                                            : refuse("IncompleteBody").error();
}

/// Fills the buffer as far as the body goes; the number of bytes, less than the whole at the end.
asio::awaitable<Result<std::size_t>> fill(Reception& reception) {
  std::size_t filled = 0;
  while (filled < reception.buffer.size()) {
    const std::span<char> rest = std::span(reception.buffer).subspan(filled);
    const auto got = co_await reception.call.exchange.read_some(rest);
    if (!got) {
      co_return std::unexpected(read_error(got.error()));
    }
    if (*got == 0) {
      break;
    }
    filled += *got;
  }
  co_return filled;
}

/// Decodes and writes what was read. Blocks.
Result<void> take(Reception& reception, std::size_t filled, objects::ObjectWriter& writer) {
  std::string_view bytes = std::string_view(reception.buffer).substr(0, filled);
  if (reception.decoder) {
    reception.data.clear();
    OT_TRY_DO(reception.decoder->decode(bytes, reception.data));
    bytes = reception.data;
  }
  reception.data_bytes += bytes.size();
  if (reception.data_bytes > kUploadBytesMax) {
    return refuse("EntityTooLarge");
  }
  if (reception.data_bytes > reception.plan.expected.size.value_or(kUploadBytesMax)) {
    return refuse("IncompleteBody");
  }
  return bytes.empty() ? Result<void>() : writer.write(bytes);
}

/// The trailer must hold the announced checksum and nothing else.
Result<void> take_trailers(Reception& reception) {
  if (!reception.decoder) {
    return {};
  }
  OT_TRY_DO(reception.decoder->finish());
  const auto& trailers = reception.decoder->trailers();
  const auto& announced = reception.plan.trailer_algorithm;
  if (trailers.size() != (announced ? 1U : 0U)) {
    return refuse("MalformedTrailerError");
  }
  if (!announced) {
    return {};
  }
  const auto& [name, value] = trailers.front();
  if (checksum_algorithm_of_header(name) != announced) {
    return refuse("MalformedTrailerError");
  }
  reception.plan.expected.checksums[*announced] = value;
  return {};
}

}  // namespace

Result<PayloadPlan> plan_payload(const net::RequestHead& head) {
  const net::Headers& headers = head.headers;
  const std::string_view declared = headers.get(kContentSha256);
  PayloadPlan plan;
  OT_TRY(plan.framing, parse_framing(declared));
  OT_TRY(plan.expected.size, data_bytes(head, plan.framing));
  if (plan.framing == Framing::Plain && declared.size() == kSha256HexBytes) {
    plan.expected.sha256_hex = to_lower(declared);
  }
  plan.expected.md5_base64 = headers.get("content-md5");
  OT_TRY(plan.expected.checksums, sent_checksums(headers));
  OT_TRY(plan.trailer_algorithm, announced_trailer(headers, plan.framing));
  OT_TRY(plan.algorithms, algorithms_of(plan, headers));
  return plan;
}

asio::awaitable<Result<objects::ObjectInfo>> receive(Call& call, objects::ObjectWriter& writer,
                                                     PayloadPlan plan, asio::thread_pool& workers,
                                                     std::uint64_t& bytes_in) {
  Reception reception{call, std::move(plan), {}, std::string(kPieceBytes, '\0'), {}, 0};
  const Framing framing = reception.plan.framing;
  if (framing != Framing::Plain) {
    std::optional<crypto::sigv4::ChunkVerifier> verifier;
    if (is_signed(framing)) {
      verifier.emplace(call.signing_key, call.claim);
    }
    reception.decoder.emplace(has_trailer(framing), std::move(verifier));
  }
  std::size_t filled = 0;
  do {
    OT_CO_TRY(filled, co_await fill(reception));
    auto job = [&]() { return take(reception, filled, writer); };
    OT_CO_TRY_DO(co_await io::offload(workers, std::move(job)));
    bytes_in = reception.data_bytes;
  } while (filled == kPieceBytes);
  OT_CO_TRY_DO(take_trailers(reception));
  auto commit = [&]() { return writer.commit(reception.plan.expected); };
  co_return co_await io::offload(workers, std::move(commit));
}

}  // namespace opentrail::services::s3

#include "services/aws_chunked.h"

#include "base/text.h"
#include "services/s3/s3_status.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace opentrail::services {
namespace {

using s3::refuse;  // the framing is S3's, and so are the words of its errors

constexpr std::string_view kSignatureField = "chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr std::size_t kSignatureHexBytes = 64;
constexpr std::size_t kSizeHexDigitsMax = 12;  // more than S3's largest object needs

std::unexpected<Error> broken(std::string_view what) {
  return refuse("InvalidRequest", "The aws-chunked body is not well-formed: " + std::string(what));
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  constexpr int kHex = 16;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, kHex);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && text.size() <= kSizeHexDigitsMax ? std::optional(value) : std::nullopt;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::string without_aws_chunked(std::string_view content_encoding) {
  std::string rest;
  for (const std::string_view part : split(content_encoding, ',')) {
    const std::string_view name = trim(part);
    if (!name.empty() && !equals_ignore_case(name, "aws-chunked")) {
      rest += (rest.empty() ? "" : ",") + std::string(name);
    }
  }
  return rest;
}

AwsChunkedDecoder::AwsChunkedDecoder(bool has_trailer,
                                     std::optional<crypto::sigv4::ChunkVerifier> verifier)
    : has_trailer_(has_trailer), verifier_(std::move(verifier)) {}

Result<void> AwsChunkedDecoder::decode(std::string_view input, std::string& output) {
  while (!input.empty()) {
    if (state_ == State::Done) {
      return broken("there are bytes behind its end");
    }
    if (state_ == State::Data) {
      take_data(input, output);
      continue;
    }
    const std::size_t newline = input.find('\n');
    const std::string_view piece = input.substr(0, newline);
    if (line_.size() + piece.size() > kChunkLineBytesMax) {
      return broken("a chunk header or trailer is too long");
    }
    line_ += piece;
    if (newline == std::string_view::npos) {
      return {};
    }
    input.remove_prefix(newline + 1);
    const std::string line = std::exchange(line_, {});
    OT_TRY_DO(take_line(line));
  }
  return {};
}

Result<void> AwsChunkedDecoder::finish() const {
  if (state_ != State::Done) {
    return refuse("IncompleteBody");
  }
  return {};
}

/// `line` is without its LF. A trailer line may end with LF alone, as AWS's own example does.
Result<void> AwsChunkedDecoder::take_line(std::string_view line) {
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  } else if (state_ != State::Trailer) {
    return broken("a chunk does not end with CR LF");
  }
  switch (state_) {
    case State::ChunkHeader:
      return take_chunk_header(line);
    case State::DataEnd:
      return take_data_end(line);
    default:
      return take_trailer(line);
  }
}

Result<void> AwsChunkedDecoder::take_chunk_header(std::string_view line) {
  const std::size_t semicolon = line.find(';');
  const auto size = parse_hex(line.substr(0, semicolon));
  if (!size) {
    return broken("a chunk has no size");
  }
  std::string_view extension =
      semicolon == std::string_view::npos ? std::string_view() : line.substr(semicolon + 1);
  if (verifier_) {
    if (!extension.starts_with(kSignatureField)) {
      return broken("a chunk has no signature");
    }
    extension.remove_prefix(kSignatureField.size());
    if (extension.size() != kSignatureHexBytes) {
      return broken("a chunk's signature is not 64 hexadecimal digits");
    }
    chunk_signature_ = extension;
  } else if (!extension.empty()) {
    return broken("a chunk of an unsigned body has an extension");
  }
  chunk_left_ = *size;
  if (*size > 0) {
    state_ = State::Data;
    return {};
  }
  state_ = State::Trailer;
  return verify_chunk();
}

void AwsChunkedDecoder::take_data(std::string_view& input, std::string& output) {
  const std::string_view data = input.substr(0, std::min<std::uint64_t>(chunk_left_, input.size()));
  if (verifier_) {
    chunk_hash_.update(as_bytes(data));
  }
  output += data;
  data_bytes_ += data.size();
  input.remove_prefix(data.size());
  chunk_left_ -= data.size();
  if (chunk_left_ == 0) {
    state_ = State::DataEnd;
  }
}

Result<void> AwsChunkedDecoder::take_data_end(std::string_view line) {
  if (!line.empty()) {
    return broken("a chunk is longer than its size says");
  }
  state_ = State::ChunkHeader;
  return verify_chunk();
}

Result<void> AwsChunkedDecoder::verify_chunk() {
  if (!verifier_) {
    verified_bytes_ = data_bytes_;
    return {};
  }
  const std::string hash = to_hex(as_bytes(chunk_hash_.finish()));
  chunk_hash_ = crypto::Hasher(crypto::HashKind::Sha256);
  if (!crypto::constant_time_equal(verifier_->next(hash), chunk_signature_)) {
    return refuse("SignatureDoesNotMatch", std::string(crypto::sigv4::kSignatureMismatch));
  }
  verified_bytes_ = data_bytes_;
  return {};
}

Result<void> AwsChunkedDecoder::take_trailer(std::string_view line) {
  if (line.empty()) {
    // AWS's own example has an empty line between a signed trailer and its signature.
    const bool signature_follows = verifier_ && has_trailer_ && !trailer_verified_;
    const bool first = !std::exchange(trailer_gap_, true);
    return signature_follows && !trailers_.empty() && first ? Result<void>() : end_trailer();
  }
  const std::size_t colon = line.find(':');
  const std::string name = to_lower(trim(line.substr(0, colon)));
  if (!has_trailer_ || trailer_verified_ || colon == std::string_view::npos ||
      !is_header_name(name) || trailers_.size() >= kTrailersMax) {
    return refuse("MalformedTrailerError");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (name == kTrailerSignature) {
    return take_trailer_signature(value);
  }
  trailers_.emplace_back(name, value);
  return {};
}

Result<void> AwsChunkedDecoder::take_trailer_signature(std::string_view signature) {
  if (!verifier_) {
    return refuse("MalformedTrailerError");
  }
  std::string lines;
  for (const auto& [name, value] : trailers_) {
    lines.append(name).append(":").append(value).append("\n");
  }
  if (!crypto::constant_time_equal(verifier_->trailer(lines), signature)) {
    return refuse("SignatureDoesNotMatch", std::string(crypto::sigv4::kSignatureMismatch));
  }
  trailer_verified_ = true;
  return {};
}

Result<void> AwsChunkedDecoder::end_trailer() {
  if (verifier_ && has_trailer_ && !trailer_verified_) {
    return refuse("MalformedTrailerError");
  }
  state_ = State::Done;
  return {};
}

}  // namespace opentrail::services

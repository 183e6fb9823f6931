#include "objects/checksums.h"

#include "base/checksum.h"
#include "base/text.h"
#include "objects/s3_errors.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

constexpr std::size_t kMd5Bytes = 16;

// Reflected polynomials, as base/checksum.h computes them.
constexpr std::uint64_t kCrc32Polynomial = 0xEDB88320;
constexpr std::uint64_t kCrc32cPolynomial = 0x82F63B78;
constexpr std::uint64_t kCrc64NvmePolynomial = 0x9A6C9329AC4BC9B5;

template <typename Number>
std::string big_endian(Number value) {
  std::string out(sizeof(Number), '\0');
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out[sizeof(Number) - 1 - i] = static_cast<char>((value >> (8 * i)) & 0xFF);
  }
  return out;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) {
    value = (value << 8) | static_cast<unsigned char>(c);
  }
  return value;
}

std::string base64_of(std::string_view raw) { return to_base64(as_bytes(raw)); }

struct Polynomial {
  std::uint64_t value;
  int bits;
};

std::optional<Polynomial> polynomial_of(std::string_view algorithm) {
  if (algorithm == "crc32") {
    return Polynomial{kCrc32Polynomial, 32};
  }
  if (algorithm == "crc32c") {
    return Polynomial{kCrc32cPolynomial, 32};
  }
  if (algorithm == "crc64nvme") {
    return Polynomial{kCrc64NvmePolynomial, 64};
  }
  return std::nullopt;
}

/// a * b modulo the polynomial, both reflected (the method of zlib's crc32_combine).
std::uint64_t multiply(std::uint64_t a, std::uint64_t b, Polynomial polynomial) {
  std::uint64_t product = 0;
  for (std::uint64_t mask = std::uint64_t{1} << (polynomial.bits - 1); mask != 0; mask >>= 1) {
    if ((a & mask) != 0) {
      product ^= b;
    }
    b = (b & 1) != 0 ? (b >> 1) ^ polynomial.value : b >> 1;
  }
  return product;
}

/// x^(8 * bytes) modulo the polynomial: appending `bytes` zero bytes multiplies a CRC by it.
std::uint64_t shift_factor(std::uint64_t bytes, Polynomial polynomial) {
  std::uint64_t result = std::uint64_t{1} << (polynomial.bits - 1);  // 1
  std::uint64_t power = std::uint64_t{1} << (polynomial.bits - 9);   // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) {
      result = multiply(result, power, polynomial);
    }
    power = multiply(power, power, polynomial);
  }
  return result;
}

std::optional<std::string> raw_checksum(std::string_view algorithm, std::string_view base64) {
  auto raw = from_base64(base64);
  if (!raw || raw->size() != checksum_bytes(algorithm)) {
    return std::nullopt;
  }
  return raw;
}

std::optional<std::string> full_object(std::string_view algorithm,
                                       const std::vector<PartChecksum>& parts) {
  const auto polynomial = polynomial_of(algorithm);
  if (!polynomial) {
    return std::nullopt;
  }
  std::uint64_t crc = 0;
  for (const PartChecksum& part : parts) {
    const auto raw = raw_checksum(algorithm, part.base64);
    if (!raw) {
      return std::nullopt;
    }
    crc = multiply(shift_factor(part.size, *polynomial), crc, *polynomial) ^ from_big_endian(*raw);
  }
  return polynomial->bits == 64 ? base64_of(big_endian(crc))
                                : base64_of(big_endian(static_cast<std::uint32_t>(crc)));
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return out;
}

}  // namespace

bool is_checksum_algorithm(std::string_view name) { return checksum_bytes(name) != 0; }

std::size_t checksum_bytes(std::string_view algorithm) {
  if (algorithm == "crc32" || algorithm == "crc32c") {
    return 4;
  }
  if (algorithm == "crc64nvme") {
    return 8;
  }
  if (algorithm == "sha1") {
    return 20;
  }
  return algorithm == "sha256" ? 32 : 0;
}

Digester::Digester(const std::vector<std::string>& algorithms) : algorithms_(algorithms) {
  for (const std::string& algorithm : algorithms_) {
    OT_CHECK(is_checksum_algorithm(algorithm));
    want_crc32_ |= algorithm == "crc32";
    want_crc32c_ |= algorithm == "crc32c";
    want_crc64nvme_ |= algorithm == "crc64nvme";
    if (algorithm == "sha1") {
      sha1_hasher_.emplace(crypto::HashKind::Sha1);
    }
  }
}

void Digester::update(std::string_view bytes) {
  const ByteSpan span = as_bytes(bytes);
  size_ += bytes.size();
  md5_hasher_.update(span);
  sha256_hasher_.update(span);
  if (sha1_hasher_) {
    sha1_hasher_->update(span);
  }
  if (want_crc32_) {
    crc32_ = crc32(span, crc32_);
  }
  if (want_crc32c_) {
    crc32c_ = crc32c(span, crc32c_);
  }
  if (want_crc64nvme_) {
    crc64nvme_ = crc64_nvme(span, crc64nvme_);
  }
}

void Digester::finish() {
  md5_ = md5_hasher_.finish();
  sha256_ = sha256_hasher_.finish();
  for (const std::string& algorithm : algorithms_) {
    if (algorithm == "crc32") {
      checksums_[algorithm] = base64_of(big_endian(crc32_));
    } else if (algorithm == "crc32c") {
      checksums_[algorithm] = base64_of(big_endian(crc32c_));
    } else if (algorithm == "crc64nvme") {
      checksums_[algorithm] = base64_of(big_endian(crc64nvme_));
    } else if (algorithm == "sha256") {
      checksums_[algorithm] = base64_of(sha256_);
    } else if (!checksums_.contains(algorithm)) {
      checksums_[algorithm] = base64_of(sha1_hasher_->finish());
    }
  }
}

Result<void> check_expected(const Digester& digester, const ExpectedBytes& expected) {
  if (expected.size && *expected.size != digester.size()) {
    return s3_fail("IncompleteBody");
  }
  if (!expected.md5_base64.empty()) {
    const auto raw = from_base64(expected.md5_base64);
    if (!raw || raw->size() != kMd5Bytes) {
      return s3_fail("InvalidDigest");
    }
    if (*raw != digester.md5()) {
      return s3_fail("BadDigest");
    }
  }
  if (!expected.sha256_hex.empty() && expected.sha256_hex != to_hex(as_bytes(digester.sha256()))) {
    return s3_fail("XAmzContentSHA256Mismatch");
  }
  for (const auto& [algorithm, value] : expected.checksums) {
    if (!is_checksum_algorithm(algorithm) || !raw_checksum(algorithm, value)) {
      return s3_fail("InvalidRequest",
                     fmt::format("Value for x-amz-checksum-{} header is invalid.", algorithm));
    }
    const auto computed = digester.checksums().find(algorithm);
    if (computed == digester.checksums().end()) {
      return s3_fail("InvalidRequest",
                     fmt::format("The upload did not announce a {} checksum.", upper(algorithm)));
    }
    if (computed->second != value) {
      return s3_fail("BadDigest",
                     fmt::format("The {} you specified did not match the calculated checksum.",
                                 upper(algorithm)));
    }
  }
  return {};
}

std::string multipart_etag(const std::vector<std::string>& part_etags) {
  std::string raw;
  for (const std::string& etag : part_etags) {
    OT_CHECK(etag.size() > 2);
    raw += from_hex(std::string_view(etag).substr(1, etag.size() - 2)).value();
  }
  return fmt::format("\"{}-{}\"", to_hex(crypto::md5(as_bytes(raw))), part_etags.size());
}

std::optional<std::string> combine_checksums(std::string_view algorithm, std::string_view type,
                                             const std::vector<PartChecksum>& parts) {
  if (type == kFullObject) {
    return full_object(algorithm, parts);
  }
  if (algorithm == "crc64nvme") {
    return std::nullopt;  // S3 offers it for whole objects only
  }
  Digester digester({std::string(algorithm)});
  for (const PartChecksum& part : parts) {
    const auto raw = raw_checksum(algorithm, part.base64);
    if (!raw) {
      return std::nullopt;
    }
    digester.update(*raw);
  }
  digester.finish();
  return fmt::format("{}-{}", digester.checksums().at(std::string(algorithm)), parts.size());
}

}  // namespace opentrail::objects

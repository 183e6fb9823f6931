#pragma once
#include "base/error.h"
#include "crypto/hash.h"
#include "objects/embedded_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The digests of one object or part while its bytes come in, and how the checksums of parts become
/// that of the whole. Pure; one thread.
namespace opentrail::objects {

[[nodiscard]] bool is_checksum_algorithm(std::string_view name);
/// Bytes of the raw checksum: 4, 8, 20 or 32.
[[nodiscard]] std::size_t checksum_bytes(std::string_view algorithm);

class Digester {
 public:
  /// MD5 and SHA-256 always; `algorithms` beside them (unknown names must be refused before).
  explicit Digester(const std::vector<std::string>& algorithms);
  void update(std::string_view bytes);
  /// Ends the computation. After it the accessors may be called.
  void finish();
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& md5() const { return md5_; }  ///< 16 raw bytes.
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] const Checksums& checksums() const { return checksums_; }

 private:
  std::vector<std::string> algorithms_;
  std::uint64_t size_ = 0;
  crypto::Hasher md5_hasher_{crypto::HashKind::Md5};
  crypto::Hasher sha256_hasher_{crypto::HashKind::Sha256};
  std::optional<crypto::Hasher> sha1_hasher_;
  bool want_crc32_ = false;
  bool want_crc32c_ = false;
  bool want_crc64nvme_ = false;
  std::uint32_t crc32_ = 0;
  std::uint32_t crc32c_ = 0;
  std::uint64_t crc64nvme_ = 0;
  std::string md5_;
  std::string sha256_;
  Checksums checksums_;
};

/// Compares what came in with what the client said: IncompleteBody, InvalidDigest, BadDigest,
/// XAmzContentSHA256Mismatch, InvalidRequest (a checksum that cannot be one).
Result<void> check_expected(const Digester& digester, const ExpectedBytes& expected);

/// ETag of a multipart object: MD5 of the parts' raw MD5s, "-", number of parts; with quotes.
/// `part_etags` are those of the parts, with quotes.
[[nodiscard]] std::string multipart_etag(const std::vector<std::string>& part_etags);

struct PartChecksum {
  std::string base64;
  std::uint64_t size = 0;
};
inline constexpr std::string_view kComposite = "COMPOSITE";
inline constexpr std::string_view kFullObject = "FULL_OBJECT";
/// The checksum of the whole from those of its parts. COMPOSITE is the checksum of the parts' raw
/// checksums, "-", number of parts; FULL_OBJECT is that of all the bytes and exists for CRCs only.
/// Absent when the algorithm does not offer `type` or a part's value is not one.
[[nodiscard]] std::optional<std::string> combine_checksums(std::string_view algorithm,
                                                           std::string_view type,
                                                           const std::vector<PartChecksum>& parts);

}  // namespace opentrail::objects

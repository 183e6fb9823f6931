#include "services/s3/checksums.h"

#include "base/text.h"
#include "objects/checksums.h"
#include "services/s3/s3_status.h"

#include <algorithm>
#include <cctype>

namespace opentrail::services::s3 {
namespace {

constexpr std::string_view kHeaderPrefix = "x-amz-checksum-";

std::string to_upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

}  // namespace

std::optional<std::string> checksum_algorithm_of_header(std::string_view name) {
  const std::string lower = to_lower(name);
  if (!lower.starts_with(kHeaderPrefix)) {
    return std::nullopt;
  }
  std::string algorithm = lower.substr(kHeaderPrefix.size());
  const bool known =
      std::ranges::find(kChecksumAlgorithms, algorithm) != std::end(kChecksumAlgorithms);
  return known ? std::optional(std::move(algorithm)) : std::nullopt;
}

std::string checksum_element(std::string_view algorithm) {
  return "Checksum" + to_upper(algorithm);
}

Result<std::string> parse_algorithm(std::string_view text) {
  std::string algorithm = to_lower(text);
  if (std::ranges::find(kChecksumAlgorithms, algorithm) == std::end(kChecksumAlgorithms)) {
    return refuse("InvalidRequest",
                  "Checksum algorithm provided is unsupported. Please try again with any of the "
                  "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  return algorithm;
}

Result<objects::Checksums> sent_checksums(const net::Headers& headers) {
  objects::Checksums sent;
  for (const auto& [name, value] : headers.fields()) {
    if (auto algorithm = checksum_algorithm_of_header(name)) {
      sent.emplace(*std::move(algorithm), value);
    }
  }
  if (sent.size() > 1) {
    return refuse("InvalidRequest",
                  "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                  "allowed.");
  }
  const std::string_view named = headers.get("x-amz-sdk-checksum-algorithm");
  if (!named.empty() && !sent.empty() && sent.begin()->first != to_lower(named)) {
    return refuse("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return sent;
}

void add_checksum_headers(const objects::Checksums& checksums, std::string_view type,
                          net::Headers& headers) {
  for (const auto& [algorithm, value] : checksums) {
    headers.add(std::string(kHeaderPrefix) + algorithm, value);
  }
  if (!checksums.empty() && !type.empty()) {
    headers.add("x-amz-checksum-type", std::string(type));
  }
}

Result<void> check_body(const net::Headers& headers, std::string_view body) {
  objects::ExpectedBytes expected;
  OT_TRY(expected.checksums, sent_checksums(headers));
  expected.md5_base64 = headers.get("content-md5");
  std::vector<std::string> algorithms;
  for (const auto& [algorithm, value] : expected.checksums) {
    algorithms.push_back(algorithm);
  }
  objects::Digester digester(algorithms);
  digester.update(body);
  digester.finish();
  return objects::check_expected(digester, expected);
}

}  // namespace opentrail::services::s3

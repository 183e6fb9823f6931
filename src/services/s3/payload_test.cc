// Goal: what a request's header says of its body is understood or refused before a byte is read.
#include "services/s3/payload.h"

#include "services/s3/s3_test_kit.h"

#include <gtest/gtest.h>

namespace opentrail::services::s3 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kHash =
    "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";

Result<PayloadPlan> plan(const Fields& fields) {
  FakeExchange exchange("PUT", "/b/k", "hello");
  for (const auto& [name, value] : fields) {
    exchange.with(name, value);
  }
  return plan_payload(exchange.request());
}

TEST(Payload, PlainBodies) {
  const auto hashed = plan({{"x-amz-content-sha256", std::string(kHash)}, {"Content-MD5", "m"}});
  ASSERT_TRUE(hashed.has_value());
  EXPECT_EQ(hashed->framing, Framing::Plain);
  EXPECT_EQ(hashed->expected.sha256_hex,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hashed->expected.md5_base64, "m");
  EXPECT_EQ(hashed->expected.size, 5U);
  EXPECT_EQ(hashed->algorithms, std::vector<std::string>{"crc64nvme"});
  const auto bare = plan({{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"},
                          {"x-amz-sdk-checksum-algorithm", "CRC32C"},
                          {"x-amz-checksum-crc32c", "AAAAAA=="}});
  ASSERT_TRUE(bare.has_value());
  EXPECT_TRUE(bare->expected.sha256_hex.empty());
  EXPECT_EQ(bare->expected.checksums, (objects::Checksums{{"crc32c", "AAAAAA=="}}));
  EXPECT_EQ(bare->algorithms, std::vector<std::string>{"crc32c"});
}

TEST(Payload, StreamedBodies) {
  const auto trailer = plan({{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                             {"x-amz-decoded-content-length", "7"},
                             {"x-amz-trailer", "x-amz-checksum-sha1"}});
  ASSERT_TRUE(trailer.has_value());
  EXPECT_EQ(trailer->framing, Framing::UnsignedChunksTrailer);
  EXPECT_EQ(trailer->expected.size, 7U);
  EXPECT_EQ(trailer->trailer_algorithm, "sha1");
  EXPECT_EQ(trailer->algorithms, std::vector<std::string>{"sha1"});
}

TEST(Payload, Refusals) {
  const std::string streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
  const std::pair<Fields, std::string> cases[] = {
      {{{"x-amz-content-sha256", "nonsense"}}, "InvalidArgument"},
      {{{"x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}}, "NotImplemented"},
      {{{"x-amz-content-sha256", streaming}}, "MissingContentLength"},
      {{{"x-amz-content-sha256", streaming}, {"x-amz-decoded-content-length", "-1"}},
       "MissingContentLength"},
      {{{"x-amz-content-sha256", streaming}, {"x-amz-decoded-content-length", "5368709121"}},
       "EntityTooLarge"},
      {{{"x-amz-content-sha256", streaming},
        {"x-amz-decoded-content-length", "5"},
        {"x-amz-trailer", "x-other"}},
       "InvalidRequest"},
      {{{"x-amz-content-sha256", streaming},
        {"x-amz-decoded-content-length", "5"},
        {"x-amz-checksum-crc32", "AAAA"},
        {"x-amz-trailer", "x-amz-checksum-sha1"}},
       "InvalidRequest"},
      {{{"x-amz-checksum-crc32", "A"}, {"x-amz-checksum-sha1", "A"}}, "InvalidRequest"},
      {{{"x-amz-checksum-crc32", "A"}, {"x-amz-sdk-checksum-algorithm", "SHA1"}}, "InvalidRequest"},
      {{{"x-amz-sdk-checksum-algorithm", "MD4"}}, "InvalidRequest"},
  };
  for (const auto& [fields, reason] : cases) {
    const auto refused = plan(fields);
    ASSERT_FALSE(refused.has_value()) << fields.front().second;
    EXPECT_EQ(refused.error().reason(), reason) << fields.front().second;
  }
  FakeExchange endless("PUT", "/b/k");
  endless.head().content_length.reset();
  EXPECT_EQ(plan_payload(endless.request()).error().reason(), "MissingContentLength");
}

}  // namespace
}  // namespace opentrail::services::s3

// Goal: a sealed secret opens only under its key, label and context, and the key file survives as
// it was made. Method: published vectors, then every kind of wrong input one edit away.
#include "crypto/keyring.h"

#include "base/text.h"
#include "io/temp_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace opentrail::crypto {
namespace {

constexpr std::uint64_t kSeed = 20260101;

struct KeyringTest : testing::Test {
  KeyringTest() { RecordProperty("seed", std::to_string(kSeed)); }

  Result<Keyring> open() { return Keyring::open(*files, random, path); }

  io::TempFolder folder;
  std::unique_ptr<io::Filesystem> files = io::make_posix_filesystem();
  io::SeededRandom random{kSeed};
  std::string path = io::join_path(folder.path(), "master.key");
};

// The Galois/Counter Mode of Operation (McGrew, Viega), test case 16.
TEST(AesGcm, MatchesThePublishedVector) {
  const auto key =
      from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").value();
  const auto nonce = from_hex("cafebabefacedbaddecaf888").value();
  const auto aad = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2").value();
  const auto plaintext =
      from_hex(
          "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
          "49a6b525b16aedf5aa0de657ba637b39")
          .value();
  const auto sealed = AesGcm::seal(key, nonce, aad, plaintext);
  EXPECT_EQ(to_hex(as_bytes(sealed)),
            "cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b"
            "1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(AesGcm::open(key, aad, sealed).value(), plaintext);
}

TEST(AesGcm, RefusesEveryFlippedByteAndEveryLength) {
  const std::string key(AesGcm::kKeyBytes, 'k');
  const std::string nonce(AesGcm::kNonceBytes, 'n');
  const auto sealed = AesGcm::seal(key, nonce, "aad", "secret");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto opened = AesGcm::open(key, "aad", changed);
    ASSERT_FALSE(opened.has_value()) << i;
    EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
    EXPECT_FALSE(AesGcm::open(key, "aad", sealed.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(AesGcm::open(key, "aae", sealed).has_value());
  EXPECT_FALSE(AesGcm::open(std::string(AesGcm::kKeyBytes, 'x'), "aad", sealed).has_value());
  EXPECT_EQ(AesGcm::open(key, "", AesGcm::seal(key, nonce, "", "")).value(), "");
}

TEST_F(KeyringTest, MakesAPrivateFileOnceAndReadsItBack) {
  const auto first = open().value();
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(info.st_size, 32);
  const auto second = open().value();
  EXPECT_EQ(first.derive("a"), second.derive("a"));
}

TEST_F(KeyringTest, DerivesAKeyForEachLabel) {
  const auto keyring = open().value();
  EXPECT_EQ(keyring.derive("a").size(), AesGcm::kKeyBytes);
  EXPECT_NE(keyring.derive("a"), keyring.derive("b"));
}

// RFC 5869's construction, computed independently (Python hmac): PRK = HMAC(32 zero bytes, master),
// key = HMAC(PRK, label || 0x01).
TEST_F(KeyringTest, DerivesByHkdfSha256) {
  ASSERT_TRUE(
      io::write_file_atomically(*files, path, std::string_view("0123456789abcdef0123456789abcdef"))
          .has_value());
  EXPECT_EQ(to_hex(as_bytes(open().value().derive("iam.secret-keys"))),
            "7c313da980173be2464a75403cf558db50780794fcb86bf2e4e46b6bdcc9bb94");
}

TEST_F(KeyringTest, SealsBoundToLabelAndContext) {
  const auto keyring = open().value();
  const auto sealed = keyring.seal("label", "AKIA1", "secret", random);
  EXPECT_EQ(sealed.find("secret"), std::string::npos);
  EXPECT_NE(sealed, keyring.seal("label", "AKIA1", "secret", random));  // a nonce of its own
  EXPECT_EQ(keyring.unseal("label", "AKIA1", sealed).value(), "secret");
  for (const auto& [label, context, text] : {
           std::tuple{"label", "AKIA2", sealed},
           std::tuple{"labels", "AKIA1", sealed},
           std::tuple{"label", "AKIA1", std::string("not base64!")},
           std::tuple{"label", "AKIA1", std::string()},
       }) {
    const auto opened = keyring.unseal(label, context, text);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
  }
}

TEST_F(KeyringTest, RefusesAFileOfAnotherSize) {
  for (const std::size_t bytes : {0U, 31U, 33U, 5000U}) {
    ASSERT_TRUE(io::write_file_atomically(*files, path, std::string(bytes, 'x')).has_value());
    const auto opened = open();
    ASSERT_FALSE(opened.has_value()) << bytes;
    EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
    EXPECT_NE(opened.error().message().find(path), std::string::npos);
    EXPECT_EQ(io::read_file(*files, path, 10000).value().size(), bytes);  // left as it was
  }
}

}  // namespace
}  // namespace opentrail::crypto

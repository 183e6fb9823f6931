// Goal: the store keeps what it acknowledged and answers as S3 does. Method: the whole interface
// over an index on disk and data files on a disk in memory that fails, loses power and rots.
#include "objects/embedded_store.h"

#include "base/text.h"
#include "objects/blob_folder.h"
#include "objects/store_test_kit.h"

#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>

namespace opentrail::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EmbeddedStoreTest : public StoreTest {
 protected:
  EmbeddedStoreTest() { EXPECT_TRUE(store_->create_bucket("logs", "eu-west-1", "111122223333")); }
};

std::vector<std::string> names(const std::vector<Bucket>& buckets) {
  std::vector<std::string> all;
  for (const Bucket& bucket : buckets) {
    all.push_back(bucket.name);
  }
  return all;
}

TEST_F(EmbeddedStoreTest, Buckets) {
  const Bucket logs = store_->bucket("logs").value();
  EXPECT_EQ(logs.region, "eu-west-1");
  EXPECT_EQ(logs.owner_account_id, "111122223333");
  EXPECT_EQ(logs.created_at, clock_.now());
  EXPECT_EQ(reason_of(store_->create_bucket("logs", "x", "111122223333")),
            "BucketAlreadyOwnedByYou");
  EXPECT_EQ(reason_of(store_->create_bucket("logs", "x", "444455556666")), "BucketAlreadyExists");
  EXPECT_EQ(reason_of(store_->create_bucket("Logs", "x", "111122223333")), "InvalidBucketName");
  ASSERT_TRUE(store_->create_bucket("archive", "us-east-1", "111122223333"));
  ASSERT_TRUE(store_->create_bucket("others", "us-east-1", "444455556666"));
  EXPECT_THAT(names(store_->buckets("111122223333").value()), ElementsAre("archive", "logs"));

  ASSERT_TRUE(put("a", "1"));
  EXPECT_EQ(reason_of(store_->delete_bucket("logs")), "BucketNotEmpty");
  ASSERT_TRUE(store_->remove("logs", "a"));
  ASSERT_TRUE(store_->delete_bucket("logs"));
  EXPECT_EQ(reason_of(store_->delete_bucket("logs")), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->bucket("logs")), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->begin_put(object("a"), {})), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->list_page({.bucket = "logs"})), "NoSuchBucket");
  EXPECT_EQ(store_->head("logs", "a").error().code(), ErrorCode::NotFound);
}

TEST_F(EmbeddedStoreTest, ABucketThatGoesDuringAPutTakesNothingIn) {
  const auto writer = store_->begin_put(object("a"), {}).value();
  ASSERT_TRUE(writer->write("late"));
  ASSERT_TRUE(store_->delete_bucket("logs"));
  EXPECT_EQ(reason_of(writer->commit({})), "NoSuchBucket");
}

TEST_F(EmbeddedStoreTest, BucketConfigurationsAreKept) {
  const std::string policy =
      R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs"}})";
  EXPECT_EQ(reason_of(store_->set_bucket_policy("logs", "{}")), "MalformedPolicy");
  EXPECT_EQ(reason_of(store_->set_bucket_policy("none", "{}")), "NoSuchBucket");
  ASSERT_TRUE(store_->set_bucket_policy("logs", policy));
  ASSERT_TRUE(store_->set_public_access_block("logs", R"({"BlockPublicAcls":true})"));
  ASSERT_TRUE(store_->set_bucket_encryption("logs", R"({"SSEAlgorithm":"AES256"})"));
  EXPECT_EQ(reason_of(store_->set_bucket_encryption("none", "{}")), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->set_public_access_block("logs", std::string(100000, ' '))),
            "InvalidRequest");
  reopen();
  EXPECT_EQ(store_->bucket("logs")->policy_json, policy);
  EXPECT_EQ(store_->bucket("logs")->public_access_block_json, R"({"BlockPublicAcls":true})");
  EXPECT_EQ(store_->bucket("logs")->encryption_json, R"({"SSEAlgorithm":"AES256"})");
  ASSERT_TRUE(store_->set_bucket_policy("logs", ""));
  EXPECT_EQ(store_->bucket("logs")->policy_json, "");
}

TEST_F(EmbeddedStoreTest, ObjectsWithTheirProperties) {
  NewObject wanted = object("dir/\xC3\xBC \"x\".gz");
  wanted.content_type = "application/json";
  wanted.content_encoding = "gzip";
  wanted.cache_control = "no-store";
  wanted.content_disposition = "attachment";
  wanted.content_language = "de";
  wanted.metadata = {{"signature", "abc"}, {"signature-algorithm", "SHA256withRSA"}};
  const std::string bytes(3 * kChunkBytes + 17, 'q');
  const ObjectInfo info = put(wanted, bytes, {}, {"crc32", "sha256"}).value();
  EXPECT_EQ(info.size, bytes.size());
  EXPECT_EQ(info.last_modified, clock_.now());
  EXPECT_EQ(info.checksum_type, "FULL_OBJECT");
  EXPECT_THAT(info.checksums, SizeIs(2));
  reopen();
  const ObjectInfo found = store_->head("logs", wanted.key).value();
  EXPECT_EQ(found.key, wanted.key);
  EXPECT_EQ(found.etag, info.etag);
  EXPECT_EQ(found.size, info.size);
  EXPECT_EQ(found.last_modified, info.last_modified);
  EXPECT_EQ(found.content_type, "application/json");
  EXPECT_EQ(found.content_encoding, "gzip");
  EXPECT_EQ(found.cache_control, "no-store");
  EXPECT_EQ(found.content_disposition, "attachment");
  EXPECT_EQ(found.content_language, "de");
  EXPECT_EQ(found.metadata, wanted.metadata);
  EXPECT_EQ(found.checksums, info.checksums);
  EXPECT_EQ(read(wanted.key).value(), bytes);
}

TEST_F(EmbeddedStoreTest, EmptyObjectAndItsEtag) {
  EXPECT_EQ(put("marker/", "")->etag, "\"d41d8cd98f00b204e9800998ecf8427e\"");
  EXPECT_EQ(read("marker/").value(), "");
  EXPECT_EQ(store_->head("logs", "marker/")->content_type, "binary/octet-stream");
}

TEST_F(EmbeddedStoreTest, ReadsFromAnyPosition) {
  std::string bytes;
  for (int i = 0; bytes.size() < 2 * kChunkBytes + 100; ++i) {
    bytes += std::to_string(i) + ".";
  }
  ASSERT_TRUE(put("a", bytes));
  const auto reader = store_->open_object("logs", "a").value();
  for (const std::size_t from : {std::size_t{0}, std::size_t{5}, kChunkBytes - 1, kChunkBytes,
                                 2 * kChunkBytes + 1, bytes.size() - 1, bytes.size()}) {
    ASSERT_TRUE(reader->seek(from));
    EXPECT_EQ(read_all(*reader).value(), bytes.substr(from)) << from;
  }
  EXPECT_EQ(reason_of(reader->seek(bytes.size() + 1)), "InvalidRange");
}

TEST_F(EmbeddedStoreTest, RefusesKeysAndPropertiesThatCannotBe) {
  const auto refused = [&](auto edit) {
    NewObject edited = object("key");
    edit(edited);
    return reason_of(store_->begin_put(edited, {}));
  };
  EXPECT_EQ(refused([](auto& o) { o.key = ""; }), "InvalidArgument");
  EXPECT_EQ(refused([](auto& o) { o.key = std::string(1024, 'k'); }), "");
  EXPECT_EQ(refused([](auto& o) { o.key = std::string(1025, 'k'); }), "KeyTooLongError");
  EXPECT_EQ(refused([](auto& o) { o.key = "\xFF"; }), "InvalidArgument");
  EXPECT_EQ(refused([](auto& o) { o.key = std::string("a\0b", 3); }), "InvalidArgument");
  EXPECT_EQ(refused([](auto& o) { o.content_type = "a\r\nSet-Cookie: b"; }), "InvalidArgument");
  EXPECT_EQ(refused([](auto& o) { o.metadata["a"] = "x\ny"; }), "InvalidArgument");
  EXPECT_EQ(refused([](auto& o) { o.metadata["a"] = std::string(2048, 'm'); }), "MetadataTooLarge");
  EXPECT_EQ(reason_of(store_->begin_put(object("k"), {"crc31"})), "InvalidRequest");
  EXPECT_THAT(data_files(), IsEmpty());
}

TEST_F(EmbeddedStoreTest, BytesThatAreNotAsAnnouncedLeaveNothing) {
  ASSERT_TRUE(put("a", "old"));
  EXPECT_EQ(reason_of(put(object("a"), "new", {.md5_base64 = "AAAAAAAAAAAAAAAAAAAAAA=="})),
            "BadDigest");
  EXPECT_EQ(reason_of(put(object("a"), "new", {.size = 4})), "IncompleteBody");
  EXPECT_EQ(reason_of(put(object("a"), "new", {.if_none_match = true})), "PreconditionFailed");
  EXPECT_EQ(read("a").value(), "old");
  EXPECT_THAT(data_files(), SizeIs(1));
  EXPECT_TRUE(put(object("b"), "new", {.if_none_match = true}));
}

TEST_F(EmbeddedStoreTest, AnAbandonedWriteLeavesNothing) {
  {
    const auto writer = store_->begin_put(object("a"), {}).value();
    ASSERT_TRUE(writer->write(std::string(200000, 'x')));
  }
  EXPECT_EQ(reason_of(store_->head("logs", "a")), "NoSuchKey");
  EXPECT_THAT(data_files(), IsEmpty());
}

TEST_F(EmbeddedStoreTest, AWriteThatFailedIsNeverCommitted) {
  const auto writer = store_->begin_put(object("a"), {}).value();
  ASSERT_TRUE(writer->write(std::string(kChunkBytes, 'x')));
  files_.fail_call(1, Error(ErrorCode::ResourceExhausted, "disk full"));
  EXPECT_EQ(writer->write("y").error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(writer->write("z").error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(writer->commit({}).error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(reason_of(store_->head("logs", "a")), "NoSuchKey");
}

TEST_F(EmbeddedStoreTest, OverwrittenAndRemovedWhileRead) {
  const std::string old(2 * kChunkBytes, 'o');
  ASSERT_TRUE(put("a", old));
  const auto reader = store_->open_object("logs", "a").value();
  ASSERT_EQ(reader->read()->size(), kChunkBytes);
  ASSERT_TRUE(put("a", "new"));
  const auto second = store_->open_object("logs", "a").value();
  ASSERT_TRUE(store_->remove("logs", "a"));
  ASSERT_TRUE(reader->seek(0));
  EXPECT_EQ(read_all(*reader).value(), old);
  EXPECT_EQ(read_all(*second).value(), "new");
  EXPECT_EQ(reason_of(store_->open_object("logs", "a")), "NoSuchKey");
}

TEST_F(EmbeddedStoreTest, ReplacedBytesGoFromTheDiskWithTheLastReader) {
  ASSERT_TRUE(put("a", "one"));
  auto reader = store_->open_object("logs", "a").value();
  ASSERT_TRUE(put("a", "two"));
  EXPECT_THAT(data_files(), SizeIs(2));
  reader.reset();
  EXPECT_THAT(data_files(), SizeIs(1));
  ASSERT_TRUE(store_->remove("logs", "a"));
  EXPECT_THAT(data_files(), IsEmpty());
  EXPECT_TRUE(store_->remove("logs", "a"));  // as in S3
  EXPECT_EQ(reason_of(store_->remove("none", "a")), "NoSuchBucket");
}

TEST_F(EmbeddedStoreTest, ReadersAndWritersOfOneKey) {
  constexpr int kRounds = 40;
  const std::string a(kChunkBytes + 5, 'a');
  const std::string b(kChunkBytes + 5, 'b');
  ASSERT_TRUE(put("k", a));
  std::thread writer([&] {
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_TRUE(put("k", i % 2 == 0 ? b : a));
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    const auto bytes = read("k");
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
    EXPECT_TRUE(*bytes == a || *bytes == b);
  }
  writer.join();
  EXPECT_THAT(data_files(), SizeIs(1));
}

TEST_F(EmbeddedStoreTest, NothingPlainIsOnTheDisk) {
  const std::string secret = "correct horse battery staple";
  std::string bytes;
  while (bytes.size() < 2 * kChunkBytes) {
    bytes += secret;
  }
  ASSERT_TRUE(put("a", bytes));
  for (const std::string& path : data_files()) {
    EXPECT_EQ(io::read_file(files_, path, 1 << 20)->find(secret), std::string::npos);
  }
  for (const char* name : {"/index.db", "/index.db-wal"}) {
    const std::ifstream file(folder_.path() + name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str().find(secret), std::string::npos) << name;
  }
}

TEST_F(EmbeddedStoreTest, ARottenByteIsCorruptionNotAnAnswer) {
  ASSERT_TRUE(put("a", "some text"));
  ASSERT_TRUE(put("b", "other text"));
  const std::string path = data_files().front();
  const std::string good = io::read_file(files_, path, 1000).value();
  files_.overwrite(path, good.size() - 20,
                   std::string(1, static_cast<char>(good[good.size() - 20] ^ 4)));
  const auto a = read("a");
  const auto b = read("b");
  EXPECT_NE(a.has_value(), b.has_value());  // the one that rotted, and only it
  const Error& error = a ? b.error() : a.error();
  EXPECT_EQ(error.code(), ErrorCode::Corruption);
  EXPECT_THAT(error.message(), HasSubstr("blob "));
}

TEST_F(EmbeddedStoreTest, AnotherMasterKeyOpensNothing) {
  ASSERT_TRUE(put("a", "text"));
  ASSERT_TRUE(files_.remove(folder_.path() + "/master.key"));
  store_.reset();
  keyring_ = crypto::Keyring::open(files_, random_, folder_.path() + "/master.key").value();
  reopen();
  EXPECT_EQ(read("a").error().code(), ErrorCode::Corruption);
}

TEST_F(EmbeddedStoreTest, OneProcessAtATime) {
  EXPECT_EQ(
      EmbeddedStore::open(files_, random_, clock_, *keyring_, {folder_.path()}).error().code(),
      ErrorCode::Conflict);
}

TEST_F(EmbeddedStoreTest, OpeningRemovesWhatHalfWrittenUploadsLeft) {
  ASSERT_TRUE(put("a", "text"));
  ASSERT_TRUE(files_.create_directories(folder_.path() + "/data/ab"));
  ASSERT_TRUE(io::write_file_atomically(files_, folder_.path() + "/data/ab/abcd", "half"));
  reopen();
  EXPECT_THAT(data_files(), SizeIs(1));
  EXPECT_EQ(read("a").value(), "text");
}

// The power goes at every call of a put in turn: what was acknowledged before is intact, and the
// put itself is there whole or not at all.
TEST_F(EmbeddedStoreTest, PowerLossDuringAPut) {
  const std::string old(kChunkBytes + 3, 'o');
  const std::string fresh(2 * kChunkBytes + 3, 'n');
  constexpr std::uint64_t kCallsMax = 200;
  bool completed = false;
  for (std::uint64_t call = 1; !completed && call < kCallsMax; ++call) {
    ASSERT_TRUE(put("before", old));
    ASSERT_TRUE(put("replaced", old));
    files_.stop_at_call(call);
    const bool acknowledged = put("replaced", fresh).has_value();
    completed = !files_.stopped();
    store_.reset();
    files_.crash();
    reopen();
    EXPECT_EQ(read("before").value(), old) << call;
    const auto bytes = read("replaced");
    ASSERT_TRUE(bytes.has_value()) << call << ": " << bytes.error().message();
    EXPECT_TRUE(*bytes == fresh || (!acknowledged && *bytes == old)) << call;
    EXPECT_THAT(data_files(), SizeIs(2)) << call;
  }
  EXPECT_TRUE(completed);
}

}  // namespace
}  // namespace opentrail::objects

// Goal: uploads in parts become one object exactly when the client lists what it sent. Method: the
// store's interface, part sizes at S3's bounds.
#include "objects/multipart.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "objects/store_test_kit.h"

#include <gmock/gmock.h>

namespace opentrail::objects {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class MultipartTest : public StoreTest {
 protected:
  MultipartTest() {
    EXPECT_TRUE(store_->create_bucket("logs", "r", "111122223333"));
    id_ = store_->create_upload(object("big")).value();
  }

  Result<ObjectInfo> put_part(int number, std::string_view bytes,
                              const std::vector<std::string>& algorithms = {}) {
    OT_TRY(const auto writer, store_->begin_part("logs", "big", id_, number, algorithms));
    OT_TRY_DO(writer->write(bytes));
    return writer->commit({});
  }
  Result<ObjectInfo> complete(const std::vector<CompletedPart>& parts) {
    return store_->complete_upload("logs", "big", id_, parts);
  }

  std::string id_;
  const std::string a_ = std::string(kPartBytesMin, 'a');
  const std::string b_ = std::string(kPartBytesMin + 1000, 'b');
};

TEST_F(MultipartTest, PartsBecomeTheObject) {
  const std::string etag_b = put_part(7, b_, {"crc64nvme"})->etag;
  const std::string etag_c = put_part(10000, "tail", {"crc64nvme"})->etag;
  const std::string etag_a = put_part(2, a_, {"crc64nvme"})->etag;
  ASSERT_TRUE(put("big", "what was there before"));
  reopen();
  const ObjectInfo info = complete({{.number = 2, .etag = etag_a},
                                    {.number = 7, .etag = etag_b.substr(1, 32)},
                                    {.number = 10000, .etag = etag_c}})
                              .value();
  const std::string whole = a_ + b_ + "tail";
  EXPECT_EQ(info.size, whole.size());
  const std::string raw = from_hex(etag_a.substr(1, 32)).value() +
                          from_hex(etag_b.substr(1, 32)).value() +
                          from_hex(etag_c.substr(1, 32)).value();
  EXPECT_EQ(info.etag, "\"" + to_hex(crypto::md5(as_bytes(raw))) + "-3\"");
  EXPECT_EQ(info.checksum_type, "FULL_OBJECT");
  const ObjectInfo same = put(object("same"), whole, {}, {"crc64nvme"}).value();
  EXPECT_EQ(info.checksums, same.checksums);
  EXPECT_EQ(store_->head("logs", "big")->etag, info.etag);
  EXPECT_TRUE(read("big").value() == whole);

  auto reader = store_->open_object("logs", "big").value();
  ASSERT_TRUE(reader->seek(a_.size() - 1));
  EXPECT_EQ(reader->read().value(), "a");
  EXPECT_EQ(reader->read()->front(), 'b');
  ASSERT_TRUE(reader->seek(whole.size() - 5));
  EXPECT_EQ(reader->read().value(), "b");
  EXPECT_EQ(reader->read().value(), "tail");

  EXPECT_EQ(reason_of(complete({{.number = 2, .etag = etag_a}})), "NoSuchUpload");
  EXPECT_THAT(store_->uploads("logs").value(), IsEmpty());
  EXPECT_THAT(data_files(), SizeIs(4));
  ASSERT_TRUE(store_->remove("logs", "big"));
  reader.reset();
  EXPECT_THAT(data_files(), SizeIs(1));
}

TEST_F(MultipartTest, CompositeChecksums) {
  const ObjectInfo one = put_part(1, a_, {"sha256"}).value();
  const ObjectInfo two = put_part(2, "b", {"sha256"}).value();
  const ObjectInfo whole = complete({{.number = 1, .etag = one.etag, .checksums = one.checksums},
                                     {.number = 2, .etag = two.etag, .checksums = {}}})
                               .value();
  EXPECT_EQ(whole.checksum_type, "COMPOSITE");
  EXPECT_TRUE(whole.checksums.at("sha256").ends_with("-2"));
}

TEST_F(MultipartTest, APartMayBeSentAgainAndLeftOut) {
  ASSERT_TRUE(put_part(1, "first try"));
  const std::string second = put_part(1, "second try")->etag;
  ASSERT_TRUE(put_part(2, "left out"));
  EXPECT_THAT(data_files(), SizeIs(2));
  ASSERT_TRUE(complete({{.number = 1, .etag = second}}));
  EXPECT_EQ(read("big").value(), "second try");
  EXPECT_THAT(data_files(), SizeIs(1));
}

TEST_F(MultipartTest, RefusesListsThatAreNotWhatCameIn) {
  const ObjectInfo one = put_part(1, "small", {"crc32"}).value();
  const std::string two = put_part(2, "last")->etag;
  EXPECT_EQ(reason_of(complete({})), "MalformedXML");
  EXPECT_EQ(reason_of(complete({{.number = 2, .etag = two}, {.number = 1, .etag = one.etag}})),
            "InvalidPartOrder");
  EXPECT_EQ(reason_of(complete({{.number = 2, .etag = two}, {.number = 2, .etag = two}})),
            "InvalidPartOrder");
  EXPECT_EQ(reason_of(complete({{.number = 3, .etag = two}})), "InvalidPart");
  EXPECT_EQ(reason_of(complete({{.number = 1, .etag = two}})), "InvalidPart");
  EXPECT_EQ(reason_of(complete({{.number = 0, .etag = two}})), "InvalidPartOrder");
  EXPECT_EQ(
      reason_of(complete({{.number = 1, .etag = one.etag, .checksums = {{"crc32", "AAAAAA=="}}}})),
      "InvalidPart");
  EXPECT_EQ(reason_of(complete({{.number = 2, .etag = two, .checksums = {{"crc32", "AAAAAA=="}}}})),
            "InvalidPart");
  EXPECT_EQ(reason_of(complete({{.number = 1, .etag = one.etag}, {.number = 2, .etag = two}})),
            "EntityTooSmall");
  EXPECT_EQ(reason_of(store_->head("logs", "big")), "NoSuchKey");
  EXPECT_TRUE(complete({{.number = 1, .etag = one.etag, .checksums = one.checksums}}));
}

TEST_F(MultipartTest, PartsAndUploadsAreListed) {
  clock_.advance(std::chrono::seconds(5));
  ASSERT_TRUE(put_part(3, "ccc", {"crc32"}));
  ASSERT_TRUE(put_part(1, "a"));
  const auto parts = store_->parts("logs", "big", id_).value();
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(parts[0].number, 1);
  EXPECT_EQ(parts[1].number, 3);
  EXPECT_EQ(parts[1].size, 3U);
  EXPECT_EQ(parts[1].last_modified, clock_.now());
  EXPECT_THAT(parts[1].checksums, SizeIs(1));
  const auto uploads = store_->uploads("logs").value();
  ASSERT_THAT(uploads, SizeIs(1));
  EXPECT_EQ(uploads[0].upload_id, id_);
  EXPECT_EQ(uploads[0].key, "big");
  EXPECT_EQ(uploads[0].initiated, clock_.now() - std::chrono::seconds(5));
  EXPECT_EQ(reason_of(store_->uploads("none")), "NoSuchBucket");
}

TEST_F(MultipartTest, AbortAndTheEndOfTheBucket) {
  ASSERT_TRUE(put_part(1, "a"));
  auto writer = store_->begin_part("logs", "big", id_, 2, {}).value();
  ASSERT_TRUE(writer->write("late"));
  EXPECT_EQ(reason_of(store_->abort_upload("logs", "other", id_)), "NoSuchUpload");
  ASSERT_TRUE(store_->abort_upload("logs", "big", id_));
  EXPECT_EQ(reason_of(store_->abort_upload("logs", "big", id_)), "NoSuchUpload");
  EXPECT_EQ(reason_of(writer->commit({})), "NoSuchUpload");
  writer.reset();
  EXPECT_EQ(reason_of(put_part(1, "x")), "NoSuchUpload");
  EXPECT_EQ(reason_of(store_->parts("logs", "big", id_)), "NoSuchUpload");

  id_ = store_->create_upload(object("big")).value();
  ASSERT_TRUE(put_part(1, "b"));
  EXPECT_TRUE(store_->delete_bucket("logs"));
  EXPECT_THAT(data_files(), IsEmpty());
}

TEST_F(MultipartTest, RefusesWhatCannotBe) {
  EXPECT_EQ(reason_of(store_->begin_part("logs", "big", id_, 0, {})), "InvalidArgument");
  EXPECT_EQ(reason_of(store_->begin_part("logs", "big", id_, 10001, {})), "InvalidArgument");
  EXPECT_EQ(reason_of(store_->begin_part("logs", "big", "none", 1, {})), "NoSuchUpload");
  EXPECT_EQ(reason_of(store_->begin_part("logs", "big", id_, 1, {"md4"})), "InvalidRequest");
  NewObject typed = object("big");
  typed.checksum_type = "HALF";
  EXPECT_EQ(reason_of(store_->create_upload(typed)), "InvalidRequest");
  EXPECT_EQ(reason_of(store_->create_upload(object("k", "none"))), "NoSuchBucket");
}

}  // namespace
}  // namespace opentrail::objects

// Goal: each operation over the embedded store answers and records as S3 does, refuses what it
// must, and streams. Method: the service with a real store in a temporary folder; requests come
// from a fake exchange, verified callers are given.
#include "services/s3/s3_service.h"

#include "base/checksum.h"
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "io/temp_folder.h"
#include "services/run_to_value.h"
#include "services/s3/s3_test_kit.h"

#include <optional>

#include <gtest/gtest.h>

namespace opentrail::services {
namespace {

using s3::FakeExchange;
using s3::make_call;
using testing::Test;

/// The text of the first element of that name, or "".
std::string element(const std::string& xml, const std::string& name) {
  const std::size_t begin = xml.find("<" + name + ">");
  const std::size_t end = xml.find("</" + name + ">");
  return begin == std::string::npos
             ? ""
             : xml.substr(begin + name.size() + 2, end - begin - name.size() - 2);
}

int count(const std::string& text, std::string_view what) {
  int found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

class S3ServiceTest : public Test {
 protected:
  S3ServiceTest() {
    auto keyring = crypto::Keyring::open(*files_, random_, folder_.path() + "/master.key");
    keyring_.emplace(*std::move(keyring));
    store_ = objects::EmbeddedStore::open(*files_, random_, clock_, *keyring_,
                                          {folder_.path() + "/objects"})
                 .value();
    S3Options options;
    options.is_allowed = [this](const iam::Caller&, std::string_view, std::string_view resource) {
      return resource != forbidden_;
    };
    options.regions = {"us-east-1", "eu-west-1"};
    service_ = S3Service::make(*store_, workers_, std::move(options));
    EXPECT_EQ(run("PUT", "/logs").head.status, 200);
  }
  ~S3ServiceTest() override { workers_.join(); }

  /// Identifies and handles, as the pipeline does.
  Outcome run(FakeExchange& exchange, const std::function<void(Call&)>& change = {}) {
    Call call = make_call(exchange);
    if (service_->streams(exchange.request())) {
      call.body.clear();
    }
    if (change) {
      change(call);
    }
    operation_ = service_->identify(call);
    if (operation_.error) {
      Outcome refused =
          service_->error_answer(exchange.request(), *operation_.error, call.request_id);
      refused.error = operation_.error;
      return refused;
    }
    return run_to_value(service_->handle(call, operation_));
  }

  Outcome run(std::string method, std::string target, std::string body = {}) {
    FakeExchange exchange(std::move(method), std::move(target), std::move(body));
    return run(exchange);
  }

  std::string error_of(const Outcome& outcome) { return outcome.error ? outcome.error->code : ""; }

  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  io::SeededRandom random_{7};
  io::FakeClock clock_{parse_iso("2026-11-24T08:46:13Z").value()};
  io::TempFolder folder_;
  std::optional<crypto::Keyring> keyring_;
  std::unique_ptr<objects::EmbeddedStore> store_;
  asio::thread_pool workers_{1};
  std::unique_ptr<S3Service> service_;
  Operation operation_;
  std::string forbidden_;
};

TEST_F(S3ServiceTest, Buckets) {
  EXPECT_EQ(run("PUT", "/logs").head.status, 200);  // us-east-1: again is no error
  const std::string body =
      "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
      "</CreateBucketConfiguration>";
  FakeExchange create("PUT", "/europe", body);
  const auto in_europe = [](Call& call) { call.region = "eu-west-1"; };
  const Outcome created = run(create, in_europe);
  EXPECT_EQ(created.head.status, 200);
  EXPECT_EQ(created.head.headers.get("Location"), "/europe");
  EXPECT_EQ(error_of(run(create, in_europe)), "BucketAlreadyOwnedByYou");
  FakeExchange unspecified("PUT", "/other");
  EXPECT_EQ(error_of(run(unspecified, in_europe)), "IllegalLocationConstraintException");
  EXPECT_EQ(error_of(run("PUT", "/X")), "InvalidBucketName");
  EXPECT_EQ(element(run("GET", "/logs?location").body, "LocationConstraint"), "");
  EXPECT_NE(run("GET", "/europe?location").body.find(">eu-west-1<"), std::string::npos);
  EXPECT_EQ(run("HEAD", "/europe").head.headers.get("x-amz-bucket-region"), "eu-west-1");
  const Outcome listed = run("GET", "/");
  EXPECT_EQ(count(listed.body, "<Bucket>"), 2);
  EXPECT_EQ(element(listed.body, "Name"), "europe");
  const Outcome page = run("GET", "/?max-buckets=1");
  EXPECT_EQ(count(page.body, "<Bucket>"), 1);
  const std::string token = element(page.body, "ContinuationToken");
  EXPECT_EQ(element(run("GET", "/?continuation-token=" + uri_encode(token)).body, "Name"), "logs");
  EXPECT_EQ(run("DELETE", "/europe").head.status, 204);
  const Outcome gone = run("HEAD", "/europe");
  EXPECT_EQ(error_of(gone), "NoSuchBucket");
  EXPECT_EQ(gone.head.status, 404);
  EXPECT_TRUE(gone.body.empty());
}

TEST_F(S3ServiceTest, PutAndGet) {
  FakeExchange put("PUT", "/logs/a%20b", "hello");
  put.with("x-amz-content-sha256", crypto::sha256_hex("hello"))
      .with("Content-Type", "text/plain")
      .with("x-amz-meta-Colour", "blue");
  const Outcome stored = run(put);
  EXPECT_EQ(error_of(stored), "");
  EXPECT_EQ(stored.head.headers.get("ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(stored.head.headers.get("x-amz-server-side-encryption"), "AES256");
  EXPECT_EQ(stored.head.headers.get("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(stored.additional_event_data.at("bytesTransferredIn").as_uint64(), 5U);
  EXPECT_EQ(stored.additional_event_data.at("SSEApplied").as_string(), "Default_SSE_S3");

  FakeExchange get("GET", "/logs/a%20b");
  get.with("x-amz-checksum-mode", "ENABLED");
  const Outcome read = run(get);
  EXPECT_EQ(read.head.status, 200);
  EXPECT_EQ(read.body, "hello");
  EXPECT_EQ(read.head.headers.get("Content-Type"), "text/plain");
  EXPECT_EQ(read.head.headers.get("x-amz-meta-colour"), "blue");
  EXPECT_EQ(read.head.headers.get("x-amz-checksum-crc64nvme"),
            stored.head.headers.get("x-amz-checksum-crc64nvme"));
  EXPECT_EQ(read.additional_event_data.at("bytesTransferredOut").as_uint64(), 5U);

  FakeExchange part("GET", "/logs/a%20b?response-content-type=text/html");
  part.with("Range", "bytes=1-2").with("x-amz-checksum-mode", "ENABLED");
  const Outcome partial = run(part);
  EXPECT_EQ(partial.head.status, 206);
  EXPECT_EQ(partial.body, "el");
  EXPECT_EQ(partial.head.headers.get("Content-Range"), "bytes 1-2/5");
  EXPECT_EQ(partial.head.headers.get("Content-Type"), "text/html");
  EXPECT_FALSE(partial.head.headers.find("x-amz-checksum-crc64nvme").has_value());

  FakeExchange behind("GET", "/logs/a%20b");
  EXPECT_EQ(run(behind.with("Range", "bytes=9-")).head.status, 416);
  FakeExchange same("GET", "/logs/a%20b");
  EXPECT_EQ(run(same.with("If-None-Match", "5d41402abc4b2a76b9719d911017c592")).head.status, 304);
  FakeExchange other("GET", "/logs/a%20b");
  EXPECT_EQ(run(other.with("If-Match", "x")).head.status, 412);

  const Outcome head = run("HEAD", "/logs/a%20b");
  EXPECT_EQ(head.head.headers.get("Content-Length"), "5");
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(run("DELETE", "/logs/a%20b").head.status, 204);
  EXPECT_EQ(run("DELETE", "/logs/a%20b").head.status, 204);
  EXPECT_EQ(run("GET", "/logs/a%20b").head.status, 404);
}

TEST_F(S3ServiceTest, LargeObjectsAreStreamed) {
  std::string bytes(300000, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>('a' + i % 23);
  }
  FakeExchange put("PUT", "/logs/big", bytes);
  EXPECT_EQ(error_of(run(put)), "");
  FakeExchange get("GET", "/logs/big");
  const Outcome streamed = run(get);
  EXPECT_TRUE(streamed.sent);
  EXPECT_EQ(get.announced_bytes, bytes.size());
  EXPECT_TRUE(get.sent_body == bytes);
  EXPECT_EQ(get.sent_head.headers.get("x-amz-request-id"), "TESTREQUESTID000");
  EXPECT_EQ(streamed.additional_event_data.at("bytesTransferredOut").as_uint64(), bytes.size());
  FakeExchange part("GET", "/logs/big");
  part.with("Range", "bytes=100000-249999");
  EXPECT_TRUE(run(part).sent);
  EXPECT_TRUE(part.sent_body == bytes.substr(100000, 150000));
}

TEST_F(S3ServiceTest, BytesThatAreNotWhatWasSaidAreNotStored) {
  FakeExchange hash("PUT", "/logs/k", "hello");
  EXPECT_EQ(error_of(run(hash.with("x-amz-content-sha256", crypto::sha256_hex("other")))),
            "XAmzContentSHA256Mismatch");
  FakeExchange md5("PUT", "/logs/k", "hello");
  EXPECT_EQ(error_of(run(md5.with("Content-MD5", to_base64(crypto::md5(as_bytes("x")))))),
            "BadDigest");
  FakeExchange crc("PUT", "/logs/k", "hello");
  EXPECT_EQ(error_of(run(crc.with("x-amz-checksum-crc32", "AAAAAA=="))), "BadDigest");
  FakeExchange cut("PUT", "/logs/k", std::string(20000, 'a'));
  cut.break_at = 10006;
  const Outcome broken = run(cut);
  EXPECT_EQ(error_of(broken), "IncompleteBody");
  EXPECT_EQ(run("GET", "/logs/k").head.status, 404);
  FakeExchange kms("PUT", "/logs/k", "hello");
  EXPECT_EQ(run(kms.with("x-amz-server-side-encryption", "aws:kms")).head.status, 501);
  FakeExchange acl("PUT", "/logs/k", "hello");
  EXPECT_EQ(error_of(run(acl.with("x-amz-acl", "public-read"))), "AccessControlListNotSupported");
  FakeExchange again("PUT", "/logs/k", "hello");
  again.with("If-None-Match", "*");
  EXPECT_EQ(error_of(run(again)), "");
  FakeExchange third("PUT", "/logs/k", "hello");
  EXPECT_EQ(run(third.with("If-None-Match", "*")).head.status, 412);
}

std::string crc32_base64(std::string_view bytes) {
  const std::uint32_t value = crc32(as_bytes(bytes));
  std::string big_endian;
  for (const int shift : {24, 16, 8, 0}) {
    big_endian += static_cast<char>(value >> shift);
  }
  return to_base64(as_bytes(big_endian));
}

TEST_F(S3ServiceTest, ChunkedUploadWithTrailer) {
  const auto upload = [](std::string_view checksum, std::string_view length) {
    FakeExchange put("PUT", "/logs/k",
                     "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:" +
                         std::string(checksum) + "\r\n\r\n");
    put.with("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .with("x-amz-decoded-content-length", std::string(length))
        .with("Content-Encoding", "aws-chunked")
        .with("x-amz-trailer", "x-amz-checksum-crc32");
    return put;
  };
  FakeExchange wrong = upload("AAAAAA==", "11");
  EXPECT_EQ(error_of(run(wrong)), "BadDigest");
  FakeExchange shorter = upload(crc32_base64("hello world"), "12");
  EXPECT_EQ(error_of(run(shorter)), "IncompleteBody");
  FakeExchange longer = upload(crc32_base64("hello world"), "10");
  EXPECT_EQ(error_of(run(longer)), "IncompleteBody");
  FakeExchange right = upload(crc32_base64("hello world"), "11");
  const Outcome stored = run(right);
  EXPECT_EQ(error_of(stored), "");
  EXPECT_EQ(stored.head.headers.get("x-amz-checksum-crc32"), crc32_base64("hello world"));
  const Outcome read = run("GET", "/logs/k");
  EXPECT_EQ(read.body, "hello world");
  EXPECT_FALSE(read.head.headers.find("Content-Encoding").has_value());
}

TEST_F(S3ServiceTest, SignedChunksMustBeSignedByTheCaller) {
  const std::string key(32, 'k');
  const auto upload = [&](std::string_view signing_key) {
    crypto::sigv4::Claim claim;
    claim.scope = {"20261124", "us-east-1", "s3"};
    claim.amz_date = "20261124T084613Z";
    claim.signature = std::string(64, '0');
    crypto::sigv4::ChunkVerifier signer(std::string(signing_key), claim);
    std::string body = "5;chunk-signature=" + signer.next(crypto::sha256_hex("hello")) +
                       "\r\nhello\r\n0;chunk-signature=" + signer.next(crypto::sha256_hex("")) +
                       "\r\n\r\n";
    FakeExchange put("PUT", "/logs/k", std::move(body));
    put.with("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .with("x-amz-decoded-content-length", "5");
    return run(put, [&](Call& call) {
      call.signing_key = key;
      call.claim = claim;
    });
  };
  const Outcome forged = upload(std::string(32, 'x'));
  EXPECT_EQ(error_of(forged), "SignatureDoesNotMatch");
  EXPECT_EQ(forged.head.status, 403);
  EXPECT_EQ(error_of(upload(key)), "");
  EXPECT_EQ(run("GET", "/logs/k").body, "hello");
}

TEST_F(S3ServiceTest, Listings) {
  for (const std::string key : {"a%20b", "dir/1", "dir/2", "z"}) {
    EXPECT_EQ(error_of(run("PUT", "/logs/" + key, "x")), "");
  }
  const Outcome first = run("GET", "/logs?list-type=2&delimiter=/&max-keys=2&encoding-type=url");
  EXPECT_EQ(element(first.body, "KeyCount"), "2");
  EXPECT_EQ(element(first.body, "IsTruncated"), "true");
  EXPECT_EQ(element(first.body, "Key"), "a%20b");
  EXPECT_NE(first.body.find("<CommonPrefixes><Prefix>dir/</Prefix>"), std::string::npos);
  const std::string token = element(first.body, "NextContinuationToken");
  const Outcome second =
      run("GET", "/logs?list-type=2&delimiter=/&continuation-token=" + uri_encode(token));
  EXPECT_EQ(element(second.body, "Key"), "z");
  EXPECT_EQ(count(second.body, "<CommonPrefixes>"), 0);
  EXPECT_EQ(element(second.body, "IsTruncated"), "false");
  const Outcome marker = run("GET", "/logs?marker=dir/1&prefix=dir/");
  EXPECT_EQ(element(marker.body, "Key"), "dir/2");
  EXPECT_EQ(element(marker.body, "Marker"), "dir/1");
  EXPECT_EQ(count(run("GET", "/logs?versions").body, "<VersionId>null</VersionId>"), 4);
  EXPECT_EQ(element(run("GET", "/logs?max-keys=0").body, "IsTruncated"), "false");
  for (const std::string query : {"max-keys=x", "max-keys=-1", "encoding-type=base64",
                                  "list-type=2&continuation-token=bad!"}) {
    EXPECT_EQ(error_of(run("GET", "/logs?" + query)), "InvalidArgument") << query;
  }
}

TEST_F(S3ServiceTest, DeleteObjects) {
  EXPECT_EQ(error_of(run("PUT", "/logs/a", "x")), "");
  EXPECT_EQ(error_of(run("PUT", "/logs/b", "x")), "");
  forbidden_ = "arn:aws:s3:::logs/b";
  const Outcome deleted =
      run("POST", "/logs?delete",
          "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>");
  EXPECT_EQ(deleted.head.status, 200);
  EXPECT_NE(deleted.body.find("<Deleted><Key>a</Key></Deleted>"), std::string::npos);
  EXPECT_NE(deleted.body.find("<Error><Key>b</Key><Code>AccessDenied</Code>"), std::string::npos);
  ASSERT_EQ(deleted.resources.size(), 3U);
  EXPECT_EQ(deleted.resources[1].arn, "arn:aws:s3:::logs/b");
  EXPECT_EQ(run("HEAD", "/logs/a").head.status, 404);
  EXPECT_EQ(run("HEAD", "/logs/b").head.status, 200);
  EXPECT_EQ(error_of(run("POST", "/logs?delete", "<Delete/>")), "MalformedXML");
  EXPECT_EQ(error_of(run("POST", "/logs?delete", "nonsense")), "MalformedXML");
}

TEST_F(S3ServiceTest, NoMoreIsDeletedThanTheRecordNames) {
  std::string body = "<Delete>";
  for (int i = 0; i < 1000; ++i) {
    body += "<Object><Key>" + std::string(200, 'k') + std::to_string(i) + "</Key></Object>";
  }
  body += "</Delete>";
  EXPECT_EQ(error_of(run("POST", "/logs?delete", body)), "InvalidRequest");
  EXPECT_TRUE(operation_.error == std::nullopt);
}

TEST_F(S3ServiceTest, Copies) {
  FakeExchange put("PUT", "/logs/source", "hello");
  EXPECT_EQ(error_of(run(put.with("x-amz-meta-a", "1"))), "");
  FakeExchange copy("PUT", "/logs/copy");
  copy.with("x-amz-copy-source", "/logs/source");
  const Outcome copied = run(copy);
  EXPECT_EQ(error_of(copied), "");
  EXPECT_EQ(element(copied.body, "ETag"), "&quot;5d41402abc4b2a76b9719d911017c592&quot;");
  const Outcome read = run("GET", "/logs/copy");
  EXPECT_EQ(read.body, "hello");
  EXPECT_EQ(read.head.headers.get("x-amz-meta-a"), "1");
  FakeExchange self("PUT", "/logs/source");
  EXPECT_EQ(error_of(run(self.with("x-amz-copy-source", "logs/source"))), "InvalidRequest");
  FakeExchange replaced("PUT", "/logs/source");
  replaced.with("x-amz-copy-source", "logs/source").with("x-amz-metadata-directive", "REPLACE");
  EXPECT_EQ(error_of(run(replaced)), "");
  EXPECT_FALSE(run("HEAD", "/logs/source").head.headers.find("x-amz-meta-a").has_value());
  FakeExchange missing("PUT", "/logs/copy");
  EXPECT_EQ(error_of(run(missing.with("x-amz-copy-source", "logs/none"))), "NoSuchKey");
  forbidden_ = "arn:aws:s3:::logs/source";
  EXPECT_EQ(error_of(run(copy)), "AccessDenied");
}

TEST_F(S3ServiceTest, Multipart) {
  const Outcome begun = run("POST", "/logs/big?uploads");
  const std::string id = element(begun.body, "UploadId");
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(element(run("GET", "/logs?uploads").body, "UploadId"), id);
  const std::string bytes(5 << 20, 'a');
  const Outcome first = run("PUT", "/logs/big?partNumber=1&uploadId=" + id, bytes);
  EXPECT_EQ(error_of(first), "");
  FakeExchange source("PUT", "/logs/source", "0123456789");
  EXPECT_EQ(error_of(run(source)), "");
  FakeExchange second("PUT", "/logs/big?partNumber=2&uploadId=" + id);
  second.with("x-amz-copy-source", "logs/source").with("x-amz-copy-source-range", "bytes=2-4");
  const Outcome copied = run(second);
  EXPECT_EQ(error_of(copied), "");
  const Outcome parts = run("GET", "/logs/big?max-parts=1&uploadId=" + id);
  EXPECT_EQ(count(parts.body, "<Part>"), 1);
  EXPECT_EQ(element(parts.body, "NextPartNumberMarker"), "1");
  EXPECT_EQ(error_of(run("PUT", "/logs/big?partNumber=0&uploadId=" + id, "x")), "InvalidArgument");
  EXPECT_EQ(error_of(run("PUT", "/logs/big?partNumber=1&uploadId=none", "x")), "NoSuchUpload");
  const std::string list = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
                           std::string(first.head.headers.get("ETag")) +
                           "</ETag></Part><Part><PartNumber>2</PartNumber><ETag>" +
                           element(copied.body, "ETag") +
                           "</ETag></Part></CompleteMultipartUpload>";
  FakeExchange wrong("POST", "/logs/big?uploadId=" + id, list);
  EXPECT_EQ(error_of(run(wrong.with("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="))), "BadDigest");
  FakeExchange complete("POST", "/logs/big?uploadId=" + id, list);
  complete.with("x-amz-mp-object-size", std::to_string(bytes.size() + 3));
  const Outcome completed = run(complete);
  EXPECT_EQ(error_of(completed), "");
  EXPECT_TRUE(element(completed.body, "ETag").ends_with("-2&quot;"));
  EXPECT_EQ(run("HEAD", "/logs/big").head.headers.get("Content-Length"),
            std::to_string(bytes.size() + 3));
  FakeExchange tail("GET", "/logs/big");
  EXPECT_EQ(run(tail.with("Range", "bytes=-3")).body, "234");
  const std::string other = element(run("POST", "/logs/x?uploads").body, "UploadId");
  EXPECT_EQ(run("DELETE", "/logs/x?uploadId=" + other).head.status, 204);
  EXPECT_EQ(run("DELETE", "/logs/x?uploadId=" + other).head.status, 404);
}

TEST_F(S3ServiceTest, Configuration) {
  EXPECT_EQ(error_of(run("GET", "/logs?policy")), "NoSuchBucketPolicy");
  EXPECT_EQ(error_of(run("PUT", "/logs?policy", "{}")), "MalformedPolicy");
  const std::string policy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",)"
      R"("Action":"s3:DeleteObject","Resource":"arn:aws:s3:::logs/*"}]})";
  EXPECT_EQ(run("PUT", "/logs?policy", policy).head.status, 204);
  EXPECT_EQ(run("GET", "/logs?policy").body, policy);
  EXPECT_EQ(element(run("GET", "/logs?policyStatus").body, "IsPublic"), "false");
  EXPECT_EQ(error_of(run("DELETE", "/logs/k")), "AccessDenied");
  EXPECT_NE(run("POST", "/logs?delete", "<Delete><Object><Key>k</Key></Object></Delete>")
                .body.find("AccessDenied"),
            std::string::npos);
  EXPECT_EQ(run("DELETE", "/logs?policy").head.status, 204);
  EXPECT_EQ(run("DELETE", "/logs/k").head.status, 204);
  for (const std::string condition : {R"("Bool":{"aws:ViaAWSService":"false"})",
                                      R"("StringEquals":{"aws:ResourceAccount":"123456789012"})",
                                      R"("StringEquals":{"aws:Referer":"https://example.com/"})"}) {
    std::string denial = policy;
    denial.replace(denial.rfind("}]}"), 3, R"(,"Condition":{)" + condition + "}}]}");
    EXPECT_EQ(run("PUT", "/logs?policy", denial).head.status, 204) << denial;
    FakeExchange exchange("DELETE", "/logs/k");
    exchange.with("Referer", "https://example.com/");
    EXPECT_EQ(error_of(run(exchange)), "AccessDenied") << denial;
    EXPECT_EQ(run("DELETE", "/logs?policy").head.status, 204);
  }

  EXPECT_EQ(run("GET", "/logs?publicAccessBlock").head.status, 404);
  EXPECT_EQ(run("PUT", "/logs?publicAccessBlock",
                "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
                "</PublicAccessBlockConfiguration>")
                .head.status,
            200);
  const Outcome block = run("GET", "/logs?publicAccessBlock");
  EXPECT_EQ(element(block.body, "BlockPublicAcls"), "true");
  EXPECT_EQ(element(block.body, "RestrictPublicBuckets"), "false");
  EXPECT_EQ(run("DELETE", "/logs?publicAccessBlock").head.status, 204);

  EXPECT_EQ(element(run("GET", "/logs?encryption").body, "SSEAlgorithm"), "AES256");
  const auto encryption = [](std::string_view algorithm) {
    return "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
           "<SSEAlgorithm>" +
           std::string(algorithm) +
           "</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
           "</ServerSideEncryptionConfiguration>";
  };
  EXPECT_EQ(run("PUT", "/logs?encryption", encryption("AES256")).head.status, 200);
  EXPECT_EQ(run("PUT", "/logs?encryption", encryption("aws:kms")).head.status, 501);
  EXPECT_EQ(element(run("GET", "/logs?acl").body, "Permission"), "FULL_CONTROL");
  EXPECT_EQ(run("GET", "/logs?versioning").head.status, 200);
  EXPECT_EQ(error_of(run("GET", "/logs?cors")), "NoSuchCORSConfiguration");
  EXPECT_EQ(run("PUT", "/logs?cors", "<CORSConfiguration/>").head.status, 501);
  EXPECT_EQ(operation_.event_name, "PutBucketCors");
}

TEST_F(S3ServiceTest, OtherAccountsAreKeptOut) {
  EXPECT_EQ(error_of(run("PUT", "/logs/k", "x")), "");
  const auto stranger = [](Call& call) { call.account_id = "999999999999"; };
  for (const std::string method : {"GET", "PUT", "DELETE", "HEAD"}) {
    FakeExchange exchange(method, "/logs/k");
    const Outcome denied = run(exchange, stranger);
    EXPECT_EQ(error_of(denied), "AccessDenied") << method;
    EXPECT_EQ(denied.head.status, 403);
    ASSERT_FALSE(denied.resources.empty());
    EXPECT_EQ(denied.resources.back().account_id, "HIDDEN_DUE_TO_SECURITY_REASONS");
  }
  FakeExchange taken("PUT", "/logs");
  EXPECT_EQ(error_of(run(taken, stranger)), "BucketAlreadyExists");
  FakeExchange owner("GET", "/logs/k");
  EXPECT_EQ(error_of(run(owner.with("x-amz-expected-bucket-owner", "999999999999"))),
            "AccessDenied");
}

TEST_F(S3ServiceTest, ErrorsAreXml) {
  const Outcome missing = run("GET", "/logs/a%3Cb");
  EXPECT_EQ(element(missing.body, "Code"), "NoSuchKey");
  EXPECT_EQ(element(missing.body, "Resource"), "/logs/a%3Cb");
  EXPECT_EQ(element(missing.body, "RequestId"), "TESTREQUESTID000");
  EXPECT_EQ(element(missing.body, "HostId"), missing.head.headers.get("x-amz-id-2"));
  EXPECT_EQ(run("GET", "/logs/k?torrent").head.status, 501);
  FakeExchange chunked("POST", "/logs?delete", "0\r\n\r\n");
  chunked.with("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  EXPECT_EQ(run(chunked).head.status, 501);
}

}  // namespace
}  // namespace opentrail::services

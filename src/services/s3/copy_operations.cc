#include "base/text.h"
#include "io/offload.h"
#include "services/s3/checksums.h"
#include "services/s3/conditions.h"
#include "services/s3/multipart.h"
#include "services/s3/object_headers.h"
#include "services/s3/operations.h"
#include "services/s3/payload.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_writer.h"

namespace opentrail::services::s3 {
namespace {

/// Copied in one stay on a worker thread; then others get their turn.
constexpr std::uint64_t kTurnBytes = 16 << 20;

/// The source of a copy, opened and found fit, and what is taken of it.
struct Source {
  CopySource name;
  std::unique_ptr<objects::ObjectReader> reader;
  ByteRange range;
};

Result<Source> open_source(S3Call& call) {
  Source source;
  OT_TRY(source.name, parse_copy_source(call.request.header("x-amz-copy-source")));
  OT_TRY_DO(check_source(call, source.name));
  OT_TRY(source.reader, call.store.open_object(source.name.bucket, source.name.key));
  const objects::ObjectInfo& object = source.reader->info();
  // A copy that need not be made is refused all the same: there is no 304 for writes.
  if (judge(copy_source_conditions(call.headers()), object) != Verdict::Proceed) {
    return refuse("PreconditionFailed");
  }
  source.range = {0, object.size};
  const std::string_view range = call.request.header("x-amz-copy-source-range");
  if (!range.empty()) {
    OT_TRY(source.range, parse_copy_range(range, object.size));
    OT_TRY_DO(source.reader->seek(source.range.first));
  }
  if (source.range.length > kUploadBytesMax) {
    return refuse("InvalidRequest",
                  "The specified copy source is larger than the maximum allowable size for a copy "
                  "source: 5368709120");
  }
  return source;
}

/// Copies until the turn is over; what is left of the range. Blocks.
Result<std::uint64_t> copy_turn(Source& source, objects::ObjectWriter& writer, std::uint64_t left) {
  std::uint64_t turn = std::min(left, kTurnBytes);
  while (turn > 0) {
    OT_TRY(std::string piece, source.reader->read());
    if (piece.empty()) {
      return fail(ErrorCode::Corruption, "an object ends before its size says");
    }
    piece.resize(std::min<std::uint64_t>(piece.size(), left));
    OT_TRY_DO(writer.write(piece));
    left -= piece.size();
    turn -= std::min<std::uint64_t>(turn, piece.size());
  }
  return left;
}

asio::awaitable<Result<objects::ObjectInfo>> copy(S3Call& call, Source& source,
                                                  objects::ObjectWriter& writer) {
  std::uint64_t left = source.range.length;
  while (left > 0) {
    auto turn = [&]() { return copy_turn(source, writer, left); };
    OT_CO_TRY(left, co_await io::offload(call.workers, std::move(turn)));
  }
  objects::ExpectedBytes expected;
  expected.size = source.range.length;
  auto commit = [&]() { return writer.commit(expected); };
  co_return co_await io::offload(call.workers, std::move(commit));
}

/// The client's wish, else what the source has (of the whole), else S3's default.
Result<std::string> copy_algorithm(const S3Call& call, const objects::ObjectInfo& source) {
  const std::string_view wanted = call.request.header("x-amz-checksum-algorithm");
  if (!wanted.empty()) {
    return parse_algorithm(wanted);
  }
  return source.checksums.empty() ? std::string(kDefaultAlgorithm)
                                  : source.checksums.begin()->first;
}

/// The new object: the source's properties, or those in the request.
Result<objects::NewObject> destination(const S3Call& call, const Source& source) {
  const std::string_view directive = call.request.header("x-amz-metadata-directive");
  if (!directive.empty() && directive != "COPY" && directive != "REPLACE") {
    return refuse("InvalidArgument", "Unknown metadata directive.");
  }
  if (call.headers().find("if-none-match") || call.headers().find("if-match")) {
    return refuse(
        "NotImplemented",
        "Conditional copies are not offered here; leave the x-amz-copy-source-if-* headers out");
  }
  OT_TRY(objects::NewObject object, read_new_object(call.request));
  if (directive == "REPLACE") {
    return object;
  }
  if (source.name.bucket == object.bucket && source.name.key == object.key) {
    return refuse("InvalidRequest",
                  "This copy request is illegal because it is trying to copy an object to itself "
                  "without changing the object's metadata, storage class, website redirect "
                  "location or encryption attributes.");
  }
  const objects::ObjectInfo& info = source.reader->info();
  object.content_type = info.content_type;
  object.content_encoding = info.content_encoding;
  object.cache_control = info.cache_control;
  object.content_disposition = info.content_disposition;
  object.content_language = info.content_language;
  object.metadata = info.metadata;
  return object;
}

Outcome copied(std::string_view root, const objects::ObjectInfo& object) {
  XmlWriter xml(root);
  xml.element("LastModified", to_iso_millis(object.last_modified)).element("ETag", object.etag);
  for (const auto& [algorithm, value] : object.checksums) {
    xml.element(checksum_element(algorithm), value);
  }
  if (!object.checksum_type.empty()) {
    xml.element("ChecksumType", object.checksum_type);
  }
  Outcome outcome = xml_outcome(xml.finish());
  write_encryption_header(outcome.head.headers);
  outcome.response_elements = {{"x-amz-server-side-encryption", "AES256"}};
  return outcome;
}

using OpenWriter = Result<std::unique_ptr<objects::ObjectWriter>>;

OpenWriter begin_copy(S3Call& call, const Source& source) {
  OT_TRY(const objects::NewObject object, destination(call, source));
  OT_TRY(const std::string algorithm, copy_algorithm(call, source.reader->info()));
  return call.store.begin_put(object, {algorithm});
}

OpenWriter begin_part_copy(S3Call& call, const Source& source) {
  OT_TRY_DO(check_offered(call.request));
  OT_TRY(const int number, parse_part_number(call.request.get("partNumber")));
  OT_TRY(const std::string algorithm, copy_algorithm(call, source.reader->info()));
  return call.store.begin_part(call.request.bucket, call.request.key,
                               std::string(call.request.get("uploadId")), number, {algorithm});
}

/// The way of both copies: open the source, open the destination, move the bytes.
asio::awaitable<Result<Outcome>> run_copy(S3Call& call, OpenWriter (*begin)(S3Call&, const Source&),
                                          std::string_view root) {
  auto open = [&]() { return open_source(call); };
  OT_CO_TRY(Source source, co_await io::offload(call.workers, std::move(open)));
  auto open_writer = [&]() { return begin(call, source); };
  OT_CO_TRY(const std::unique_ptr<objects::ObjectWriter> writer,
            co_await io::offload(call.workers, std::move(open_writer)));
  OT_CO_TRY(const objects::ObjectInfo object, co_await copy(call, source, *writer));
  call.traffic.sse_applied = sse_applied(call.request);
  co_return copied(root, object);
}

}  // namespace

asio::awaitable<Result<Outcome>> copy_object(S3Call& call) {
  co_return co_await run_copy(call, begin_copy, "CopyObjectResult");
}

asio::awaitable<Result<Outcome>> upload_part_copy(S3Call& call) {
  co_return co_await run_copy(call, begin_part_copy, "CopyPartResult");
}

}  // namespace opentrail::services::s3

#include "base/log.h"
#include "base/text.h"
#include "io/offload.h"
#include "services/s3/conditions.h"
#include "services/s3/object_headers.h"
#include "services/s3/operations.h"
#include "services/s3/payload.h"
#include "services/s3/s3_status.h"

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr int kPartialContent = 206;
constexpr int kNotModified = 304;

/// An object being read: what is sent of it, and its first bytes, read before the head goes out so
/// that a fault can still be told.
struct Reading {
  std::unique_ptr<objects::ObjectReader> reader;
  Verdict verdict = Verdict::Proceed;
  bool partial = false;
  ByteRange range;
  std::string piece;
};

/// The next bytes, not beyond the range. Blocks.
Result<std::string> read_piece(Reading& reading, std::uint64_t left) {
  if (left == 0) {
    return std::string();
  }
  OT_TRY(std::string piece, reading.reader->read());
  if (piece.empty()) {
    return fail(ErrorCode::Corruption, "an object ends before its size says");
  }
  piece.resize(std::min<std::uint64_t>(piece.size(), left));
  return piece;
}

Result<Reading> open_reading(S3Call& call) {
  Reading reading;
  OT_TRY(reading.reader, call.store.open_object(call.request.bucket, call.request.key));
  const objects::ObjectInfo& object = reading.reader->info();
  reading.verdict = judge(read_conditions(call.headers()), object);
  if (reading.verdict == Verdict::Failed) {
    return refuse("PreconditionFailed");
  }
  reading.range = {0, object.size};
  if (reading.verdict == Verdict::NotModified) {
    return reading;
  }
  OT_TRY(const auto range, parse_range(call.request.header("range"), object.size));
  if (range) {
    reading.partial = true;
    reading.range = *range;
    OT_TRY_DO(reading.reader->seek(range->first));
  }
  OT_TRY(reading.piece, read_piece(reading, reading.range.length));
  return reading;
}

net::ResponseHead response_head(const S3Call& call, const Reading& reading) {
  const objects::ObjectInfo& object = reading.reader->info();
  const bool wants_checksums =
      equals_ignore_case(call.request.header("x-amz-checksum-mode"), "ENABLED");
  net::ResponseHead head;
  write_object_headers(object, wants_checksums && !reading.partial, head.headers);
  override_headers(call.request, head.headers);
  if (reading.partial) {
    head.status = kPartialContent;
    head.headers.set("Content-Range",
                     fmt::format("bytes {}-{}/{}", reading.range.first,
                                 reading.range.first + reading.range.length - 1, object.size));
  }
  return head;
}

/// Sends what the first piece has begun. Its failure can only end the connection.
asio::awaitable<Result<void>> stream(S3Call& call, Reading& reading, net::ResponseHead head,
                                     std::uint64_t& sent) {
  net::Exchange& exchange = call.call.exchange;
  OT_CO_TRY_DO(co_await exchange.begin_response(std::move(head), reading.range.length));
  while (true) {
    OT_CO_TRY_DO(co_await exchange.write(reading.piece));
    sent += reading.piece.size();
    if (sent == reading.range.length) {
      co_return Result<void>();
    }
    auto job = [&]() { return read_piece(reading, reading.range.length - sent); };
    OT_CO_TRY(reading.piece, co_await io::offload(call.workers, std::move(job)));
  }
}

/// A stream that broke off is recorded as the error it was.
asio::awaitable<Outcome> send_streamed(S3Call& call, Reading& reading, net::ResponseHead head) {
  head.headers.set("x-amz-request-id", call.call.request_id);
  head.headers.set("x-amzn-RequestId", call.call.request_id);
  head.headers.set("x-amz-id-2", host_id(call.call.request_id));
  std::uint64_t sent = 0;
  const auto streamed = co_await stream(call, reading, std::move(head), sent);
  call.traffic.bytes_out = sent;
  Outcome outcome;
  outcome.sent = true;
  if (!streamed) {
    call.call.exchange.close_after();
    outcome.error = to_api_error(streamed.error());
  }
  co_return outcome;
}

}  // namespace

/// What fits into one piece is answered whole, after the call is recorded; larger ones are streamed
/// and recorded at their end, with the number of bytes that went out.
asio::awaitable<Result<Outcome>> get_object(S3Call& call) {
  if (call.request.has("partNumber")) {
    co_return refuse("NotImplemented", "Objects are not read by part number here; use Range");
  }
  auto open = [&]() { return open_reading(call); };
  OT_CO_TRY(Reading reading, co_await io::offload(call.workers, std::move(open)));
  call.traffic.sse_applied = "SSE_S3";
  net::ResponseHead head = response_head(call, reading);
  Outcome outcome;
  if (reading.verdict == Verdict::NotModified) {
    outcome.head = std::move(head);
    outcome.head.status = kNotModified;
    co_return outcome;
  }
  if (reading.piece.size() == reading.range.length) {
    outcome.head = std::move(head);
    outcome.body = std::move(reading.piece);
    co_return outcome;
  }
  co_return co_await send_streamed(call, reading, std::move(head));
}

}  // namespace opentrail::services::s3

#include "services/ingest/import_body.h"

#include "base/text.h"
#include "collect/gzip.h"
#include "record/splitter.h"

#include <fmt/format.h>

namespace opentrail::services::ingest {

namespace {

/// Header values come back in error texts: bounded and valid, whatever was sent.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 64;
  return to_valid_utf8(cut_utf8(text, kShownBytesMax));
}

Result<ImportBody> cut_records(std::string_view text, const ImportLimits& limits,
                               Timestamp arrival) {
  ImportBody body;
  bool too_many = false;
  record::RecordSplitter splitter([&](const record::RecordSplitter::Item& item) -> Result<void> {
    if (body.items.size() + body.invalid.size() >= limits.records_max) {
      too_many = true;
      return fail(ErrorCode::ResourceExhausted,
                  fmt::format("the body holds more than {} records; send fewer at once",
                              limits.records_max));
    }
    auto parsed = record::parse_record(std::string(item.json), record::Origin::Import, arrival);
    if (parsed) {
      body.items.push_back(ImportBody::Item{.line = item.line, .record = *std::move(parsed)});
    } else {
      body.invalid.push_back(
          ImportBody::Broken{.line = item.line, .message = parsed.error().message()});
    }
    return {};
  });
  auto cut = splitter.feed(text);
  if (cut) {
    cut = splitter.finish();
  }
  if (!cut) {
    const bool nothing_before = body.items.empty() && body.invalid.empty();
    if (too_many || nothing_before) {
      return std::unexpected(std::move(cut).error());
    }
    body.invalid.push_back(
        ImportBody::Broken{.line = 0, .message = "the body breaks off: " + cut.error().message()});
  }
  body.digests = splitter.digests_seen();
  return body;
}

}  // namespace

Result<ImportBody> read_import_body(std::string_view body, std::string_view content_encoding,
                                    const ImportLimits& limits, Timestamp arrival) {
  const std::string_view encoding = trim(content_encoding);
  if (equals_ignore_case(encoding, "gzip") || equals_ignore_case(encoding, "x-gzip")) {
    OT_TRY(const std::string text, collect::gunzip(body, limits.body_bytes_max));
    return cut_records(text, limits, arrival);
  }
  if (!encoding.empty() && !equals_ignore_case(encoding, "identity")) {
    return fail(ErrorCode::Unsupported,
                fmt::format("Content-Encoding '{}' is not accepted: send gzip or identity",
                            shown(encoding)));
  }
  if (body.size() > limits.body_bytes_max) {
    return fail(ErrorCode::ResourceExhausted,
                fmt::format("the body is larger than {} bytes", limits.body_bytes_max));
  }
  return cut_records(body, limits, arrival);
}

}  // namespace opentrail::services::ingest

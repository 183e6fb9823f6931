#include "objects/s3_xml.h"

#include "base/text.h"
#include "objects/s3_errors.h"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

namespace opentrail::objects {
namespace {

constexpr std::size_t kErrorBytesMax = 64 << 10;
constexpr std::size_t kReasonBytesMax = 64;
constexpr std::size_t kMessageBytesMax = 512;

constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kConflict = 409;
constexpr int kPreconditionFailed = 412;
constexpr int kTooManyRequests = 429;
constexpr int kNotImplemented = 501;
constexpr int kFirstClientError = 400;
constexpr int kFirstServerError = 500;

/// S3's code for a status whose answer has no body.
std::string_view reason_of_status(int status) {
  switch (status) {
    case kUnauthorized:
    case kForbidden:
      return "AccessDenied";
    case kNotFound:
      return "NotFound";
    case kPreconditionFailed:
      return "PreconditionFailed";
    case kTooManyRequests:
      return "SlowDown";
    case kNotImplemented:
      return "NotImplemented";
    default:
      break;
  }
  if (status >= kFirstServerError) {
    return "ServiceUnavailable";
  }
  return status < kFirstClientError ? "PermanentRedirect" : "InvalidRequest";
}

ErrorCode code_of(int status, std::string_view reason) {
  if (status == kNotImplemented || reason == "NotImplemented") {
    return ErrorCode::Unsupported;
  }
  if (status >= kFirstServerError || status == kTooManyRequests || reason == "SlowDown") {
    return ErrorCode::Unavailable;
  }
  if (!s3_text(reason).empty()) {
    return s3_reaction(reason);
  }
  switch (status) {
    case kUnauthorized:
    case kForbidden:
      return ErrorCode::PermissionDenied;
    case kNotFound:
      return ErrorCode::NotFound;
    case kConflict:
    case kPreconditionFailed:
      return ErrorCode::Conflict;
    default:
      return ErrorCode::InvalidArgument;
  }
}

bool is_reason(std::string_view text) {
  return !text.empty() && text.size() <= kReasonBytesMax &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789."
             "_-") == std::string_view::npos;
}

std::string child_text(const pugi::xml_node& node, const char* name) {
  return node.child(name).text().get();
}

/// Foreign text for a log line: valid, short, on one line.
std::string shown(std::string_view text) {
  std::string line = to_valid_utf8(cut_utf8(text, kMessageBytesMax));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') {
      c = ' ';
    }
  }
  return line;
}

Result<ListedObject> parse_contents(const pugi::xml_node& contents, bool url_encoded) {
  ListedObject object;
  object.key = child_text(contents, "Key");
  if (url_encoded) {
    auto decoded = uri_decode(object.key, true);
    if (!decoded) {
      return fail(ErrorCode::Unavailable, "the listing has a key with a broken escape");
    }
    object.key = *std::move(decoded);
  }
  object.etag = child_text(contents, "ETag");
  const auto size = parse_int(child_text(contents, "Size"));
  const auto modified = parse_iso(child_text(contents, "LastModified"));
  if (object.key.empty() || !size || *size < 0 || !modified) {
    return fail(ErrorCode::Unavailable, "the listing has an entry without key, size or time");
  }
  object.size = static_cast<std::uint64_t>(*size);
  object.last_modified = *modified;
  return object;
}

}  // namespace

Error error_of_answer(int status, std::string_view body) {
  std::string reason;
  std::string message;
  pugi::xml_document document;
  if (body.size() <= kErrorBytesMax && document.load_buffer(body.data(), body.size())) {
    const pugi::xml_node error = document.child("Error");
    reason = child_text(error, "Code");
    message = shown(child_text(error, "Message"));
  }
  if (!is_reason(reason)) {
    reason = reason_of_status(status);
    message = s3_text(reason);
  }
  const ErrorCode code = code_of(status, reason);
  return {code, fmt::format("{} {}: {}", status, reason, message), std::move(reason)};
}

Result<ForeignPage> parse_list_answer(std::string_view body) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size());
  const pugi::xml_node result = document.child("ListBucketResult");
  if (!parsed || !result) {
    return fail(ErrorCode::Unavailable, "the answer is not a ListBucketResult");
  }
  const bool url_encoded = equals_ignore_case(child_text(result, "EncodingType"), "url");
  ForeignPage page;
  page.truncated = child_text(result, "IsTruncated") == "true";
  for (const pugi::xml_node& contents : result.children("Contents")) {
    OT_TRY(page.objects.emplace_back(), parse_contents(contents, url_encoded));
  }
  return page;
}

}  // namespace opentrail::objects

#include "record/record_walk.h"

#include "base/text.h"
#include "record/json_document.h"
#include "record/key_table.h"

namespace opentrail::record {
namespace {

constexpr KeyTable<kRootKeyCount, 64> kRootKeys(
    {"eventID", "eventTime", "eventSource", "eventName", "awsRegion", "recipientAccountId",
     "userIdentity", "eventCategory", "eventType", "managementEvent", "readOnly", "resources",
     "requestParameters", "responseElements", "errorCode", "sourceIPAddress", "userAgent",
     "vpcEndpointId", "sessionCredentialFromConsole"});

constexpr KeyTable<kIdentityKeyCount, 16> kIdentityKeys({"type", "principalId", "arn", "accountId",
                                                         "accessKeyId", "userName"});

constexpr std::size_t kInRoot = 2;    ///< The depth of a member's value.
constexpr std::size_t kInMember = 3;  ///< The depth of a value in that.

}  // namespace

Result<void> RecordWalk::read(std::string_view json) {
  Verdict verdict = json.size() <= kRecordBytesMax ? walk(json) : Verdict::Invalid;
  if (verdict == Verdict::Valid) {
    return {};
  }
  OT_TRY(const JsonDocument document, JsonDocument::parse(json));
  if (verdict == Verdict::LargeNumber) {
    if (document.has_large_numbers()) {
      shortened_ = without_large_numbers(json);
      json = shortened_;
    }
    // The parser was used again in between, so that all places must be noted again.
    root_ = {};
    identity_ = {};
    named_ = {};
    verdict = walk(json);
  }
  if (verdict == Verdict::Invalid) {
    return fail(ErrorCode::InvalidArgument, "the record is not valid JSON");
  }
  return {};
}

std::string_view RecordWalk::flag(RootKey key) {
  const At at = place(key);
  if (at == 0) {
    return {};
  }
  const std::string_view said = json_.text(at);
  for (const std::string_view value : {"true", "false"}) {
    if (json_.is(at, value) || equals_ignore_case(said, value)) {
      return value;
    }
  }
  return {};
}

RecordWalk::Verdict RecordWalk::walk(std::string_view json) {
  if (!json_.open(json)) {
    return Verdict::Invalid;
  }
  const At behind = json_.check_object(
      0, 1, [this](std::string_view key, At value) { return take_member(key, value); });
  if (behind != json_.count()) {
    return Verdict::Invalid;
  }
  return json_.saw_large_number() ? Verdict::LargeNumber : Verdict::Valid;
}

RecordWalk::At RecordWalk::take_member(std::string_view key, At value) {
  const std::size_t found = kRootKeys.find(key);
  if (found == kRootKeyCount || root_.data()[found] != 0) {
    return json_.check_value(value, kInRoot);
  }
  root_.data()[found] = value;
  if (json_.byte(value) == '{') {
    switch (static_cast<RootKey>(found)) {
      case RootKey::UserIdentity:
        return take_identity(value);
      case RootKey::RequestParameters:
        return take_named(value, 0);
      case RootKey::ResponseElements:
        return take_named(value, kNamedMembersMax);
      default:
        break;
    }
  }
  return json_.check_value(value, kInRoot);
}

RecordWalk::At RecordWalk::take_identity(At object) {
  return json_.check_object(object, kInRoot, [this](std::string_view key, At value) {
    const std::size_t found = kIdentityKeys.find(key);
    if (found != kIdentityKeyCount && identity_.data()[found] == 0) {
      identity_.data()[found] = value;
    }
    return json_.check_value(value, kInMember);
  });
}

RecordWalk::At RecordWalk::take_named(At object, std::size_t offset) {
  return json_.check_object(object, kInRoot, [this, offset](std::string_view key, At value) {
    const std::size_t found = named_member(key);
    if (found != kNamedMembersMax && named_.data()[offset + found] == 0) {
      named_.data()[offset + found] = value;
    }
    return json_.check_value(value, kInMember);
  });
}

}  // namespace opentrail::record

#include "record/record_walk.h"

#include "record/json_document.h"
#include "record/key_table.h"

namespace opentrail::record {
namespace {

constexpr KeyTable<kRootKeyCount, 64> kRootKeys({
    "eventID", "eventTime", "eventSource", "eventName", "awsRegion", "recipientAccountId",
    "userIdentity", "eventCategory", "eventType", "managementEvent", "readOnly", "resources",
    "requestParameters", "responseElements", "errorCode", "sourceIPAddress", "userAgent"});

constexpr KeyTable<kIdentityKeyCount, 16> kIdentityKeys(
    {"type", "principalId", "arn", "accountId", "accessKeyId", "userName"});

constexpr std::size_t kInRoot = 2;      ///< The depth of a member's value.
constexpr std::size_t kInMember = 3;    ///< The depth of a value in that.

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
    // The parser was used again in between.
    verdict = walk(json);
  }
  if (verdict == Verdict::Invalid) {
    return fail(ErrorCode::InvalidArgument, "the record is not valid JSON");
  }
  return {};
}

RecordWalk::Verdict RecordWalk::walk(std::string_view json) {
  root_ = {};
  identity_ = {};
  request_ = {};
  response_ = {};
  if (!json_.open(json) ||
      !json_.check_object(1, [this](std::string_view key) { return take_member(key); }) ||
      !json_.at_end()) {
    return Verdict::Invalid;
  }
  return json_.saw_large_number() ? Verdict::LargeNumber : Verdict::Valid;
}

bool RecordWalk::take_member(std::string_view key) {
  const std::size_t found = kRootKeys.find(key);
  if (found == kRootKeyCount || root_[found] != 0) {
    return json_.check_value(kInRoot);
  }
  root_[found] = json_.at();
  if (json_.byte(json_.at()) == '{') {
    switch (static_cast<RootKey>(found)) {
      case RootKey::UserIdentity:
        return take_identity();
      case RootKey::RequestParameters:
        return take_named(request_);
      case RootKey::ResponseElements:
        return take_named(response_);
      default:
        break;
    }
  }
  return json_.check_value(kInRoot);
}

bool RecordWalk::take_identity() {
  return json_.check_object(kInRoot, [this](std::string_view key) {
    const std::size_t found = kIdentityKeys.find(key);
    if (found != kIdentityKeyCount && identity_[found] == 0) {
      identity_[found] = json_.at();
    }
    return json_.check_value(kInMember);
  });
}

bool RecordWalk::take_named(NamedMembers& members) {
  return json_.check_object(kInRoot, [this, &members](std::string_view key) {
    const std::size_t found = named_member(key);
    if (found != kNamedMembersMax && members[found] == 0) {
      members[found] = json_.at();
    }
    return json_.check_value(kInMember);
  });
}

}  // namespace opentrail::record

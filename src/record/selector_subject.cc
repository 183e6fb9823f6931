#include "record/selector_subject.h"

#include "record/record_walk.h"

#include <functional>

namespace opentrail::record {
namespace {

/// Reads the members of one record into its subject.
class Reader {
 public:
  Reader(RecordWalk& walk, std::string_view json, SelectorSubject& subject)
      : walk_(walk), json_(json), subject_(subject) {}

  void read() {
    subject_.read_only = walk_.flag(RootKey::ReadOnly) == "true";
    subject_.event_name = kept(walk_.text(RootKey::EventName));
    subject_.event_source = kept(walk_.text(RootKey::EventSource));
    subject_.event_type = kept(walk_.text(RootKey::EventType));
    subject_.error_code = kept(walk_.text(RootKey::ErrorCode));
    subject_.vpc_endpoint_id = kept(walk_.text(RootKey::VpcEndpointId));
    subject_.user_identity_arn = kept(walk_.text(IdentityKey::Arn));
    subject_.session_credential_from_console = walk_.flag(RootKey::SessionCredentialFromConsole);
    read_resources();
  }

 private:
  /// What the walk unescaped goes with the walk.
  std::string_view kept(std::string_view text) {
    const std::less_equal<> not_behind;
    const bool is_in_record = not_behind(json_.data(), text.data()) &&
                              not_behind(text.data() + text.size(), json_.data() + json_.size());
    return text.empty() || is_in_record ? text : subject_.own_texts.emplace_front(text);
  }

  std::string_view text(JsonIndex::At at) {
    return at == 0 ? std::string_view() : kept(walk_.json().text(at));
  }

  void read_resources() {
    JsonIndex& json = walk_.json();
    const auto list = walk_.place(RootKey::Resources);
    if (list == 0 || json.byte(list) != '[') {
      return;
    }
    json.each_item(list, [&](JsonIndex::At item) {
      return json.byte(item) == '{' ? read_resource(item) : json.behind(item);
    });
  }

  JsonIndex::At read_resource(JsonIndex::At item) {
    JsonIndex& json = walk_.json();
    JsonIndex::At type_at = 0;
    JsonIndex::At arn_at = 0;
    JsonIndex::At prefix_at = 0;
    const auto behind = json.each_member(item, [&](std::string_view key, JsonIndex::At value) {
      JsonIndex::At* const at = key == "ARN"         ? &arn_at
                                : key == "type"      ? &type_at
                                : key == "ARNPrefix" ? &prefix_at
                                                     : nullptr;
      if (at != nullptr && *at == 0) {  // the first of a name counts
        *at = value;
      }
      return json.behind(value);
    });
    const std::string_view type = text(type_at);
    const std::string_view arn = text(arn_at);
    const std::string_view prefix = text(prefix_at);
    if (!arn.empty() || (!type.empty() && prefix.empty())) {
      subject_.resources.push_back({type, arn});
    }
    if (!prefix.empty()) {
      subject_.resources.push_back({type, prefix});
    }
    return behind;
  }

  RecordWalk& walk_;
  std::string_view json_;
  SelectorSubject& subject_;
};

}  // namespace

Result<SelectorSubject> selector_subject(const Record& record) {
  RecordWalk walk;
  OT_TRY_DO(walk.read(record.json));
  Result<SelectorSubject> subject(std::in_place);
  subject->category = record.category;
  Reader(walk, record.json, *subject).read();
  return subject;
}

}  // namespace opentrail::record

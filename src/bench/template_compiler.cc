#include "bench/template_compiler.h"

#include "base/json.h"
#include "base/text.h"
#include "bench/value_forms.h"

#include <algorithm>
#include <array>
#include <optional>

namespace opentrail::bench {

namespace {

using Entities = std::vector<std::pair<std::string, Slot>>;

constexpr std::size_t kNameBytesMin = 3;

/// Values under these keys say what the call is, or are no text of the account's.
constexpr std::array<std::string_view, 14> kFixedKeys = {
    "eventVersion",   "eventSource",
    "eventName",      "awsRegion",
    "eventType",      "errorCode",
    "userAgent",      "eventCategory",
    "apiVersion",     "type",
    "invokedBy",      "cipherSuite",
    "policyDocument", "assumeRolePolicyDocument"};

/// Values under these keys name a resource.
constexpr std::array<std::string_view, 25> kResourceKeys = {"bucketName",
                                                            "functionName",
                                                            "tableName",
                                                            "groupName",
                                                            "policyName",
                                                            "roleName",
                                                            "instanceProfileName",
                                                            "dBInstanceIdentifier",
                                                            "secretId",
                                                            "queueName",
                                                            "topicArn",
                                                            "keyName",
                                                            "logGroupName",
                                                            "clusterName",
                                                            "repositoryName",
                                                            "stackName",
                                                            "aliasName",
                                                            "layerName",
                                                            "dBSnapshotIdentifier",
                                                            "dBClusterIdentifier",
                                                            "family",
                                                            "trailName",
                                                            "queueUrl",
                                                            "domainName",
                                                            "targetGroupArn"};

/// Values under these keys are random whatever they look like.
constexpr std::array<std::string_view, 8> kTokenKeys = {"requestID",    "requestId",   "x-amz-id-2",
                                                        "sessionToken", "clientToken", "nextToken",
                                                        "eTag",         "uploadId"};

/// Names that are words of every record, too.
constexpr std::array<std::string_view, 6> kCommonWords = {"root", "user", "User",
                                                          "role", "Role", "true"};

template <std::size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool can_stand_raw(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
}

/// Reads a record's values and notes which texts in it change from record to record.
class EntityFinder {
 public:
  EntityFinder(const json::object& record, Timestamp event_time, PoolNumbers& pools)
      : record_(record), event_time_(event_time), pools_(pools) {}

  Entities find() {
    add_event_id_and_time();
    add_caller();
    visit_object(record_, {});
    // The longest first: "web-frontend" must not be cut out of "web-frontend-internal".
    std::ranges::sort(entities_, [](const auto& a, const auto& b) {
      return a.first.size() != b.first.size() ? a.first.size() > b.first.size() : a.first < b.first;
    });
    return std::move(entities_);
  }

 private:
  void add(std::string_view text, Slot slot) {
    const bool known =
        std::ranges::any_of(entities_, [&](const auto& entity) { return entity.first == text; });
    if (!known && !text.empty() && can_stand_raw(text)) {
      entities_.emplace_back(text, std::move(slot));
    }
  }

  void add_event_id_and_time() {
    add(string_member(record_, "eventID"), Slot{.kind = SlotKind::Uuid});
    // Whatever form it has: an old record would not be stored.
    add(string_member(record_, "eventTime"), Slot{.kind = SlotKind::Time});
  }

  void add_name(std::string_view name, SlotKind kind) {
    if (name.size() >= kNameBytesMin && !is_one_of(kCommonWords, name) && !is_digits(name)) {
      add(name, Slot{.kind = kind});
    }
  }

  /// The identity's own texts belong to the session, wherever else they stand.
  void add_caller() {
    const json::value* found = record_.if_contains("userIdentity");
    if (found == nullptr || !found->is_object()) {
      return;
    }
    const json::object& identity = found->get_object();
    add_caller_key(string_member(identity, "accessKeyId"));
    const std::string principal = string_member(identity, "principalId");
    const auto colon = principal.find(':');
    add_caller_id(std::string_view(principal).substr(0, colon));
    add_caller_name(string_member(identity, "userName"));
    if (colon != std::string::npos) {
      add_caller_name(std::string_view(principal).substr(colon + 1));  // the role session
    }
    const std::string address = string_member(record_, "sourceIPAddress");
    if (is_address(address)) {
      add(address, Slot{.kind = SlotKind::SourceAddress});
    }
  }

  void add_caller_id(std::string_view text) {
    const auto id = as_principal(text);
    if (!id) {
      return;
    }
    Slot slot{.kind = SlotKind::CallerPrincipal,
              .length = static_cast<std::uint32_t>(id->size() - kIdPrefixBytes),
              .prefix = std::string(id->substr(0, kIdPrefixBytes))};
    if (slot.prefix == "AROA") {
      slot.kind = SlotKind::CallerRole;
      slot.pool = pool_of(std::string(text));
    }
    add(text, std::move(slot));
  }

  void add_caller_key(std::string_view key) {
    if (as_access_key(key)) {
      add(key,
          Slot{.kind = SlotKind::CallerKey, .prefix = std::string(key.substr(0, kIdPrefixBytes))});
    }
  }

  void add_caller_name(std::string_view name) {
    if (!find_form(name, event_time_)) {  // an instance's session has the instance's id
      add_name(name, SlotKind::CallerName);
    }
  }

  void visit_object(const json::object& object, std::string_view parent) {
    for (const auto& [key, value] : object) {
      visit(value, key, parent);
    }
  }

  void visit(const json::value& value, std::string_view key, std::string_view parent) {
    if (value.is_object()) {
      visit_object(value.get_object(), key);
    } else if (value.is_array()) {
      for (const json::value& item : value.get_array()) {
        visit(item, key, parent);
      }
    } else if (value.is_string() && !is_one_of(kFixedKeys, key)) {
      visit_text(value.get_string(), key, parent);
    }
  }

  void visit_text(std::string_view text, std::string_view key, std::string_view parent) {
    add_forms(text);
    if (is_one_of(kTokenKeys, key)) {
      add_token(text);
    } else if (key == "userName" && parent != "sessionIssuer") {
      add_name(text, SlotKind::OtherName);
    } else if (key == "roleSessionName") {
      add_other_session(text);
    } else if (is_one_of(kResourceKeys, key) && parent != "userIdentity") {
      add_resource(text);
    }
  }

  /// What can be told by its form alone, anywhere in a text.
  void add_forms(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const bool begins = at == 0 || !is_word(text[at - 1]);
      const auto form = begins ? find_form(text.substr(at), event_time_) : std::nullopt;
      if (!form) {
        ++at;
        continue;
      }
      add_form(text.substr(at, form->bytes), form->slot);
      at += form->bytes;
    }
  }

  void add_form(std::string_view text, Slot slot) {
    if (slot.kind == SlotKind::Account) {
      if (std::ranges::find(accounts_, text) == accounts_.end()) {
        accounts_.emplace_back(text);
      }
      slot.account_step =
          static_cast<std::uint32_t>(std::ranges::find(accounts_, text) - accounts_.begin());
    } else if (slot.kind == SlotKind::ResourceId) {
      slot.pool = pool_of(slot.prefix);
    }
    add(text, std::move(slot));
  }

  void add_token(std::string_view text) {
    constexpr std::size_t kTokenBytesMin = 8;
    if (text.size() >= kTokenBytesMin && !find_form(text, event_time_)) {
      add(text, Slot{.kind = SlotKind::Token,
                     .token_form = token_form_of(text),
                     .length = static_cast<std::uint32_t>(text.size())});
    }
  }

  void add_other_session(std::string_view text) {
    if (!find_form(text, event_time_)) {
      add_name(text, SlotKind::OtherName);
    }
  }

  /// The last part of a name or ARN: what tells one bucket from the next.
  void add_resource(std::string_view text) {
    const auto cut = text.find_last_of(":/");
    const std::string_view name = cut == std::string_view::npos ? text : text.substr(cut + 1);
    if (name.size() < kNameBytesMin || is_digits(name) || find_form(name, event_time_)) {
      return;
    }
    constexpr std::size_t kNumberBytes = 6;  // "-" and five digits
    constexpr std::size_t kStemBytesMin = 4;
    const std::size_t stem_bytes =
        name.size() >= kNumberBytes + kStemBytesMin ? name.size() - kNumberBytes : name.size();
    Slot slot{.kind = SlotKind::ResourceName, .prefix = std::string(cut_utf8(name, stem_bytes))};
    if (!slot.prefix.ends_with('-')) {
      slot.prefix += '-';
    }
    slot.pool = pool_of(slot.prefix);
    add(name, std::move(slot));
  }

  std::uint32_t pool_of(const std::string& prefix) {
    return pools_.try_emplace(prefix, static_cast<std::uint32_t>(pools_.size())).first->second;
  }

  const json::object& record_;
  const Timestamp event_time_;
  PoolNumbers& pools_;
  Entities entities_;
  std::vector<std::string> accounts_;  ///< In the order of their first appearance.
};

/// Replaces entities by slots in a run of text.
class PatternMaker {
 public:
  PatternMaker(const Entities& entities, Pattern& out) : entities_(entities), out_(out) {}

  void add_literal(std::string_view text) {
    out_.literals += text;
    pending_ += text.size();
  }

  /// `text` stands between quotes: its ends are ends of words.
  void add_text(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const bool begins = at == 0 || !is_word(text[at - 1]);
      const auto entity = begins ? entity_at(text.substr(at)) : std::nullopt;
      if (!entity) {
        add_literal(text.substr(at, 1));
        ++at;
        continue;
      }
      end_piece(static_cast<std::uint32_t>(*entity));
      at += entities_[*entity].first.size();
    }
  }

  void finish() { end_piece(Pattern::kNoSlot); }

 private:
  [[nodiscard]] std::optional<std::size_t> entity_at(std::string_view text) const {
    for (std::size_t i = 0; i < entities_.size(); ++i) {
      const std::string& word = entities_[i].first;
      if (text.starts_with(word) && (text.size() == word.size() || !is_word(text[word.size()]))) {
        return i;
      }
    }
    return std::nullopt;
  }

  void end_piece(std::uint32_t slot) {
    out_.pieces.push_back({.literal_bytes = static_cast<std::uint32_t>(pending_), .slot = slot});
    pending_ = 0;
  }

  const Entities& entities_;
  Pattern& out_;
  std::size_t pending_ = 0;
};

Pattern text_pattern(std::string_view text, const Entities& entities) {
  Pattern pattern;
  PatternMaker maker(entities, pattern);
  maker.add_text(text);
  maker.finish();
  return pattern;
}

/// The end of the string whose first character stands at `at`: the place of its closing quote.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  while (at < json.size() && json[at] != '"') {
    at += json[at] == '\\' ? 2 : 1;
  }
  return std::min(at, json.size());
}

/// Walks over the tokens of valid, compact JSON and replaces entities in the values that change.
Pattern json_pattern(std::string_view json, const Entities& entities) {
  Pattern pattern;
  PatternMaker maker(entities, pattern);
  bool is_fixed = false;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] != '"') {
      maker.add_literal(json.substr(at, 1));
      ++at;
      continue;
    }
    const std::size_t end = end_of_string(json, at + 1);
    const std::string_view inside = json.substr(at + 1, end - at - 1);
    const bool is_key = end + 1 < json.size() && json[end + 1] == ':';
    maker.add_literal("\"");
    if (is_key) {
      is_fixed = is_one_of(kFixedKeys, inside);
    }
    if (is_key || is_fixed) {
      maker.add_literal(inside);
    } else {
      maker.add_text(inside);
    }
    maker.add_literal("\"");
    at = end + 1;
  }
  maker.finish();
  return pattern;
}

}  // namespace

Result<CompiledTemplate> compile_template(std::string_view json, PoolNumbers& pools) {
  OT_TRY(const json::value document, parse_json(json, {.depth_max = record::kRecordDepthMax}));
  OT_TRY(const record::LookupFields fields, record::lookup_fields(json));
  OT_TRY(const record::Record record,
         record::parse_record(std::string(json), record::Origin::Import, Timestamp{}));
  const auto event_time = document.is_object()
                              ? parse_iso(string_member(document.get_object(), "eventTime"))
                              : std::nullopt;
  if (!event_time || record.id.empty()) {
    return fail(ErrorCode::InvalidArgument, "a template needs an eventID and an eventTime");
  }
  const Entities entities = EntityFinder(document.get_object(), *event_time, pools).find();

  CompiledTemplate made;
  made.bytes = static_cast<std::uint32_t>(json.size());
  made.json = json_pattern(json, entities);
  made.event_id = text_pattern(record.id, entities);
  made.account = text_pattern(record.account_id, entities);
  made.username = text_pattern(fields.username, entities);
  made.access_key_id = text_pattern(fields.access_key_id, entities);
  if (!fields.resources.empty()) {
    made.resource_name = text_pattern(fields.resources.front().name, entities);
    made.resource_type = fields.resources.front().type;
  }
  made.region = record.region;
  made.event_name = fields.event_name;
  made.event_source = fields.event_source;
  made.read_only = fields.read_only;
  made.category = record.category;
  for (const auto& [text, slot] : entities) {
    made.slots.push_back(slot);
  }
  return made;
}

}  // namespace opentrail::bench

#include "services/iam/iam_operations.h"

#include "base/text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::services {
namespace {

constexpr std::int64_t kItemsDefault = 100;
constexpr std::int64_t kItemsMax = 1000;

std::string show(Timestamp time, TimeStyle style) {
  return style == TimeStyle::Wire ? to_iso_seconds(time) : to_record_style(time);
}

/// Prints one thing both ways. `print(style)` gives members in wire case; records lower the first
/// letter of each (spec records §1.5).
json::value lower_names(const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object lowered;
    for (const auto& [name, member] : *object) {
      std::string changed(name);
      changed[0] = to_lower(changed.substr(0, 1))[0];
      lowered[changed] = lower_names(member);
    }
    return lowered;
  }
  if (const auto* array = value.if_array()) {
    json::array lowered;
    for (const json::value& item : *array) {
      lowered.push_back(lower_names(item));
    }
    return lowered;
  }
  return value;
}

template <typename Print>
IamResult both(const Print& print) {
  return {print(TimeStyle::Wire), lower_names(print(TimeStyle::Record))};
}

json::array show_tags(const iam::User& user) {
  json::array tags;
  for (const auto& [key, value] : user.tags) {
    tags.push_back({{"Key", key}, {"Value", value}});
  }
  return tags;
}

json::object show_user(const iam::User& user, TimeStyle style, bool with_tags) {
  json::object shown = {{"Path", user.path},
                        {"UserName", user.name},
                        {"UserId", user.user_id},
                        {"Arn", user.arn()},
                        {"CreateDate", show(user.created_at, style)}};
  if (with_tags && !user.tags.empty()) {
    shown["Tags"] = show_tags(user);
  }
  return shown;
}

json::object show_key(const iam::AccessKey& key, TimeStyle style) {
  json::object shown;
  if (!key.user_name.empty()) {
    shown["UserName"] = key.user_name;
  }
  shown["AccessKeyId"] = key.access_key_id;
  shown["Status"] = key.active ? "Active" : "Inactive";
  shown["CreateDate"] = show(key.created_at, style);
  return shown;
}

std::unexpected<Error> invalid(std::string_view value, std::string_view name,
                               std::string_view rule) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                          "constraint: {}",
                          value, name, rule),
              "ValidationError");
}

struct PageRequest {
  std::int64_t items_max;
  std::string after;  ///< Sort key of the last item of the page before.
};

Result<PageRequest> read_page(const aws::QueryRequest& request) {
  PageRequest page{kItemsDefault, {}};
  if (request.has("MaxItems")) {
    const auto items = parse_int(request.get("MaxItems"));
    if (!items || *items < 1 || *items > kItemsMax) {
      return invalid(request.get("MaxItems"), "maxItems",
                     "Member must have value between 1 and 1000");
    }
    page.items_max = *items;
  }
  if (request.has("Marker")) {
    const auto after = from_base64(request.get("Marker"));
    if (!after || after->empty()) {
      return fail(ErrorCode::InvalidArgument, "Invalid Marker.", "ValidationError");
    }
    page.after = *after;
  }
  return page;
}

/// One page of `items`, which are sorted by `key`, as
/// {"Name":[...],"IsTruncated":...,"Marker":...}.
template <typename Item, typename Key, typename Show>
json::object show_page(std::string_view name, const std::vector<Item>& items,
                       const PageRequest& page, const Key& key, const Show& show_item) {
  json::array shown;
  std::string last;
  bool truncated = false;
  for (const Item& item : items) {
    if (!page.after.empty() && key(item) <= page.after) {
      continue;
    }
    if (static_cast<std::int64_t>(shown.size()) == page.items_max) {
      truncated = true;
      break;
    }
    shown.push_back(show_item(item));
    last = key(item);
  }
  json::object result = {{name, std::move(shown)}, {"IsTruncated", truncated}};
  if (truncated) {
    result["Marker"] = to_base64(as_bytes(last));
  }
  return result;
}

Result<IamResult> create_user(const IamInput& in) {
  if (in.request.has("PermissionsBoundary")) {
    return fail(ErrorCode::Unsupported,
                "Permissions boundaries are not available in this server: leave out "
                "PermissionsBoundary.",
                "InvalidInput");
  }
  const std::string path = in.request.has("Path") ? std::string(in.request.get("Path")) : "/";
  OT_TRY(const auto user,
         in.iam.create_user(in.caller.account_id, in.user_name, path, in.request.tags()));
  return both(
      [&](TimeStyle style) { return json::object{{"User", show_user(user, style, true)}}; });
}

Result<IamResult> get_user(const IamInput& in) {
  if (in.user_name.empty()) {  // root asks for itself
    const json::object root = {{"UserId", in.caller.account_id}, {"Arn", in.caller.arn}};
    return IamResult{json::object{{"User", root}}, nullptr};
  }
  OT_TRY(const auto user, in.iam.user(in.caller.account_id, in.user_name));
  return IamResult{json::object{{"User", show_user(user, TimeStyle::Wire, true)}}, nullptr};
}

Result<IamResult> list_users(const IamInput& in) {
  OT_TRY(const auto page, read_page(in.request));
  OT_TRY(const auto users,
         in.iam.users(in.caller.account_id, std::string(in.request.get("PathPrefix"))));
  return IamResult{show_page(
                       "Users", users, page, [](const iam::User& u) { return u.name; },
                       [](const iam::User& u) { return show_user(u, TimeStyle::Wire, false); }),
                   nullptr};
}

Result<IamResult> delete_user(const IamInput& in) {
  OT_TRY_DO(in.iam.delete_user(in.caller.account_id, in.user_name));
  return IamResult{};
}

Result<IamResult> create_access_key(const IamInput& in) {
  OT_TRY(const auto made, in.iam.create_access_key(in.caller.account_id, in.user_name));
  return both([&](TimeStyle style) {
    json::object key = show_key(made.key, style);
    if (style == TimeStyle::Wire) {
      key["SecretAccessKey"] = made.secret_access_key;
    }
    return json::object{{"AccessKey", std::move(key)}};
  });
}

Result<IamResult> list_access_keys(const IamInput& in) {
  OT_TRY(const auto page, read_page(in.request));
  OT_TRY(auto keys, in.iam.access_keys(in.caller.account_id, in.user_name));
  std::ranges::sort(keys, {}, &iam::AccessKey::access_key_id);
  json::object result = show_page(
      "AccessKeyMetadata", keys, page, [](const iam::AccessKey& k) { return k.access_key_id; },
      [](const iam::AccessKey& k) { return show_key(k, TimeStyle::Wire); });
  if (!in.user_name.empty()) {
    result["UserName"] = in.user_name;
  }
  return IamResult{std::move(result), nullptr};
}

Result<IamResult> update_access_key(const IamInput& in) {
  const std::string_view status = in.request.get("Status");
  if (status != "Active" && status != "Inactive") {
    return invalid(status, "status", "Member must satisfy enum value set: [Active, Inactive]");
  }
  OT_TRY_DO(in.iam.update_access_key(in.caller.account_id, in.user_name,
                                     std::string(in.request.get("AccessKeyId")),
                                     status == "Active"));
  return IamResult{};
}

Result<IamResult> delete_access_key(const IamInput& in) {
  OT_TRY_DO(in.iam.delete_access_key(in.caller.account_id, in.user_name,
                                     std::string(in.request.get("AccessKeyId"))));
  return IamResult{};
}

Result<IamResult> create_login_profile(const IamInput& in) {
  const bool reset = in.request.get("PasswordResetRequired") == "true";
  OT_TRY(const auto created_at,
         in.iam.create_login_profile(in.caller.account_id, in.user_name,
                                     std::string(in.request.get("Password")), reset));
  return both([&](TimeStyle style) {
    return json::object{{"LoginProfile",
                         {{"UserName", in.user_name},
                          {"CreateDate", show(created_at, style)},
                          {"PasswordResetRequired", reset}}}};
  });
}

Result<IamResult> delete_login_profile(const IamInput& in) {
  OT_TRY_DO(in.iam.delete_login_profile(in.caller.account_id, in.user_name));
  return IamResult{};
}

Result<IamResult> attach_user_policy(const IamInput& in) {
  OT_TRY_DO(in.iam.attach_user_policy(in.caller.account_id, in.user_name,
                                      std::string(in.request.get("PolicyArn"))));
  return IamResult{};
}

Result<IamResult> detach_user_policy(const IamInput& in) {
  OT_TRY_DO(in.iam.detach_user_policy(in.caller.account_id, in.user_name,
                                      std::string(in.request.get("PolicyArn"))));
  return IamResult{};
}

Result<IamResult> list_attached_user_policies(const IamInput& in) {
  OT_TRY(const auto page, read_page(in.request));
  OT_TRY(auto policies, in.iam.attached_user_policies(in.caller.account_id, in.user_name));
  std::ranges::sort(policies);
  return IamResult{
      show_page(
          "AttachedPolicies", policies, page, [](const std::string& arn) { return arn; },
          [](const std::string& arn) {
            return json::object{{"PolicyName", arn.substr(arn.rfind('/') + 1)}, {"PolicyArn", arn}};
          }),
      nullptr};
}

using enum ParameterKind;
constexpr IamParameter kUserNameRequired{"UserName", Text, true};
constexpr IamParameter kUserName{"UserName"};
constexpr IamParameter kAccessKeyId{"AccessKeyId", Text, true};
constexpr IamParameter kPolicyArn{"PolicyArn", Text, true};
constexpr IamParameter kMarker{"Marker"};
constexpr IamParameter kMaxItems{"MaxItems", Integer};
constexpr IamParameter kPathPrefix{"PathPrefix"};

constexpr IamParameter kCreateUser[] = {
    {"Path"}, kUserNameRequired, {"PermissionsBoundary"}, {"Tags", Tags}};
constexpr IamParameter kNamedUser[] = {kUserNameRequired};
constexpr IamParameter kMaybeUser[] = {kUserName};
constexpr IamParameter kListUsers[] = {kPathPrefix, kMarker, kMaxItems};
constexpr IamParameter kListAccessKeys[] = {kUserName, kMarker, kMaxItems};
constexpr IamParameter kUpdateAccessKey[] = {kUserName, kAccessKeyId, {"Status", Text, true}};
constexpr IamParameter kDeleteAccessKey[] = {kUserName, kAccessKeyId};
constexpr IamParameter kCreateLoginProfile[] = {
    kUserNameRequired, {"Password", Secret, true}, {"PasswordResetRequired", Boolean}};
constexpr IamParameter kUserPolicy[] = {kUserNameRequired, kPolicyArn};
constexpr IamParameter kListAttached[] = {kUserNameRequired, kPathPrefix, kMarker, kMaxItems};

constexpr std::array kOperations = {
    IamOperation{"CreateUser", false, kCreateUser, false, create_user},
    IamOperation{"GetUser", true, kMaybeUser, true, get_user},
    IamOperation{"ListUsers", true, kListUsers, false, list_users},
    IamOperation{"DeleteUser", false, kNamedUser, false, delete_user},
    IamOperation{"CreateAccessKey", false, kMaybeUser, true, create_access_key},
    IamOperation{"ListAccessKeys", true, kListAccessKeys, true, list_access_keys},
    IamOperation{"UpdateAccessKey", false, kUpdateAccessKey, true, update_access_key},
    IamOperation{"DeleteAccessKey", false, kDeleteAccessKey, true, delete_access_key},
    IamOperation{"CreateLoginProfile", false, kCreateLoginProfile, false, create_login_profile},
    IamOperation{"DeleteLoginProfile", false, kNamedUser, false, delete_login_profile},
    IamOperation{"AttachUserPolicy", false, kUserPolicy, false, attach_user_policy},
    IamOperation{"DetachUserPolicy", false, kUserPolicy, false, detach_user_policy},
    IamOperation{"ListAttachedUserPolicies", true, kListAttached, false,
                 list_attached_user_policies},
};

}  // namespace

const IamOperation* find_iam_operation(std::string_view name) {
  const auto* found = std::ranges::find(kOperations, name, &IamOperation::name);
  return found == kOperations.end() ? nullptr : found;
}

}  // namespace opentrail::services

#pragma once
#include "record/json_index.h"
#include "record/record.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

/// Internal: one walk over a record's bytes, which checks them and notes where everything stands
/// that a record is routed, shown and found by. Of a key that stands twice the first counts.
namespace opentrail::record {

/// Members of the record itself.
enum class RootKey : std::uint8_t {
  EventId,
  EventTime,
  EventSource,
  EventName,
  Region,
  RecipientAccountId,
  UserIdentity,
  EventCategory,
  EventType,
  ManagementEvent,
  ReadOnly,
  Resources,
  RequestParameters,
  ResponseElements,
  ErrorCode,
  SourceIpAddress,
  UserAgent,
  VpcEndpointId,
  SessionCredentialFromConsole
};
inline constexpr std::size_t kRootKeyCount = 19;

/// Members of userIdentity.
enum class IdentityKey : std::uint8_t { Type, PrincipalId, Arn, AccountId, AccessKeyId, UserName };
inline constexpr std::size_t kIdentityKeyCount = 6;

/// Members of requestParameters and responseElements under which the name of a resource can stand;
/// resource_names.cc knows them by number.
inline constexpr std::size_t kNamedMembersMax = 72;
/// First those of requestParameters, then those of responseElements.
using NamedMembers = std::array<JsonIndex::At, 2 * kNamedMembersMax>;
/// kNamedMembersMax for all others.
[[nodiscard]] std::size_t named_member(std::string_view key);

class RecordWalk {
 public:
  using At = JsonIndex::At;

  /// Once; `json` must outlive this, as must the thread's parser: make one, use it, let it go.
  /// Errors: InvalidArgument, as parse_record.
  Result<void> read(std::string_view json);

  /// What JsonIndex::text() says of the member, or "".
  [[nodiscard]] std::string_view text(RootKey key) {
    const At at = place(key);
    return at == 0 ? std::string_view() : json_.text(at);
  }
  [[nodiscard]] std::string_view text(IdentityKey key) {
    const At at = identity_[static_cast<std::size_t>(key)];
    return at == 0 ? std::string_view() : json_.text(at);
  }
  /// "true" or "false", be it a boolean or, in any case of letters, a text; "" for all else.
  [[nodiscard]] std::string_view flag(RootKey key);
  /// Where the member's value begins; 0 when it is absent.
  [[nodiscard]] At place(RootKey key) const { return root_[static_cast<std::size_t>(key)]; }
  /// Where their values begin; 0 when they are absent, or not in an object.
  [[nodiscard]] const NamedMembers& named_members() const { return named_; }
  [[nodiscard]] JsonIndex& json() { return json_; }

 private:
  enum class Verdict : std::uint8_t { Valid, Invalid, LargeNumber };
  Verdict walk(std::string_view json);
  At take_member(std::string_view key, At value);
  At take_identity(At object);
  At take_named(At object, std::size_t offset);

  JsonIndex json_;
  std::array<At, kRootKeyCount> root_{};
  std::array<At, kIdentityKeyCount> identity_{};
  NamedMembers named_{};
  std::string shortened_;  ///< The record without large numbers, when it has some.
};

}  // namespace opentrail::record

#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// What a record is found by: its values of each indexed field (docs/search.md).
namespace opentrail::record {

/// The numbers stand in history's segment files and are never given to another field.
enum class Field : std::uint8_t {
  EventName = 0,
  EventSource = 1,
  Username = 2,  ///< As LookupFields::username.
  AccessKeyId = 3,
  ReadOnly = 4,       ///< "true" or "false"; absent when the record does not say.
  ResourceType = 5,   ///< Of each of LookupFields::resources.
  ResourceName = 6,   ///< Of each of LookupFields::resources.
  AccountId = 7,      ///< As Record::account_id.
  Region = 8,         ///< As Record::region.
  EventCategory = 9,  ///< As to_string(Record::category); absent for Other.
  EventType = 10,     ///< "AwsApiCall".
  ErrorCode = 11,     ///< Absent for a call that succeeded.
  SourceIpAddress = 12,
  UserAgent = 13,
  UserIdentityArn = 14,   ///< userIdentity.arn.
  UserIdentityType = 15,  ///< userIdentity.type.
};
inline constexpr std::size_t kFieldCount = 16;

/// As records spell it, with the path where it has one: "eventName", "userIdentity.arn";
/// LookupEvents' own: "username", "resourceType", "resourceName".
[[nodiscard]] std::string_view to_string(Field field);
/// The inverse, ignoring case.
[[nodiscard]] std::optional<Field> parse_field(std::string_view name);

/// The values of one record, field after field in a string of bytes: one allocation a record. No
/// pair of field and value stands twice; empty values stand not at all.
class Terms {
 public:
  struct Term {
    Field field;
    std::string_view value;
    bool operator==(const Term&) const = default;
  };
  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    Term operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_;
  };

  Terms() = default;
  /// Of pairs that all differ, which is not looked at; empty values are left out. In one go, for
  /// the path that every record takes.
  explicit Terms(std::span<const Term> different);
  /// Does nothing when `value` is empty or the pair is there.
  void add(Field field, std::string_view value);
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] Iterator begin() const { return Iterator(bytes_.data()); }
  [[nodiscard]] Iterator end() const { return Iterator(bytes_.data() + bytes_.size()); }
  [[nodiscard]] bool contains(Field field, std::string_view value) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

 private:
  void append(std::span<const Term> terms);

  std::string bytes_;         ///< Each: field (1), length (7 bits a byte, low ones first), value.
  std::uint32_t fields_ = 0;  ///< A bit for each Field that stands in it.
};

}  // namespace opentrail::record

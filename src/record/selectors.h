#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Event selectors: what a trail is told to keep (spec api §4). Values only; selector_matcher.h
/// says which records they mean.
namespace opentrail::record {

enum class ReadWriteType : std::uint8_t { All, ReadOnly, WriteOnly };

/// "All", "ReadOnly", "WriteOnly".
[[nodiscard]] std::string_view to_string(ReadWriteType type);
[[nodiscard]] std::optional<ReadWriteType> parse_read_write_type(std::string_view text);

struct DataResource {
  std::string type;                 ///< "AWS::S3::Object".
  std::vector<std::string> values;  ///< "arn:aws:s3:::bucket/", "arn:aws:lambda".
  bool operator==(const DataResource&) const = default;
};

/// A basic one.
struct EventSelector {
  ReadWriteType read_write_type = ReadWriteType::All;
  bool include_management_events = true;
  std::vector<DataResource> data_resources;
  std::vector<std::string> exclude_management_event_sources;
  bool operator==(const EventSelector&) const = default;
};

/// In the order of AWS's model.
enum class SelectorOperator : std::uint8_t {
  Equals,
  StartsWith,
  EndsWith,
  NotEquals,
  NotStartsWith,
  NotEndsWith
};
inline constexpr std::array kSelectorOperators = {
    SelectorOperator::Equals,    SelectorOperator::StartsWith,    SelectorOperator::EndsWith,
    SelectorOperator::NotEquals, SelectorOperator::NotStartsWith, SelectorOperator::NotEndsWith};
/// As the API spells them: "Equals", "NotStartsWith".
[[nodiscard]] std::string_view to_string(SelectorOperator op);

/// A condition on one field of a record.
struct FieldSelector {
  std::string field;  ///< "eventName", "resources.ARN".
  /// By operator; one that has none is not there.
  std::array<std::vector<std::string>, kSelectorOperators.size()> values;
  [[nodiscard]] const std::vector<std::string>& operator[](SelectorOperator op) const {
    return values[static_cast<std::size_t>(op)];
  }
  [[nodiscard]] std::vector<std::string>& operator[](SelectorOperator op) {
    return values[static_cast<std::size_t>(op)];
  }
  bool operator==(const FieldSelector&) const = default;
};

struct AdvancedEventSelector {
  std::string name;  ///< For people; may be empty.
  std::vector<FieldSelector> field_selectors;
  bool operator==(const AdvancedEventSelector&) const = default;
};

/// IAM, CloudFront, the console's sign-in and other services whose records carry us-east-1 wherever
/// they were called from (spec records §2.3): `include_global_service_events` is about these.
[[nodiscard]] bool is_global_service(std::string_view event_source);

}  // namespace opentrail::record

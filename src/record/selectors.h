#pragma once
#include "record/record.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Basic event selectors: which records a trail gets (spec api §4, "event selectors"). Pure.
namespace opentrail::record {

enum class ReadWriteType : std::uint8_t { All, ReadOnly, WriteOnly };

/// "All", "ReadOnly", "WriteOnly".
[[nodiscard]] std::string_view to_string(ReadWriteType type);
[[nodiscard]] std::optional<ReadWriteType> parse_read_write_type(std::string_view text);

struct DataResource {
  std::string type;                 ///< "AWS::S3::Object".
  std::vector<std::string> values;  ///< ARN prefixes: "arn:aws:s3:::bucket/".
  bool operator==(const DataResource&) const = default;
};

struct EventSelector {
  ReadWriteType read_write_type = ReadWriteType::All;
  bool include_management_events = true;
  std::vector<DataResource> data_resources;
  std::vector<std::string> exclude_management_event_sources;
  bool operator==(const EventSelector&) const = default;
};

/// The part of a record that selectors look at.
struct SelectorSubject {
  Category category = Category::Management;
  bool read_only = false;  ///< A record that does not say counts as a write.
  std::string event_source;
  std::vector<std::string> resource_arns;
};
/// Errors: InvalidArgument, as parse_record.
[[nodiscard]] Result<SelectorSubject> selector_subject(const Record& record);

/// True when one of the selectors wants it. No selectors want nothing.
[[nodiscard]] bool selects(const std::vector<EventSelector>& selectors,
                           const SelectorSubject& subject);

/// IAM, CloudFront, the console's sign-in and other services whose records carry us-east-1 wherever
/// they were called from (spec records §2.3): `include_global_service_events` is about these.
[[nodiscard]] bool is_global_service(std::string_view event_source);

}  // namespace opentrail::record

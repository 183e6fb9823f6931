#pragma once
#include "record/record.h"

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

/// The part of a record that event selectors look at, read once for all the trails there are. Pure.
namespace opentrail::record {

/// One item of the record's `resources`. A listing has "ARNPrefix" where other calls have "ARN";
/// it counts as one. Either half may be empty.
struct SelectorResource {
  std::string_view type;  ///< "AWS::S3::Object".
  std::string_view arn;
  bool operator==(const SelectorResource&) const = default;
};

/// Of what the record does not say, the text is empty. The texts are views: the record must outlive
/// this.
struct SelectorSubject {
  Category category = Category::Management;
  bool read_only = false;  ///< A record that does not say counts as a write (spec api §4.5).
  std::string_view event_name;
  std::string_view event_source;
  std::string_view event_type;
  std::string_view error_code;
  std::string_view vpc_endpoint_id;
  std::string_view user_identity_arn;
  std::string_view session_credential_from_console;  ///< "true" or "false".
  std::vector<SelectorResource> resources;

  /// Texts that do not stand in the record as they are, because of escapes. A list, so that they
  /// stay where they are when this is moved; a copy would look into the original.
  std::forward_list<std::string> own_texts;

  SelectorSubject() = default;
  SelectorSubject(SelectorSubject&&) = default;
  SelectorSubject& operator=(SelectorSubject&&) = default;
  SelectorSubject(const SelectorSubject&) = delete;
  SelectorSubject& operator=(const SelectorSubject&) = delete;
  ~SelectorSubject() = default;
};

/// Errors: InvalidArgument, as parse_record.
[[nodiscard]] Result<SelectorSubject> selector_subject(const Record& record);

}  // namespace opentrail::record

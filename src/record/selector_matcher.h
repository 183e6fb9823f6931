#pragma once
#include "record/selector_subject.h"
#include "record/selectors.h"
#include "record/value_set.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Which records a set of event selectors means (spec api §4.5). Made once for a configuration,
/// then asked about every record.
namespace opentrail::record {

/// Pure; any number of threads. A record is wanted when one of the selectors wants it; no selectors
/// want nothing. Insights events are never wanted: Insights selectors speak of those.
class SelectorMatcher {
 public:
  explicit SelectorMatcher(std::span<const EventSelector> selectors);
  /// All conditions of a selector must hold, and of each all operators: a positive one when one of
  /// its values hits, a negative one when none does. Of resources, any may be the one that is hit.
  /// What the record does not say is hit by nothing. A field that is not known is never said.
  explicit SelectorMatcher(std::span<const AdvancedEventSelector> selectors);

  [[nodiscard]] bool matches(const SelectorSubject& subject) const;
  /// The answer for all records of the category, when it takes no look at them.
  [[nodiscard]] std::optional<bool> answer_for(Category category) const;

 private:
  enum class Part : std::uint8_t {
    EventName,
    EventSource,
    EventType,
    ErrorCode,
    VpcEndpointId,
    UserIdentityArn,
    SessionCredentialFromConsole,
    ResourceType,
    ResourceArn,
    None
  };
  struct Condition {
    Part part = Part::None;
    bool negative = false;
    ValueSet values;
  };
  /// A resource of this type, and among these values.
  struct ResourceCondition {
    std::string type;
    std::optional<ValueSet> arns;  ///< Absent: every one.
  };
  /// All of it must hold.
  struct Rule {
    bool reads = true;
    bool writes = true;
    std::vector<Condition> conditions;
    std::optional<ResourceCondition> resource;
  };

  static Part part_named(std::string_view field);
  static std::string_view text_of(const SelectorSubject& subject, Part part);
  static bool is_hit(const Condition& condition, const SelectorSubject& subject);
  static bool holds(const Rule& rule, const SelectorSubject& subject);
  static std::optional<ResourceCondition> compile(const DataResource& resource);
  void add(Category category, Rule rule);
  void add(const EventSelector& selector);
  void add(const AdvancedEventSelector& selector, Category category);

  /// By category: a rule is only where it can hold.
  std::array<std::vector<Rule>, kCategoryCount> rules_;
};

}  // namespace opentrail::record

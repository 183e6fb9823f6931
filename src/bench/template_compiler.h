#pragma once
#include "base/error.h"
#include "bench/value_pools.h"
#include "record/record.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::bench {

/// Text with holes: a run of literal bytes, then the value of a slot, and so on.
struct Pattern {
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;
  struct Piece {
    std::uint32_t literal_bytes = 0;
    std::uint32_t slot = kNoSlot;  ///< Stands behind the literal; kNoSlot in the last piece only.
  };
  std::string literals;  ///< One behind the other.
  std::vector<Piece> pieces;
};

/// A record that can be made anew. What LookupEvents finds it by is given as patterns, too: the
/// same slots make the same values.
struct CompiledTemplate {
  Pattern json;
  std::vector<Slot> slots;
  std::uint32_t bytes = 0;  ///< Of the template itself.

  Pattern event_id;
  Pattern account;  ///< As record::Record::account_id.
  Pattern username;
  Pattern access_key_id;
  Pattern resource_name;  ///< Of the first resource; empty when there is none.
  std::string resource_type;
  std::string region;
  std::string event_name;
  std::string event_source;
  std::string read_only;
  record::Category category = record::Category::Management;
};

/// Numbers for the beginnings of resource names, the same for all templates of one generator.
using PoolNumbers = std::map<std::string, std::uint32_t, std::less<>>;

/// Finds what is an id, a time, a person, a key, an address or a resource in `json`, by its form
/// ("i-0a1b...") or by where it stands (requestParameters.bucketName), and makes slots of every
/// place where that text stands by itself. Neither keys nor what names the call (eventName,
/// eventSource, awsRegion, userAgent, ...) is changed.
/// Errors: InvalidArgument when the record is not one of is_replayable().
[[nodiscard]] Result<CompiledTemplate> compile_template(std::string_view json, PoolNumbers& pools);

}  // namespace opentrail::bench

#pragma once
#include "base/time.h"
#include "bench/value_pools.h"

#include <cstddef>
#include <optional>
#include <string_view>

/// Tells ids, times and addresses by their form.
namespace opentrail::bench {

/// "AKIA", "AIDA", ...
inline constexpr std::size_t kIdPrefixBytes = 4;

/// A letter or digit: what a value that is found inside a longer text may not touch.
[[nodiscard]] bool is_word(char c);

struct Form {
  std::size_t bytes = 0;  ///< From the beginning of the text.
  Slot slot;
};
/// What the beginning of `text` is: a UUID, a time, an access key id, a unique id of IAM, an
/// account id, a resource id or a private address. It must end with a word, or with the text.
[[nodiscard]] std::optional<Form> find_form(std::string_view text, Timestamp event_time);

/// `text` when all of it is one.
[[nodiscard]] std::optional<std::string_view> as_access_key(std::string_view text);
[[nodiscard]] std::optional<std::string_view> as_principal(std::string_view text);
[[nodiscard]] bool is_address(std::string_view text);
[[nodiscard]] TokenForm token_form_of(std::string_view text);

}  // namespace opentrail::bench

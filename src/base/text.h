#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Small text and byte helpers; pure, allocation only for what they return.
namespace opentrail {

using ByteSpan = std::span<const std::byte>;

[[nodiscard]] ByteSpan as_bytes(std::string_view text);
[[nodiscard]] std::string_view as_text(ByteSpan bytes);

[[nodiscard]] std::string to_hex(ByteSpan bytes);  ///< Lower case.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);
[[nodiscard]] std::string to_base64(ByteSpan bytes);  ///< Padded, standard alphabet.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

[[nodiscard]] std::string to_lower(std::string_view text);  ///< ASCII only.
[[nodiscard]] bool equals_ignore_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string_view trim(std::string_view text);  ///< Spaces, tabs, CR, LF.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] bool is_digits(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_int(std::string_view text);
/// `*` stands for any run, `?` for one character; linear in the text for each star.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);

/// RFC 3986: unreserved characters stay; `keep_slash` leaves "/" alone, as S3 paths want it.
[[nodiscard]] std::string uri_encode(std::string_view text, bool keep_slash = false);
/// Decodes %XX. `plus_is_space` for form bodies. Absent on a broken escape.
[[nodiscard]] std::optional<std::string> uri_decode(std::string_view text,
                                                    bool plus_is_space = false);
/// True when `text` is well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);
/// Cuts to at most `bytes_max` bytes without splitting a UTF-8 character.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);
/// Replaces ill-formed UTF-8 by U+FFFD, so that foreign bytes can stand in JSON.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

}  // namespace opentrail

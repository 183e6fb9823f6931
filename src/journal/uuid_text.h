#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Takes the UUIDs of a record's eventID and requestID out of its text and puts them back. They are
/// the part of a record that no compressor can shorten: 36 characters for 16 random bytes. Pure.
namespace opentrail::journal {

inline constexpr std::size_t kUuidTextBytes = 36;
inline constexpr std::size_t kUuidBytes = 16;
/// Stands in a text for the UUID that was taken out.
inline constexpr char kUuidMark = '\x01';
/// UUIDs behind this many stay in the text.
inline constexpr unsigned kUuidsMax = 3;

/// "01234567-89ab-cdef-0123-456789abcdef", lower case, to its 16 bytes; false for any other text,
/// and `out` then holds nothing of use.
[[nodiscard]] bool parse_uuid(const char* text, char* out);
/// The inverse: writes kUuidTextBytes characters.
void print_uuid(const char* bytes, char* out);

struct TakenUuids {
  unsigned count = 0;
  /// False when `json` has a byte below 0x09 and so might be taken for one with marks: it stands in
  /// `text` as it is.
  bool clean = true;
};
/// Appends `json` to `text` with a mark for each UUID that follows `"eventID":"` or `"requestID":"`
/// and is followed by `"`, wherever in the record; appends the UUIDs' bytes to `uuids`.
TakenUuids take_uuids(std::string_view json, std::string& text, std::string& uuids);

/// Writes `text` with the UUIDs whose bytes are `uuids` in the places of its marks; `out` has room
/// for put_bytes(). False when it has another number of marks.
[[nodiscard]] bool put_uuids(std::string_view text, std::string_view uuids, char* out);
[[nodiscard]] constexpr std::size_t put_bytes(std::size_t text_bytes, unsigned uuid_count) {
  return text_bytes + uuid_count * (kUuidTextBytes - 1);
}

}  // namespace opentrail::journal

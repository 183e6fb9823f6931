#include "journal/uuid_text.h"

#include <cstring>

#include <immintrin.h>

namespace opentrail::journal {
namespace {

constexpr std::string_view kEventMember = "\"eventID\":\"";
constexpr std::string_view kRequestMember = "\"requestID\":\"";
/// What both members end with, so that one scan finds either.
constexpr std::string_view kMemberEnd = "D\":\"";
constexpr unsigned char kTextBegins = 0x09;  ///< No valid JSON has a byte below it.
constexpr std::size_t kLaneBytes = 16;
constexpr std::size_t kHyphens[] = {8, 13, 18, 23};

// NOLINTBEGIN(portability-simd-intrinsics): every build is for x86-64-v2 (cmake/toolchain.cmake)

__m128i load(const char* at) {
  __m128i lane;
  std::memcpy(&lane, at, sizeof(lane));
  return lane;
}

void store(char* at, __m128i lane) { std::memcpy(at, &lane, sizeof(lane)); }

/// 16 hex digits to 16 numbers; `good` loses the lanes that are none.
__m128i nibbles(__m128i digits, __m128i& good) {
  const __m128i number = _mm_sub_epi8(digits, _mm_set1_epi8('0'));
  const __m128i letter = _mm_sub_epi8(digits, _mm_set1_epi8('a'));
  const __m128i is_number = _mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number);
  const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
  good = _mm_and_si128(good, _mm_or_si128(is_number, is_letter));
  return _mm_blendv_epi8(number, _mm_add_epi8(letter, _mm_set1_epi8(10)), is_letter);
}

/// What a scan of a lane's worth of text looks for.
struct Scan {
  __m128i least = _mm_set1_epi8(-1);  ///< The least byte seen, lane by lane.

  /// Bit i: a member may end with the four bytes at `at + i`. Reads 18 bytes.
  unsigned ends(const char* at) {
    const __m128i here = load(at);
    least = _mm_min_epu8(least, here);
    const __m128i colon = _mm_cmpeq_epi8(load(at + 2), _mm_set1_epi8(kMemberEnd[2]));
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(here, _mm_set1_epi8(kMemberEnd[0])), colon);
    return static_cast<unsigned>(_mm_movemask_epi8(both));
  }
  [[nodiscard]] bool clean() const {
    const __m128i raised = _mm_max_epu8(least, _mm_set1_epi8(kTextBegins));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(raised, least)) == 0xFFFF;
  }
};

// NOLINTEND(portability-simd-intrinsics)

/// Moves what is clean of a UUID over, and remembers up to where.
class Taker {
 public:
  Taker(std::string_view json, std::string& text, std::string& uuids)
      : json_(json), text_(text), uuids_(uuids) {}

  /// `at`: where kMemberEnd may begin.
  void look(std::size_t at) {
    const std::size_t begin = at + kMemberEnd.size();
    // A mark stands for a UUID and a quote behind it; an overlap with the one before is none.
    if (count_ == kUuidsMax || begin + kUuidTextBytes >= json_.size() || begin < copied_ ||
        json_[begin + kUuidTextBytes] != '"') {
      return;
    }
    const std::string_view before = json_.substr(0, begin);
    std::array<char, kUuidBytes> uuid{};
    if ((before.ends_with(kEventMember) || before.ends_with(kRequestMember)) &&
        parse_uuid(json_.data() + begin, uuid.data())) {
      text_.append(json_, copied_, begin - copied_);
      text_.push_back(kUuidMark);
      uuids_.append(uuid.data(), uuid.size());
      copied_ = begin + kUuidTextBytes;
      ++count_;
    }
  }
  unsigned finish() {
    text_.append(json_, copied_);
    return count_;
  }

 private:
  std::string_view json_;
  std::string& text_;
  std::string& uuids_;
  std::size_t copied_ = 0;
  unsigned count_ = 0;
};

}  // namespace

bool parse_uuid(const char* text, char* out) {
  for (const std::size_t at : kHyphens) {
    if (text[at] != '-') {
      return false;
    }
  }
  std::array<char, 2 * kUuidBytes> digits;  // NOLINT(*-member-init): all written below
  std::memcpy(digits.data(), text, 8);
  std::memcpy(digits.data() + 8, text + 9, 4);
  std::memcpy(digits.data() + 12, text + 14, 4);
  std::memcpy(digits.data() + 16, text + 19, 4);
  std::memcpy(digits.data() + 20, text + 24, 12);
  __m128i good = _mm_set1_epi8(-1);
  const __m128i first = nibbles(load(digits.data()), good);
  const __m128i second = nibbles(load(digits.data() + kLaneBytes), good);
  // The even digit times 16, the odd one added to it.
  const __m128i weights = _mm_set1_epi16(0x0110);
  store(out,
        _mm_packus_epi16(_mm_maddubs_epi16(first, weights), _mm_maddubs_epi16(second, weights)));
  return _mm_movemask_epi8(good) == 0xFFFF;
}

void print_uuid(const char* bytes, char* out) {
  const __m128i packed = load(bytes);
  const __m128i low_bits = _mm_set1_epi8(0x0F);
  const __m128i high = _mm_and_si128(_mm_srli_epi16(packed, 4), low_bits);
  const __m128i low = _mm_and_si128(packed, low_bits);
  const __m128i digits =
      _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
  std::array<char, 2 * kUuidBytes> hex;  // NOLINT(*-member-init): all written below
  store(hex.data(), _mm_shuffle_epi8(digits, _mm_unpacklo_epi8(high, low)));
  store(hex.data() + kLaneBytes, _mm_shuffle_epi8(digits, _mm_unpackhi_epi8(high, low)));
  std::memcpy(out, hex.data(), 8);
  std::memcpy(out + 9, hex.data() + 8, 4);
  std::memcpy(out + 14, hex.data() + 12, 4);
  std::memcpy(out + 19, hex.data() + 16, 4);
  std::memcpy(out + 24, hex.data() + 20, 12);
  for (const std::size_t at : kHyphens) {
    out[at] = '-';
  }
}

TakenUuids take_uuids(std::string_view json, std::string& text, std::string& uuids) {
  const std::size_t text_before = text.size();
  const std::size_t uuids_before = uuids.size();
  Taker taker(json, text, uuids);
  Scan scan;
  std::size_t at = 0;
  for (; at + kLaneBytes + 2 <= json.size(); at += kLaneBytes) {
    for (unsigned ends = scan.ends(json.data() + at); ends != 0; ends &= ends - 1) {
      taker.look(at + static_cast<unsigned>(__builtin_ctz(ends)));
    }
  }
  // No UUID can begin so near the end.
  bool clean = scan.clean();
  for (; at < json.size(); ++at) {
    clean = clean && static_cast<unsigned char>(json[at]) >= kTextBegins;
  }
  if (clean) {
    return {taker.finish(), true};
  }
  text.resize(text_before);
  uuids.resize(uuids_before);
  text += json;
  return {0, false};
}

bool put_uuids(std::string_view text, std::string_view uuids, char* out) {
  for (; !uuids.empty(); uuids.remove_prefix(kUuidBytes)) {
    const std::size_t mark = text.find(kUuidMark);
    if (mark == std::string_view::npos) {
      return false;
    }
    std::memcpy(out, text.data(), mark);
    print_uuid(uuids.begin(), out + mark);
    out += mark + kUuidTextBytes;
    text.remove_prefix(mark + 1);
  }
  if (text.find(kUuidMark) != std::string_view::npos) {
    return false;
  }
  if (!text.empty()) {
    std::memcpy(out, text.data(), text.size());
  }
  return true;
}

}  // namespace opentrail::journal

#include "bench/value_pools.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

constexpr std::array<std::string_view, 50> kFirstNames = {
    "aisha", "alan",  "ana",   "andrei", "anna",   "ben",   "carla", "chen",   "clara", "dana",
    "david", "elena", "emil",  "erik",   "fatima", "felix", "grace", "hana",   "hugo",  "ines",
    "ivan",  "jana",  "jonas", "julia",  "karim",  "kofi",  "lea",   "leo",    "lina",  "luca",
    "maria", "mark",  "mei",   "milan",  "nadia",  "nina",  "noah",  "olga",   "omar",  "paula",
    "pedro", "priya", "rosa",  "ruben",  "sara",   "sofia", "tariq", "thomas", "yuki",  "zoe"};
constexpr std::array<std::string_view, 40> kLastNames = {
    "abbas",   "almeida", "bauer",  "berg",   "castro", "costa",  "diallo", "dubois",
    "fischer", "garcia",  "haddad", "hansen", "ito",    "jansen", "kaya",   "keller",
    "kim",     "kowal",   "larsen", "lopez",  "mensah", "meyer",  "moreau", "nakano",
    "novak",   "okafor",  "olsen",  "patel",  "petrov", "reyes",  "rossi",  "santos",
    "sato",    "silva",   "singh",  "tanaka", "vargas", "weber",  "winter", "zhang"};

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kUpperDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";

constexpr std::size_t kKeyLetters = 16;
constexpr std::size_t kNameDigits = 5;

/// Two hex digits for each byte.
constexpr auto kHexPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {kHexDigits[i >> 4U], kHexDigits[i & 15U]};
  }
  return pairs;
}();

std::string make_name(std::size_t number) {
  constexpr std::size_t kPairs = kFirstNames.size() * kLastNames.size();
  // 7 has no common factor with 40: neighbours in rank share neither name.
  const std::size_t first = number % kFirstNames.size();
  const std::size_t last = (number / kFirstNames.size() + 7 * first) % kLastNames.size();
  std::string name = fmt::format("{}.{}", kFirstNames[first], kLastNames[last]);
  if (number >= kPairs) {
    name += std::to_string(number / kPairs + 1);
  }
  return name;
}

char* put_hex(char* at, std::uint64_t bits, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) {
    const auto& pair = kHexPairs[(bits >> (8 * i)) & 0xffU];
    *at++ = pair[0];
    *at++ = pair[1];
  }
  return at;
}

void append_uuid(std::string& out, std::uint64_t draw) {
  constexpr std::size_t kUuidBytes = 36;
  constexpr std::uint64_t kVersion4 = 0x40;
  constexpr std::uint64_t kVariant = 0x80;
  std::array<char, kUuidBytes> text;
  // The first byte on the text is the lowest one of the number.
  const std::uint64_t high = (draw & ~(std::uint64_t{0xf0} << 48U)) | (kVersion4 << 48U);
  const std::uint64_t low = (scatter(~draw) & ~std::uint64_t{0xc0}) | kVariant;
  char* at = put_hex(text.data(), high, 4);
  *at++ = '-';
  at = put_hex(at, high >> 32U, 2);
  *at++ = '-';
  at = put_hex(at, high >> 48U, 2);
  *at++ = '-';
  at = put_hex(at, low, 2);
  *at++ = '-';
  put_hex(at, low >> 16U, 6);
  out.append(text.data(), text.size());
}

/// `count` characters of an alphabet of 2^`bits` letters.
void append_letters(std::string& out, std::string_view alphabet, unsigned bits, std::size_t count,
                    std::uint64_t seed) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  std::array<char, 64> chunk;
  std::uint64_t pool = scatter(seed);
  unsigned left = 64;
  while (count > 0) {
    const std::size_t now = std::min(count, chunk.size());
    for (std::size_t i = 0; i < now; ++i) {
      if (left < bits) {
        seed += 0x9e3779b97f4a7c15U;
        pool = scatter(seed);
        left = 64;
      }
      chunk[i] = alphabet[pool & mask];
      pool >>= bits;
      left -= bits;
    }
    out.append(chunk.data(), now);
    count -= now;
  }
}

void append_token(std::string& out, const Slot& slot, std::uint64_t draw) {
  switch (slot.token_form) {
    case TokenForm::HexLower:
      return append_letters(out, kHexDigits, 4, slot.length, draw);
    case TokenForm::UpperDigits:
      return append_letters(out, kUpperDigits, 5, slot.length, draw);
    case TokenForm::Base64:
      return append_letters(out, kBase64, 6, slot.length, draw);
  }
}

char* put_two(char* at, unsigned number) {
  *at++ = static_cast<char>('0' + number / 10);
  *at++ = static_cast<char>('0' + number % 10);
  return at;
}

void append_iso(std::string& out, std::int64_t millis, bool with_millis) {
  using std::chrono::days;
  using std::chrono::milliseconds;
  const Timestamp time{milliseconds(millis)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto in_day = static_cast<unsigned>((time - day).count());
  constexpr std::size_t kIsoBytesMax = 24;
  std::array<char, kIsoBytesMax> text;
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  char* at = put_two(put_two(text.data(), year / 100), year % 100);
  *at++ = '-';
  at = put_two(at, static_cast<unsigned>(date.month()));
  *at++ = '-';
  at = put_two(at, static_cast<unsigned>(date.day()));
  *at++ = 'T';
  const unsigned second = in_day / 1000;
  at = put_two(at, second / 3600);
  *at++ = ':';
  at = put_two(at, second / 60 % 60);
  *at++ = ':';
  at = put_two(at, second % 60);
  if (with_millis) {
    *at++ = '.';
    *at++ = static_cast<char>('0' + in_day % 1000 / 100);
    at = put_two(at, in_day % 100);
  }
  *at++ = 'Z';
  out.append(text.data(), static_cast<std::size_t>(at - text.data()));
}

void append_time(std::string& out, const Slot& slot, std::uint64_t value) {
  const std::int64_t millis = static_cast<std::int64_t>(value) + slot.delta_millis;
  if (slot.time_form == TimeForm::RecordStyle) {
    out += to_record_style(Timestamp(std::chrono::milliseconds(millis)));
  } else {
    append_iso(out, millis, slot.time_form == TimeForm::IsoMillis);
  }
}

void append_number(std::string& out, unsigned number) {
  std::array<char, 3> text;
  std::size_t at = text.size();
  do {
    text[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  out.append(text.data() + at, text.size() - at);
}

void append_address(std::string& out, std::uint64_t bits, bool is_private) {
  // Public ones lie outside of what is private, local or multicast: 20.x to 99.x.
  constexpr unsigned kFirst = 20;
  constexpr unsigned kNets = 80;
  append_number(out, is_private ? 10U : kFirst + static_cast<unsigned>((bits >> 24U) % kNets));
  for (unsigned shift = 24; shift > 0;) {
    shift -= 8;
    out.push_back('.');
    append_number(out, static_cast<unsigned>((bits >> shift) & 0xffU));
  }
}

void append_base36(std::string& out, std::uint64_t number) {
  std::array<char, kNameDigits> text;
  for (std::size_t i = kNameDigits; i-- > 0; number /= kBase36.size()) {
    text[i] = kBase36[number % kBase36.size()];
  }
  out.append(text.data(), text.size());
}

}  // namespace

ValuePools::ValuePools(std::uint64_t seed, std::size_t users, std::size_t accounts)
    : salt_(scatter(seed ^ 0x6f70656e747261U)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, users); ++i) {
    names_.push_back(make_name(i));
  }
  constexpr std::uint64_t kFirstAccount = 100'000'000'000;
  constexpr std::uint64_t kAccounts = 900'000'000'000;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, accounts); ++i) {
    accounts_.push_back(std::to_string(kFirstAccount + scatter(salt_ + i) % kAccounts));
  }
}

void ValuePools::append(std::string& out, const Slot& slot, std::uint64_t value) const {
  switch (slot.kind) {
    case SlotKind::Uuid:
      return append_uuid(out, value);
    case SlotKind::Token:
      return append_token(out, slot, value);
    case SlotKind::Time:
      return append_time(out, slot, value);
    case SlotKind::Account:
      out += account(value + slot.account_step);
      return;
    case SlotKind::CallerName:
    case SlotKind::OtherName:
      out += user_name(value);
      return;
    case SlotKind::CallerKey:
    case SlotKind::OtherKey:
      out += slot.prefix;
      return append_letters(out, kBase32, 5, kKeyLetters, scatter(salt_ ^ value));
    case SlotKind::CallerPrincipal:
    case SlotKind::OtherPrincipal:
      out += slot.prefix;
      return append_letters(out, kBase32, 5, slot.length, scatter(salt_ - value));
    case SlotKind::CallerRole:
      out += slot.prefix;
      return append_letters(out, kBase32, 5, slot.length,
                            scatter(salt_ + (std::uint64_t{slot.pool} << 32U) + value));
    case SlotKind::SourceAddress:
      return append_address(out, scatter(~salt_ ^ value), false);
    case SlotKind::PrivateAddress:
      return append_address(out, scatter(~salt_ ^ value), true);
    case SlotKind::ResourceId:
      out += slot.prefix;
      return append_letters(out, kHexDigits, 4, slot.length, scatter(salt_ + 3 * value));
    case SlotKind::ResourceName:
      out += slot.prefix;
      return append_base36(out, value * 3001);
  }
}

}  // namespace opentrail::bench

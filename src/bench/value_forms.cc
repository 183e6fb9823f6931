#include "bench/value_forms.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace opentrail::bench {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

/// The first `bytes` of `text` when a word ends there.
std::optional<std::string_view> head(std::string_view text, std::size_t bytes) {
  if (text.size() < bytes || (text.size() > bytes && is_word(text[bytes]))) {
    return std::nullopt;
  }
  return text.substr(0, bytes);
}

std::size_t count_while(std::string_view text, bool (*holds)(char)) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, holds) - text.begin());
}

std::optional<Form> find_uuid(std::string_view text) {
  constexpr std::size_t kBytes = 36;
  const auto uuid = head(text, kBytes);
  if (!uuid) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < kBytes; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? (*uuid)[i] != '-' : !is_hex((*uuid)[i])) {
      return std::nullopt;
    }
  }
  return Form{.bytes = kBytes, .slot = {.kind = SlotKind::Uuid}};
}

Form time_form(std::size_t bytes, TimeForm form, Timestamp time, Timestamp event_time) {
  return Form{
      .bytes = bytes,
      .slot = {
          .kind = SlotKind::Time, .time_form = form, .delta_millis = (time - event_time).count()}};
}

std::optional<Form> find_iso_time(std::string_view text, Timestamp event_time) {
  constexpr std::size_t kSecondsBytes = 20;
  constexpr std::size_t kMillisBytes = 24;
  if (text.empty() || !is_digit(text.front())) {
    return std::nullopt;
  }
  for (const std::size_t bytes : {kSecondsBytes, kMillisBytes}) {
    const auto candidate = head(text, bytes);
    if (!candidate || !candidate->ends_with('Z')) {
      continue;
    }
    if (const auto time = parse_iso(*candidate)) {
      const TimeForm form = bytes == kMillisBytes ? TimeForm::IsoMillis : TimeForm::IsoSeconds;
      return time_form(bytes, form, *time, event_time);
    }
  }
  return std::nullopt;
}

/// "Nov 24, 2026, 8:46:13 AM", by comparing with what to_record_style() prints.
std::optional<Form> find_record_time(std::string_view text, Timestamp event_time) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan ", "Feb ", "Mar ", "Apr ",
                                                               "May ", "Jun ", "Jul ", "Aug ",
                                                               "Sep ", "Oct ", "Nov ", "Dec "};
  const auto month =
      std::ranges::find_if(kMonths, [&](std::string_view name) { return text.starts_with(name); });
  if (month == kMonths.end()) {
    return std::nullopt;
  }
  std::array<unsigned, 5> numbers{};  // day, year, hour, minute, second
  std::size_t at = month->size();
  for (unsigned& number : numbers) {
    while (at < text.size() && !is_digit(text[at])) {
      ++at;
    }
    for (; at < text.size() && is_digit(text[at]) && number < 10'000; ++at) {
      number = number * 10 + static_cast<unsigned>(text[at] - '0');
    }
  }
  const bool afternoon = text.substr(at).starts_with(" PM");
  using namespace std::chrono;
  const year_month_day date{year(static_cast<int>(numbers[1])),
                            std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                            day(numbers[0])};
  if (!date.ok()) {
    return std::nullopt;
  }
  const Timestamp time = sys_days(date) + hours(numbers[2] % 12 + (afternoon ? 12 : 0)) +
                         minutes(numbers[3]) + seconds(numbers[4]);
  const std::string printed = to_record_style(time);
  if (!text.starts_with(printed)) {
    return std::nullopt;
  }
  return time_form(printed.size(), TimeForm::RecordStyle, time, event_time);
}

std::optional<Form> find_iam_id(std::string_view text) {
  const std::string_view id =
      text.substr(0, count_while(text, [](char c) { return is_upper(c) || is_digit(c); }));
  if (id.size() < text.size() && is_word(text[id.size()])) {
    return std::nullopt;
  }
  Form form{.bytes = id.size(), .slot = {}};
  form.slot.prefix = std::string(id.substr(0, kIdPrefixBytes));
  if (as_access_key(id)) {
    form.slot.kind = SlotKind::OtherKey;
  } else if (as_principal(id)) {
    form.slot.kind = SlotKind::OtherPrincipal;
    form.slot.length = static_cast<std::uint32_t>(id.size() - kIdPrefixBytes);
  } else {
    return std::nullopt;
  }
  return form;
}

std::optional<Form> find_account(std::string_view text) {
  constexpr std::size_t kDigits = 12;
  const auto account = head(text, kDigits);
  if (!account || !is_digits(*account)) {
    return std::nullopt;
  }
  return Form{.bytes = kDigits, .slot = {.kind = SlotKind::Account}};
}

/// "i-0a1b2c3d4e5f60718": lower case letters, a dash, 8 or 17 hex digits.
std::optional<Form> find_resource_id(std::string_view text) {
  constexpr std::size_t kLettersMax = 10;
  constexpr std::size_t kOldDigits = 8;
  constexpr std::size_t kDigits = 17;
  const std::size_t letters = count_while(text, is_lower);
  if (letters == 0 || letters > kLettersMax || letters + 1 >= text.size() || text[letters] != '-') {
    return std::nullopt;
  }
  const std::size_t digits = count_while(text.substr(letters + 1), is_hex);
  const std::size_t bytes = letters + 1 + digits;
  if ((digits != kOldDigits && digits != kDigits) || !head(text, bytes)) {
    return std::nullopt;
  }
  return Form{.bytes = bytes,
              .slot = {.kind = SlotKind::ResourceId,
                       .length = static_cast<std::uint32_t>(digits),
                       .prefix = std::string(text.substr(0, letters + 1))}};
}

std::optional<Form> find_private_address(std::string_view text) {
  const std::size_t bytes = count_while(text, [](char c) { return is_digit(c) || c == '.'; });
  const std::string_view address = text.substr(0, bytes);
  const bool is_private =
      address.starts_with("10.") || address.starts_with("172.") || address.starts_with("192.168.");
  // A "/" makes it a range, which is a rule and not somebody's address.
  if (!is_private || !is_address(address) || !head(text, bytes) ||
      (bytes < text.size() && text[bytes] == '/')) {
    return std::nullopt;
  }
  return Form{.bytes = bytes, .slot = {.kind = SlotKind::PrivateAddress}};
}

}  // namespace

bool is_word(char c) { return is_digit(c) || is_upper(c) || is_lower(c); }

std::optional<std::string_view> as_access_key(std::string_view text) {
  constexpr std::size_t kBytes = 20;
  const bool is_key = text.size() == kBytes &&
                      (text.starts_with("AKIA") || text.starts_with("ASIA")) &&
                      std::ranges::all_of(text, [](char c) { return is_upper(c) || is_digit(c); });
  return is_key ? std::optional(text) : std::nullopt;
}

std::optional<std::string_view> as_principal(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kPrefixes = {"AIDA", "AROA", "AGPA", "ANPA",
                                                                "AIPA"};
  constexpr std::size_t kBytesMin = 16;
  constexpr std::size_t kBytesMax = 32;
  const bool is_id =
      text.size() >= kBytesMin && text.size() <= kBytesMax &&
      std::ranges::any_of(kPrefixes, [&](std::string_view p) { return text.starts_with(p); }) &&
      std::ranges::all_of(text, [](char c) { return is_upper(c) || is_digit(c); });
  return is_id ? std::optional(text) : std::nullopt;
}

bool is_address(std::string_view text) {
  constexpr int kOctetMax = 255;
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           const auto number = is_digits(part) && part.size() <= 3 ? parse_int(part) : std::nullopt;
           return number && *number <= kOctetMax;
         });
}

TokenForm token_form_of(std::string_view text) {
  if (std::ranges::all_of(text, is_hex)) {
    return TokenForm::HexLower;
  }
  return std::ranges::any_of(text, is_lower) ? TokenForm::Base64 : TokenForm::UpperDigits;
}

std::optional<Form> find_form(std::string_view text, Timestamp event_time) {
  if (auto form = find_uuid(text)) {
    return form;
  }
  if (auto form = find_iso_time(text, event_time)) {
    return form;
  }
  if (auto form = find_record_time(text, event_time)) {
    return form;
  }
  if (auto form = find_iam_id(text)) {
    return form;
  }
  if (auto form = find_account(text)) {
    return form;
  }
  if (auto form = find_resource_id(text)) {
    return form;
  }
  return find_private_address(text);
}

}  // namespace opentrail::bench

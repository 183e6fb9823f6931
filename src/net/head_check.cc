#include "net/head_check.h"

#include "base/text.h"

#include <algorithm>

namespace opentrail::net {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kAnswerStart = "HTTP/1.";
constexpr const char* kBadRequestLine = "the request line is malformed";
constexpr const char* kBadStatusLine = "the status line is malformed";
constexpr const char* kCodingInHttp10 = "Transfer-Encoding in HTTP/1.0";

bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

/// Any control character but a tab, a line end's included.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

/// Without the space around a value. A line end is no space: what others may take for one is left
/// for has_control() to see.
std::string_view trim_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// "close, x-a": names between commas, some of which may be missing (RFC 9110 §5.6.1).
bool is_list(std::string_view text) {
  return std::ranges::all_of(split(text, ','), [](std::string_view element) {
    element = trim_space(element);
    return element.empty() || is_token(element);
  });
}

/// Splits off the first line; what is left begins behind its line end.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find(kLineEnd);
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + kLineEnd.size());
  return line;
}

/// What the fields say about the body and the host.
struct Fields {
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t hosts = 0;
  std::optional<std::string> defect;
};

std::optional<std::string> field_defect(std::string_view name, std::string_view value,
                                        Fields& fields) {
  if (!is_token(name)) {
    return "a field's name is malformed, or has space before its colon";
  }
  if (has_control(value)) {
    return "a field's value has a control character";
  }
  if (equals_ignore_case(name, "content-length")) {
    ++fields.lengths;
    constexpr std::size_t kDigitsMax = 18;
    if (!is_digits(value) || value.size() > kDigitsMax) {
      return "Content-Length is not a number";
    }
  } else if (equals_ignore_case(name, "transfer-encoding")) {
    ++fields.codings;
    if (!equals_ignore_case(value, "chunked")) {
      return "Transfer-Encoding is not chunked";
    }
  } else if (equals_ignore_case(name, "connection") ||
             equals_ignore_case(name, "proxy-connection")) {
    if (!is_list(value)) {
      return "Connection is not a list of names";
    }
  } else if (equals_ignore_case(name, "host")) {
    ++fields.hosts;
  }
  return std::nullopt;
}

Fields read_fields(std::string_view rest, std::size_t fields_max) {
  Fields fields;
  std::size_t count = 0;
  while (!fields.defect) {
    const std::string_view line = take_line(rest);
    if (line.empty()) {
      break;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      fields.defect = "a field is folded over several lines";
    } else if (++count > fields_max) {
      fields.defect = "the header has too many fields";
    } else if (const auto colon = line.find(':'); colon == std::string_view::npos) {
      fields.defect = "a field has no colon";
    } else {
      fields.defect =
          field_defect(line.substr(0, colon), trim_space(line.substr(colon + 1)), fields);
    }
  }
  if (!fields.defect && fields.lengths > 1) {
    fields.defect = "more than one Content-Length";
  } else if (!fields.defect && fields.codings > 1) {
    fields.defect = "more than one Transfer-Encoding";
  } else if (!fields.defect && fields.lengths > 0 && fields.codings > 0) {
    fields.defect = "Content-Length beside Transfer-Encoding";
  }
  return fields;
}

std::optional<std::string> request_line_defect(std::string_view line, bool& http_1_1) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return kBadRequestLine;
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  http_1_1 = version == "HTTP/1.1";
  if (!http_1_1 && version != "HTTP/1.0") {
    return "the HTTP version is not 1.0 or 1.1";
  }
  if (!is_token(line.substr(0, first))) {
    return "the method is malformed";
  }
  if (!target.starts_with('/')) {
    return "the target does not begin with a slash";
  }
  if (has_control(target) || target.find_first_of(" \t#") != std::string_view::npos) {
    return "the target has a space, a fragment or a control character";
  }
  return std::nullopt;
}

/// "HTTP/1.1 200 Words", whose words may be missing but not the space before them.
bool is_status_line(std::string_view line) {
  constexpr std::size_t kStatusAt = kAnswerStart.size() + 2;
  constexpr std::size_t kStatusDigits = 3;
  constexpr std::size_t kWordsAt = kStatusAt + kStatusDigits + 1;
  if (line.size() < kWordsAt || !line.starts_with(kAnswerStart) || has_control(line)) {
    return false;
  }
  const char minor = line[kAnswerStart.size()];
  const std::string_view status = line.substr(kStatusAt, kStatusDigits);
  return (minor == '0' || minor == '1') && line[kStatusAt - 1] == ' ' && is_digits(status) &&
         status.front() != '0' && line[kWordsAt - 1] == ' ';
}

std::optional<std::string> bare_line_feed(std::string_view text, std::size_t from) {
  for (auto at = text.find('\n', from); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') {
      return "a line ends in a bare line feed";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> head_defect(std::string_view raw, std::size_t fields_max) {
  const std::string_view line = take_line(raw);
  bool http_1_1 = false;
  if (auto defect = request_line_defect(line, http_1_1)) {
    return defect;
  }
  Fields fields = read_fields(raw, fields_max);
  if (fields.defect) {
    return std::move(fields.defect);
  }
  if (fields.hosts > 1) {
    return "more than one Host";
  }
  if (http_1_1 && fields.hosts == 0) {
    return "Host is missing";
  }
  if (!http_1_1 && fields.codings > 0) {
    return kCodingInHttp10;
  }
  return std::nullopt;
}

std::optional<std::string> start_defect(std::string_view start, std::size_t from) {
  if (!start.empty() && !is_token_character(start.front())) {
    return kBadRequestLine;
  }
  return bare_line_feed(start, from);
}

std::optional<std::string> answer_defect(std::string_view raw, std::size_t fields_max) {
  const std::string_view line = take_line(raw);
  if (!is_status_line(line)) {
    return kBadStatusLine;
  }
  Fields fields = read_fields(raw, fields_max);
  if (!fields.defect && fields.codings > 0 && line.starts_with("HTTP/1.0")) {
    return kCodingInHttp10;
  }
  return std::move(fields.defect);
}

std::optional<std::string> answer_start_defect(std::string_view start, std::size_t from) {
  const std::size_t common = std::min(start.size(), kAnswerStart.size());
  if (start.substr(0, common) != kAnswerStart.substr(0, common)) {
    return kBadStatusLine;
  }
  return bare_line_feed(start, from);
}

}  // namespace opentrail::net

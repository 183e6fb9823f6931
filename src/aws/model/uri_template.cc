#include "aws/model/uri_template.h"

#include "base/text.h"

#include <algorithm>

namespace opentrail::aws::model {
namespace {

constexpr unsigned kLiteralWeight = 64;
constexpr unsigned kLabelWeight = 16;
constexpr unsigned kQueryWeight = 4;

}  // namespace

std::optional<Target> Target::parse(std::string_view prefix, std::string_view path,
                                    std::string_view query) {
  Target target;
  if (!prefix.empty()) {
    target.segments_.emplace_back(prefix);
  }
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  // A bare "/" has no segment, "/a/" has one and an empty one: the empty key of S3 is no key.
  for (const std::string_view part : split(path, '/')) {
    auto decoded = uri_decode(part, false);
    if (!decoded || target.segments_.size() == kSegmentsMax) {
      return std::nullopt;
    }
    target.segments_.push_back(std::move(*decoded));
  }
  while (!target.segments_.empty() && target.segments_.back().empty() && path.empty()) {
    target.segments_.pop_back();
  }
  auto fields = net::parse_query(query, true);
  if (!fields) {
    return std::nullopt;
  }
  target.query_ = std::move(*fields);
  return target;
}

const std::string* Target::query_value(std::string_view name) const {
  const auto found = std::ranges::find(query_, name, &NamedValues::value_type::first);
  return found == query_.end() ? nullptr : &found->second;
}

UriTemplate::UriTemplate(std::string_view text) {
  const auto mark = text.find('?');
  std::string_view path = text.substr(0, mark);
  slash_ = path.ends_with('/');
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  for (std::string_view part : split(path, '/')) {
    if (part.empty()) {
      continue;
    }
    Part made{part, part.starts_with('{') && part.ends_with('}'), false};
    if (made.label) {
      made.text = part.substr(1, part.size() - 2);
      made.greedy = made.text.ends_with('+');
      made.text.remove_suffix(made.greedy ? 1 : 0);
    }
    if (made.greedy) {
      greedy_at_ = parts_.size();
    }
    parts_.push_back(made);
  }
  if (mark != std::string_view::npos) {
    for (const std::string_view field : split(text.substr(mark + 1), '&')) {
      const auto equals = field.find('=');
      query_.emplace_back(field.substr(0, equals), equals == std::string_view::npos
                                                       ? std::string_view{}
                                                       : field.substr(equals + 1));
    }
  }
}

std::optional<unsigned> UriTemplate::match(const Target& target) const {
  const auto& segments = target.segments();
  // One empty segment behind a final slash is not part of the pattern.
  std::size_t count = segments.size();
  const bool greedy = greedy_at_ != std::string_view::npos;
  if (!greedy && count == parts_.size() + 1 && segments.back().empty()) {
    --count;
  }
  if (greedy ? count < parts_.size() : count != parts_.size()) {
    return std::nullopt;
  }
  unsigned weight = 0;
  const std::size_t tail = greedy ? parts_.size() - greedy_at_ - 1 : 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    const bool behind = greedy && i > greedy_at_;
    const std::string& segment = segments[behind ? count - tail + (i - greedy_at_ - 1) : i];
    if (part.greedy) {
      if (count - tail == i + 1 && segment.empty()) {
        return std::nullopt;  // S3's "/bucket/" names no key
      }
      continue;
    }
    if (part.label) {
      if (segment.empty()) {
        return std::nullopt;
      }
      weight += kLabelWeight;
    } else if (part.text == segment) {
      weight += kLiteralWeight;
    } else {
      return std::nullopt;
    }
  }
  for (const auto& [name, value] : query_) {
    const std::string* given = target.query_value(name);
    if (given == nullptr || (!value.empty() && *given != value)) {
      return std::nullopt;
    }
    weight += kQueryWeight;
  }
  // Lex's second version has "/bots/{id}/" where its first has "/bots/{name}".
  const bool slash = !segments.empty() && segments.back().empty();
  return weight + (slash_ == slash ? 1 : 0);
}

NamedValues UriTemplate::labels(const Target& target) const {
  NamedValues values;
  const auto& segments = target.segments();
  const std::size_t greedy_count =
      greedy_at_ == std::string_view::npos ? 0 : segments.size() - parts_.size() + 1;
  std::size_t at = 0;
  for (const Part& part : parts_) {
    const std::size_t width = part.greedy ? greedy_count : 1;
    if (part.label) {
      std::string value;
      for (std::size_t i = 0; i < width; ++i) {
        value += (i == 0 ? "" : "/") + segments[at + i];
      }
      values.emplace_back(std::string(part.text), std::move(value));
    }
    at += width;
  }
  return values;
}

}  // namespace opentrail::aws::model

#include "cli/lookup_query.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/table.h"
#include "search/expression.h"
#include "search/names.h"
#include "search/time_range.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr std::string_view kAll = "*";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// `count` characters of `text` from the character `first` on.
std::string characters(std::string_view text, std::size_t first, std::size_t count) {
  std::string out;
  std::size_t at = 0;
  for (const char c : text) {
    at += continues(c) ? 0 : 1;  // number of the character that `c` belongs to, from 1
    if (at > first && at <= first + count) {
      out += c;
    }
  }
  return out;
}

/// The place in "at 13: ...", from 1.
std::optional<std::size_t> place_of(std::string_view message) {
  constexpr std::string_view kAt = "at ";
  const auto colon = message.find(':');
  if (!message.starts_with(kAt) || colon == std::string_view::npos) {
    return std::nullopt;
  }
  const auto place = parse_int(message.substr(kAt.size(), colon - kAt.size()));
  return place && *place > 0 ? std::optional(static_cast<std::size_t>(*place)) : std::nullopt;
}

Result<search::Expression> attribute_test(const std::pair<std::string, std::string>& attribute) {
  const auto target = search::named_target(attribute.first);
  if (!target) {
    const std::string_view near = search::nearest_name(attribute.first);
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("--attribute {}: there is no such attribute{}", one_line(attribute.first),
                    near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return search::make_test(
      {.target = *target, .op = search::Operator::Equals, .value = attribute.second});
}

Result<std::string> expression_text(const LookupCommand& command) {
  std::string text = fmt::format("{}", fmt::join(command.expression, " "));
  auto expression = search::parse_expression(text);
  if (!expression) {
    return fail(ErrorCode::InvalidArgument, with_caret(expression.error().message(), text));
  }
  if (command.attributes.empty()) {
    return text;
  }
  std::vector<search::Expression> all;
  if (expression->kind != search::Expression::Kind::All) {
    all.push_back(*std::move(expression));
  }
  for (const auto& attribute : command.attributes) {
    OT_TRY(search::Expression test, attribute_test(attribute));
    all.push_back(std::move(test));
  }
  return to_text(search::make_and(std::move(all)));
}

Result<void> read_times(const LookupCommand& command, Timestamp now, LookupQuery& query) {
  if (!command.last.empty() && !(command.start_time.empty() && command.end_time.empty())) {
    return fail(ErrorCode::InvalidArgument, "--last stands for --since and --until: not with them");
  }
  if (!command.last.empty()) {
    auto range = search::parse_time_range("last " + command.last, now);
    if (!range) {
      return std::unexpected(std::move(range).error().while_doing("--last"));
    }
    query.start = range->begin;
    query.end = range->end;
    return {};
  }
  for (const auto& [flag, text] :
       {std::pair("--since", &command.start_time), std::pair("--until", &command.end_time)}) {
    // Each alone, so that the complaint names the flag.
    if (auto alone = search::parse_time_range(*text, "", now); !alone) {
      return std::unexpected(std::move(alone).error().while_doing(flag));
    }
  }
  auto range = search::parse_time_range(command.start_time, command.end_time, now);
  if (!range) {
    return std::unexpected(std::move(range).error().while_doing("--since and --until"));
  }
  query.start = range->begin;
  query.end = range->end;
  return {};
}

Result<void> read_accounts(const LookupCommand& command, LookupQuery& query) {
  constexpr std::size_t kAccountDigits = 12;
  if (command.all_accounts && !command.accounts.empty()) {
    return fail(ErrorCode::InvalidArgument, "--account and --all-accounts: one of them");
  }
  for (const std::string& account : command.accounts) {
    if (account.size() != kAccountDigits || !is_digits(account)) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("--account {}: an account id has 12 digits", one_line(account)));
    }
  }
  query.accounts =
      command.all_accounts ? std::vector<std::string>{std::string(kAll)} : command.accounts;
  return {};
}

Result<void> read_regions(const LookupCommand& command, LookupQuery& query) {
  const std::string& named = command.connection.region;
  if (command.all_regions && !named.empty()) {
    return fail(ErrorCode::InvalidArgument, "--region and --all-regions: one of them");
  }
  if (command.all_regions) {
    query.regions = {std::string(kAll)};
  } else if (named.contains(',')) {
    for (const std::string_view region : split(named, ',')) {
      query.regions.emplace_back(trim(region));
    }
  }
  if (std::ranges::find(query.regions, "") != query.regions.end()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--region {}: names between commas", one_line(named)));
  }
  return {};
}

void write_names(JsonWriter& out, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty()) {
    return;
  }
  out.key(key).begin_array();
  for (const std::string& name : names) {
    out.string(name);
  }
  out.end_array();
}

/// What both calls have.
void write_query(JsonWriter& out, const LookupQuery& query) {
  out.optional_field("Query", query.text);
  if (query.start) {
    out.key("StartTime").raw(to_epoch_number(*query.start));
  }
  if (query.end) {
    out.key("EndTime").raw(to_epoch_number(*query.end));
  }
  write_names(out, "Regions", query.regions);
  write_names(out, "Accounts", query.accounts);
}

bool is_all(const std::vector<std::string>& names) {
  return names.size() == 1 && names.front() == kAll;
}

}  // namespace

std::string with_caret(std::string_view message, std::string_view text) {
  const auto place = place_of(message);
  if (!place || text.empty()) {
    return fmt::format("the expression: {}", one_line(message));
  }
  // Of a long text what is around the place: a line on any terminal.
  constexpr std::size_t kBefore = 50;
  constexpr std::size_t kShown = 70;
  const std::size_t first = *place > kBefore + 1 ? *place - 1 - kBefore : 0;
  return fmt::format("the expression, {}\n  {}\n  {:>{}}", one_line(message),
                     one_line(characters(text, first, kShown)), '^', *place - first);
}

Result<LookupQuery> make_lookup_query(const LookupCommand& command, Timestamp now) {
  LookupQuery query;
  OT_TRY(query.text, expression_text(command));
  OT_TRY_DO(read_times(command, now, query));
  OT_TRY_DO(read_accounts(command, query));
  OT_TRY_DO(read_regions(command, query));
  return query;
}

std::string search_body(const LookupQuery& query, bool oldest_first, std::uint64_t results_max,
                        std::string_view next_token) {
  JsonWriter out;
  out.begin_object();
  write_query(out, query);
  if (oldest_first) {
    out.field("Order", "oldest");
  }
  out.key("MaxResults").number(static_cast<std::int64_t>(results_max));
  out.optional_field("NextToken", next_token).end_object();
  return std::move(out).text();
}

std::string count_body(const LookupQuery& query, std::string_view by, std::uint64_t groups_max,
                       std::string_view bucket) {
  JsonWriter out;
  out.begin_object();
  write_query(out, query);
  if (!by.empty()) {
    out.field("By", by).key("Groups").number(static_cast<std::int64_t>(groups_max));
  }
  out.optional_field("Bucket", bucket).end_object();
  return std::move(out).text();
}

std::string describe(const LookupQuery& query, std::string_view region) {
  std::string text = query.text.empty() ? std::string("all events") : query.text;
  text += " in ";
  text += is_all(query.regions)   ? std::string("all regions")
          : query.regions.empty() ? std::string(region)
                                  : fmt::format("{}", fmt::join(query.regions, ", "));
  if (!query.accounts.empty()) {
    text += is_all(query.accounts) ? std::string(" of all accounts")
                                   : fmt::format(" of {}", fmt::join(query.accounts, ", "));
  }
  if (query.start) {
    text += " since " + to_iso_seconds(*query.start);
  }
  if (query.end) {
    text += " until " + to_iso_seconds(*query.end);
  }
  return one_line(text);
}

}  // namespace opentrail::cli

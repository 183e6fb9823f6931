#include "cli/lookup_command.h"

#include "base/text.h"
#include "cli/count_printer.h"
#include "cli/event_columns.h"
#include "cli/event_printer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr std::uint64_t kPageSize = 1000;     // the most that SearchEvents gives at once
constexpr std::uint64_t kGroupsMax = 10'000;  // the most values that CountEvents tells
// Of one answer: a page of records, each as a string in JSON.
constexpr std::size_t kAnswerBytesMax = 64 << 20;

/// A command that was understood.
struct Lookup {
  LookupCommand command;
  LookupQuery query;
  std::optional<EventColumns> columns;
};

Result<Lookup> understand(const LookupCommand& command, const Context& context) {
  Lookup lookup{.command = command, .query = {}, .columns = {}};
  OT_TRY(lookup.query, make_lookup_query(command, context.clock.now()));
  if (!command.fields.empty()) {
    if (command.counts()) {
      return fail(ErrorCode::InvalidArgument, "--fields is for events, not for counts");
    }
    OT_TRY(lookup.columns, EventColumns::parse(command.fields));
  }
  // A call is signed for one region; the others are named in its body.
  lookup.command.connection.region =
      std::string(trim(split(command.connection.region, ',').front()));
  return lookup;
}

/// Says what is going on while a person waits: one line, on a terminal only.
class Notice {
 public:
  Notice(const Context& context, std::string_view text) : context_(context) {
    if (context.err_is_terminal) {
      constexpr std::string_view kSearching = "Searching ";
      constexpr std::size_t kDots = 3;
      const std::size_t room = context.terminal_columns -
                               std::min(context.terminal_columns, kSearching.size() + kDots + 1);
      context.err << kSearching << cut_utf8(text, room) << "..." << std::flush;
      shown_ = true;
    }
  }
  ~Notice() { clear(); }
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;

  void clear() {
    if (shown_) {
      context_.err << "\r\x1b[K" << std::flush;
      shown_ = false;
    }
  }

 private:
  const Context& context_;
  bool shown_ = false;
};

Result<json::value> ask(collect::SignedClient& client, std::string_view path, std::string body) {
  collect::SignedCall call;
  call.service = "opentrail";
  call.path = path;
  call.headers.add("Content-Type", "application/json");
  call.body = std::move(body);
  OT_TRY(const net::ClientResponse response, client.call(call));
  auto answer = parse_json(response.body, {.bytes_max = kAnswerBytesMax});
  if (!answer || !answer->is_object()) {
    return fail(ErrorCode::Unsupported, fmt::format("the answer is not one of {}", path));
  }
  return *std::move(answer);
}

struct Page {
  std::vector<LookupEvent> events;
  std::string next_token;
};

Result<Page> fetch_page(collect::SignedClient& client, const Lookup& lookup,
                        std::uint64_t results_max, const std::string& next_token) {
  OT_TRY(const json::value answer,
         ask(client, "/opentrail/v1/search",
             search_body(lookup.query, lookup.command.oldest_first, results_max, next_token)));
  const json::value* events = answer.get_object().if_contains("Events");
  if (events == nullptr || !events->is_array()) {
    return fail(ErrorCode::Unsupported, "the answer is not one of SearchEvents");
  }
  Page page;
  for (const json::value& value : events->get_array()) {
    OT_TRY(LookupEvent event, parse_lookup_event(value));
    page.events.push_back(std::move(event));
  }
  page.next_token = string_member(answer.get_object(), "NextToken");
  return page;
}

struct Listing {
  std::uint64_t shown = 0;
  bool more = false;
};

Result<Listing> list_events(collect::SignedClient& client, const Lookup& lookup,
                            EventPrinter& printer, Notice& notice, const Context& context) {
  const std::uint64_t results_max = lookup.command.results_max;
  Listing listing;
  std::string next_token;
  for (;;) {
    const std::uint64_t wanted =
        results_max == 0 ? kPageSize : std::min(kPageSize, results_max - listing.shown);
    OT_TRY(Page page, fetch_page(client, lookup, wanted, next_token));
    notice.clear();
    if (!page.events.empty()) {
      printer.page(page.events);
      if (!context.out.good()) {
        return listing;  // a full disk: to fetch more is of no use, and who called will see it
      }
    }
    listing.shown += page.events.size();
    next_token = std::move(page.next_token);
    listing.more = !next_token.empty();
    if (!listing.more || (results_max > 0 && listing.shown >= results_max)) {
      return listing;
    }
  }
}

int complain(const Context& context, std::string_view text) {
  context.err << "opentrail lookup: " << text << '\n';
  return kExitError;
}

/// Where else one could look.
int say_nothing_found(const Lookup& lookup, std::string_view region, const Context& context) {
  std::string text = fmt::format("No events found: {}.", describe(lookup.query, region));
  if (lookup.query.regions.empty()) {
    text +=
        " Regions are apart: try --region or --all-regions (IAM and sign-in are recorded in "
        "us-east-1), other times, or another filter.";
  }
  if (lookup.query.accounts.empty()) {
    text += " Another account's records, imported ones too, need --account or --all-accounts.";
  }
  context.err << text << '\n';
  return kExitFindings;
}

int show_events(const Lookup& lookup, const Connection& connection, const Context& context) {
  collect::SignedClient& client = *connection.client;
  const LookupCommand& command = lookup.command;
  const auto many = [](const std::vector<std::string>& names) {
    return names.size() > 1 || (names.size() == 1 && names.front() == "*");
  };
  const auto printer = make_event_printer({.format = command.output,
                                           .columns = lookup.columns,
                                           .accounts = many(lookup.query.accounts),
                                           .regions = many(lookup.query.regions)},
                                          context);
  Notice notice(context, describe(lookup.query, client.region()));
  const auto listing = list_events(client, lookup, *printer, notice, context);
  notice.clear();
  if (!listing) {
    context.out.flush();
    return complain(context, with_advice(listing.error(), connection));
  }
  printer->end();
  if (!finish_output(context, "lookup")) {
    return kExitError;
  }
  if (listing->shown == 0) {
    return say_nothing_found(lookup, client.region(), context);
  }
  if (listing->more && command.output == "table") {
    context.err << fmt::format("{} shown, {} first; there are more: --all shows them.\n",
                               with_commas(listing->shown),
                               command.oldest_first ? "oldest" : "newest");
  }
  return kExitOk;
}

Result<LookupCounts> fetch_counts(collect::SignedClient& client, const Lookup& lookup) {
  const LookupCommand& command = lookup.command;
  const std::uint64_t groups =
      command.results_max == 0 ? kGroupsMax : std::min(kGroupsMax, command.results_max);
  OT_TRY(const json::value answer,
         ask(client, "/opentrail/v1/count",
             count_body(lookup.query, command.by, groups, command.histogram)));
  return parse_lookup_counts(answer);
}

int show_counts(const Lookup& lookup, const Connection& connection, const Context& context) {
  const LookupCommand& command = lookup.command;
  collect::SignedClient& client = *connection.client;
  Notice notice(context, describe(lookup.query, client.region()));
  const auto counts = fetch_counts(client, lookup);
  notice.clear();
  if (!counts) {
    return complain(context, with_advice(counts.error(), connection));
  }
  context.out << render_counts(*counts, command.by, command.output, context);
  if (!finish_output(context, "lookup")) {
    return kExitError;
  }
  if (counts->total == 0) {
    return say_nothing_found(lookup, client.region(), context);
  }
  if (command.output == "table" && counts->groups.size() < counts->values) {
    context.err << fmt::format("{} of {} values shown: --all shows up to {}.\n",
                               with_commas(counts->groups.size()), with_commas(counts->values),
                               with_commas(kGroupsMax));
  }
  return kExitOk;
}

struct AttributeFlag {
  const char* flag;
  const char* key;  ///< LookupEvents'.
  const char* value_name;
  const char* help;
};
constexpr std::array<AttributeFlag, 8> kAttributeFlags = {
    {{"--event-id", "EventId", "ID", "One event"},
     {"--event-name", "EventName", "NAME", "For example CreateUser"},
     {"--user-name", "Username", "NAME", "IAM user, role session, or root"},
     {"--resource-type", "ResourceType", "TYPE", "For example AWS::S3::Bucket"},
     {"--resource-name", "ResourceName", "NAME", "Name or ARN"},
     {"--event-source", "EventSource", "SOURCE", "For example iam.amazonaws.com"},
     {"--access-key-id", "AccessKeyId", "ID", "Key that signed the call"},
     {"--read-only", "ReadOnly", "BOOL", "true or false"}}};

void add_filters(CLI::App& lookup, const std::shared_ptr<LookupCommand>& command) {
  constexpr const char* kGroup = "Filter; all of them must hold, and the expression too";
  for (const AttributeFlag& attribute : kAttributeFlags) {
    CLI::Option* option = lookup.add_option_function<std::string>(
        attribute.flag,
        [command, key = attribute.key](const std::string& value) {
          command->attributes.emplace_back(key, value);
        },
        attribute.help);
    option->option_text(attribute.value_name)->group(kGroup);
    if (std::string_view(attribute.key) == "ReadOnly") {
      option->check(CLI::IsMember({"true", "false"}));
    }
  }
  lookup
      .add_option_function<std::vector<std::string>>(
          "--attribute",
          [command](const std::vector<std::string>& values) {
            for (const std::string& value : values) {
              const auto equals = value.find('=');
              if (equals == std::string::npos) {
                throw CLI::ValidationError("--attribute " + value, "is not NAME=VALUE");
              }
              command->attributes.emplace_back(value.substr(0, equals), value.substr(equals + 1));
            }
          },
          "Any field of docs/search.md, for example errorCode=AccessDenied")
      ->allow_extra_args(false)
      ->option_text("NAME=VALUE")
      ->group(kGroup);
}

void add_scope(CLI::App& lookup, const std::shared_ptr<LookupCommand>& command) {
  constexpr const char* kGroup = "When and where";
  const auto text = [&](const char* flag, std::string& value, const char* help, const char* type) {
    lookup.add_option(flag, value, help)->option_text(type)->group(kGroup);
  };
  text("--since,--start", command->start_time,
       "Begin: '2 hours ago', yesterday, 2026-11-24, 2026-11-24T08:46:13Z (UTC)", "TIME");
  text("--until,--end", command->end_time, "End, inclusive; written as --since", "TIME");
  text("--last", command->last, "The time up to now: 15m, 2h, '7 days'", "SPAN");
  lookup.add_flag("--all-regions", command->all_regions, "All regions; --region takes a,b,c too")
      ->group(kGroup);
  lookup
      .add_option("--account", command->accounts,
                  "Account to look into, more than once for several (administrators)\n"
                  "[the caller's own]")
      ->allow_extra_args(false)
      ->option_text("ID")
      ->group(kGroup);
  lookup
      .add_flag("--all-accounts", command->all_accounts,
                "Records of all accounts and of none (administrators)")
      ->group(kGroup);
}

void add_output(CLI::App& lookup, const std::shared_ptr<LookupCommand>& command) {
  lookup.add_flag("--oldest-first", command->oldest_first, "Instead of the newest first");
  lookup
      .add_option("--limit,--max", command->results_max,
                  "At most so many events, or values of --by; 0 for all [50]")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return is_digits(text) ? std::string() : "'" + text + "' is not a number from 0 on";
          },
          ""))
      ->option_text("COUNT");
  lookup.add_flag_callback("--all", [command] { command->results_max = 0; }, "As --limit 0");
  lookup.add_flag("--count", command->count, "How many events there are, instead of them");
  lookup.add_option("--by", command->by, "Counts by the values of a field: user, name, error ...")
      ->option_text("FIELD");
  lookup
      .add_option("--histogram", command->histogram,
                  "Counts by time: auto, or a width like 30s, 15m, 1h, 1d")
      ->option_text("WIDTH");
  lookup
      .add_option("--fields", command->fields,
                  "Columns: names and paths, as time,user,requestParameters.bucketName")
      ->option_text("A,B,C");
  lookup
      .add_option("--output", command->output,
                  "table, text (tab-separated), json, ndjson (records alone) or csv [table]")
      ->check(CLI::IsMember({"table", "text", "json", "ndjson", "csv"}))
      ->option_text("FORMAT");
}

}  // namespace

int run_lookup(const LookupCommand& command, const Context& context) {
  const auto lookup = understand(command, context);
  if (!lookup) {
    return complain(context, lookup.error().message());
  }
  auto connection =
      make_connection(lookup->command.connection, context, collect::make_pause(nullptr));
  if (!connection) {
    return complain(context, connection.error().message());
  }
  return command.counts() ? show_counts(*lookup, *connection, context)
                          : show_events(*lookup, *connection, context);
}

void add_lookup_command(CLI::App& app, const Context& context, int& exit_code) {
  const auto command = std::make_shared<LookupCommand>();
  CLI::App* lookup = app.add_subcommand("lookup", "Search the event history");
  lookup->footer(
      "Shows events of one's own account and of one region, newest first, unless told otherwise.\n"
      "EXPRESSION: any AND, OR, NOT of tests, as docs/search.md has it. Management events alone,\n"
      "unless it tests eventCategory.\n"
      "csv holds what records say, and anyone can make a call: import its columns as text, since "
      "a\n"
      "spreadsheet takes a value that begins with '=' for a formula.\n"
      "Exit codes: 0 found; 1 nothing found; 2 wrong use, no server, or refused.\n\n"
      "Examples: opentrail lookup 'user = alice and name ^= Delete' --last 2h\n"
      "          opentrail lookup 'error exists' --all-regions --by user --histogram auto\n"
      "          opentrail lookup --event-name CreateUser --since '2 hours ago'\n"
      "          opentrail lookup --account 111122223333 --all --output ndjson | jq .eventName");
  lookup->add_option("EXPRESSION", command->expression, "What to find [all events]")
      ->option_text(" ");
  add_filters(*lookup, command);
  add_scope(*lookup, command);
  add_output(*lookup, command);
  add_connection_options(*lookup, command->connection);
  lookup->callback([command, &context, &exit_code] { exit_code = run_lookup(*command, context); });
}

}  // namespace opentrail::cli

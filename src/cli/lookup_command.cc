#include "cli/lookup_command.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/event_printer.h"
#include "search/human_time.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr std::uint64_t kPageSize = 50;  // the most that LookupEvents gives at once
constexpr std::string_view kTarget =
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

/// A command that was understood: what is asked of the server.
struct Query {
  std::string account;
  std::optional<std::pair<std::string, std::string>> attribute;
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
};

Result<Timestamp> read_time(std::string_view flag, const std::string& text, Timestamp now,
                            search::SpanEdge edge) {
  auto time = search::parse_human_time(text, now, edge);
  if (!time) {
    return std::unexpected(std::move(time).error().while_doing(flag));
  }
  return time;
}

Result<Query> make_query(const LookupCommand& command, Timestamp now) {
  Query query;
  query.account = command.account;
  constexpr std::size_t kAccountDigits = 12;
  if (!query.account.empty() &&
      (query.account.size() != kAccountDigits || !is_digits(query.account))) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--account {}: an account id has 12 digits", query.account));
  }
  if (command.attributes.size() > 1) {
    return fail(ErrorCode::InvalidArgument,
                "LookupEvents takes one of --event-id, --event-name, --user-name, ... at a time");
  }
  if (!command.attributes.empty()) {
    query.attribute = command.attributes.front();
  }
  if (!command.start_time.empty()) {
    OT_TRY(query.start, read_time("--start", command.start_time, now, search::SpanEdge::Begin));
  }
  if (!command.end_time.empty()) {
    OT_TRY(query.end, read_time("--end", command.end_time, now, search::SpanEdge::End));
  }
  if (query.start && query.end && *query.start > *query.end) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--start {} is after --end {}", to_iso_seconds(*query.start),
                            to_iso_seconds(*query.end)));
  }
  return query;
}

std::string request_body(const Query& query, std::uint64_t results_max,
                         const std::string& next_token) {
  JsonWriter writer;
  writer.begin_object();
  if (query.attribute) {
    writer.key("LookupAttributes").begin_array().begin_object();
    writer.field("AttributeKey", query.attribute->first);
    writer.field("AttributeValue", query.attribute->second).end_object().end_array();
  }
  if (query.start) {
    writer.key("StartTime").raw(to_epoch_number(*query.start));
  }
  if (query.end) {
    writer.key("EndTime").raw(to_epoch_number(*query.end));
  }
  writer.key("MaxResults").number(static_cast<std::int64_t>(results_max));
  writer.optional_field("NextToken", next_token).end_object();
  return std::move(writer).text();
}

struct Page {
  std::vector<LookupEvent> events;
  std::string next_token;
};

Result<Page> fetch_page(collect::SignedClient& client, const Query& query,
                        std::uint64_t results_max, const std::string& next_token) {
  collect::SignedCall call;
  call.service = "cloudtrail";
  call.headers.add("Content-Type", "application/x-amz-json-1.1");
  call.headers.add("X-Amz-Target", std::string(kTarget));
  if (!query.account.empty()) {
    call.headers.add("x-opentrail-account", query.account);
  }
  call.body = request_body(query, results_max, next_token);
  OT_TRY(const net::ClientResponse response, client.call(call));
  // Fifty records of the largest kind, as strings in JSON, each byte escaped at worst.
  constexpr std::size_t kAnswerBytesMax = 64 << 20;
  const auto answer = parse_json(response.body, {.bytes_max = kAnswerBytesMax});
  const json::value* events =
      answer && answer->is_object() ? answer->get_object().if_contains("Events") : nullptr;
  if (events == nullptr || !events->is_array()) {
    return fail(ErrorCode::Unsupported, "the answer is not one of LookupEvents");
  }
  Page page;
  for (const json::value& value : events->get_array()) {
    OT_TRY(LookupEvent event, parse_lookup_event(value));
    page.events.push_back(std::move(event));
  }
  page.next_token = string_member(answer->get_object(), "NextToken");
  return page;
}

struct Listing {
  std::uint64_t shown = 0;
  bool more = false;
};

Result<Listing> list_events(collect::SignedClient& client, const Query& query,
                            std::uint64_t results_max, EventPrinter& printer,
                            const std::ostream& out) {
  Listing listing;
  std::string next_token;
  for (;;) {
    const std::uint64_t wanted =
        results_max == 0 ? kPageSize : std::min(kPageSize, results_max - listing.shown);
    OT_TRY(Page page, fetch_page(client, query, wanted, next_token));
    if (!page.events.empty()) {
      printer.page(page.events);
      if (!out.good()) {
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

}  // namespace

int run_lookup(const LookupCommand& command, const Context& context) {
  const auto query = make_query(command, context.clock.now());
  if (!query) {
    return complain(context, query.error().message());
  }
  auto connection = make_connection(command.connection, context, collect::make_pause(nullptr));
  if (!connection) {
    return complain(context, connection.error().message());
  }
  collect::SignedClient& client = *connection->client;
  const auto printer = make_event_printer(command.output, context);
  const auto listing = list_events(client, *query, command.results_max, *printer, context.out);
  if (!listing) {
    context.out.flush();
    return complain(context, with_advice(listing.error(), *connection));
  }
  printer->end();
  if (!finish_output(context, "lookup")) {
    return kExitError;
  }
  if (listing->shown == 0) {
    context.err << fmt::format(
        "No events found in {}. Regions are apart: try --region (IAM and sign-in are recorded in "
        "us-east-1), other times, or another filter.{}\n",
        client.region(),
        query->account.empty() ? " Another account's records, imported ones too, need --account."
                               : "");
    return kExitFindings;
  }
  if (listing->more && command.output == "table") {
    context.err << fmt::format("{} shown, newest first; there are more: --max 0 shows all.\n",
                               with_commas(listing->shown));
  }
  return kExitOk;
}

void add_lookup_command(CLI::App& app, const Context& context, int& exit_code) {
  const auto command = std::make_shared<LookupCommand>();
  CLI::App* lookup = app.add_subcommand("lookup", "Look into the event history");
  lookup->footer(
      "Shows management events of one account and region, newest first.\n"
      "Exit codes: 0 found; 1 nothing found; 2 wrong use, no server, or refused.\n\n"
      "Examples: opentrail lookup --event-name CreateUser --start '2 hours ago'\n"
      "          opentrail lookup --account 111122223333 --max 0 --output ndjson | jq .eventName");
  lookup
      ->add_option("--account", command->account,
                   "Account to look into (administrators) [the caller's own]")
      ->option_text("ID");
  for (const AttributeFlag& attribute : kAttributeFlags) {
    CLI::Option* option = lookup->add_option_function<std::string>(
        attribute.flag,
        [command, key = attribute.key](const std::string& value) {
          command->attributes.emplace_back(key, value);
        },
        attribute.help);
    option->option_text(attribute.value_name)->group("Filter, at most one of");
    if (std::string_view(attribute.key) == "ReadOnly") {
      option->check(CLI::IsMember({"true", "false"}));
    }
  }
  lookup
      ->add_option("--start", command->start_time,
                   "Begin: '2 hours ago', yesterday, 2026-11-24, 2026-11-24T08:46:13Z (UTC)")
      ->option_text("TIME");
  lookup->add_option("--end", command->end_time, "End, inclusive; written as --start")
      ->option_text("TIME");
  lookup->add_option("--max", command->results_max, "At most so many; 0 shows all [50]")
      ->check(CLI::NonNegativeNumber)
      ->option_text("COUNT");
  lookup
      ->add_option("--output", command->output,
                   "table, text (tab-separated), json, ndjson (records alone) or csv [table]")
      ->check(CLI::IsMember({"table", "text", "json", "ndjson", "csv"}))
      ->option_text("FORMAT");
  add_connection_options(*lookup, command->connection);
  lookup->callback([command, &context, &exit_code] { exit_code = run_lookup(*command, context); });
}

}  // namespace opentrail::cli

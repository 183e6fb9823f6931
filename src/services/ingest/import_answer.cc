#include "services/ingest/import_answer.h"

#include "base/json_writer.h"
#include "base/metrics.h"
#include "services/own_trouble.h"
#include "services/s3/s3_status.h"

namespace opentrail::services::ingest {

namespace {

void write_number(JsonWriter& writer, std::string_view name, std::uint64_t number) {
  writer.key(name).number(static_cast<std::int64_t>(number));
}

void write_counts(JsonWriter& writer, const ImportTally& tally) {
  write_number(writer, "Received", tally.received());
  for (const ItemStatus status : {ItemStatus::New, ItemStatus::Duplicate, ItemStatus::Conflicting,
                                  ItemStatus::Expired, ItemStatus::Invalid}) {
    write_number(writer, to_string(status), tally.count(status));
  }
  if (tally.not_stored() > 0) {
    write_number(writer, "NotStored", tally.not_stored());
  }
  write_number(writer, "Digests", tally.digests());
  if (tally.broken_off()) {
    writer.key("BrokenOff").boolean(true);
  }
  writer.field("OldestKept", to_iso_seconds(tally.oldest_kept()));
}

void write_results(JsonWriter& writer, const ImportTally& tally) {
  writer.key("ResultsTruncated").boolean(tally.results_truncated());
  writer.key("Results").begin_array();
  for (const ItemResult& result : tally.results()) {
    writer.begin_object();
    write_number(writer, "Line", result.line);
    writer.field("Id", result.id).field("Status", to_string(result.status));
    writer.field("Message", result.message).end_object();
  }
  writer.end_array();
}

void write_statuses(JsonWriter& writer, const ImportTally& tally) {
  writer.key("StatusesTruncated").boolean(tally.runs_truncated());
  writer.key("Statuses").begin_array();
  for (const StatusRun& run : tally.runs()) {
    writer.begin_object().field("Status", to_string(run.status));
    write_number(writer, "Count", run.count);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

std::string answer_text(const ImportEnd& end) {
  JsonWriter writer;
  writer.begin_object();
  if (end.error != nullptr) {
    writer.field("__type", end.error->code).field("message", end.error->message);
  }
  writer.field("RequestId", end.request_id);
  write_counts(writer, end.tally);
  write_results(writer, end.tally);
  if (end.tally.all_statuses() && end.error == nullptr) {
    write_statuses(writer, end.tally);
  }
  writer.end_object();
  return std::move(writer).text();
}

json::object counts_for_record(const ImportTally& tally) {
  json::object counts{{"received", tally.received()},
                      {"new", tally.count(ItemStatus::New)},
                      {"duplicate", tally.count(ItemStatus::Duplicate)},
                      {"conflicting", tally.count(ItemStatus::Conflicting)},
                      {"expired", tally.count(ItemStatus::Expired)},
                      {"invalid", tally.count(ItemStatus::Invalid)}};
  if (tally.not_stored() > 0) {
    counts["notStored"] = tally.not_stored();
  }
  if (tally.broken_off()) {
    counts["brokenOff"] = true;
  }
  return counts;
}

void count_metrics(const ImportTally& tally) {
  const auto add = [](const char* result, std::uint64_t count) {
    if (count > 0) {
      metrics::counter("opentrail_import_records_total", "Records that were sent for import",
                       {{"result", result}})
          .add(static_cast<double>(count));
    }
  };
  add("new", tally.count(ItemStatus::New));
  add("duplicate", tally.count(ItemStatus::Duplicate));
  add("conflicting", tally.count(ItemStatus::Conflicting));
  add("expired", tally.count(ItemStatus::Expired));
  add("invalid", tally.count(ItemStatus::Invalid));
}

ApiError to_api_error(const Error& error) {
  constexpr int kBadRequest = 400;
  constexpr int kTimeout = 408;
  constexpr int kTooLarge = 413;
  constexpr int kUnsupportedMediaType = 415;
  constexpr int kUnavailable = 503;
  const auto as = [&](std::string_view code, int status) {
    return ApiError{
        .code = std::string(code), .message = error.message(), .status = status, .record_code = {}};
  };
  if (error.reason() == kClientFailed) {
    return error.code() == ErrorCode::Timeout ? as("RequestTimeout", kTimeout)
                                              : as("IncompleteBody", kBadRequest);
  }
  if (error.reason() == kBodyTooLarge) {
    return as("RequestEntityTooLarge", kTooLarge);
  }
  if (error.code() == ErrorCode::InvalidArgument && !error.reason().empty()) {
    return as(error.reason(), s3::status_of(error.reason()));  // of the body's framing
  }
  switch (error.code()) {
    case ErrorCode::InvalidArgument:
      return as("ValidationException", kBadRequest);
    case ErrorCode::Unsupported:
      return as("UnsupportedMediaTypeException", kUnsupportedMediaType);
    case ErrorCode::Throttled:
      return as("ThrottlingException", kUnavailable);
    case ErrorCode::ResourceExhausted: {
      ApiError full = own_trouble(error);
      full.code = "InsufficientStorageException";
      full.message =
          "The server's disk is full, so the records were not stored. Make room, then send them "
          "again: what is there already is not added twice.";
      return full;
    }
    default:
      return own_trouble(error);
  }
}

}  // namespace opentrail::services::ingest

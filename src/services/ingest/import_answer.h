#pragma once
#include "base/error.h"
#include "base/json.h"
#include "services/ingest/import_tally.h"
#include "services/service.h"

#include <string>
#include <string_view>

/// What ImportRecords answers, and what its record says.
namespace opentrail::services::ingest {

/// How an import ended: `error` is null when all of the body was read and is stored.
struct ImportEnd {
  const ImportTally& tally;
  std::string_view request_id;
  const ApiError* error = nullptr;
};
/// The members that IngestService's header shows; behind an error's own when there is one.
[[nodiscard]] std::string answer_text(const ImportEnd& end);
/// For the record of the call.
[[nodiscard]] json::object counts_for_record(const ImportTally& tally);
void count_metrics(const ImportTally& tally);
/// The wire form of what ended an import early.
[[nodiscard]] ApiError to_api_error(const Error& error);

}  // namespace opentrail::services::ingest

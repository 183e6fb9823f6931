#include "collect/upload.h"

#include "base/json.h"
#include "collect/unpack.h"

namespace opentrail::collect {

namespace {

/// What we pack is unpacked once, on the same machine more often than not.
constexpr int kPackLevel = 1;

std::uint64_t count_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_int64() && member->get_int64() > 0
             ? static_cast<std::uint64_t>(member->get_int64())
             : 0;
}

Result<UploadReply> parse_reply(std::string_view body) {
  const auto parsed = parse_json(body);
  const json::object* object = parsed ? parsed->if_object() : nullptr;
  if (object == nullptr || !object->contains("Received")) {
    return fail(ErrorCode::Unsupported, "the answer is not one of ImportRecords");
  }
  UploadReply reply{.received = count_member(*object, "Received"),
                    .added = count_member(*object, "New"),
                    .duplicate = count_member(*object, "Duplicate"),
                    .conflicting = count_member(*object, "Conflicting"),
                    .expired = count_member(*object, "Expired"),
                    .invalid = count_member(*object, "Invalid"),
                    .digests = count_member(*object, "Digests"),
                    .oldest_kept = string_member(*object, "OldestKept"),
                    .lines = {}};
  const json::value* results = object->if_contains("Results");
  if (results != nullptr && results->is_array()) {
    for (const json::value& item : results->get_array()) {
      if (const json::object* line = item.if_object()) {
        reply.lines.push_back(UploadReply::Line{.line = count_member(*line, "Line"),
                                                .id = string_member(*line, "Id"),
                                                .status = string_member(*line, "Status"),
                                                .message = string_member(*line, "Message")});
      }
    }
  }
  return reply;
}

}  // namespace

Upload make_upload(SignedClient& client) {
  return [&client](const std::string& body) -> Result<UploadReply> {
    SignedCall call;
    call.path = "/opentrail/v1/records";
    call.service = "opentrail";
    call.headers.add("Content-Type", "application/json");
    call.headers.add("Content-Encoding", "zstd");
    call.body = pack_zstd(body, kPackLevel);
    OT_TRY(const net::ClientResponse response, client.call(call));
    return parse_reply(response.body);
  };
}

}  // namespace opentrail::collect

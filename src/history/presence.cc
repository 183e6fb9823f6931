#include "crypto/hash.h"
#include "history/history.h"

#include <thread>

/// What History itself answers where an implementation knows no better way.
namespace opentrail::history {

Result<std::vector<Presence>> History::presence(std::span<const PresenceQuery> queries) {
  std::vector<Presence> found;
  found.reserve(queries.size());
  for (const PresenceQuery& query : queries) {
    OT_TRY(const auto hash, content_hash(query.id));
    if (!hash) {
      found.push_back(Presence::New);
    } else {
      found.push_back(*hash == crypto::sha256_hex(query.json) ? Presence::Same
                                                              : Presence::Conflicting);
    }
  }
  return found;
}

/// Whoever waits for all of it anyway.
void History::need_not_wait_for(journal::Offset /*offset*/) {}

Result<void> History::wait_applied(journal::Offset end, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (applied_end() < end) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorCode::Timeout, "event history is behind the journal; try again in a while");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

}  // namespace opentrail::history

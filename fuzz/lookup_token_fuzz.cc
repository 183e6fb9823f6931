// Property: a token that is taken prints back to the same characters, so there is one spelling of
// each place in a listing; a token that is refused says so by its own reason.
#include "history/lookup_token.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace history = opentrail::history;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  opentrail::history::LookupQuery query;
  query.account_id = "111122223333";
  query.region = "us-east-1";
  const history::QueryDigest digest = history::digest_of(query);
  const auto token = history::decode(text, digest);
  const bool holds = token ? history::encode(*token, digest) == text
                           : token.error().reason() == "InvalidNextToken";
  if (!holds) {
    std::abort();
  }
  return 0;
}

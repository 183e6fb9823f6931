// Property: reading a claim never crashes, and whatever parses has every part filled and within its
// bounds, survives canonicalisation, and names the same credential as the lenient reader.
// Input: lines: path, query, then one header a line.
#include "base/text.h"
#include "crypto/sigv4.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace sigv4 = opentrail::crypto::sigv4;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_claim(const sigv4::SignedRequest& request, const sigv4::Claim& claim) {
  require(!claim.access_key_id.empty());
  require(claim.access_key_id.size() <= sigv4::kAccessKeyIdBytesMax);
  require(claim.scope.date.size() == 8 && claim.amz_date.starts_with(claim.scope.date));
  require(!claim.scope.region.empty() && claim.scope.region.find('/') == std::string::npos);
  require(!claim.scope.service.empty());
  require(claim.signature.size() == 64);
  require(!claim.signed_headers.empty() && claim.signed_headers.size() <= sigv4::kSignedHeadersMax);
  require(std::ranges::find(claim.signed_headers, "host") != claim.signed_headers.end());
  require(claim.presigned == (claim.expires.count() > 0));
  require(claim.expires <= sigv4::kPresignedExpiresMax);
  const auto lenient = sigv4::claimed_credential(request);
  require(lenient && lenient->access_key_id == claim.access_key_id);
  for (const bool twice : {false, true}) {
    const auto canonical = sigv4::canonical_request(request, claim, sigv4::kUnsignedPayload, twice);
    require(canonical.ends_with(sigv4::kUnsignedPayload));
    const auto path = opentrail::split(canonical, '\n').at(1);
    require(path.find_first_of(" ?#") == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = opentrail::split(text, '\n');
  sigv4::SignedRequest request;
  request.method = "GET";
  request.path = lines.empty() ? std::string_view() : lines[0];
  request.query = lines.size() > 1 ? lines[1] : std::string_view();
  for (std::size_t i = 2; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    request.headers.emplace_back(lines[i].substr(0, colon), colon == std::string_view::npos
                                                                ? std::string_view()
                                                                : lines[i].substr(colon + 1));
  }
  if (const auto claim = sigv4::parse_claim(request)) {
    check_claim(request, *claim);
  } else {
    require(!claim.error().reason().empty() && !claim.error().message().empty());
  }
  return 0;
}

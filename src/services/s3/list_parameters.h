#pragma once
#include "base/error.h"
#include "services/s3/s3_request.h"

#include <cstddef>
#include <string>
#include <string_view>

/// The parameters that S3's listings have in common.
namespace opentrail::services::s3 {

inline constexpr std::size_t kPageMax = 1000;  ///< Of keys, parts and uploads alike.

/// A page size: InvalidArgument when it is not a number from 0; more than kPageMax is kPageMax.
[[nodiscard]] Result<std::size_t> parse_page_size(const S3Request& request, std::string_view name);

/// Names as the listing shows them: as they are, or percent-encoded when encoding-type=url asks
/// for it ("/" stays).
class NameEncoding {
 public:
  /// InvalidArgument for another encoding-type than "url".
  static Result<NameEncoding> parse(const S3Request& request);
  [[nodiscard]] std::string operator()(std::string_view name) const;
  [[nodiscard]] bool is_url() const { return url_; }

 private:
  bool url_ = false;
};

/// ListObjectsV2's continuation token for going on behind `key`: opaque to clients.
[[nodiscard]] std::string make_continuation_token(std::string_view key);
/// InvalidArgument when it is not one of ours.
[[nodiscard]] Result<std::string> parse_continuation_token(std::string_view token);

}  // namespace opentrail::services::s3

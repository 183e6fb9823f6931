#include "delivery/object_names.h"

#include "crypto/hash.h"

#include <fmt/format.h>

namespace opentrail::delivery {
namespace {

std::string account_folder(std::string_view key_prefix, std::string_view account_id) {
  return fmt::format("{}{}AWSLogs/{}/", key_prefix, key_prefix.empty() ? "" : "/", account_id);
}

std::string dated_folder(const FilePlace& place, std::string_view kind, Timestamp time) {
  return fmt::format("{}{}/{}/{}/", account_folder(place.key_prefix, place.account_id), kind,
                     place.region, to_date_folders(time));
}

}  // namespace

std::string file_suffix(std::int64_t trail_id, const FilePlace& place, std::uint64_t first_offset) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kLength = 16;
  const std::string what =
      fmt::format("{}/{}/{}/{}", trail_id, place.account_id, place.region, first_offset);
  const auto digest = crypto::sha256(as_bytes(what));
  std::string suffix;
  for (std::size_t i = 0; i < kLength; ++i) {
    suffix += kAlphabet[std::to_integer<std::size_t>(digest.at(i)) % kAlphabet.size()];
  }
  return suffix;
}

std::string log_file_key(const FilePlace& place, Timestamp stamp, std::string_view suffix) {
  return fmt::format("{}{}_CloudTrail_{}_{}_{}.json.gz", dated_folder(place, "CloudTrail", stamp),
                     place.account_id, place.region, to_iso_basic_minutes(stamp), suffix);
}

std::string digest_file_key(const FilePlace& place, std::string_view trail_name,
                            std::string_view home_region, Timestamp end) {
  return fmt::format("{}{}_CloudTrail-Digest_{}_{}_{}_{}.json.gz",
                     dated_folder(place, "CloudTrail-Digest", end), place.account_id, place.region,
                     trail_name, home_region, to_iso_basic(end));
}

std::string marker_key(std::string_view key_prefix, std::string_view account_id) {
  return account_folder(key_prefix, account_id) + "CloudTrail/";
}

}  // namespace opentrail::delivery

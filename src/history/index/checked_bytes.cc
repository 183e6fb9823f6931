#include "history/index/checked_bytes.h"

#include "base/checksum.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::history {

CheckedBytes::CheckedBytes(std::string_view bytes, std::vector<std::uint32_t> page_crcs,
                           std::string name, std::uint64_t position)
    : bytes_(bytes), page_crcs_(std::move(page_crcs)), name_(std::move(name)), position_(position) {
  OT_CHECK(page_crcs_.size() == (bytes.size() + kPageBytes - 1) / kPageBytes);
}

Result<std::string_view> CheckedBytes::view(std::uint64_t position, std::uint64_t bytes) const {
  if (bytes > bytes_.size() || position > bytes_.size() - bytes) {
    return corrupt(position, "a reference leads out of the index");
  }
  if (!page_crcs_.empty() && bytes > 0) {
    const std::uint64_t last = (position + bytes - 1) / kPageBytes;
    for (std::uint64_t page = position / kPageBytes; page <= last; ++page) {
      const std::string_view whole = bytes_.substr(page * kPageBytes, kPageBytes);
      if (crc32c(as_bytes(whole)) != page_crcs_[page]) {
        return corrupt(page * kPageBytes, "the checksum of the page differs");
      }
    }
  }
  return bytes_.substr(position, bytes);
}

std::unexpected<Error> CheckedBytes::corrupt(std::uint64_t position, std::string_view what) const {
  return fail(ErrorCode::Corruption,
              fmt::format("{} at byte {}: {}", name_, position_ + position, what));
}

}  // namespace opentrail::history

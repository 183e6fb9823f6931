#pragma once
#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::history {

/// Bytes of a file, in memory or mapped, that are believed only page by page: each view compares
/// the pages that it covers with their checksums, every time, because a page of a mapping may come
/// from the disk again at any access. Bytes that never were on a disk have no checksums. The bytes
/// outlive it. Any thread.
class CheckedBytes {
 public:
  static constexpr std::size_t kPageBytes = 1024;

  CheckedBytes() = default;
  /// Of our own memory: nothing to check.
  explicit CheckedBytes(std::string_view bytes) : bytes_(bytes) {}
  /// One CRC-32C for each page, the last one may be short. `name` and `position` say in errors
  /// where the bytes come from.
  CheckedBytes(std::string_view bytes, std::vector<std::uint32_t> page_crcs, std::string name,
               std::uint64_t position);

  /// Errors: Corruption when a page's checksum differs or the range is not inside.
  [[nodiscard]] Result<std::string_view> view(std::uint64_t position, std::uint64_t bytes) const;
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  /// An error that names the place, for what is whole and still makes no sense.
  [[nodiscard]] std::unexpected<Error> corrupt(std::uint64_t position, std::string_view what) const;

 private:
  std::string_view bytes_;
  std::vector<std::uint32_t> page_crcs_;
  std::string name_ = "memory";
  std::uint64_t position_ = 0;
};

/// Where an index is written to: appends only; an error shows at the end, in status().
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void append(std::string_view bytes) = 0;
  [[nodiscard]] virtual std::uint64_t position() const = 0;
};

class MemorySink final : public ByteSink {
 public:
  void append(std::string_view bytes) override { bytes_ += bytes; }
  [[nodiscard]] std::uint64_t position() const override { return bytes_.size(); }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace opentrail::history

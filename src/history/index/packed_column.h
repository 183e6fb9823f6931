#pragma once
#include "base/error.h"
#include "history/index/checked_bytes.h"
#include "history/index/coding.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

/// A column of numbers in frames of 128: in each, the distances from a straight line (base, step)
/// in as few bits as the largest one needs. Numbers in an even row take no bits at all.
namespace opentrail::history {

inline constexpr std::uint32_t kFrameValues = 128;

struct PackedFrame {
  std::int64_t base = 0;
  std::uint32_t position = 0;  ///< In the column's bytes.
  std::uint8_t bits = 0;       ///< Of each value, 0 to 64.
  std::uint8_t step = 0;       ///< What each value is ahead of the one before it.
  bool thousands = false;      ///< Values are counted in thousands: whole seconds in milliseconds.
};

/// What is kept in memory of a column.
struct PackedColumnMeta {
  std::uint64_t position = 0;  ///< In the index.
  std::uint32_t count = 0;
  std::vector<PackedFrame> frames;

  void encode(std::string& out) const;
  /// Absent when the bytes contradict each other; `index_bytes` bounds the positions.
  static std::optional<PackedColumnMeta> decode(ByteReader& in, std::uint64_t index_bytes);
};

class PackedColumnWriter {
 public:
  explicit PackedColumnWriter(ByteSink& sink);
  void add(std::int64_t value);
  [[nodiscard]] PackedColumnMeta finish();

 private:
  void flush();

  ByteSink& sink_;
  PackedColumnMeta meta_;
  std::array<std::int64_t, kFrameValues> waiting_{};
  std::uint32_t waiting_count_ = 0;
};

/// Reads values, keeping the frame that was read last. One thread.
class PackedColumnReader {
 public:
  /// Both outlive it.
  PackedColumnReader(const PackedColumnMeta& meta, const CheckedBytes& bytes)
      : meta_(&meta), bytes_(&bytes) {}

  /// Errors: Corruption. `i` must be less than count().
  Result<std::int64_t> at(std::uint32_t i);
  /// In a column that never falls: how many values are less than `value`.
  Result<std::uint32_t> count_below(std::int64_t value);
  [[nodiscard]] std::uint32_t count() const { return meta_->count; }

 private:
  Result<void> load(std::uint32_t frame);

  const PackedColumnMeta* meta_;
  const CheckedBytes* bytes_;
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t loaded_ = kNone;
  std::uint32_t last_ = kNone;  ///< Frame of the last value, loaded or not.
  std::array<std::int64_t, kFrameValues> values_{};
};

}  // namespace opentrail::history

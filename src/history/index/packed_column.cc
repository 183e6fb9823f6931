#include "history/index/packed_column.h"

#include <algorithm>
#include <bit>
#include <span>

namespace opentrail::history {
namespace {

constexpr std::int64_t kThousand = 1000;
/// With an offset of up to 7 bits inside the first byte, this many still fit one machine word.
constexpr unsigned kBitsInWordMax = 56;
constexpr unsigned kWordBits = 64;
constexpr unsigned kByteBits = 8;
constexpr std::uint8_t kThousandsFlag = 1;

std::uint64_t frame_bytes(std::uint32_t values, unsigned bits) {
  return (std::uint64_t{values} * bits + kByteBits - 1) / kByteBits;
}

/// Widths between 57 and 63 bits are rounded up, so that a value is read in one step.
std::uint8_t readable_bits(std::uint64_t largest) {
  const auto bits = static_cast<unsigned>(std::bit_width(largest));
  return static_cast<std::uint8_t>(bits > kBitsInWordMax ? kWordBits : bits);
}

void pack(std::span<const std::uint64_t> values, unsigned bits, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + frame_bytes(static_cast<std::uint32_t>(values.size()), bits) +
             sizeof(std::uint64_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t bit = i * bits;
    char* const at = out.data() + start + bit / kByteBits;
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    word |= values[i] << (bit % kByteBits);
    std::memcpy(at, &word, sizeof(word));
  }
  out.resize(out.size() - sizeof(std::uint64_t));
}

std::uint64_t unpack_one(std::string_view packed, std::size_t bit, unsigned bits) {
  std::uint64_t word = 0;
  const std::string_view from = packed.substr(bit / kByteBits, sizeof(word));
  std::memcpy(&word, from.data(), from.size());
  word >>= bit % kByteBits;
  return bits == kWordBits ? word : word & ((std::uint64_t{1} << bits) - 1);
}

}  // namespace

void PackedColumnMeta::encode(std::string& out) const {
  put(out, position);
  put(out, count);
  for (const PackedFrame& frame : frames) {
    put(out, frame.base);
    put(out, frame.position);
    put(out, frame.bits);
    put(out, frame.step);
    put(out, frame.thousands ? kThousandsFlag : std::uint8_t{0});
  }
}

std::optional<PackedColumnMeta> PackedColumnMeta::decode(ByteReader& in,
                                                         std::uint64_t index_bytes) {
  PackedColumnMeta meta;
  meta.position = in.number<std::uint64_t>();
  meta.count = in.number<std::uint32_t>();
  constexpr std::size_t kFrameMetaBytes = 15;
  const std::uint64_t frames = (std::uint64_t{meta.count} + kFrameValues - 1) / kFrameValues;
  if (in.failed() || frames > in.rest().size() / kFrameMetaBytes || meta.position > index_bytes) {
    return std::nullopt;
  }
  meta.frames.reserve(frames);
  for (std::uint64_t i = 0; i < frames; ++i) {
    PackedFrame frame;
    frame.base = in.number<std::int64_t>();
    frame.position = in.number<std::uint32_t>();
    frame.bits = in.number<std::uint8_t>();
    frame.step = in.number<std::uint8_t>();
    const auto flags = in.number<std::uint8_t>();
    frame.thousands = flags == kThousandsFlag;
    if (flags > kThousandsFlag || frame.bits > kWordBits ||
        (frame.bits > kBitsInWordMax && frame.bits != kWordBits)) {
      return std::nullopt;
    }
    meta.frames.push_back(frame);
  }
  return meta;
}

PackedColumnWriter::PackedColumnWriter(ByteSink& sink) : sink_(sink) {
  meta_.position = sink.position();
}

void PackedColumnWriter::add(std::int64_t value) {
  waiting_[waiting_count_++] = value;
  if (waiting_count_ == kFrameValues) {
    flush();
  }
}

void PackedColumnWriter::flush() {
  const std::span values(waiting_.data(), waiting_count_);
  PackedFrame frame;
  frame.position = static_cast<std::uint32_t>(sink_.position() - meta_.position);
  bool rows = values.size() > 1;
  bool thousands = true;
  for (std::size_t i = 1; i < values.size(); ++i) {
    // As unsigned numbers: the distance of two int64 may not fit one.
    const auto distance =
        static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(values[i - 1]);
    rows = rows && distance == 1;
    thousands = thousands && static_cast<std::int64_t>(distance) % kThousand == 0;
  }
  frame.step = rows ? 1 : 0;
  frame.thousands = thousands && !rows;
  frame.base = rows ? values.front() : *std::ranges::min_element(values);
  std::array<std::uint64_t, kFrameValues> distances{};
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < values.size() && !rows; ++i) {
    distances[i] = static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(frame.base);
    distances[i] /= frame.thousands ? kThousand : 1;
    largest = std::max(largest, distances[i]);
  }
  frame.bits = readable_bits(largest);
  std::string packed;
  if (frame.bits > 0) {
    pack(std::span(distances).first(values.size()), frame.bits, packed);
  }
  sink_.append(packed);
  meta_.frames.push_back(frame);
  meta_.count += waiting_count_;
  waiting_count_ = 0;
}

PackedColumnMeta PackedColumnWriter::finish() {
  if (waiting_count_ > 0) {
    flush();
  }
  return std::move(meta_);
}

namespace {

/// The i-th value of a frame.
std::int64_t value_in(const PackedFrame& frame, std::string_view packed, std::uint32_t i) {
  const std::uint64_t distance =
      frame.bits == 0 ? 0 : unpack_one(packed, std::size_t{i} * frame.bits, frame.bits);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(frame.base) +
                                   distance * (frame.thousands ? kThousand : 1) +
                                   std::uint64_t{frame.step} * i);
}

}  // namespace

Result<void> PackedColumnReader::load(std::uint32_t number) {
  const PackedFrame& frame = meta_->frames[number];
  const std::uint32_t count = std::min(kFrameValues, meta_->count - number * kFrameValues);
  const std::uint64_t bytes = frame_bytes(count, frame.bits);
  OT_TRY(const std::string_view packed, bytes_->view(meta_->position + frame.position, bytes));
  for (std::uint32_t i = 0; i < count; ++i) {
    values_[i] = value_in(frame, packed, i);
  }
  loaded_ = number;
  return {};
}

Result<std::int64_t> PackedColumnReader::at(std::uint32_t i) {
  OT_CHECK(i < meta_->count);
  const std::uint32_t number = i / kFrameValues;
  if (number == loaded_) {
    return values_[i % kFrameValues];
  }
  // Whoever goes from frame to frame wants one value of each; who comes again wants more of them.
  if (number == last_) {
    OT_TRY_DO(load(number));
    return values_[i % kFrameValues];
  }
  last_ = number;
  const PackedFrame& frame = meta_->frames[number];
  const std::uint32_t count = std::min(kFrameValues, meta_->count - number * kFrameValues);
  OT_TRY(const std::string_view packed,
         bytes_->view(meta_->position + frame.position, frame_bytes(count, frame.bits)));
  return value_in(frame, packed, i % kFrameValues);
}

Result<std::uint32_t> PackedColumnReader::count_below(std::int64_t value) {
  // The last frame that begins below `value` is the only one with values on both sides.
  const auto after = std::ranges::lower_bound(meta_->frames, value, {}, &PackedFrame::base);
  if (after == meta_->frames.begin()) {
    return 0;
  }
  const auto number = static_cast<std::uint32_t>(after - meta_->frames.begin() - 1);
  if (number != loaded_) {
    OT_TRY_DO(load(number));
  }
  const std::uint32_t count = std::min(kFrameValues, meta_->count - number * kFrameValues);
  const auto below = std::ranges::lower_bound(values_.begin(), values_.begin() + count, value);
  return number * kFrameValues + static_cast<std::uint32_t>(below - values_.begin());
}

}  // namespace opentrail::history

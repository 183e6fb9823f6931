#pragma once
#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// zstd's own, as <zstd.h> names them; its header stays out of ours.
struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace opentrail::journal {

/// A zstd dictionary for blocks of records: what most records share, so that even a block of one is
/// compact. Immutable; any thread. Large (some 0.5 MB once both sides were used): share it.
class Dictionary {
 public:
  /// No dictionary is larger: a limit of the format.
  static constexpr std::size_t kBytesMax = 256 << 10;
  static constexpr std::size_t kTrainedBytesMax = 112 << 10;
  /// Samples behind this many bytes are not looked at.
  static constexpr std::size_t kSampleBytesMax = 10 << 20;

  /// Errors: Corruption when `bytes` are not a zstd dictionary.
  static Result<std::shared_ptr<const Dictionary>> load(std::string bytes);
  /// Makes one of at most `bytes_max` from records' JSON: tens of milliseconds for each MB. Errors:
  /// InvalidArgument when the samples are too few.
  static Result<std::shared_ptr<const Dictionary>> train(std::span<const std::string_view> jsons,
                                                         std::size_t bytes_max = kTrainedBytesMax);

  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  [[nodiscard]] const std::string& bytes() const;
  [[nodiscard]] std::uint32_t id() const;  ///< CRC-32C of bytes().

  /// For record_block.cc: made at the first call; null when zstd finds no memory for it.
  [[nodiscard]] const ZSTD_CDict_s* for_compression() const;
  [[nodiscard]] const ZSTD_DDict_s* for_decompression() const;

 private:
  struct Parts;
  explicit Dictionary(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// The level of everything that is written.
inline constexpr int kZstdLevel = 3;

}  // namespace opentrail::journal

#pragma once
#include "base/error.h"
#include "history/index/checked_bytes.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The list of the records that have one value, by their numbers in the index.
namespace opentrail::history {

/// Number of a record in one index: by event time, among equal times by offset.
using Doc = std::uint32_t;

/// Where a list stands. Its form follows from `count` and the number of records in the index: one
/// number stands in the reference itself; all records take no bytes; at least one in
/// kBitmapShare is a bitmap; the rest are distances in variable length, 128 to a block, with a
/// table of blocks before them when there are several.
struct PostingsRef {
  Doc count = 0;
  Doc only = 0;                ///< When `count` is 1.
  std::uint64_t position = 0;  ///< In the index.
  std::uint32_t bytes = 0;
};

inline constexpr Doc kBitmapShare = 8;
inline constexpr std::uint32_t kPostingsPerBlock = 128;

/// Appends the bytes of a rising list of at least two of `docs_total` records.
void encode_postings(std::span<const Doc> docs, Doc docs_total, std::string& out);

/// A window of records as bits: [first(), first() + kDocs).
class DocWindow {
 public:
  static constexpr Doc kDocs = 2048;
  static constexpr std::size_t kWords = kDocs / 64;
  using Words = std::array<std::uint64_t, kWords>;

  [[nodiscard]] static Doc first_of(Doc doc) { return doc - doc % kDocs; }
};

/// Reads one list, in any order, a block at a time. One thread. Errors: Corruption.
class PostingsReader {
 public:
  /// `bytes` outlives it.
  static Result<PostingsReader> open(const CheckedBytes& bytes, const PostingsRef& ref,
                                     Doc docs_total);

  [[nodiscard]] Doc count() const { return ref_.count; }
  /// The largest number below `bound`, absent when there is none.
  Result<std::optional<Doc>> last_below(Doc bound);
  /// The smallest number from `bound` on.
  Result<std::optional<Doc>> first_from(Doc bound);
  /// Sets the bits of the records in the window that begins at `first`.
  Result<void> add_to(Doc first, DocWindow::Words& words);
  /// The whole list.
  Result<std::vector<Doc>> all();

 private:
  enum class Form : std::uint8_t { One, All, Bitmap, Blocks };
  PostingsReader(const CheckedBytes& bytes, const PostingsRef& ref, Doc docs_total);

  Result<void> read_table();
  Result<void> load(std::uint32_t block);
  [[nodiscard]] std::uint32_t block_of(Doc doc) const;
  Result<std::optional<Doc>> last_in_bitmap(Doc bound);
  Result<std::optional<Doc>> first_in_bitmap(Doc bound);
  /// The bits of 64 records from `first` (a multiple of 64) on.
  Result<std::uint64_t> bitmap_word(Doc first);

  const CheckedBytes* bytes_;
  PostingsRef ref_;
  Doc docs_total_;
  Form form_;
  std::uint32_t blocks_ = 0;
  std::uint64_t payload_position_ = 0;
  std::vector<Doc> block_last_;           ///< The last number of each block.
  std::vector<std::uint32_t> block_end_;  ///< Where its bytes end in the payload.
  std::uint32_t loaded_ = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t loaded_count_ = 0;
  std::array<Doc, kPostingsPerBlock> docs_{};
};

}  // namespace opentrail::history

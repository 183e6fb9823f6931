#pragma once
#include "record/splitter.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Internal: the splitter's quick way through one object, 64 bytes at a time. It knows brackets,
/// strings and lines and nothing else; whatever it cannot judge is Doubtful, and the splitter then
/// reads that object again byte by byte.
namespace opentrail::record {

class ObjectScan {
 public:
  enum class Verdict : std::uint8_t {
    Open,  ///< All bytes were taken, the object goes on behind them.
    Ends,  ///< The last byte that was taken closes it.
    /// Broken, too deep, with one of the names that say what the object is, or with a line inside
    /// that begins with '{'.
    Doubtful
  };
  struct Outcome {
    Verdict verdict = Verdict::Open;
    std::size_t bytes = 0;        ///< How many were taken; of no meaning when Doubtful.
    std::uint64_t new_lines = 0;  ///< Among these.
  };

  /// `method` is not ByteWise.
  explicit ObjectScan(SplitMethod method) : method_(method) {}
  /// Before the object's '{'.
  void start();
  /// Takes the next bytes of the object.
  [[nodiscard]] Outcome take(std::string_view bytes);

  /// A bit for each byte of a block, the first byte's lowest.
  struct Bits {
    std::uint64_t quotes;
    std::uint64_t backslashes;
    std::uint64_t controls;  ///< Below 0x20.
    std::uint64_t opens;     ///< '{' and '['.
    std::uint64_t closes;    ///< '}' and ']'.
    std::uint64_t initials;  ///< First letters of kTellingNames.
  };

  static constexpr std::size_t kBlock = 64;

 private:
  /// The next bytes, filled up with spaces when they are fewer than kBlock.
  struct Block {
    explicit Block(std::string_view from)
        : rest(from), bytes(from.size() < kBlock ? from.size() : kBlock), text(from.data()) {
      if (bytes < kBlock) {
        std::memset(filled, ' ', kBlock);
        std::memcpy(filled, from.data(), bytes);
        text = filled;
      }
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    std::string_view rest;  ///< From here to the end of what was given.
    std::size_t bytes;
    const char* text;
    char filled[kBlock];
  };
  /// What is carried from block to block; the masks have all bits or only the lowest.
  struct Carry {
    std::uint64_t in_string = 0;   ///< All: the block begins inside a string.
    std::uint64_t is_escaped = 0;  ///< Lowest: its first byte stands behind a backslash.
    std::uint64_t is_quoted = 0;   ///< Lowest: its first byte stands behind a quote.
    bool begins_line = false;
  };

  Outcome take_sse2(std::string_view bytes);
  Outcome take_avx2(std::string_view bytes);
  Verdict take_block(const Block& block, const Bits& bits, std::uint64_t inside, Outcome& outcome);
  bool follow_brackets(std::uint64_t brackets, const char* block, std::size_t& end);

  SplitMethod method_;
  Carry carry_;
  std::size_t depth_ = 0;
  std::array<bool, kSplitDepthMax> is_list_{};
};

}  // namespace opentrail::record

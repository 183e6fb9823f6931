#pragma once
#include "base/error.h"
#include "history/index/checked_bytes.h"
#include "history/index/coding.h"
#include "history/index/postings.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The values of one field in one index, sorted by their bytes, each with the list of its records.
/// Lists and dictionary blocks alternate: first the lists of a block's values, then the block with
/// the values, front-coded.
namespace opentrail::history {

/// What is kept in memory: for each block where it stands and how its first value begins.
struct TermDictionaryMeta {
  static constexpr std::size_t kKeyBytesMax = 24;
  struct Block {
    std::uint64_t position = 0;  ///< In the index.
    std::uint64_t postings = 0;  ///< Where the lists of its values begin.
    std::uint32_t bytes = 0;
    std::uint32_t key_position = 0;  ///< In `keys`.
    std::uint8_t key_bytes = 0;
  };
  std::uint32_t terms = 0;
  std::vector<Block> blocks;
  std::string keys;

  [[nodiscard]] std::string_view key(const Block& block) const {
    return std::string_view(keys).substr(block.key_position, block.key_bytes);
  }
  void encode(std::string& out) const;
  static std::optional<TermDictionaryMeta> decode(ByteReader& in, std::uint64_t index_bytes);
};

class TermDictionaryWriter {
 public:
  TermDictionaryWriter(ByteSink& sink, Doc docs_total) : sink_(sink), docs_total_(docs_total) {}
  /// Values come in the order of their bytes, each once; `docs` rises and is not empty.
  void add(std::string_view term, std::span<const Doc> docs);
  [[nodiscard]] TermDictionaryMeta finish();

 private:
  void flush();

  ByteSink& sink_;
  const Doc docs_total_;
  TermDictionaryMeta meta_;
  std::string block_;
  std::string postings_;  ///< Of the open block.
  std::string first_;     ///< Value of the open block.
  std::string last_;
};

/// Walks over the values of a field in their order. Errors: Corruption. One thread.
class TermCursor {
 public:
  /// Stands before the first value that is not less than `from`. All outlive it.
  static Result<TermCursor> seek(const TermDictionaryMeta& meta, const CheckedBytes& bytes,
                                 std::string_view from);

  /// Goes to the next value, which is greater than the one before it; false at the end. Errors:
  /// Corruption.
  Result<bool> next();
  [[nodiscard]] std::string_view term() const { return term_; }
  [[nodiscard]] const PostingsRef& postings() const { return postings_; }

 private:
  TermCursor(const TermDictionaryMeta& meta, const CheckedBytes& bytes)
      : meta_(&meta), bytes_(&bytes) {}
  Result<bool> open_block();

  const TermDictionaryMeta* meta_;
  const CheckedBytes* bytes_;
  std::size_t block_ = 0;  ///< The next to open.
  ByteReader in_{std::string_view()};
  std::uint64_t postings_position_ = 0;
  std::string term_;
  PostingsRef postings_;
  bool begins_ = true;  ///< No value came before that this one must be greater than.
  bool stays_ = false;  ///< next() has been done already, by seek().
};

/// The list of one value, absent when the field has it nowhere. Errors: Corruption.
Result<std::optional<PostingsRef>> find_term(const TermDictionaryMeta& meta,
                                             const CheckedBytes& bytes, std::string_view term);

}  // namespace opentrail::history

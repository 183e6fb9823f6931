#include "history/index/term_dictionary.h"

#include <algorithm>
#include <limits>

namespace opentrail::history {
namespace {

/// A block is closed when it has grown to this: small enough to walk through in half a microsecond.
constexpr std::size_t kBlockBytes = 1024;

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  const auto differs = std::ranges::mismatch(a, b).in1;
  return static_cast<std::size_t>(differs - a.begin());
}

}  // namespace

void TermDictionaryMeta::encode(std::string& out) const {
  put(out, terms);
  put(out, static_cast<std::uint32_t>(blocks.size()));
  for (const Block& block : blocks) {
    put(out, block.position);
    put(out, block.postings);
    put(out, block.bytes);
    put(out, block.key_bytes);
    out += key(block);
  }
}

std::optional<TermDictionaryMeta> TermDictionaryMeta::decode(ByteReader& in,
                                                             std::uint64_t index_bytes) {
  TermDictionaryMeta meta;
  meta.terms = in.number<std::uint32_t>();
  const auto blocks = in.number<std::uint32_t>();
  constexpr std::size_t kBlockMetaBytes = 21;
  if (in.failed() || blocks > in.rest().size() / kBlockMetaBytes || blocks > meta.terms) {
    return std::nullopt;
  }
  meta.blocks.reserve(blocks);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    Block block;
    block.position = in.number<std::uint64_t>();
    block.postings = in.number<std::uint64_t>();
    block.bytes = in.number<std::uint32_t>();
    block.key_bytes = in.number<std::uint8_t>();
    block.key_position = static_cast<std::uint32_t>(meta.keys.size());
    meta.keys += in.text(block.key_bytes);
    if (in.failed() || block.key_bytes > kKeyBytesMax || block.position > index_bytes ||
        block.postings > block.position) {
      return std::nullopt;
    }
    meta.blocks.push_back(block);
  }
  return meta;
}

void TermDictionaryWriter::add(std::string_view term, std::span<const Doc> docs) {
  if (block_.empty()) {
    first_ = term;
    last_.clear();
  }
  const std::size_t shared = shared_prefix(last_, term);
  put_varint(block_, shared);
  put_varint(block_, term.size() - shared);
  block_ += term.substr(shared);
  put_varint(block_, docs.size());
  if (docs.size() == 1) {
    put_varint(block_, docs.front());
  } else {
    const std::size_t before = postings_.size();
    encode_postings(docs, docs_total_, postings_);
    put_varint(block_, postings_.size() - before);
  }
  last_ = term;
  ++meta_.terms;
  // Lists are written out soon, so that memory stays small however long they are.
  constexpr std::size_t kPostingsBytesMax = 64 << 10;
  if (block_.size() >= kBlockBytes || postings_.size() >= kPostingsBytesMax) {
    flush();
  }
}

void TermDictionaryWriter::flush() {
  TermDictionaryMeta::Block block;
  block.postings = sink_.position();
  sink_.append(postings_);
  block.position = sink_.position();
  block.bytes = static_cast<std::uint32_t>(block_.size());
  sink_.append(block_);
  const std::string_view key = std::string_view(first_).substr(0, TermDictionaryMeta::kKeyBytesMax);
  block.key_position = static_cast<std::uint32_t>(meta_.keys.size());
  block.key_bytes = static_cast<std::uint8_t>(key.size());
  meta_.keys += key;
  meta_.blocks.push_back(block);
  block_.clear();
  postings_.clear();
}

TermDictionaryMeta TermDictionaryWriter::finish() {
  if (!block_.empty()) {
    flush();
  }
  return std::move(meta_);
}

Result<TermCursor> TermCursor::seek(const TermDictionaryMeta& meta, const CheckedBytes& bytes,
                                    std::string_view from) {
  TermCursor cursor(meta, bytes);
  if (from.empty()) {
    return cursor;
  }
  // Keys are cut: of the blocks whose key is the start of `from`, or equal to its start, any may
  // hold the place. Their true first values decide.
  const std::string_view start = from.substr(0, TermDictionaryMeta::kKeyBytesMax);
  const auto key_of = [&](const TermDictionaryMeta::Block& block) { return meta.key(block); };
  auto low = std::ranges::lower_bound(meta.blocks, start, {}, key_of) - meta.blocks.begin();
  auto high = std::ranges::upper_bound(meta.blocks, start, {}, key_of) - meta.blocks.begin();
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    cursor.block_ = static_cast<std::size_t>(middle);
    cursor.begins_ = true;
    OT_TRY_DO(cursor.open_block());
    OT_TRY_DO(cursor.next());
    if (std::string_view(cursor.term_) <= from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  cursor = TermCursor(meta, bytes);
  cursor.block_ = static_cast<std::size_t>(low > 0 ? low - 1 : 0);
  for (;;) {
    OT_TRY(const bool found, cursor.next());
    if (!found) {
      return cursor;
    }
    if (std::string_view(cursor.term_) >= from) {
      cursor.stays_ = true;
      return cursor;
    }
  }
}

Result<bool> TermCursor::open_block() {
  if (block_ == meta_->blocks.size()) {
    return false;
  }
  const TermDictionaryMeta::Block& block = meta_->blocks[block_++];
  OT_TRY(const std::string_view bytes, bytes_->view(block.position, block.bytes));
  in_ = ByteReader(bytes);
  postings_position_ = block.postings;
  term_.clear();
  return true;
}

Result<bool> TermCursor::next() {
  if (stays_) {
    stays_ = false;
    return true;
  }
  std::string before;  // The last value of the block before; else term_ has it.
  const bool new_block = in_.at_end();
  if (new_block) {
    before.swap(term_);
    OT_TRY(const bool opened, open_block());
    if (!opened) {
      return false;
    }
  }
  const auto shared = in_.varint_up_to(term_.size());
  const auto bytes = in_.varint();
  const std::string_view suffix = in_.text(bytes);
  const auto count = in_.varint_up_to(std::numeric_limits<Doc>::max());
  const auto last = in_.varint_up_to(std::numeric_limits<std::uint32_t>::max());
  const bool rises = begins_ || (new_block ? std::string_view(before) < suffix
                                           : std::string_view(term_).substr(shared) < suffix);
  if (in_.failed() || count == 0 || !rises) {
    return bytes_->corrupt(meta_->blocks[block_ - 1].position, "a block of values is damaged");
  }
  begins_ = false;
  term_.resize(shared);
  term_ += suffix;
  postings_ = {.count = static_cast<Doc>(count)};
  if (count == 1) {
    postings_.only = static_cast<Doc>(last);
  } else {
    postings_.position = postings_position_;
    postings_.bytes = static_cast<std::uint32_t>(last);
    postings_position_ += last;
  }
  return true;
}

Result<std::optional<PostingsRef>> find_term(const TermDictionaryMeta& meta,
                                             const CheckedBytes& bytes, std::string_view term) {
  OT_TRY(TermCursor cursor, TermCursor::seek(meta, bytes, term));
  OT_TRY(const bool found, cursor.next());
  if (!found || cursor.term() != term) {
    return std::nullopt;
  }
  return cursor.postings();
}

}  // namespace opentrail::history

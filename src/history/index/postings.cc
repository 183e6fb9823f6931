#include "history/index/postings.h"

#include "history/index/coding.h"

#include <algorithm>
#include <bit>

namespace opentrail::history {
namespace {

constexpr Doc kWordBits = 64;
constexpr Doc kByteBits = 8;

bool is_bitmap(Doc count, Doc docs_total) {
  return std::uint64_t{count} * kBitmapShare >= docs_total;
}

std::uint64_t bitmap_bytes(Doc docs_total) {
  return (std::uint64_t{docs_total} + kWordBits - 1) / kWordBits * sizeof(std::uint64_t);
}

void encode_bitmap(std::span<const Doc> docs, Doc docs_total, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + bitmap_bytes(docs_total));
  for (const Doc doc : docs) {
    out[start + doc / kByteBits] = static_cast<char>(
        static_cast<unsigned char>(out[start + doc / kByteBits]) | (1U << (doc % kByteBits)));
  }
}

void encode_blocks(std::span<const Doc> docs, std::string& out) {
  std::string payload;
  std::string table;
  Doc next = 0;  // the smallest number that can come
  for (std::size_t i = 0; i < docs.size(); ++i) {
    put_varint(payload, docs[i] - next);
    next = docs[i] + 1;
    if (i % kPostingsPerBlock == kPostingsPerBlock - 1 || i + 1 == docs.size()) {
      put(table, docs[i]);
      put(table, static_cast<std::uint32_t>(payload.size()));
    }
  }
  if (docs.size() > kPostingsPerBlock) {
    out += table;
  }
  out += payload;
}

/// Sets the bits [from, to) of a window.
void set_range(DocWindow::Words& words, Doc from, Doc to) {
  for (Doc at = from; at < to;) {
    const Doc bit = at % kWordBits;
    const Doc run = std::min(kWordBits - bit, to - at);
    const std::uint64_t ones = run == kWordBits ? ~std::uint64_t{0} : (std::uint64_t{1} << run) - 1;
    words[at / kWordBits] |= ones << bit;
    at += run;
  }
}

void set_bit(DocWindow::Words& words, Doc bit) {
  words[bit / kWordBits] |= std::uint64_t{1} << (bit % kWordBits);
}

}  // namespace

void encode_postings(std::span<const Doc> docs, Doc docs_total, std::string& out) {
  OT_CHECK(docs.size() > 1);
  const auto count = static_cast<Doc>(docs.size());
  if (count == docs_total) {
    return;
  }
  if (is_bitmap(count, docs_total)) {
    encode_bitmap(docs, docs_total, out);
  } else {
    encode_blocks(docs, out);
  }
}

PostingsReader::PostingsReader(const CheckedBytes& bytes, const PostingsRef& ref, Doc docs_total)
    : bytes_(&bytes), ref_(ref), docs_total_(docs_total), form_(Form::Blocks) {
  if (ref.count == 1) {
    form_ = Form::One;
  } else if (ref.count == docs_total) {
    form_ = Form::All;
  } else if (is_bitmap(ref.count, docs_total)) {
    form_ = Form::Bitmap;
  }
}

Result<PostingsReader> PostingsReader::open(const CheckedBytes& bytes, const PostingsRef& ref,
                                            Doc docs_total) {
  if (ref.count == 0 || ref.count > docs_total || (ref.count == 1 && ref.only >= docs_total)) {
    return bytes.corrupt(ref.position, "a list of records is longer than the index");
  }
  PostingsReader reader(bytes, ref, docs_total);
  if (reader.form_ == Form::Bitmap && ref.bytes != bitmap_bytes(docs_total)) {
    return bytes.corrupt(ref.position, "a bitmap is not as long as the index");
  }
  if (reader.form_ == Form::Blocks) {
    OT_TRY_DO(reader.read_table());
  }
  return reader;
}

Result<void> PostingsReader::read_table() {
  blocks_ = (ref_.count + kPostingsPerBlock - 1) / kPostingsPerBlock;
  if (blocks_ == 1) {
    payload_position_ = ref_.position;
    block_last_ = {docs_total_ - 1};
    block_end_ = {ref_.bytes};
    return {};
  }
  constexpr std::uint64_t kEntryBytes = sizeof(Doc) + sizeof(std::uint32_t);
  const std::uint64_t table_bytes = blocks_ * kEntryBytes;
  if (table_bytes > ref_.bytes) {
    return bytes_->corrupt(ref_.position, "a list is shorter than its table");
  }
  OT_TRY(const std::string_view table, bytes_->view(ref_.position, table_bytes));
  payload_position_ = ref_.position + table_bytes;
  block_last_.reserve(blocks_);
  block_end_.reserve(blocks_);
  ByteReader in(table);
  for (std::uint32_t i = 0; i < blocks_; ++i) {
    const auto last = in.number<Doc>();
    const auto end = in.number<std::uint32_t>();
    const bool rises = i == 0 || (last > block_last_.back() && end > block_end_.back());
    if (!rises || last >= docs_total_ || end > ref_.bytes - table_bytes) {
      return bytes_->corrupt(ref_.position, "the table of a list does not rise");
    }
    block_last_.push_back(last);
    block_end_.push_back(end);
  }
  return {};
}

Result<void> PostingsReader::load(std::uint32_t block) {
  if (block == loaded_) {
    return {};
  }
  const std::uint32_t begin = block == 0 ? 0 : block_end_[block - 1];
  OT_TRY(const std::string_view payload,
         bytes_->view(payload_position_ + begin, block_end_[block] - begin));
  ByteReader in(payload);
  const std::uint32_t count = std::min(kPostingsPerBlock, ref_.count - block * kPostingsPerBlock);
  std::uint64_t next = block == 0 ? 0 : std::uint64_t{block_last_[block - 1]} + 1;
  loaded_ = std::numeric_limits<std::uint32_t>::max();
  for (std::uint32_t i = 0; i < count; ++i) {
    next += in.varint_up_to(docs_total_);
    if (in.failed() || next >= docs_total_) {
      return bytes_->corrupt(payload_position_ + begin, "a list leads out of the index");
    }
    docs_[i] = static_cast<Doc>(next++);
  }
  loaded_ = block;
  loaded_count_ = count;
  return {};
}

/// The first block that may hold `doc` or what comes behind it; blocks_ when there is none.
std::uint32_t PostingsReader::block_of(Doc doc) const {
  return static_cast<std::uint32_t>(std::ranges::lower_bound(block_last_, doc) -
                                    block_last_.begin());
}

Result<std::uint64_t> PostingsReader::bitmap_word(Doc first) {
  OT_TRY(const std::string_view bytes,
         bytes_->view(ref_.position + first / kByteBits, sizeof(std::uint64_t)));
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof(word));
  return word;
}

Result<std::optional<Doc>> PostingsReader::last_in_bitmap(Doc bound) {
  while (bound > 0) {
    const Doc first = (bound - 1) / kWordBits * kWordBits;
    OT_TRY(std::uint64_t word, bitmap_word(first));
    if (const Doc bits = bound - first; bits < kWordBits) {
      word &= (std::uint64_t{1} << bits) - 1;
    }
    if (word != 0) {
      return first + static_cast<Doc>(std::bit_width(word)) - 1;
    }
    bound = first;
  }
  return std::nullopt;
}

Result<std::optional<Doc>> PostingsReader::first_in_bitmap(Doc bound) {
  while (bound < docs_total_) {
    const Doc first = bound / kWordBits * kWordBits;
    OT_TRY(std::uint64_t word, bitmap_word(first));
    word &= ~std::uint64_t{0} << (bound - first);
    if (word != 0) {
      const Doc found = first + static_cast<Doc>(std::countr_zero(word));
      if (found >= docs_total_) {
        return bytes_->corrupt(ref_.position, "a bitmap leads out of the index");
      }
      return found;
    }
    bound = first + kWordBits;
  }
  return std::nullopt;
}

Result<std::optional<Doc>> PostingsReader::last_below(Doc bound) {
  bound = std::min(bound, docs_total_);
  if (bound == 0) {
    return std::nullopt;
  }
  switch (form_) {
    case Form::One:
      return ref_.only < bound ? std::optional(ref_.only) : std::nullopt;
    case Form::All:
      return bound - 1;
    case Form::Bitmap:
      return last_in_bitmap(bound);
    case Form::Blocks:
      break;
  }
  std::uint32_t block = std::min(block_of(bound - 1), blocks_ - 1);
  OT_TRY_DO(load(block));
  auto end = std::ranges::lower_bound(docs_.begin(), docs_.begin() + loaded_count_, bound);
  if (end != docs_.begin()) {
    return *std::prev(end);
  }
  if (block == 0) {
    return std::nullopt;
  }
  return block_last_[block - 1];
}

Result<std::optional<Doc>> PostingsReader::first_from(Doc bound) {
  if (bound >= docs_total_) {
    return std::nullopt;
  }
  switch (form_) {
    case Form::One:
      return ref_.only >= bound ? std::optional(ref_.only) : std::nullopt;
    case Form::All:
      return bound;
    case Form::Bitmap:
      return first_in_bitmap(bound);
    case Form::Blocks:
      break;
  }
  const std::uint32_t block = block_of(bound);
  if (block == blocks_) {
    return std::nullopt;
  }
  OT_TRY_DO(load(block));
  const auto end = docs_.begin() + loaded_count_;
  const auto found = std::ranges::lower_bound(docs_.begin(), end, bound);
  return found == end ? std::nullopt : std::optional(*found);
}

Result<void> PostingsReader::add_to(Doc first, DocWindow::Words& words) {
  const Doc end = std::min(first + DocWindow::kDocs, docs_total_);
  switch (form_) {
    case Form::One:
      if (ref_.only >= first && ref_.only < end) {
        set_bit(words, ref_.only - first);
      }
      return {};
    case Form::All:
      set_range(words, 0, end - first);
      return {};
    case Form::Bitmap: {
      const std::uint64_t bytes =
          std::min<std::uint64_t>(DocWindow::kDocs, bitmap_bytes(docs_total_) * kByteBits - first) /
          kByteBits;
      OT_TRY(const std::string_view bits, bytes_->view(ref_.position + first / kByteBits, bytes));
      for (std::size_t i = 0; i < bytes / sizeof(std::uint64_t); ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, bits.data() + i * sizeof(word), sizeof(word));
        words[i] |= word;
      }
      return {};
    }
    case Form::Blocks:
      break;
  }
  for (std::uint32_t block = block_of(first); block < blocks_; ++block) {
    OT_TRY_DO(load(block));
    const auto from = std::ranges::lower_bound(docs_.begin(), docs_.begin() + loaded_count_, first);
    for (auto at = from; at != docs_.begin() + loaded_count_; ++at) {
      if (*at >= end) {
        return {};
      }
      set_bit(words, *at - first);
    }
  }
  return {};
}

Result<std::vector<Doc>> PostingsReader::all() {
  std::vector<Doc> docs;
  docs.reserve(ref_.count);
  switch (form_) {
    case Form::One:
      docs.push_back(ref_.only);
      return docs;
    case Form::All:
      for (Doc doc = 0; doc < docs_total_; ++doc) {
        docs.push_back(doc);
      }
      return docs;
    case Form::Bitmap: {
      OT_TRY(const std::string_view bits, bytes_->view(ref_.position, ref_.bytes));
      for (std::size_t i = 0; i < bits.size() / sizeof(std::uint64_t); ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, bits.data() + i * sizeof(word), sizeof(word));
        for (; word != 0; word &= word - 1) {
          docs.push_back(static_cast<Doc>(i * kWordBits) +
                         static_cast<Doc>(std::countr_zero(word)));
        }
      }
      break;
    }
    case Form::Blocks:
      for (std::uint32_t block = 0; block < blocks_; ++block) {
        OT_TRY_DO(load(block));
        docs.insert(docs.end(), docs_.begin(), docs_.begin() + loaded_count_);
      }
      break;
  }
  if (docs.size() != ref_.count || (!docs.empty() && docs.back() >= docs_total_)) {
    return bytes_->corrupt(ref_.position, "a list of records has another length than it says");
  }
  return docs;
}

}  // namespace opentrail::history

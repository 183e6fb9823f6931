#pragma once
#include "base/error.h"
#include "base/time.h"
#include "history/entry_key.h"
#include "history/index/checked_bytes.h"
#include "history/index/id_pages.h"
#include "history/index/packed_column.h"
#include "history/index/postings.h"
#include "history/index/term_dictionary.h"
#include "journal/journal.h"
#include "record/terms.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The index over a run of records: which of them can be found, in the order of their time, and by
/// what. It refers to the records by their offsets; where their bytes are is not its business.
namespace opentrail::history {

/// What is kept in memory of an index: where its parts stand. The layout is
/// docs/formats/history.md.
struct IndexMeta {
  journal::Offset first{0};  ///< The run of records: [first, end).
  journal::Offset end{0};
  Doc docs = 0;  ///< How many of them can be found.
  Timestamp oldest;
  Timestamp newest;
  PackedColumnMeta times;    ///< Of each doc, in milliseconds since 1970; never falls.
  PackedColumnMeta records;  ///< Of each doc: its offset less `first`.
  IdPagesMeta ids;
  std::array<TermDictionaryMeta, record::kFieldCount> fields;

  [[nodiscard]] std::uint64_t records_total() const { return value(end) - value(first); }
  void encode(std::string& out) const;
  static std::optional<IndexMeta> decode(ByteReader& in, std::uint64_t index_bytes);
};

/// An index that can be read; immutable. Any thread.
class Index {
 public:
  /// Of our own memory.
  Index(IndexMeta meta, std::string bytes);
  /// Mapped: `bytes` outlive it.
  Index(IndexMeta meta, CheckedBytes bytes) : meta_(std::move(meta)), bytes_(std::move(bytes)) {}
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  [[nodiscard]] const IndexMeta& meta() const { return meta_; }
  [[nodiscard]] const CheckedBytes& bytes() const { return bytes_; }
  [[nodiscard]] const TermDictionaryMeta& field(record::Field field) const {
    return meta_.fields[static_cast<std::size_t>(field)];
  }
  /// The list of one value; absent when no record has it. Errors: Corruption.
  [[nodiscard]] Result<std::optional<PostingsRef>> find(record::Field field,
                                                        std::string_view value) const {
    return find_term(this->field(field), bytes_, value);
  }
  /// Adds the offsets whose id may be the one of this hash. Errors: Corruption.
  Result<void> find_id(std::uint64_t hash, std::vector<journal::Offset>& found) const;

 private:
  IndexMeta meta_;
  std::string own_;
  CheckedBytes bytes_;
};

/// Time and offset of each doc. One thread.
class KeyReader {
 public:
  explicit KeyReader(const Index& index)
      : index_(&index),
        times_(index.meta().times, index.bytes()),
        records_(index.meta().records, index.bytes()) {}
  /// Errors: Corruption.
  Result<EntryKey> at(Doc doc);
  /// How many docs have a key less than `key`.
  Result<Doc> count_below(EntryKey key);

 private:
  const Index* index_;
  PackedColumnReader times_;
  PackedColumnReader records_;
};

}  // namespace opentrail::history

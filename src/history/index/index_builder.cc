#include "history/index/index_builder.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

namespace opentrail::history {
namespace {

/// A fast hash for values that are only counted: sixteen bytes at a time, multiplied and folded.
/// A bad distribution costs time in a table of a few thousand records, nothing else.
struct ValueHasher {
  using is_avalanching = void;
  std::size_t operator()(std::string_view value) const {
    constexpr std::uint64_t kFirst = 0x9E3779B97F4A7C15U;
    constexpr std::uint64_t kSecond = 0xD6E8FEB86659FD93U;
    std::uint64_t hash = value.size() * kFirst;
    while (value.size() > sizeof(std::uint64_t)) {
      hash = fold(hash ^ word(value.substr(0, sizeof(std::uint64_t))), kFirst);
      value.remove_prefix(sizeof(std::uint64_t));
    }
    return fold(hash ^ word(value), kSecond);
  }

 private:
  static std::uint64_t word(std::string_view bytes) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data(), bytes.size());
    return number;
  }
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    constexpr int kHalf = 64;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> kHalf);
  }
};

/// The values of one field, each with its records. Views point into the records' terms.
class FieldValues {
 public:
  void add(std::string_view value, Doc doc) {
    // Neighbours are often alike.
    if (terms_.empty() || value != terms_[last_].value) {
      const auto [place, is_new] =
          numbers_.try_emplace(value, static_cast<std::uint32_t>(terms_.size()));
      last_ = place->second;
      if (is_new) {
        terms_.push_back({value, 0});
      }
    }
    ++terms_[last_].count;
    pairs_.emplace_back(last_, doc);
  }

  [[nodiscard]] TermDictionaryMeta write(Doc docs_total, ByteSink& sink) {
    std::vector<std::uint32_t> starts(terms_.size() + 1, 0);
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      starts[i + 1] = starts[i] + terms_[i].count;
    }
    std::vector<Doc> docs(pairs_.size());
    std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
    for (const auto& [term, doc] : pairs_) {
      docs[next[term]++] = doc;
    }
    std::vector<std::uint32_t> order(terms_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t term) { return terms_[term].value; });
    TermDictionaryWriter writer(sink, docs_total);
    for (const std::uint32_t term : order) {
      writer.add(terms_[term].value, std::span(docs).subspan(starts[term], terms_[term].count));
    }
    return writer.finish();
  }

 private:
  struct Value {
    std::string_view value;
    std::uint32_t count;
  };
  boost::unordered_flat_map<std::string_view, std::uint32_t, ValueHasher> numbers_;
  std::vector<Value> terms_;
  std::vector<std::pair<std::uint32_t, Doc>> pairs_;
  std::uint32_t last_ = 0;
};

std::uint64_t first_bytes(std::string_view term) {
  std::uint64_t bytes = 0;
  if (term.empty()) {
    return 0;
  }
  std::memcpy(&bytes, term.data(), std::min(term.size(), sizeof(bytes)));
  return std::byteswap(bytes);
}

std::int64_t millis(Timestamp time) { return time.time_since_epoch().count(); }

// ---- merging
// -------------------------------------------------------------------------------------

/// One source of a merge, with the number that each of its records gets.
struct Source {
  explicit Source(const Index& from) : index(&from), keys(from) {
    numbers.reserve(from.meta().docs);
  }
  [[nodiscard]] bool at_end() const { return numbers.size() == index->meta().docs; }

  const Index* index;
  KeyReader keys;
  EntryKey next;  ///< Of the record that is to be numbered next.
  std::vector<Doc> numbers;
};

class Merge {
 public:
  Merge(std::span<const Index* const> sources, ByteSink& sink, Filtered filtered)
      : sink_(sink), filtered_(filtered) {
    for (const Index* source : sources) {
      sources_.emplace_back(*source);
      meta_.docs += source->meta().docs;
    }
    meta_.first = sources.front()->meta().first;
    meta_.end = sources.back()->meta().end;
  }

  Result<IndexMeta> run() {
    OT_TRY_DO(number_records());
    OT_TRY_DO(write_ids());
    for (std::size_t i = 0; i < meta_.fields.size(); ++i) {
      OT_TRY_DO(write_field(i));
    }
    return std::move(meta_);
  }

 private:
  Result<void> number_records();
  Result<void> advance(Source& source);
  Result<void> write_ids();
  Result<void> write_field(std::size_t field);
  Result<void> gather(const Source& source, const PostingsRef& postings);

  ByteSink& sink_;
  const Filtered filtered_;
  IndexMeta meta_;
  std::vector<Source> sources_;
  void sort_docs();
  std::vector<Doc> docs_;  ///< Of the value that is being written.
  std::vector<std::uint64_t> bits_;
};

Result<void> Merge::advance(Source& source) {
  if (!source.at_end()) {
    OT_TRY(source.next, source.keys.at(static_cast<Doc>(source.numbers.size())));
  }
  return {};
}

/// Writes the columns and gives each record of each source its number, in the order of the keys.
Result<void> Merge::number_records() {
  std::vector<Source*> open;
  for (Source& source : sources_) {
    OT_TRY_DO(advance(source));
    if (!source.at_end()) {
      open.push_back(&source);
    }
  }
  const auto later = [](const Source* a, const Source* b) { return a->next > b->next; };
  std::ranges::make_heap(open, later);
  PackedColumnWriter times(sink_);
  std::vector<std::uint32_t> records;
  records.reserve(meta_.docs);
  while (!open.empty()) {
    std::ranges::pop_heap(open, later);
    Source& source = *open.back();
    // A source is often ahead of all others for long: no need to go through the heap for each.
    const EntryKey others = open.size() > 1 ? open.front()->next : kNewestKey;
    do {
      const EntryKey key = source.next;
      if (records.empty()) {
        meta_.oldest = key.time;
      }
      meta_.newest = key.time;
      times.add(millis(key.time));
      source.numbers.push_back(static_cast<Doc>(records.size()));
      records.push_back(static_cast<std::uint32_t>(value(key.offset) - value(meta_.first)));
      OT_TRY_DO(advance(source));
    } while (!source.at_end() && source.next < others);
    if (source.at_end()) {
      open.pop_back();
    } else {
      std::ranges::push_heap(open, later);
    }
  }
  meta_.times = times.finish();
  PackedColumnWriter column(sink_);
  for (const std::uint32_t record : records) {
    column.add(record);
  }
  meta_.records = column.finish();
  return {};
}

Result<void> Merge::write_ids() {
  struct Open {
    IdCursor cursor;
    const Index* index;
    std::uint32_t shift;  ///< From the source's run to the merged one.
    IdEntry entry;
  };
  std::vector<Open> open;
  const auto advance_ids = [](Open& from) -> Result<bool> {
    OT_TRY(const bool found, from.cursor.next());
    from.entry = from.cursor.entry();
    if (found && from.entry.record >= from.index->meta().records_total()) {
      return from.index->bytes().corrupt(from.index->meta().ids.position,
                                         "an id leads out of the run");
    }
    from.entry.record += from.shift;
    return found;
  };
  for (const Source& source : sources_) {
    const IndexMeta& meta = source.index->meta();
    Open from{.cursor = IdCursor(meta.ids, source.index->bytes()),
              .index = source.index,
              .shift = static_cast<std::uint32_t>(value(meta.first) - value(meta_.first)),
              .entry = {}};
    OT_TRY(const bool found, advance_ids(from));
    if (found) {
      open.push_back(from);
    }
  }
  const auto later = [](const Open& a, const Open& b) { return a.entry > b.entry; };
  std::ranges::make_heap(open, later);
  IdPagesWriter writer(sink_, meta_.docs, meta_.records_total(), filtered_);
  while (!open.empty()) {
    std::ranges::pop_heap(open, later);
    writer.add(open.back().entry);
    OT_TRY(const bool more, advance_ids(open.back()));
    if (more) {
      std::ranges::push_heap(open, later);
    } else {
      open.pop_back();
    }
  }
  meta_.ids = writer.finish();
  return {};
}

/// Adds the records of one source to those of the value that is being written.
Result<void> Merge::gather(const Source& source, const PostingsRef& postings) {
  const Index& index = *source.index;
  if (postings.count == 1) {
    if (postings.only >= index.meta().docs) {
      return index.bytes().corrupt(postings.position, "a list leads out of the index");
    }
    docs_.push_back(source.numbers[postings.only]);
  } else {
    OT_TRY(auto reader, PostingsReader::open(index.bytes(), postings, index.meta().docs));
    OT_TRY(const auto docs, reader.all());
    for (const Doc doc : docs) {
      docs_.push_back(source.numbers[doc]);
    }
  }
  return {};
}

/// Sources whose times overlap give lists that overlap. A long list is sorted as a bitmap.
void Merge::sort_docs() {
  if (std::ranges::is_sorted(docs_)) {
    return;
  }
  constexpr std::size_t kBitmapGain = 16;
  if (docs_.size() * kBitmapGain < meta_.docs) {
    std::ranges::sort(docs_);
    return;
  }
  constexpr Doc kWordBits = 64;
  bits_.assign(meta_.docs / kWordBits + 1, 0);
  for (const Doc doc : docs_) {
    bits_[doc / kWordBits] |= std::uint64_t{1} << (doc % kWordBits);
  }
  docs_.clear();
  for (std::size_t i = 0; i < bits_.size(); ++i) {
    for (std::uint64_t word = bits_[i]; word != 0; word &= word - 1) {
      docs_.push_back(static_cast<Doc>(i * kWordBits) + static_cast<Doc>(std::countr_zero(word)));
    }
  }
}

Result<void> Merge::write_field(std::size_t field) {
  struct Open {
    const Source* source;
    TermCursor cursor;
    std::uint64_t begin = 0;  ///< The term's first bytes, as a number of the same order.
  };
  std::vector<Open> open;
  for (const Source& source : sources_) {
    OT_TRY(auto cursor,
           TermCursor::seek(source.index->meta().fields[field], source.index->bytes(), {}));
    OT_TRY(const bool found, cursor.next());
    if (found) {
      const std::uint64_t begin = first_bytes(cursor.term());
      open.push_back({.source = &source, .cursor = std::move(cursor), .begin = begin});
    }
  }
  const auto later = [&](std::size_t a, std::size_t b) {
    if (open[a].begin != open[b].begin) {
      return open[a].begin > open[b].begin;
    }
    const int order = open[a].cursor.term().compare(open[b].cursor.term());
    // Equal values in the order of their sources.
    return order > 0 || (order == 0 && a > b);
  };
  std::vector<std::size_t> heap(open.size());
  std::iota(heap.begin(), heap.end(), std::size_t{0});
  std::ranges::make_heap(heap, later);
  TermDictionaryWriter writer(sink_, meta_.docs);
  std::string term;
  while (!heap.empty()) {
    docs_.clear();
    term = open[heap.front()].cursor.term();
    while (!heap.empty() && open[heap.front()].cursor.term() == term) {
      std::ranges::pop_heap(heap, later);
      Open& next = open[heap.back()];
      OT_TRY_DO(gather(*next.source, next.cursor.postings()));
      OT_TRY(const bool more, next.cursor.next());
      if (more) {
        next.begin = first_bytes(next.cursor.term());
        std::ranges::push_heap(heap, later);
      } else {
        heap.pop_back();
      }
    }
    sort_docs();
    writer.add(term, docs_);
  }
  meta_.fields[field] = writer.finish();
  return {};
}

}  // namespace

std::unique_ptr<const Index> build_index(RecordRange range, std::vector<NewDoc> docs) {
  if (!std::ranges::is_sorted(docs, {}, &NewDoc::key)) {
    std::ranges::sort(docs, {}, &NewDoc::key);
  }
  IndexMeta meta;
  meta.first = range.first;
  meta.end = range.end;
  meta.docs = static_cast<Doc>(docs.size());
  if (!docs.empty()) {
    meta.oldest = docs.front().key.time;
    meta.newest = docs.back().key.time;
  }
  MemorySink sink;
  PackedColumnWriter times(sink);
  for (const NewDoc& doc : docs) {
    times.add(millis(doc.key.time));
  }
  meta.times = times.finish();
  PackedColumnWriter records(sink);
  std::vector<IdEntry> ids;
  ids.reserve(docs.size());
  for (const NewDoc& doc : docs) {
    const std::uint64_t record = value(doc.key.offset) - value(range.first);
    records.add(static_cast<std::int64_t>(record));
    ids.push_back({.hash = doc.id_hash, .record = static_cast<std::uint32_t>(record)});
  }
  meta.records = records.finish();
  std::ranges::sort(ids);
  IdPagesWriter writer(sink, ids.size(), meta.records_total(), Filtered::No);
  for (const IdEntry& id : ids) {
    writer.add(id);
  }
  meta.ids = writer.finish();
  std::array<FieldValues, record::kFieldCount> fields;
  for (Doc doc = 0; doc < meta.docs; ++doc) {
    for (const record::Terms::Term term : docs[doc].terms) {
      fields[static_cast<std::size_t>(term.field)].add(term.value, doc);
    }
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    meta.fields[i] = fields[i].write(meta.docs, sink);
  }
  return std::make_unique<const Index>(std::move(meta), sink.take());
}

Result<IndexMeta> merge_indexes(std::span<const Index* const> sources, ByteSink& sink,
                                Filtered filtered) {
  OT_CHECK(!sources.empty());
  return Merge(sources, sink, filtered).run();
}

}  // namespace opentrail::history

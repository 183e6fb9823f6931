// Goal: an index answers exactly what a plain list of its records answers, whatever it was made of:
// records at once, or smaller indexes merged, in memory or behind checksums; and bytes that were
// changed are noticed or change no answer. Method: random records with printed seeds.
#include "base/checksum.h"
#include "history/index/index_builder.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using record::Field;

constexpr std::uint64_t kFirst = 1000;

struct Shape {
  std::uint64_t seed;
  std::size_t docs;
  std::size_t values;  ///< Different ones of a field.
  bool times_in_order;
};

NewDoc make_doc(std::mt19937_64& random, const Shape& shape, std::uint64_t offset) {
  NewDoc doc;
  const std::uint64_t millis = shape.times_in_order ? offset * 1000 : random() % 50'000;
  doc.key = {.time = Timestamp(std::chrono::milliseconds(millis)), .offset = Offset{offset}};
  doc.id_hash = random() >> (64 - kIdHashBits);
  // Few common values, many rare ones, long ones with a long common start.
  const auto value = [&](const char* of) {
    const std::size_t number = random() % (1 + random() % shape.values);
    return fmt::format("{}{:0>{}}", of, number, number % 7 == 0 ? 40 : 1);
  };
  doc.terms.add(Field::EventName, value("Get"));
  if (random() % 3 == 0) {
    doc.terms.add(Field::ErrorCode, value(""));
  }
  for (std::size_t i = 0; i < random() % 4; ++i) {
    doc.terms.add(Field::ResourceName, value("arn:aws:s3:::a-bucket-with-a-long-name/"));
  }
  doc.terms.add(Field::Region, "us-east-1");
  return doc;
}

std::vector<NewDoc> make_docs(const Shape& shape) {
  std::mt19937_64 random(shape.seed);
  std::vector<NewDoc> docs;
  std::uint64_t offset = kFirst;
  for (std::size_t i = 0; i < shape.docs; ++i) {
    docs.push_back(make_doc(random, shape, offset));
    offset += 1 + random() % 5 / 4;
  }
  return docs;
}

/// The index over the records, made at once.
std::unique_ptr<const Index> build(std::span<const NewDoc> docs, Offset first, Offset end) {
  return build_index({first, end}, {docs.begin(), docs.end()});
}

Offset end_of(std::span<const NewDoc> docs) { return docs.back().key.offset + 1; }

/// The same bytes behind checksums.
struct Checked {
  explicit Checked(const Index& from) {
    bytes = std::string(from.bytes().view(0, from.bytes().size()).value());
    std::string meta;
    from.meta().encode(meta);
    ByteReader in(meta);
    auto decoded = IndexMeta::decode(in, bytes.size());
    EXPECT_TRUE(decoded.has_value() && in.at_end());
    std::vector<std::uint32_t> crcs;
    for (std::size_t at = 0; at < bytes.size(); at += CheckedBytes::kPageBytes) {
      crcs.push_back(
          crc32c(as_bytes(std::string_view(bytes).substr(at, CheckedBytes::kPageBytes))));
    }
    index.emplace(*std::move(decoded), CheckedBytes(bytes, std::move(crcs), "a.segment", 0));
  }
  std::string bytes;
  std::optional<Index> index;
};

std::map<std::string, std::vector<Doc>> postings_of(std::span<const NewDoc> sorted, Field field) {
  std::map<std::string, std::vector<Doc>> lists;
  for (Doc doc = 0; doc < sorted.size(); ++doc) {
    for (const record::Terms::Term term : sorted[doc].terms) {
      if (term.field == field) {
        lists[std::string(term.value)].push_back(doc);
      }
    }
  }
  return lists;
}

void expect_same_list(const Index& index, const PostingsRef& ref, const std::vector<Doc>& expected,
                      std::mt19937_64& random) {
  const Doc total = index.meta().docs;
  auto reader = PostingsReader::open(index.bytes(), ref, total).value();
  ASSERT_EQ(reader.all().value(), expected);
  for (int i = 0; i < 4; ++i) {
    const Doc bound = static_cast<Doc>(random() % (total + 2));
    const auto at = std::ranges::lower_bound(expected, bound);
    EXPECT_EQ(reader.last_below(bound).value(),
              at == expected.begin() ? std::nullopt : std::optional(*std::prev(at)));
    EXPECT_EQ(reader.first_from(bound).value(),
              at == expected.end() ? std::nullopt : std::optional(*at));
    const Doc first = DocWindow::first_of(static_cast<Doc>(random() % total));
    DocWindow::Words words{};
    ASSERT_TRUE(reader.add_to(first, words));
    for (Doc bit = 0; bit < DocWindow::kDocs; ++bit) {
      const bool is_set = (words[bit / 64] >> (bit % 64) & 1) != 0;
      ASSERT_EQ(is_set, std::ranges::binary_search(expected, first + bit)) << first << " " << bit;
    }
  }
}

void expect_same(const Index& index, std::vector<NewDoc> docs) {
  std::mt19937_64 random(1);
  std::ranges::sort(docs, {}, &NewDoc::key);
  ASSERT_EQ(index.meta().docs, docs.size());
  KeyReader keys(index);
  for (Doc doc = 0; doc < docs.size(); ++doc) {
    ASSERT_EQ(keys.at(doc).value(), docs[doc].key);
    ASSERT_EQ(keys.count_below(docs[doc].key).value(), doc);
    std::vector<Offset> found;
    ASSERT_TRUE(index.find_id(docs[doc].id_hash, found));
    ASSERT_TRUE(std::ranges::find(found, docs[doc].key.offset) != found.end());
  }
  EXPECT_EQ(keys.count_below(kNewestKey).value(), docs.size());
  EXPECT_EQ(keys.count_below(kOldestKey).value(), 0U);
  EXPECT_EQ(index.meta().oldest, docs.front().key.time);
  EXPECT_EQ(index.meta().newest, docs.back().key.time);
  for (std::size_t i = 0; i < record::kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    const auto lists = postings_of(docs, field);
    auto cursor = TermCursor::seek(index.field(field), index.bytes(), "").value();
    for (const auto& [value, list] : lists) {
      ASSERT_TRUE(cursor.next().value());
      ASSERT_EQ(cursor.term(), value);
      const auto ref = index.find(field, value).value();
      ASSERT_TRUE(ref.has_value()) << value;
      expect_same_list(index, *ref, list, random);
      ASSERT_FALSE(lists.contains(value + "0") !=
                   index.find(field, value + "0").value().has_value());
      ASSERT_FALSE(index.find(field, value + "\xFF").value().has_value());
    }
    EXPECT_FALSE(cursor.next().value());
  }
}

class IndexTest : public testing::TestWithParam<Shape> {};

TEST_P(IndexTest, AnswersAsAPlainList) {
  SCOPED_TRACE(fmt::format("seed {}", GetParam().seed));
  const auto docs = make_docs(GetParam());
  const auto index = build(docs, Offset{kFirst}, end_of(docs));
  expect_same(*index, docs);
  expect_same(*Checked(*index).index, docs);
}

TEST_P(IndexTest, MergedIsAsMadeAtOnce) {
  SCOPED_TRACE(fmt::format("seed {}", GetParam().seed));
  const auto docs = make_docs(GetParam());
  std::mt19937_64 random(GetParam().seed);
  std::vector<std::unique_ptr<const Index>> parts;
  Offset first{kFirst};
  for (std::size_t at = 0; at < docs.size();) {
    const std::size_t count = std::min(docs.size() - at, 1 + random() % (docs.size() / 3 + 1));
    const auto part = std::span(docs).subspan(at, count);
    parts.push_back(build(part, first, end_of(part)));
    first = end_of(part);
    at += count;
  }
  std::vector<const Index*> sources;
  for (const auto& part : parts) {
    sources.push_back(part.get());
  }
  MemorySink sink;
  IndexMeta meta = merge_indexes(sources, sink, Filtered::Yes).value();
  const Index merged(std::move(meta), sink.take());
  expect_same(merged, docs);
  // The same bytes, too: how it came about leaves no trace.
  const auto at_once = build(docs, Offset{kFirst}, end_of(docs));
  EXPECT_EQ(merged.bytes().view(0, merged.bytes().size()).value(),
            at_once->bytes().view(0, at_once->bytes().size()).value());
}

TEST_P(IndexTest, AChangedByteIsNoticedWhereItIsRead) {
  const auto docs = make_docs(GetParam());
  const auto index = build(docs, Offset{kFirst}, end_of(docs));
  std::mt19937_64 random(GetParam().seed + 1);
  for (int round = 0; round < 20; ++round) {
    Checked checked(*index);
    const std::size_t at = random() % checked.bytes.size();
    checked.bytes[at] = static_cast<char>(checked.bytes[at] ^ (1 << random() % 8));
    const auto found = checked.index->bytes().view(at, 1);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code(), ErrorCode::Corruption);
    MemorySink sink;
    const Index* source = &*checked.index;
    EXPECT_FALSE(merge_indexes(std::span(&source, 1), sink, Filtered::No).has_value());
  }
}

// Whoever can write the files can write their checksums, too: nothing may lead out of memory, and
// nothing may grow beyond what the index says it holds. The sanitizers look for the former.
TEST_P(IndexTest, HostileBytesWithTrueChecksumsLeadNowhere) {
  const auto docs = make_docs(GetParam());
  const auto index = build(docs, Offset{kFirst}, end_of(docs));
  std::mt19937_64 random(GetParam().seed + 2);
  int refused = 0;
  for (int round = 0; round < 40; ++round) {
    std::string bytes(index->bytes().view(0, index->bytes().size()).value());
    for (std::size_t i = 0; i <= random() % 4; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const Index hostile(index->meta(), bytes);
    MemorySink sink;
    const Index* source = &hostile;
    const auto merged = merge_indexes(std::span(&source, 1), sink, Filtered::Yes);
    refused += merged ? 0 : 1;
    EXPECT_LT(sink.position(), 4 * bytes.size() + (64 << 10));
    std::vector<Offset> found;
    static_cast<void>(hostile.find_id(docs.front().id_hash, found));
    static_cast<void>(hostile.find(Field::EventName, "Get1"));
  }
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, IndexTest,
                         testing::Values(Shape{1, 1, 1, true}, Shape{2, 2, 3, false},
                                         Shape{3, 127, 5, true}, Shape{4, 129, 300, false},
                                         Shape{5, 1000, 7, true}, Shape{6, 2500, 700, false},
                                         Shape{7, 4500, 30, true}));

TEST(IdPages, AreInOrderAndInsideTheirBounds) {
  const auto pages_of = [](std::vector<IdEntry> entries) {
    MemorySink sink;
    IdPagesWriter writer(sink, entries.size(), 8, Filtered::No);
    for (const IdEntry& entry : entries) {
      writer.add(entry);
    }
    IdPagesMeta meta = writer.finish();
    return std::pair(std::move(meta), sink.take());
  };
  const auto [meta, stored] = pages_of({{.hash = 5, .record = 1}, {.hash = 4, .record = 1}});
  const CheckedBytes bytes{std::string_view(stored)};
  IdCursor cursor(meta, bytes);
  ASSERT_TRUE(cursor.next().value());
  EXPECT_EQ(cursor.next().error().code(), ErrorCode::Corruption);

  std::string ones(stored.size(), '\xFF');
  const CheckedBytes too_large{std::string_view(ones)};
  IdCursor outside(meta, too_large);
  EXPECT_EQ(outside.next().error().code(), ErrorCode::Corruption);

  std::string encoded;
  IdPagesMeta coarse = meta;
  coarse.bucket_bits = 7;
  coarse.starts.resize((1U << 7) + 1);
  coarse.encode(encoded);
  ByteReader in(encoded);
  EXPECT_FALSE(IdPagesMeta::decode(in, stored.size()).has_value());
}

// A value that comes twice would bring its records twice.
TEST(TermDictionary, RefusesValuesThatDoNotRise) {
  MemorySink sink;
  TermDictionaryWriter writer(sink, 4);
  const std::vector<Doc> all = {0, 1, 2, 3};
  writer.add("same", all);
  writer.add("same", all);
  const TermDictionaryMeta meta = writer.finish();
  const std::string stored = sink.take();
  const CheckedBytes bytes{std::string_view(stored)};
  TermCursor cursor = TermCursor::seek(meta, bytes, {}).value();
  ASSERT_TRUE(cursor.next().value());
  EXPECT_EQ(cursor.next().error().code(), ErrorCode::Corruption);
}

TEST(PackedColumn, KeepsEveryNumber) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 200; ++round) {
    const int bits = static_cast<int>(random() % 65);
    const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    std::vector<std::int64_t> values(1 + random() % 300);
    const std::uint64_t base = random();
    for (std::int64_t& value : values) {
      value = static_cast<std::int64_t>(base + (random() & mask));
    }
    if (round % 3 == 0) {
      std::ranges::sort(values);
    }
    MemorySink sink;
    sink.append("before");
    PackedColumnWriter writer(sink);
    for (const std::int64_t value : values) {
      writer.add(value);
    }
    const PackedColumnMeta meta = writer.finish();
    const std::string stored = sink.take();
    const CheckedBytes bytes{std::string_view(stored)};
    PackedColumnReader reader(meta, bytes);
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(reader.at(i).value(), values[i]) << "round " << round << " bits " << bits;
    }
    if (std::ranges::is_sorted(values)) {
      for (const std::int64_t value : values) {
        ASSERT_EQ(reader.count_below(value).value(),
                  std::ranges::lower_bound(values, value) - values.begin());
      }
    }
  }
}

}  // namespace
}  // namespace opentrail::history

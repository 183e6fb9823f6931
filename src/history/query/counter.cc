#include "history/query/counter.h"

#include "history/index/index_builder.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

using std::chrono::milliseconds;

constexpr Doc kWordBits = 64;

/// Counts by time bucket.
using Buckets = std::map<Timestamp, std::uint64_t>;

std::vector<CountBucket> to_list(const Buckets& buckets) {
  std::vector<CountBucket> list;
  list.reserve(buckets.size());
  for (const auto& [start, count] : buckets) {
    list.push_back({.start = start, .count = count});
  }
  return list;
}

Timestamp bucket_of(Timestamp time, milliseconds width) {
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t remainder = count % width.count();
  return Timestamp(milliseconds(count - remainder - (remainder < 0 ? width.count() : 0)));
}

/// The matches of one part: a bit for each of its docs.
struct PartMatches {
  explicit PartMatches(const Index& of) : index(&of), bits(of.meta().docs / kWordBits + 1, 0) {}

  [[nodiscard]] bool has(Doc doc) const {
    return (bits[doc / kWordBits] >> (doc % kWordBits) & 1) != 0;
  }

  const Index* index;
  std::vector<std::uint64_t> bits;
  std::uint64_t count = 0;
};

/// Adds up docs that come in rising order, each to its time bucket.
class BucketCount {
 public:
  BucketCount(const Index& index, milliseconds width, Buckets& buckets)
      : keys_(index), width_(width), buckets_(buckets) {}

  Result<void> add(Doc doc) {
    if (width_.count() == 0) {
      return {};
    }
    // Neighbours mostly share a bucket; where it ends is known after the first one.
    if (current_ == nullptr || doc >= end_) {
      OT_TRY(const EntryKey key, keys_.at(doc));
      const Timestamp start = bucket_of(key.time, width_);
      const Timestamp end = start > Timestamp::max() - width_ ? Timestamp::max() : start + width_;
      OT_TRY(end_, keys_.count_below({.time = end, .offset = journal::Offset{0}}));
      current_ = &buckets_[start];
      if (buckets_.size() > kBucketsMax) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("more than {} time buckets: take wider ones, or a shorter time",
                                kBucketsMax),
                    "TooManyBuckets");
      }
    }
    ++*current_;
    return {};
  }

 private:
  KeyReader keys_;
  milliseconds width_;
  Buckets& buckets_;
  std::uint64_t* current_ = nullptr;
  Doc end_ = 0;
};

class Counter {
 public:
  Counter(const View& view, const EventStore& store, const SearchPlan& plan,
          const CountQuery& query)
      : view_(view), store_(store), plan_(plan), query_(query) {}

  Result<Counts> run();

 private:
  Result<void> find_matches();
  Result<void> count_time();
  Result<void> count_groups();
  Result<std::uint64_t> count_in(const PartMatches& part, const PostingsRef& ref,
                                 Buckets* buckets) const;
  Result<void> fill_group(CountGroup& group) const;
  void keep_largest(CountGroup group);

  const View& view_;
  const EventStore& store_;
  const SearchPlan& plan_;
  const CountQuery& query_;
  View whole_;  ///< With the recent records as a part of their own.
  std::vector<PartMatches> parts_;
  Counts counts_;
};

Result<Counts> Counter::run() {
  if (!query_.by && query_.bucket.count() == 0) {
    ViewScan scan(view_, store_, plan_);
    OT_TRY(counts_.total, scan.count_rest());
    return std::move(counts_);
  }
  OT_TRY_DO(find_matches());
  OT_TRY_DO(count_time());
  if (query_.by) {
    OT_TRY_DO(count_groups());
  }
  return std::move(counts_);
}

Result<void> Counter::find_matches() {
  whole_ = view_;
  whole_.recent_count = 0;
  if (view_.recent_count > 0) {
    std::vector<NewDoc> recent;
    recent.reserve(view_.recent_count);
    for (std::size_t i = 0; i < view_.recent_count; ++i) {
      recent.push_back((*view_.recent)[i]);
    }
    const journal::Offset first = view_.parts.empty()
                                      ? std::ranges::min(recent, {}, &NewDoc::key).key.offset
                                      : view_.parts.back().meta().end;
    journal::Offset lowest = first;
    for (const NewDoc& doc : recent) {
      lowest = std::min(lowest, doc.key.offset);
    }
    whole_.parts.push_back(
        {.index = build_index({lowest, view_.end}, std::move(recent)), .segment = nullptr});
  }
  for (const Part& part : whole_.parts) {
    View one;
    one.parts.push_back(part);
    one.recent = view_.recent;
    one.end = view_.end;
    ViewScan scan(one, store_, plan_);
    PartMatches matches(*part.index);
    KeyReader keys(*part.index);
    for (;;) {
      OT_TRY(const auto match, scan.next());
      if (!match) {
        break;
      }
      // A search by id looks into every part at once: the match may be another one's.
      OT_TRY(const Doc doc, keys.count_below(match->key));
      if (doc >= part.meta().docs) {
        continue;
      }
      OT_TRY(const EntryKey at, keys.at(doc));
      if (at != match->key) {
        continue;
      }
      matches.bits[doc / kWordBits] |= std::uint64_t{1} << (doc % kWordBits);
      ++matches.count;
    }
    counts_.total += matches.count;
    if (matches.count > 0) {
      parts_.push_back(std::move(matches));
    }
  }
  return {};
}

Result<void> Counter::count_time() {
  if (query_.bucket.count() == 0) {
    return {};
  }
  Buckets buckets;
  for (const PartMatches& part : parts_) {
    BucketCount count(*part.index, query_.bucket, buckets);
    for (Doc doc = 0; doc < part.index->meta().docs; ++doc) {
      if (part.has(doc)) {
        OT_TRY_DO(count.add(doc));
      }
    }
  }
  counts_.buckets = to_list(buckets);
  return {};
}

Result<std::uint64_t> Counter::count_in(const PartMatches& part, const PostingsRef& ref,
                                        Buckets* buckets) const {
  const Index& index = *part.index;
  if (ref.count == index.meta().docs && buckets == nullptr) {
    return part.count;
  }
  OT_TRY(auto reader, PostingsReader::open(index.bytes(), ref, index.meta().docs));
  OT_TRY(const auto docs, reader.all());
  Buckets unused;
  BucketCount by_time(index, buckets != nullptr ? query_.bucket : milliseconds(0),
                      buckets != nullptr ? *buckets : unused);
  std::uint64_t count = 0;
  for (const Doc doc : docs) {
    if (part.has(doc)) {
      ++count;
      OT_TRY_DO(by_time.add(doc));
    }
  }
  return count;
}

/// Walks through the values of all parts at once, in their order, so that only the largest groups
/// have to be kept.
Result<void> Counter::count_groups() {
  struct Open {
    const PartMatches* part;
    TermCursor cursor;
  };
  std::vector<Open> open;
  for (const PartMatches& part : parts_) {
    OT_TRY(auto cursor, TermCursor::seek(part.index->field(*query_.by), part.index->bytes(), {}));
    OT_TRY(const bool found, cursor.next());
    if (found) {
      open.push_back({.part = &part, .cursor = std::move(cursor)});
    }
  }
  while (!open.empty()) {
    CountGroup group;
    group.value =
        std::ranges::min(open, {}, [](const Open& one) { return one.cursor.term(); }).cursor.term();
    for (std::size_t i = 0; i < open.size();) {
      if (open[i].cursor.term() != group.value) {
        ++i;
        continue;
      }
      OT_TRY(const auto count, count_in(*open[i].part, open[i].cursor.postings(), nullptr));
      group.count += count;
      OT_TRY(const bool more, open[i].cursor.next());
      if (more) {
        ++i;
      } else {
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    if (group.count > 0) {
      ++counts_.values;
      keep_largest(std::move(group));
    }
  }
  std::ranges::sort(counts_.groups, [](const CountGroup& a, const CountGroup& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  if (query_.bucket.count() > 0) {
    std::size_t buckets = 0;
    for (CountGroup& group : counts_.groups) {
      OT_TRY_DO(fill_group(group));
      buckets += group.buckets.size();
      if (buckets > query_.group_buckets_max) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("more than {} counts by value and time: take wider time buckets, "
                                "fewer groups, or a shorter time",
                                query_.group_buckets_max),
                    "TooManyBuckets");
      }
    }
  }
  return {};
}

/// The groups are a heap, the one that would go next in front.
void Counter::keep_largest(CountGroup group) {
  const auto goes_later = [](const CountGroup& a, const CountGroup& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  };
  auto& groups = counts_.groups;
  groups.push_back(std::move(group));
  std::ranges::push_heap(groups, goes_later);
  if (groups.size() > query_.groups_max) {
    std::ranges::pop_heap(groups, goes_later);
    groups.pop_back();
  }
}

Result<void> Counter::fill_group(CountGroup& group) const {
  Buckets buckets;
  for (const PartMatches& part : parts_) {
    OT_TRY(const auto ref, part.index->find(*query_.by, group.value));
    if (ref) {
      OT_TRY_DO(count_in(part, *ref, &buckets));
    }
  }
  group.buckets = to_list(buckets);
  return {};
}

}  // namespace

Result<Counts> count_matches(const View& view, const EventStore& store, const SearchPlan& plan,
                             const CountQuery& query) {
  return Counter(view, store, plan, query).run();
}

}  // namespace opentrail::history

#include "history/query/view_scan.h"

#include <algorithm>

namespace opentrail::history {
namespace {

using search::Expression;
using search::Target;
using Subject = search::Matcher::Subject;

bool reads_record(const Expression& expression) {
  if (expression.kind == Expression::Kind::Test) {
    return expression.test.target.kind != Target::Kind::Field;
  }
  return std::ranges::any_of(expression.children, reads_record);
}

std::optional<std::string_view> id_of(const Expression& expression) {
  const auto& test = expression.test;
  if (expression.kind == Expression::Kind::Test && test.target.kind == Target::Kind::EventId &&
      test.op == search::Operator::Equals) {
    return test.value;
  }
  if (expression.kind == Expression::Kind::And) {
    for (const Expression& child : expression.children) {
      if (const auto id = id_of(child)) {
        return id;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

SearchPlan::SearchPlan(const Expression& expression, ScanBounds bounds, std::size_t threads)
    : matcher_(search::simplify(expression)),
      bounds_(bounds),
      verifier_(matcher_, threads),
      needs_record_(reads_record(matcher_.expression())) {}

std::optional<std::string_view> SearchPlan::only_id() const { return id_of(expression()); }

ViewScan::ViewScan(const View& view, const EventStore& store, const SearchPlan& plan)
    : view_(view), store_(store), plan_(plan), reader_(store, store.block_cache()) {}

bool ViewScan::is_later(EntryKey a, EntryKey b) const {
  return plan_.bounds().direction == Direction::NewestFirst ? a < b : b < a;
}

bool ViewScan::in_bounds(EntryKey key) const {
  const ScanBounds& bounds = plan_.bounds();
  return key >= bounds.first_key() && key < bounds.end_key() && key.offset < bounds.end;
}

void ViewScan::push(Source* source) {
  heap_.push_back(source);
  std::ranges::push_heap(
      heap_, [this](const Source* a, const Source* b) { return is_later(a->next, b->next); });
}

ViewScan::Source* ViewScan::pop() {
  std::ranges::pop_heap(
      heap_, [this](const Source* a, const Source* b) { return is_later(a->next, b->next); });
  Source* const source = heap_.back();
  heap_.pop_back();
  return source;
}

Result<void> ViewScan::start() {
  started_ = true;
  if (const auto id = plan_.only_id()) {
    return start_with_id(*id);
  }
  OT_TRY_DO(add_recent());
  const ScanBounds& bounds = plan_.bounds();
  const bool backwards = bounds.direction == Direction::NewestFirst;
  for (const Part& part : view_.parts) {
    const IndexMeta& meta = part.meta();
    const EntryKey oldest{.time = meta.oldest, .offset = meta.first};
    const EntryKey newest{.time = meta.newest, .offset = meta.end};
    if (meta.docs == 0 || meta.first >= bounds.end || newest < bounds.first_key() ||
        oldest >= bounds.end_key()) {
      continue;
    }
    const BlockSource& blocks =
        part.segment ? static_cast<const BlockSource&>(*part.segment) : store_;
    sources_.push_back(
        {.scan = PartScan(part, plan_.expression(), bounds, blocks, plan_.verifier()),
         .blocks = &blocks,
         .next = backwards ? newest : oldest,
         .is_open = false});
    push(&sources_.back());
  }
  return {};
}

/// Ids are found through their own table; there is one record at most.
Result<void> ViewScan::start_with_id(std::string_view id) {
  OT_TRY(const auto offset, store_.find_id(id, plan_.bounds().oldest));
  if (!offset || *offset >= view_.end) {
    return {};
  }
  OT_TRY(const auto record, reader_.record(*offset));
  OT_TRY(const bool match, plan_.matcher().matches(record));
  const EntryKey key{.time = record.event_time, .offset = *offset};
  if (match && in_bounds(key)) {
    recent_.push_back(key);
  }
  return {};
}

Result<void> ViewScan::add_recent() {
  for (std::size_t i = 0; i < view_.recent_count; ++i) {
    const NewDoc& doc = (*view_.recent)[i];
    if (!in_bounds(doc.key)) {
      continue;
    }
    OT_TRY(const bool match, recent_matches(doc));
    if (match) {
      recent_.push_back(doc.key);
    }
  }
  std::ranges::sort(recent_, [this](EntryKey a, EntryKey b) { return is_later(a, b); });
  return {};
}

Result<bool> ViewScan::recent_matches(const NewDoc& doc) {
  if (!plan_.needs_record()) {
    return plan_.matcher().matches(Subject{.id = {}, .json = {}, .terms = doc.terms});
  }
  OT_TRY(const auto record, reader_.record(doc.key.offset));
  return plan_.matcher().matches(Subject{.id = record.id, .json = record.json, .terms = doc.terms});
}

Result<std::vector<Doc>> ViewScan::docs_of_id(std::string_view id, const Index& index) {
  std::vector<Doc> docs;
  OT_TRY(const auto offset, store_.find_id(id, plan_.bounds().oldest));
  if (!offset || *offset < index.meta().first || *offset >= index.meta().end) {
    return docs;
  }
  OT_TRY(const auto record, reader_.record(*offset));
  const EntryKey key{.time = record.event_time, .offset = *offset};
  KeyReader keys(index);
  OT_TRY(const Doc doc, keys.count_below(key));
  if (doc < index.meta().docs) {
    OT_TRY(const EntryKey at, keys.at(doc));
    if (at == key) {
      docs.push_back(doc);
    }
  }
  return docs;
}

/// Goes to the source's next match; false when it has none.
Result<bool> ViewScan::advance(Source& source) {
  OT_TRY(const auto key, source.scan.next());
  if (key) {
    source.next = *key;
  }
  return key.has_value();
}

Result<std::optional<Match>> ViewScan::next() {
  if (!started_) {
    OT_TRY_DO(start());
  }
  for (;;) {
    const bool any = !heap_.empty();
    if (!recent_.empty() && (!any || !is_later(recent_.back(), heap_.front()->next))) {
      const EntryKey key = recent_.back();
      recent_.pop_back();
      return Match{.key = key, .blocks = &store_};
    }
    if (!any) {
      return std::nullopt;
    }
    Source* const source = pop();
    const bool was_open = std::exchange(source->is_open, true);
    const Match match{.key = source->next, .blocks = source->blocks};
    if (!was_open) {
      const auto find_id = [&](std::string_view id) {
        return docs_of_id(id, *source->scan.part().index);
      };
      OT_TRY_DO(source->scan.open(find_id));
    }
    OT_TRY(const bool more, advance(*source));
    if (more) {
      push(source);
    }
    if (was_open) {
      return match;
    }
  }
}

Result<std::uint64_t> ViewScan::count_rest() {
  if (!started_) {
    OT_TRY_DO(start());
  }
  std::uint64_t count = std::exchange(recent_, {}).size();
  while (!heap_.empty()) {
    Source* const source = pop();
    if (!source->is_open) {
      const auto find_id = [&](std::string_view id) {
        return docs_of_id(id, *source->scan.part().index);
      };
      OT_TRY_DO(source->scan.open(find_id));
    } else {
      ++count;  // Its next match has been taken out of the scan already.
    }
    OT_TRY(const std::uint64_t rest, source->scan.count_rest());
    count += rest;
  }
  return count;
}

}  // namespace opentrail::history

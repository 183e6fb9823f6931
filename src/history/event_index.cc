#include "history/event_index.h"

#include <algorithm>
#include <iterator>

namespace opentrail::history {
namespace {

/// std::find stops at the first hit and so runs one value at a time; this form compiles to vector
/// instructions, and most chunks have no hit.
bool has_term(std::span<const Term> terms, Term wanted) {
  constexpr std::size_t kBlock = 256;
  for (std::size_t start = 0; start < terms.size(); start += kBlock) {
    unsigned hit = 0;
    for (const Term term : terms.subspan(start, std::min(kBlock, terms.size() - start))) {
      hit |= static_cast<unsigned>(term == wanted);
    }
    if (hit != 0) {
      return true;
    }
  }
  return false;
}

/// The newest key that the bounds allow, as a place to begin before.
EntryKey begin_before(EntryKey before, const ScanBounds& bounds) {
  const EntryKey behind_newest{.time = bounds.newest, .offset = bounds.end};
  return std::min(before, behind_newest);
}

}  // namespace

std::span<const Term> EventList::Chunk::terms_of(const Entry& entry) const {
  return std::span(terms).subspan(entry.terms_start, entry.terms_count);
}

void EventList::Chunk::insert(std::size_t at, EntryKey key, std::span<const Term> of_entry) {
  of_entry = of_entry.first(std::min(of_entry.size(), kTermsPerEntryMax));
  const Entry entry{.key = key,
                    .terms_start = static_cast<std::uint32_t>(terms.size()),
                    .terms_count = static_cast<std::uint8_t>(of_entry.size())};
  terms.insert(terms.end(), of_entry.begin(), of_entry.end());
  entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(at), entry);
  lowest_offset = std::min(lowest_offset, key.offset);
}

void EventList::Chunk::collect(EntryKey before, const ScanBounds& bounds, std::size_t count_max,
                               ScanResult& result) const {
  if (bounds.term && !has_term(terms, *bounds.term)) {
    result.reached = entries.front().key;
    return;
  }
  auto at = std::ranges::lower_bound(entries, before, {}, &Entry::key);
  while (at != entries.begin() && result.found.size() < count_max) {
    --at;
    if (at->key.time < bounds.oldest) {
      result.finished = true;
      return;
    }
    result.reached = at->key;
    if (at->key.offset < bounds.first || at->key.offset >= bounds.end ||
        (bounds.term && !has_term(terms_of(*at), *bounds.term))) {
      continue;
    }
    result.found.push_back(at->key);
  }
}

std::unique_ptr<EventList::Chunk> EventList::copy(const Chunk& from, std::size_t begin,
                                                  std::size_t end) {
  auto chunk = std::make_unique<Chunk>();
  chunk->entries.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    chunk->insert(i - begin, from.entries[i].key, from.terms_of(from.entries[i]));
  }
  return chunk;
}

/// A chunk that is full stays whole when the addition is outside of it, so that records which come
/// in order, rising or falling, fill their chunks; in the middle it is halved.
EventList::Chunk& EventList::make_room(std::size_t chunk_index, EntryKey key) {
  Chunk& full = *chunks_[chunk_index];
  const auto place = chunks_.begin() + static_cast<std::ptrdiff_t>(chunk_index);
  const bool is_behind = full.entries.back().key < key;
  if (is_behind || key < full.entries.front().key) {
    full.entries.shrink_to_fit();
    full.terms.shrink_to_fit();
    return **chunks_.insert(is_behind ? std::next(place) : place, std::make_unique<Chunk>());
  }
  constexpr std::size_t kHalf = kEntriesPerChunk / 2;
  auto upper = copy(full, kHalf, full.entries.size());
  auto lower = copy(full, 0, kHalf);
  const bool goes_up = upper->entries.front().key < key;
  *place = std::move(lower);
  const auto upper_place = chunks_.insert(std::next(place), std::move(upper));
  return goes_up ? **upper_place : **std::prev(upper_place);
}

/// The chunk that `key` belongs into, with room for it.
EventList::Chunk& EventList::chunk_with_room(EntryKey key) {
  if (chunks_.empty()) {
    return *chunks_.emplace_back(std::make_unique<Chunk>());
  }
  const auto behind = std::ranges::upper_bound(
      chunks_, key, {}, [](const auto& chunk) { return chunk->entries.front().key; });
  const auto index =
      static_cast<std::size_t>(std::max(behind - chunks_.begin(), std::ptrdiff_t{1})) - 1;
  Chunk& chunk = *chunks_[index];
  return chunk.entries.size() < kEntriesPerChunk ? chunk : make_room(index, key);
}

void EventList::add(EntryKey key, std::span<const Term> terms) {
  Chunk& chunk = chunk_with_room(key);
  const auto at = std::ranges::lower_bound(chunk.entries, key, {}, &Entry::key);
  chunk.insert(static_cast<std::size_t>(at - chunk.entries.begin()), key, terms);
  ++size_;
}

ScanResult EventList::scan(EntryKey before, const ScanBounds& bounds, std::size_t count_max) const {
  before = begin_before(before, bounds);
  ScanResult result;
  result.reached = before;
  auto behind = std::ranges::lower_bound(
      chunks_, before, {}, [](const auto& chunk) { return chunk->entries.front().key; });
  for (std::size_t scanned = 0; scanned < kChunksPerScan; ++scanned) {
    if (behind == chunks_.begin() ||
        (*std::prev(behind))->entries.back().key.time < bounds.oldest) {
      result.finished = true;
      return result;
    }
    --behind;
    (*behind)->collect(before, bounds, count_max, result);
    if (result.finished || result.found.size() >= count_max) {
      return result;
    }
  }
  return result;
}

void EventList::prune(const Kept& kept) {
  const auto is_gone = [&](const Entry& entry) {
    return entry.key.time < kept.oldest || entry.key.offset < kept.first;
  };
  for (auto& chunk : chunks_) {
    const bool is_outdated = chunk->entries.front().key.time < kept.oldest;
    if (!is_outdated && chunk->lowest_offset >= kept.first) {
      continue;
    }
    auto rest = std::make_unique<Chunk>();
    for (const Entry& entry : chunk->entries) {
      if (!is_gone(entry)) {
        rest->insert(rest->entries.size(), entry.key, chunk->terms_of(entry));
      }
    }
    size_ -= chunk->entries.size() - rest->entries.size();
    chunk = std::move(rest);
  }
  std::erase_if(chunks_, [](const auto& chunk) { return chunk->entries.empty(); });
}

std::optional<journal::Offset> EventList::lowest_offset() const {
  if (chunks_.empty()) {
    return std::nullopt;
  }
  return (*std::ranges::min_element(chunks_, {},
                                    [](const auto& chunk) { return chunk->lowest_offset; }))
      ->lowest_offset;
}

void EventIndex::add(const std::string& account_id, const std::string& region, EntryKey key,
                     std::span<const Term> terms) {
  lists_[{account_id, region}].add(key, terms);
  ++size_;
}

ScanResult EventIndex::scan(const std::string& account_id, const std::string& region,
                            EntryKey before, const ScanBounds& bounds,
                            std::size_t count_max) const {
  const auto list = lists_.find({account_id, region});
  if (list == lists_.end()) {
    return {.found = {}, .reached = before, .finished = true};
  }
  return list->second.scan(before, bounds, count_max);
}

void EventIndex::prune(const Kept& kept) {
  for (auto& [_, list] : lists_) {
    size_ -= list.size();
    list.prune(kept);
    size_ += list.size();
  }
  std::erase_if(lists_, [](const auto& entry) { return entry.second.size() == 0; });
}

std::optional<journal::Offset> EventIndex::lowest_offset() const {
  std::optional<journal::Offset> lowest;
  for (const auto& [_, list] : lists_) {
    const auto of_list = list.lowest_offset();
    if (of_list && (!lowest || *of_list < *lowest)) {
      lowest = of_list;
    }
  }
  return lowest;
}

std::vector<std::string> EventIndex::accounts() const {
  std::vector<std::string> accounts;
  for (const auto& [account_and_region, _] : lists_) {
    const std::string& account = account_and_region.first;
    if (!account.empty() && (accounts.empty() || accounts.back() != account)) {
      accounts.push_back(account);
    }
  }
  return accounts;
}

}  // namespace opentrail::history

#pragma once
#include "base/log.h"
#include "history/history_model.h"
#include "history/store/segment_format.h"
#include "io/faulty_filesystem.h"

#include <thread>

#include <gtest/gtest.h>

/// For tests of the history on a disk that fails: one history of seven segments is made once and
/// copied to a new faulty disk for each case; then a short life seals, merges, lets the journal
/// drop and lets records age out.
namespace opentrail::history {

inline constexpr std::string_view kJournalFolder = "data/journal";
inline constexpr std::string_view kFolder = "data/history";
inline constexpr std::size_t kBatch = 300;
inline constexpr std::chrono::days kRetention{10};
inline constexpr std::size_t kFileBytesMax = 1 << 30;
inline constexpr int kTries = 2000;

inline journal::JournalOptions journal_options() {
  return {.folder = std::string(kJournalFolder),
          .segment_bytes_max = 60'000,
          .dictionary_sample_bytes = 200'000,
          .retry_interval = std::chrono::milliseconds(1)};
}

inline HistoryOptions history_options() {
  return {.retention = kRetention,
          .folder = std::string(kFolder),
          .seal_records = 200,
          .segment_records_max = 3000,
          .retry_interval = std::chrono::milliseconds(1)};
}

/// A journal and a history on one disk, beside a plain list of what they hold.
class Life {
 public:
  explicit Life(std::uint64_t seed) : disk(seed), random_(seed), maker_(seed) {}
  ~Life() { close(); }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  Result<void> open() {
    OT_TRY(journal, journal::Journal::open(disk, journal_options()));
    auto opened = History::open(disk, *journal, clock, random_, history_options());
    if (!opened) {
      journal->stop();
      cut_bytes = journal->recovery().bytes_cut;
      journal.reset();
      return std::unexpected(std::move(opened).error());
    }
    history = *std::move(opened);
    journal->on_commit([this](journal::Offset) { history->wake(); });
    return {};
  }
  void close() {
    if (journal) {
      journal->stop();
      history.reset();
      journal.reset();
    }
  }
  /// Appends and waits; the error of either.
  Result<void> append(std::size_t count) {
    auto batch = maker_.batch(count, clock.now(), plain.records());
    plain.append(batch);
    in_flight = count;
    OT_TRY_DO(journal->append_and_wait(std::move(batch)));
    in_flight = 0;
    return {};
  }
  /// Goes on from what another life made.
  void take(const model::PlainHistory& made) {
    plain = made;
    maker_.skip_ids(made.size());
  }
  /// After a failed append: what of it is there.
  void take_over() {
    const std::uint64_t end = value(journal->durable_end());
    ASSERT_LE(end, plain.size());
    ASSERT_GE(end + in_flight, plain.size()) << "acknowledged records are lost";
    plain.cut(end);
    in_flight = 0;
  }
  /// True once nothing is left to do; false when that does not come.
  bool settle() const {
    for (int i = 0; i < kTries; ++i) {
      if (history->wait_settled()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  /// The failure that stays, if one does: what failed is tried again by itself.
  std::optional<Error> lasting_failure() const {
    auto failure = history->failure();
    for (int i = 0; i < kTries && failure; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      failure = history->failure();
    }
    return failure;
  }
  std::vector<std::string> segment_files() {
    std::vector<std::string> paths;
    for (const std::string& name : disk.list(std::string(kFolder)).value()) {
      if (parse_segment_file_name(name)) {
        paths.push_back(io::join_path(kFolder, name));
      }
    }
    return paths;
  }

  io::FaultyFilesystem disk;
  io::FakeClock clock{model::kStart};
  model::PlainHistory plain;
  std::size_t in_flight = 0;
  std::uint64_t cut_bytes = 0;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<History> history;

 private:
  io::SeededRandom random_;
  model::RecordMaker maker_;
};

/// The bytes of all files, and what they hold.
struct Snapshot {
  std::map<std::string, std::string> files;
  model::PlainHistory plain;
};

inline Snapshot take_snapshot(Life& life) {
  life.close();
  Snapshot snapshot{.files = {}, .plain = life.plain};
  for (const std::string_view folder : {kJournalFolder, kFolder}) {
    for (const std::string& name : life.disk.list(std::string(folder)).value()) {
      const std::string path = io::join_path(folder, name);
      snapshot.files[path] = io::read_file(life.disk, path, kFileBytesMax).value();
    }
  }
  return snapshot;
}

inline void write_file(io::Filesystem& files, const std::string& path, std::string_view bytes) {
  const auto file = files.open(path, io::OpenMode::CreateNew).value();
  ASSERT_TRUE(file->append(as_bytes(bytes)));
  ASSERT_TRUE(file->sync());
}

inline void restore(const Snapshot& snapshot, Life& life) {
  for (const std::string_view folder : {kJournalFolder, kFolder}) {
    ASSERT_TRUE(life.disk.create_directories(std::string(folder)));
  }
  for (const auto& [path, bytes] : snapshot.files) {
    write_file(life.disk, path, bytes);
  }
  for (const std::string_view folder :
       {std::string_view(), std::string_view("data"), kJournalFolder, kFolder}) {
    ASSERT_TRUE(life.disk.sync_directory(std::string(folder)));
  }
  life.take(snapshot.plain);
}

/// Seven segments, one short of a merge, and a few records that are not sealed.
inline const Snapshot& seven_segments() {
  static const Snapshot snapshot = [] {
    Life life(7);
    EXPECT_TRUE(life.open());
    while (life.segment_files().size() < 7) {
      EXPECT_TRUE(life.append(kBatch));
      EXPECT_TRUE(life.history->lookup({.account_id = "0", .region = "0"}));
      EXPECT_TRUE(life.settle());
    }
    EXPECT_TRUE(life.append(20));
    return take_snapshot(life);
  }();
  return snapshot;
}

class HistoryFault : public testing::Test {
 public:
  HistoryFault() { log::set_level(log::Level::Off); }
  ~HistoryFault() override { log::set_level(log::Level::Info); }
  HistoryFault(const HistoryFault&) = delete;
  HistoryFault& operator=(const HistoryFault&) = delete;

 protected:
  static SearchQuery everything() {
    SearchQuery query;
    search::Test category;
    category.target = {
        .kind = search::Target::Kind::Field, .field = record::Field::EventCategory, .path = {}};
    category.op = search::Operator::Exists;
    query.where = search::make_or({search::make_test(category), search::Expression{}});
    query.results_max = kSearchResultsMax;
    return query;
  }

  /// Asks for all records; the error of a page, if there is one.
  static std::optional<Error> check_all(Life& life) {
    SearchQuery query = everything();
    const auto expected = life.plain.find(query, life.history->oldest_kept(), life.plain.size());
    std::size_t seen = 0;
    do {
      const auto page = life.history->search(query);
      if (!page) {
        return page.error();
      }
      for (const FoundEvent& event : page->events) {
        if (seen == expected.size() || event.json != life.plain.records()[expected[seen]].json) {
          ADD_FAILURE() << "a wrong answer at " << seen << ": " << event.json;
          return std::nullopt;
        }
        ++seen;
      }
      query.next_token = page->next_token;
    } while (!query.next_token.empty());
    EXPECT_EQ(seen, expected.size()) << "silently shorter";
    return std::nullopt;
  }
  /// Some questions; the error of one, if there is one.
  static std::optional<Error> check_some(Life& life, std::uint64_t seed) {
    model::QueryMaker queries(seed, life.plain);
    const Timestamp oldest = life.history->oldest_kept();
    CountQuery count = queries.count();
    count.query = everything();
    count.by = record::Field::EventName;
    const auto counts = life.history->count(count);
    if (!counts) {
      return counts.error();
    }
    const Counts expected = life.plain.count(count, oldest);
    EXPECT_EQ(counts->total, expected.total) << "silently shorter";
    EXPECT_EQ(counts->values, expected.values);
    for (int i = 0; i < 4; ++i) {
      const LookupQuery query = queries.lookup();
      const auto page = life.history->lookup(query);
      if (!page) {
        return page.error();
      }
      const auto found = life.plain.find(query, oldest, life.plain.size());
      EXPECT_EQ(page->events.size(), std::min(found.size(), query.results_max));
      for (std::size_t j = 0; j < std::min(found.size(), page->events.size()); ++j) {
        EXPECT_EQ(page->events[j].json, life.plain.records()[found[j]].json);
      }
      const std::string id = queries.id();
      const auto hash = life.history->content_hash(id);
      if (!hash) {
        return hash.error();
      }
      EXPECT_EQ(*hash, life.plain.content_hash(id, oldest)) << id;
    }
    return std::nullopt;
  }
  static void expect_whole(Life& life, std::uint64_t seed) {
    const auto all = seed % 8 == 0 ? check_all(life) : std::nullopt;
    EXPECT_FALSE(all) << all->message();
    const auto some = check_some(life, seed);
    EXPECT_FALSE(some) << some->message();
  }

  /// Seals, merges, drops and ages, as far as the disk allows it; stops at the first error.
  static Result<void> live(Life& life) {
    OT_TRY_DO(life.append(kBatch));
    OT_TRY_DO(caught_up(life));
    static_cast<void>(life.history->wait_settled());
    OT_TRY_DO(life.journal->drop_before(life.history->needed_from()));
    life.clock.advance(kRetention);
    OT_TRY_DO(life.append(kBatch));
    OT_TRY_DO(caught_up(life));
    static_cast<void>(life.history->wait_settled());
    OT_TRY_DO(life.journal->drop_before(life.history->needed_from()));
    return life.append(5);
  }
  static Result<void> caught_up(Life& life) {
    OT_TRY_DO(life.history->lookup({.account_id = "0", .region = "0"}));
    return {};
  }
  /// How many calls such a life makes.
  static std::uint64_t calls_of_a_life() {
    Life life(1);
    restore(seven_segments(), life);
    const std::uint64_t before = life.disk.calls();
    EXPECT_TRUE(life.open());
    EXPECT_TRUE(live(life));
    EXPECT_TRUE(life.settle());
    return life.disk.calls() - before;
  }
};

}  // namespace opentrail::history

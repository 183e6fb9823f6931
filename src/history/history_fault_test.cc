// Goal: whatever the disk does, an answer is right or an error, never wrong and never silently
// shorter; what failed goes on by itself once the disk is well, and is whole after opening again.
// Method: one history of seven segments is made once and copied to a new faulty disk for each case;
// then a short life seals, merges, lets the journal drop and lets records age out, while a call
// fails, the power goes, the disk is full, files run out, syncs lie, bytes rot or files vanish.
#include "base/log.h"
#include "history/history_model.h"
#include "history/store/segment_format.h"
#include "io/faulty_filesystem.h"

#include <thread>

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using model::Dice;

constexpr std::string_view kJournalFolder = "data/journal";
constexpr std::string_view kFolder = "data/history";
constexpr std::size_t kBatch = 300;
constexpr std::chrono::days kRetention{10};
constexpr std::size_t kFileBytesMax = 1 << 30;
constexpr int kTries = 2000;

journal::JournalOptions journal_options() {
  return {.folder = std::string(kJournalFolder),
          .segment_bytes_max = 60'000,
          .dictionary_sample_bytes = 200'000,
          .retry_interval = std::chrono::milliseconds(1)};
}

HistoryOptions history_options() {
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
    journal->on_commit([this](Offset) { history->wake(); });
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

Snapshot take_snapshot(Life& life) {
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

void write_file(io::Filesystem& files, const std::string& path, std::string_view bytes) {
  const auto file = files.open(path, io::OpenMode::CreateNew).value();
  ASSERT_TRUE(file->append(as_bytes(bytes)));
  ASSERT_TRUE(file->sync());
}

void restore(const Snapshot& snapshot, Life& life) {
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
const Snapshot& seven_segments() {
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

TEST_F(HistoryFault, GoesOnAfterAFailingCall) {
  const std::uint64_t calls = calls_of_a_life();
  constexpr std::uint64_t kStep = 7;
  for (std::uint64_t n = 1; n <= calls && !HasFailure(); n += kStep) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << calls << " fails");
    Life life(n);
    restore(seven_segments(), life);
    const std::uint64_t first = life.disk.calls();
    life.disk.fail_call(n, n % 2 == 0 ? Error(ErrorCode::Unavailable, "input/output error")
                                      : Error(ErrorCode::ResourceExhausted, "no room"));
    // Opened again when an error says that it is needed, and then it works: it fails once.
    if (!life.open()) {
      ASSERT_TRUE(life.open());
    }
    if (!live(life)) {
      if (const auto failure = life.journal->failure();
          failure && failure->code() == ErrorCode::Unavailable) {
        life.close();
        ASSERT_TRUE(life.open());
      }
      life.take_over();
      const auto again = live(life);
      ASSERT_TRUE(again) << again.error().message();
    }
    ASSERT_TRUE(life.settle()) << life.history->failure()->message();
    EXPECT_EQ(life.history->failure(), std::nullopt);
    while (life.disk.calls() <= first + n) {  // This life was shorter: nothing of it failed.
      static_cast<void>(life.disk.list(std::string(kFolder)));
    }
    expect_whole(life, n);
    life.close();
    life.disk.crash();
    const auto opened = life.open();
    ASSERT_TRUE(opened) << opened.error().message();
    expect_whole(life, n + 1);
  }
}

TEST_F(HistoryFault, IsWholeAfterAPowerCutAtAnyCall) {
  const std::uint64_t calls = calls_of_a_life();
  Dice dice(11);
  for (std::uint64_t n = 1; n <= calls && !HasFailure(); n += 1 + dice.below(5)) {
    SCOPED_TRACE(testing::Message() << "the power goes at call " << n << " of " << calls);
    Life life(n);
    restore(seven_segments(), life);
    life.disk.stop_at_call(n);
    if (life.open()) {
      static_cast<void>(live(life));
    }
    life.close();
    life.disk.crash();
    if (dice.one_in(3)) {  // Once more, while it recovers.
      life.disk.stop_at_call(1 + dice.below(40));
      static_cast<void>(life.open());
      life.close();
      life.disk.crash();
    }
    const auto opened = life.open();
    ASSERT_TRUE(opened) << opened.error().message();
    life.take_over();
    expect_whole(life, n);
    EXPECT_TRUE(life.settle());
    expect_whole(life, n + 1);
  }
}

TEST_F(HistoryFault, GoesOnWhenAFullDiskHasRoomAgain) {
  std::uint64_t used = 0;
  for (const auto& [path, bytes] : seven_segments().files) {
    used += bytes.size();
  }
  int refused = 0;
  int unsealed = 0;
  for (std::uint64_t room = 0; room < 400'000 && !HasFailure(); room += 38'000) {
    SCOPED_TRACE(testing::Message() << room << " bytes of room");
    Life life(room);
    restore(seven_segments(), life);
    ASSERT_TRUE(life.open());
    life.disk.set_capacity(used + room);
    for (int i = 0; i < 4; ++i) {
      const auto appended = life.append(kBatch);
      if (!appended) {
        ++refused;
        EXPECT_EQ(appended.error().code(), ErrorCode::ResourceExhausted)
            << appended.error().message();
        life.take_over();
      }
      expect_whole(life, 8 * room + 1);
      static_cast<void>(life.history->wait_settled());
    }
    if (const auto failure = life.history->failure()) {
      ++unsealed;
      EXPECT_EQ(failure->code(), ErrorCode::ResourceExhausted) << failure->message();
    }
    expect_whole(life, room);
    life.disk.set_capacity(std::nullopt);
    ASSERT_TRUE(life.settle());
    EXPECT_EQ(life.history->failure(), std::nullopt);
    // The journal tries again by itself, or with the first append.
    for (int i = 0; i < kTries && !life.append(kBatch); ++i) {
      life.take_over();
    }
    expect_whole(life, room + 8);
    life.close();
    ASSERT_TRUE(life.open());
    expect_whole(life, room + 16);
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(unsealed, 0);
}

TEST_F(HistoryFault, GoesOnWhenThereAreFilesAgain) {
  for (std::size_t files = 0; files < 16 && !HasFailure(); files += 2) {
    SCOPED_TRACE(testing::Message() << files << " open files");
    Life life(files + 1);
    restore(seven_segments(), life);
    ASSERT_TRUE(life.open());
    life.disk.set_open_files_max(files);
    for (int i = 0; i < 3; ++i) {
      if (!life.append(kBatch)) {
        life.take_over();
      }
      static_cast<void>(check_some(life, files));
      static_cast<void>(life.history->wait_settled());
    }
    life.disk.set_open_files_max(std::nullopt);
    ASSERT_TRUE(life.settle());
    for (int i = 0; i < kTries && !life.append(kBatch); ++i) {
      life.take_over();
    }
    expect_whole(life, files);
    EXPECT_TRUE(life.settle());
    EXPECT_EQ(life.history->failure(), std::nullopt);
  }
}

TEST_F(HistoryFault, NoticesThatTheJournalLostWhatIsSealed) {
  Life life(3);
  restore(seven_segments(), life);
  ASSERT_TRUE(life.open());
  for (const std::string& name : life.disk.list(std::string(kJournalFolder)).value()) {
    life.disk.lie_about_syncs_of(io::join_path(kJournalFolder, name));
  }
  life.disk.lie_about_syncs_of(std::string(kJournalFolder));
  ASSERT_TRUE(live(life));
  ASSERT_TRUE(life.settle());
  life.close();
  life.disk.crash();
  const auto opened = life.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption) << opened.error().message();
}

TEST_F(HistoryFault, SurvivesOrNoticesLyingSyncs) {
  const std::uint64_t calls = calls_of_a_life();
  Dice dice(5);
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 30 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Life life(seed);
    restore(seven_segments(), life);
    life.disk.lie_about_syncs_from_call(1 + dice.below(calls));
    ASSERT_TRUE(life.open());
    ASSERT_TRUE(live(life));
    life.close();
    life.disk.crash();
    life.in_flight = life.plain.size();  // The journal's own loss is not the history's to notice.
    if (const auto opened = life.open(); !opened) {
      ++noticed;
      EXPECT_TRUE(opened.error().code() == ErrorCode::Corruption ||
                  opened.error().code() == ErrorCode::NotFound)
          << opened.error().message();
      continue;
    }
    life.take_over();
    if (const auto error = check_all(life)) {
      EXPECT_EQ(error->code(), ErrorCode::Corruption) << error->message();
    }
  }
  EXPECT_GT(noticed, 0);
}

TEST_F(HistoryFault, NoFlippedBitMakesAWrongAnswer) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : seven_segments().files) {
    if (!bytes.empty()) {
      paths.push_back(path);
    }
  }
  Dice dice(17);
  int refused = 0;
  int failed = 0;
  int harmless = 0;
  for (int i = 0; i < 240 && !HasFailure(); ++i) {
    Life life(static_cast<std::uint64_t>(i));
    restore(seven_segments(), life);
    // One byte of each kind of file alike, half of the time behind an open history's back.
    const std::string& path = dice.of(paths);
    const std::uint64_t bytes = seven_segments().files.at(path).size();
    const std::uint64_t at = dice.one_in(3)
                                 ? bytes - 1 - dice.below(std::min<std::uint64_t>(bytes, 3000))
                                 : dice.below(bytes);
    SCOPED_TRACE(testing::Message() << "flip " << i << ": " << path << " at byte " << at);
    const auto expect_named = [&](const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::Corruption || error.code() == ErrorCode::Unsupported ||
                  error.message().find("orrupt") != std::string::npos ||
                  error.message().find("byte") != std::string::npos)
          << error.message();
      EXPECT_NE(error.message().find(path.substr(0, path.rfind('.'))), std::string::npos)
          << error.message();
    };
    const bool while_open = dice.one_in(2);
    if (while_open) {
      ASSERT_TRUE(life.open());
    }
    life.disk.flip_bit(path, at, static_cast<unsigned>(dice.below(8)));
    if (!while_open) {
      if (const auto opened = life.open(); !opened) {
        ++refused;
        expect_named(opened.error());
        continue;
      }
      if (life.journal->recovery().bytes_cut > 0) {
        // As if the last commit had been torn: reported by the journal, and never sealed.
        life.in_flight = life.plain.size();
        life.take_over();
      }
    }
    auto error = check_all(life);
    if (!error) {
      error = check_some(life, static_cast<std::uint64_t>(i));
    }
    if (error) {
      ++failed;
      expect_named(*error);
    } else {
      ++harmless;
    }
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(failed, 20);
  EXPECT_GT(harmless, 20);
}

// ---- files that are gone, or others
// --------------------------------------------------------------

void expect_refused(Life& life, std::string_view named) {
  const auto opened = life.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
  EXPECT_NE(opened.error().message().find(named), std::string::npos) << opened.error().message();
}

TEST_F(HistoryFault, NoticesALostSegment) {
  for (std::size_t i = 0; i < 7; ++i) {
    Life life(i + 1);
    restore(seven_segments(), life);
    const std::string path = life.segment_files()[i];
    life.disk.lose_file(path);
    expect_refused(life, path);
  }
}

TEST_F(HistoryFault, NoticesALostManifest) {
  Life life(1);
  restore(seven_segments(), life);
  life.disk.lose_file(io::join_path(kFolder, "manifest"));
  expect_refused(life, "manifest is missing");
  EXPECT_EQ(life.segment_files().size(), 7U) << "nothing was removed";
}

TEST_F(HistoryFault, NoticesASegmentThatIsAnotherOne) {
  Life life(1);
  restore(seven_segments(), life);
  const auto paths = life.segment_files();
  ASSERT_TRUE(life.disk.rename(paths[0], "data/aside"));
  ASSERT_TRUE(life.disk.rename(paths[1], paths[0]));
  ASSERT_TRUE(life.disk.rename("data/aside", paths[1]));
  expect_refused(life, paths[0]);
}

TEST_F(HistoryFault, NoticesASegmentOfAnotherHistory) {
  // The same run of offsets, other records.
  Life other(8);
  ASSERT_TRUE(other.open());
  ASSERT_TRUE(other.append(kBatch));
  ASSERT_TRUE(caught_up(other));
  ASSERT_TRUE(other.settle());
  const std::string path = other.segment_files().front();
  Life life(9);
  ASSERT_TRUE(life.open());
  ASSERT_TRUE(life.append(kBatch));
  ASSERT_TRUE(caught_up(life));
  ASSERT_TRUE(life.settle());
  life.close();
  ASSERT_EQ(life.segment_files(), std::vector<std::string>{path});
  ASSERT_TRUE(life.disk.remove(path));
  write_file(life.disk, path, io::read_file(other.disk, path, kFileBytesMax).value());
  expect_refused(life, path);
}

TEST_F(HistoryFault, NoticesASegmentOfAnotherLength) {
  for (const bool shorter : {true, false}) {
    Life life(1);
    restore(seven_segments(), life);
    const std::string path = life.segment_files()[3];
    {
      const auto file = life.disk.open(path, io::OpenMode::Append).value();
      if (shorter) {
        ASSERT_TRUE(file->truncate(file->size().value() - 1));
      } else {
        ASSERT_TRUE(file->append(as_bytes(std::string_view("x"))));
      }
    }
    expect_refused(life, path);
  }
}

TEST_F(HistoryFault, RemovesLeftoversAndNothingElse) {
  Life life(1);
  restore(seven_segments(), life);
  const auto in_force = life.segment_files();
  const std::string unnamed =
      io::join_path(kFolder, segment_file_name(Offset{0}, Offset{1'000'000}));
  const std::string unfinished = unnamed + ".tmp";
  const std::string foreign = io::join_path(kFolder, "notes.txt");
  write_file(life.disk, unnamed, "x");
  write_file(life.disk, unfinished, "");
  write_file(life.disk, foreign, "keep");
  ASSERT_TRUE(life.open());
  EXPECT_EQ(life.segment_files(), in_force);
  EXPECT_FALSE(life.disk.exists(unfinished));
  EXPECT_TRUE(life.disk.exists(foreign));
  expect_whole(life, 0);
}

}  // namespace
}  // namespace opentrail::history

// Question: what does durability cost, and does the group commit spread it over all who wait?
// Method: `n` callers' records (1.1 KB each, made up) wait at once; the time is from the first
// append to the last acknowledgement. Beside it, in the same run, what the disk alone takes: one
// write() of the same records' JSON and one fdatasync(). "cpu" is what one record costs in all
// threads, the making of the batch and its copy included; "disk" is bytes on disk for each byte of
// JSON, the dictionaries included. Then: how fast are records read back, in order by read(), by
// read_run() from memory and from the disk, and one here and there?
// Budget: 5 us of CPU a record with many waiting; 10 us for a record anywhere.
#include "base/error.h"
#include "io/temp_folder.h"
#include "journal/journal.h"
#include "journal/synthetic_records.h"

#include <ctime>

#include <benchmark/benchmark.h>

namespace opentrail::journal {
namespace {

constexpr std::uint64_t kDistinct = 4096;
constexpr std::chrono::minutes kLong{1};

const std::vector<record::Record>& records() {
  static const std::vector<record::Record> made = [] {
    std::vector<record::Record> all;
    for (std::uint64_t i = 0; i < kDistinct; ++i) {
      all.push_back(synthetic::make_parsed_record(i));
    }
    return all;
  }();
  return made;
}

std::uint64_t json_bytes(std::uint64_t first, std::uint64_t count) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = first; i < first + count; ++i) {
    bytes += records()[i % kDistinct].json.size();
  }
  return bytes;
}

JournalOptions options_in(const io::TempFolder& folder) {
  JournalOptions options;
  options.folder = io::join_path(folder.path(), "journal");
  return options;
}

void report(benchmark::State& state, std::uint64_t items, std::uint64_t bytes) {
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

/// Of this process, all threads.
std::chrono::nanoseconds cpu_time() {
  timespec now{};
  OT_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::uint64_t folder_bytes(io::Filesystem& files, const std::string& folder) {
  std::uint64_t bytes = 0;
  const auto names = files.list(folder).value();
  for (const std::string& name : names) {
    const auto file = files.open(io::join_path(folder, name), io::OpenMode::Read).value();
    bytes += file->size().value();
  }
  return bytes;
}

void BM_PlainWriteAndSync(benchmark::State& state) {
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  const auto file =
      files->open(io::join_path(folder.path(), "plain"), io::OpenMode::CreateNew).value();
  const auto count = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t next = 0;
  std::uint64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    std::string text;
    for (std::uint64_t i = 0; i < count; ++i) {
      text += records()[next++ % kDistinct].json;
    }
    bytes += text.size();
    OT_CHECK(file->append(as_bytes(text)).has_value());
    OT_CHECK(file->sync().has_value());
  }
  report(state, next, bytes);
}

void BM_AppendDurably(benchmark::State& state) {
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  const auto journal = Journal::open(*files, options_in(folder)).value();
  const auto count = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t next = 0;
  std::uint64_t bytes = 0;
  (void)records();
  const auto cpu_before = cpu_time();
  for ([[maybe_unused]] auto _ : state) {
    for (std::uint64_t i = 0; i < count; ++i) {
      OT_CHECK(journal->append({records()[next++ % kDistinct]}, nullptr).has_value());
    }
    OT_CHECK(journal->wait_durable(Offset{next}, kLong).has_value());
    bytes += json_bytes(next - count, count);
  }
  const double cpu = static_cast<double>((cpu_time() - cpu_before).count());
  state.counters["cpu_us"] = cpu / 1000 / static_cast<double>(next);
  state.counters["disk"] = static_cast<double>(folder_bytes(*files, options_in(folder).folder)) /
                           static_cast<double>(bytes);
  report(state, next, bytes);
}

/// A journal that has 100,000 records, and the most of them with a dictionary.
class Filled {
 public:
  static constexpr std::uint64_t kRecords = 25 * kDistinct;

  explicit Filled(std::size_t recent_bytes_max) {
    JournalOptions options = options_in(folder_);
    options.recent_bytes_max = recent_bytes_max;
    journal_ = Journal::open(*files_, options).value();
    for (std::uint64_t i = 0; i < kRecords; i += kDistinct) {
      OT_CHECK(journal_->append_and_wait(records()).has_value());
    }
  }
  Journal& operator*() { return *journal_; }
  Journal* operator->() { return journal_.get(); }

 private:
  io::TempFolder folder_;
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  std::unique_ptr<Journal> journal_;
};

void BM_Read(benchmark::State& state) {
  Filled journal(16 << 20);
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    Offset next = journal->begin();
    while (next < journal->durable_end()) {
      const auto found = journal->read(next, static_cast<std::size_t>(state.range(0))).value();
      for (const StoredRecord& stored : found) {
        bytes += stored.record.json.size();
      }
      items += found.size();
      next = next + found.size();
    }
  }
  report(state, items, bytes);
}

/// Arg: whether all of it is in memory.
void BM_Follow(benchmark::State& state) {
  Filled journal(state.range(0) != 0 ? 1 << 30 : 0);
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    Offset next = journal->begin();
    while (const auto run = journal->read_run(next).value()) {
      for (const record::Record& record : *run->records) {
        bytes += record.json.size();
      }
      items += run->records->size();
      next = run->end();
    }
  }
  report(state, items, bytes);
}

/// Blocks as they are, as a copy of them takes them.
void BM_ReadBlocks(benchmark::State& state) {
  Filled journal(0);
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    Offset next = journal->begin();
    while (next < journal->durable_end()) {
      const auto blocks = journal->read_blocks(next, static_cast<std::size_t>(state.range(0)));
      for (const RawBlock& block : *blocks) {
        items += block.record_count;
        bytes += block.payload.size();
      }
      next = blocks->back().end();
    }
  }
  report(state, items, bytes);
}

/// The JSON of one record anywhere.
void BM_ReadOne(benchmark::State& state) {
  Filled journal(0);
  std::uint64_t at = 1;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    at = (at * 6364136223846793005U + 1442695040888963407U);
    const Offset offset{(at >> 20U) % Filled::kRecords};
    const auto blocks = journal->read_blocks(offset, 1).value();
    const auto block = blocks.front().decode().value();
    bytes += block.json(value(offset) - value(blocks.front().first)).size();
    ++items;
  }
  report(state, items, bytes);
}

BENCHMARK(BM_PlainWriteAndSync)->Arg(1)->Arg(16)->Arg(256)->Arg(4096)->UseRealTime();
BENCHMARK(BM_AppendDurably)->Arg(1)->Arg(16)->Arg(256)->Arg(4096)->UseRealTime();
BENCHMARK(BM_Read)->Arg(1 << 20)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Follow)->Arg(1)->Arg(0)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReadBlocks)->Arg(1 << 20)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReadOne)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace opentrail::journal

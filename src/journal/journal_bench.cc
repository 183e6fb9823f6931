// Question: what does durability cost, and does the group commit spread it over all who wait?
// Method: `n` callers' records (1.1 KB each, made up) wait at once; the time is from the first
// append to the last acknowledgement. Beside it, in the same run, what the disk alone takes: one
// write() of the same records' JSON and one fdatasync(). Then: how fast are records read back?
// Budget: the journal with many waiting is at most a third slower than the plain write of them.
#include "base/error.h"
#include "io/temp_folder.h"
#include "journal/journal.h"
#include "journal/synthetic_records.h"

#include <benchmark/benchmark.h>

namespace opentrail::journal {
namespace {

constexpr std::uint64_t kDistinct = 4096;
constexpr std::chrono::minutes kLong{1};

const std::vector<record::Record>& records() {
  static const std::vector<record::Record> made = synthetic::make_records(0, kDistinct);
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
  for ([[maybe_unused]] auto _ : state) {
    for (std::uint64_t i = 0; i < count; ++i) {
      OT_CHECK(journal->append({records()[next++ % kDistinct]}, nullptr).has_value());
    }
    OT_CHECK(journal->wait_durable(Offset{next}, kLong).has_value());
    bytes += json_bytes(next - count, count);
  }
  report(state, next, bytes);
}

void BM_Read(benchmark::State& state) {
  constexpr std::uint64_t kRecords = 100'000;
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  const auto journal = Journal::open(*files, options_in(folder)).value();
  for (std::uint64_t i = 0; i < kRecords; i += kDistinct) {
    OT_CHECK(journal->append_and_wait(records()).has_value());
  }
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

BENCHMARK(BM_PlainWriteAndSync)->Arg(1)->Arg(16)->Arg(256)->Arg(4096)->UseRealTime();
BENCHMARK(BM_AppendDurably)->Arg(1)->Arg(16)->Arg(256)->Arg(4096)->UseRealTime();
BENCHMARK(BM_Read)->Arg(1 << 20)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace opentrail::journal

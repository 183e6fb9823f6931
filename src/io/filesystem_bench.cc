// Question: what does a read of a few KiB out of the page cache cost, by a call into a string, by a
// call into a buffer, and through a mapping whose pages are there or were released before each
// round? And a mapping itself? All reads sum their bytes, so that every page is really touched.
// Measured (release, shared 2-core VM, 4 KiB at a time): 1.08 us into a string, 1.01 into a buffer,
// 0.46 mapped and as much after a release; to map, touch one page and unmap 8.2 us.
#include "io/filesystem.h"
#include "io/temp_folder.h"

#include <array>
#include <cstring>

#include <benchmark/benchmark.h>

namespace opentrail::io {
namespace {

constexpr std::size_t kFileBytes = std::size_t{64} << 20;
constexpr std::size_t kStride = std::size_t{4096} * 1021;  // visits all pages, in jumps

std::uint64_t sum(std::string_view bytes) {
  std::uint64_t total = 0;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    total += word;
  }
  return total;
}

struct Fixture {
  TempFolder folder;
  std::unique_ptr<Filesystem> files = make_posix_filesystem();
  std::unique_ptr<File> file =
      files->open(join_path(folder.path(), "a"), OpenMode::CreateNew).value();
  std::size_t position = 0;

  Fixture() { OT_CHECK(file->append(as_bytes(std::string(kFileBytes, 'x'))).has_value()); }
  std::size_t next() { return position = (position + kStride) % kFileBytes; }
};

void count(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_ReadString(benchmark::State& state) {
  Fixture fixture;
  for ([[maybe_unused]] auto _ : state) {
    const auto bytes =
        fixture.file->read_at(fixture.next(), static_cast<std::size_t>(state.range(0)));
    benchmark::DoNotOptimize(sum(*bytes));
  }
  count(state);
}

void BM_ReadBuffer(benchmark::State& state) {
  Fixture fixture;
  std::string buffer(static_cast<std::size_t>(state.range(0)), '\0');
  for ([[maybe_unused]] auto _ : state) {
    const auto got =
        fixture.file->read_at(fixture.next(), std::as_writable_bytes(std::span(buffer)));
    benchmark::DoNotOptimize(sum(std::string_view(buffer).substr(0, *got)));
  }
  count(state);
}

void BM_ReadMapped(benchmark::State& state) {
  Fixture fixture;
  const auto mapping = fixture.file->map().value();
  benchmark::DoNotOptimize(sum(mapping->bytes()));
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(
        sum(mapping->bytes().substr(fixture.next(), static_cast<std::size_t>(state.range(0)))));
  }
  count(state);
}

void BM_ReadMappedReleased(benchmark::State& state) {
  Fixture fixture;
  const auto mapping = fixture.file->map().value();
  for ([[maybe_unused]] auto _ : state) {
    if (fixture.next() == 0) {
      mapping->release();  // all pages were visited
    }
    benchmark::DoNotOptimize(
        sum(mapping->bytes().substr(fixture.position, static_cast<std::size_t>(state.range(0)))));
  }
  count(state);
}

void BM_Map(benchmark::State& state) {
  Fixture fixture;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(fixture.file->map().value()->bytes()[kStride]);
  }
}

BENCHMARK(BM_ReadString)->Arg(1024)->Arg(4096)->Arg(65536);
BENCHMARK(BM_ReadBuffer)->Arg(1024)->Arg(4096)->Arg(65536);
BENCHMARK(BM_ReadMapped)->Arg(1024)->Arg(4096)->Arg(65536);
BENCHMARK(BM_ReadMappedReleased)->Arg(4096);
BENCHMARK(BM_Map);

}  // namespace
}  // namespace opentrail::io

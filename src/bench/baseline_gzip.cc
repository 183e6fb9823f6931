#include "bench/baseline.h"
#include "bench/child_command.h"

#include <fstream>
#include <memory>

#include <unistd.h>
#include <zlib.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

struct CloseGzip {
  void operator()(gzFile_s* file) const { ::gzclose(file); }
};

struct Packed {
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;  ///< With a line break behind each record.
  std::uint64_t bytes = 0;
  double seconds = 0;
};

/// Writes all records as lines of one file, packed as `gzip -6` does.
Result<Packed> write_packed(const BaselineInput& input, std::string_view name,
                            const std::string& path) {
  OT_TRY(BaselineRecords records, BaselineRecords::make(input));
  std::unique_ptr<gzFile_s, CloseGzip> file(::gzopen(path.c_str(), "wb6"));
  if (!file) {
    return fail(ErrorCode::Unavailable, path + ": cannot be written");
  }
  Packed packed;
  std::string lines;
  for (;;) {
    OT_TRY(const auto batch, records.next_batch());
    if (batch.empty()) {
      break;
    }
    lines.clear();
    for (const BaselineRecords::Item& item : batch) {
      lines += item.json;
      lines += '\n';
    }
    const auto begin = steady_clock::now();
    if (::gzwrite(file.get(), lines.data(), static_cast<unsigned>(lines.size())) <= 0) {
      return fail(ErrorCode::ResourceExhausted, path + ": cannot be written");
    }
    packed.seconds += duration<double>(steady_clock::now() - begin).count();
    packed.records += batch.size();
    packed.raw_bytes += lines.size();
    input.on_progress(name, packed.records, input.records);
  }
  if (::gzclose(file.release()) != Z_OK) {
    return fail(ErrorCode::ResourceExhausted, path + ": cannot be written");
  }
  std::ifstream written(path, std::ios::ate | std::ios::binary);
  packed.bytes = static_cast<std::uint64_t>(written.tellg());
  return packed;
}

}  // namespace

Result<Section> run_gzip_baseline(const BaselineInput& input) {
  OT_TRY(const Packed packed,
         write_packed(input, "gzip", io::join_path(input.folder, "records.json.gz")));
  Section section{.name = "gzip", .note = {}, .metrics = {}};
  section.add("records", "records", static_cast<double>(packed.records));
  section.add("bytesPerRawByte", "gzip -6, a byte of JSON",
              static_cast<double>(packed.bytes) / static_cast<double>(packed.raw_bytes), "B");
  section.add("bytesPerRecord", "a record",
              static_cast<double>(packed.bytes) / static_cast<double>(packed.records), "B");
  section.add("megabytesPerSecond", "JSON a second, one core",
              static_cast<double>(packed.raw_bytes) / kMega / packed.seconds, "MB/s");
  return section;
}

Result<Section> run_zgrep_baseline(const BaselineInput& input) {
  Section section{.name = "zgrep", .note = {}, .metrics = {}};
  constexpr const char* kProgram = "/usr/bin/zgrep";
  if (::access(kProgram, X_OK) != 0) {
    section.note = std::string("there is no ") + kProgram;
    return section;
  }
  const std::string path = io::join_path(input.folder, "records.json.gz");
  OT_TRY(const Packed packed, write_packed(input, "zgrep", path));
  const auto begin = steady_clock::now();
  // A user whom nobody has: the whole file is read. Nothing found is exit code 1.
  OT_TRY(ChildCommand command,
         ChildCommand::start({kProgram, "-c", R"("userName":"nobody.at.all")", path}, {}));
  OT_TRY(const int exit_code, command.finish());
  const double seconds = duration<double>(steady_clock::now() - begin).count();
  if (exit_code != 0 && exit_code != 1) {
    return fail(ErrorCode::Internal, "zgrep ended with " + std::to_string(exit_code));
  }
  section.add("records", "records", static_cast<double>(packed.records));
  section.add("seconds", "one search", seconds, "s");
  section.add("gigabytesPerSecond", "JSON a second",
              static_cast<double>(packed.raw_bytes) / kGiga / seconds, "GB/s");
  return section;
}

}  // namespace opentrail::bench

#include "bench/baseline.h"

#include <ctime>
#include <memory>

#include <simdjson.h>
#include <zstd.h>

namespace opentrail::bench {

namespace {

using std::chrono::nanoseconds;

/// CPU of this thread alone: the machine may be busy with other things.
nanoseconds thread_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

class Packer {
 public:
  Result<std::size_t> packed_bytes(const std::string& bytes) {
    constexpr int kLevel = 1;
    out_.resize(ZSTD_compressBound(bytes.size()));
    const std::size_t packed = ZSTD_compressCCtx(context_.get(), out_.data(), out_.size(),
                                                 bytes.data(), bytes.size(), kLevel);
    if (ZSTD_isError(packed) != 0U) {
      return fail(ErrorCode::Internal, std::string("zstd: ") + ZSTD_getErrorName(packed));
    }
    return packed;
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_{ZSTD_createCCtx()};
  std::string out_;
};

/// `json` has SIMDJSON_PADDING bytes of memory behind it.
Result<void> parse_once(simdjson::dom::parser& parser, std::string_view json) {
  simdjson::dom::element element;
  if (const auto error = parser.parse(json.data(), json.size(), false).get(element)) {
    return fail(ErrorCode::Internal, std::string("simdjson: ") + simdjson::error_message(error));
  }
  return {};
}

}  // namespace

Result<Section> run_parse_baseline(const BaselineInput& input) {
  OT_TRY(BaselineRecords records, BaselineRecords::make(input));
  simdjson::dom::parser parser;
  Packer packer;
  nanoseconds parsing{};
  nanoseconds packing{};
  std::uint64_t packed_bytes = 0;
  std::uint64_t done = 0;
  std::string block;
  for (;;) {
    OT_TRY(const auto batch, records.next_batch());
    if (batch.empty()) {
      break;
    }
    block.clear();
    for (const BaselineRecords::Item& item : batch) {
      block += item.json;
    }
    block.reserve(block.size() + simdjson::SIMDJSON_PADDING);
    const nanoseconds begin = thread_cpu();
    const char* at = block.data();
    for (const BaselineRecords::Item& item : batch) {
      OT_TRY_DO(parse_once(parser, {at, item.json.size()}));
      at += item.json.size();
    }
    const nanoseconds parsed = thread_cpu();
    OT_TRY(const std::size_t packed, packer.packed_bytes(block));
    packing += thread_cpu() - parsed;
    parsing += parsed - begin;
    packed_bytes += packed;
    done += batch.size();
    input.on_progress("parse", done, input.records);
  }
  Section section{.name = "parse", .note = {}, .metrics = {}};
  constexpr double kNanosPerMicro = 1000.0;
  const auto count = static_cast<double>(done);
  const double parse = static_cast<double>(parsing.count()) / count / kNanosPerMicro;
  const double pack = static_cast<double>(packing.count()) / count / kNanosPerMicro;
  section.add("records", "records", count);
  section.add("parseMicrosPerRecord", "one simdjson parse, CPU a record", parse, "us");
  section.add("zstdMicrosPerRecord", "one zstd -1 pass, CPU a record", pack, "us");
  section.add("cpuMicrosPerRecord", "both", parse + pack, "us");
  section.add("bytesPerRawByte", "zstd -1, a byte of JSON",
              static_cast<double>(packed_bytes) / static_cast<double>(records.bytes()), "B");
  return section;
}

}  // namespace opentrail::bench

#include "journal/dictionary.h"

#include "base/checksum.h"
#include "journal/uuid_text.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include <fmt/format.h>
// The trainer that is fast enough to run beside the writer is not in the stable part.
#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>
#include <zstd.h>

namespace opentrail::journal {
namespace {

/// Of the trainer; found on 4,000 real records: others gain less than 2 %.
constexpr unsigned kSegmentBytes = 1024;
constexpr unsigned kDmerBytes = 8;
constexpr unsigned kTableBits = 20;

struct Samples {
  std::string text;
  std::vector<std::size_t> sizes;
};

/// What blocks hold: the texts without their UUIDs.
Samples collect(std::span<const std::string_view> jsons) {
  Samples samples;
  std::string uuids;
  for (const std::string_view json : jsons) {
    const std::size_t before = samples.text.size();
    if (before + json.size() > Dictionary::kSampleBytesMax) {
      break;
    }
    (void)take_uuids(json, samples.text, uuids);
    uuids.clear();
    samples.sizes.push_back(samples.text.size() - before);
  }
  return samples;
}

}  // namespace

struct Dictionary::Parts {
  struct FreeCompressing {
    void operator()(ZSTD_CDict* freed) const { ZSTD_freeCDict(freed); }
  };
  struct FreeDecompressing {
    void operator()(ZSTD_DDict* freed) const { ZSTD_freeDDict(freed); }
  };
  std::string bytes;
  std::uint32_t id = 0;
  std::unique_ptr<ZSTD_DDict, FreeDecompressing> decompressing;
  // Most dictionaries are only read with.
  std::once_flag compressing_made;
  std::unique_ptr<ZSTD_CDict, FreeCompressing> compressing;
};

Dictionary::Dictionary(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Dictionary::~Dictionary() = default;

const std::string& Dictionary::bytes() const { return parts_->bytes; }

std::uint32_t Dictionary::id() const { return parts_->id; }

const ZSTD_CDict* Dictionary::for_compression() const {
  std::call_once(parts_->compressing_made, [this] {
    parts_->compressing.reset(
        ZSTD_createCDict(parts_->bytes.data(), parts_->bytes.size(), kZstdLevel));
  });
  return parts_->compressing.get();
}

const ZSTD_DDict* Dictionary::for_decompression() const { return parts_->decompressing.get(); }

Result<std::shared_ptr<const Dictionary>> Dictionary::load(std::string bytes) {
  // zstd takes any bytes for a dictionary of mere content; ours have a header and tables.
  if (bytes.size() > kBytesMax || ZDICT_getDictID(bytes.data(), bytes.size()) == 0) {
    return fail(ErrorCode::Corruption,
                fmt::format("{} bytes are not a zstd dictionary", bytes.size()));
  }
  auto parts = std::make_unique<Parts>();
  parts->bytes = std::move(bytes);
  parts->id = crc32c(as_bytes(parts->bytes));
  parts->decompressing.reset(ZSTD_createDDict(parts->bytes.data(), parts->bytes.size()));
  if (parts->decompressing == nullptr) {
    return fail(ErrorCode::Corruption, "the zstd dictionary is damaged");
  }
  return std::shared_ptr<const Dictionary>(new Dictionary(std::move(parts)));
}

Result<std::shared_ptr<const Dictionary>> Dictionary::train(std::span<const std::string_view> jsons,
                                                            std::size_t bytes_max) {
  const Samples samples = collect(jsons);
  ZDICT_fastCover_params_t params{};
  params.k = kSegmentBytes;
  params.d = kDmerBytes;
  params.f = kTableBits;
  params.accel = 1;
  params.zParams.compressionLevel = kZstdLevel;
  std::string bytes(std::min(bytes_max, kBytesMax), '\0');
  const std::size_t size = ZDICT_trainFromBuffer_fastCover(
      bytes.data(), bytes.size(), samples.text.data(), samples.sizes.data(),
      static_cast<unsigned>(samples.sizes.size()), params);
  if (ZDICT_isError(size) != 0U) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("no dictionary from {} samples of {} bytes: {}", samples.sizes.size(),
                            samples.text.size(), ZDICT_getErrorName(size)));
  }
  bytes.resize(size);
  return load(std::move(bytes));
}

}  // namespace opentrail::journal

// Property: a segment file of foreign bytes never crashes its reader nor makes it take more memory
// or time than its size allows; whatever its index says of a record is a record of it; and an index
// that can be walked can be merged.
// Input: a segment file; tried as it is, with the checksums of its description made right, and its
// index without any, or nothing would get past them.
#include "base/checksum.h"
#include "history/index/index.h"
#include "history/index/index_builder.h"
#include "history/store/manifest.h"
#include "history/store/segment_file.h"
#include "history/store/segment_format.h"
#include "io/faulty_filesystem.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace history = opentrail::history;
namespace io = opentrail::io;
using opentrail::ErrorCode;
using opentrail::Result;

namespace {

constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kFooterPositionAt = 8;
constexpr std::size_t kFooterBytesAt = 16;
constexpr std::size_t kStepsMax = 2000;

void require(bool holds, std::source_location at = std::source_location::current()) {
  if (!holds) {
    std::fprintf(stderr, "line %u does not hold\n", at.line());
    std::abort();
  }
}

template <typename T>
bool good(const Result<T>& result, std::source_location at = std::source_location::current()) {
  require(result || result.error().code() == ErrorCode::Corruption ||
              result.error().code() == ErrorCode::Unsupported,
          at);
  return result.has_value();
}

template <typename T>
T number_at(std::string_view bytes, std::size_t at) {
  T number{};
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

/// Where the footer says that the description is, if that is inside.
std::optional<std::string_view> description_of(std::string_view file) {
  if (file.size() < history::kSegmentFooterBytes) {
    return std::nullopt;
  }
  const std::string_view footer = file.substr(file.size() - history::kSegmentFooterBytes);
  const auto position = number_at<std::uint64_t>(footer, kFooterPositionAt);
  const auto bytes = number_at<std::uint32_t>(footer, kFooterBytesAt);
  if (bytes > file.size() || position > file.size() - bytes) {
    return std::nullopt;
  }
  return file.substr(position, bytes);
}

std::string with_checksums(std::string file, std::string_view description) {
  const std::size_t version_at = file.size() - history::kSegmentFooterBytes + kVersionAt;
  const history::SegmentFooter footer{
      .meta_position = static_cast<std::uint64_t>(description.data() - file.data()),
      .meta_bytes = static_cast<std::uint32_t>(description.size()),
      .meta_crc = opentrail::crc32c(opentrail::as_bytes(description)),
      .version = number_at<std::uint8_t>(file, version_at)};
  file.resize(file.size() - history::kSegmentFooterBytes);
  return file + footer.encode();
}

void read_blocks(const history::SegmentFile& segment) {
  const std::uint64_t first = value(segment.first());
  const std::uint64_t records = segment.index().meta().records_total();
  const std::uint64_t step = std::max<std::uint64_t>(1, records / kStepsMax);
  for (std::uint64_t i = 0; i < records; i += step) {
    const auto block = segment.block_at(opentrail::journal::Offset{first + i});
    if (!good(block)) {
      continue;
    }
    require(value(block->first) <= first + i);
    if (const auto decoded = block->decode(); good(decoded)) {
      require(first + i < value(block->first) + decoded->size());
    }
  }
}

void open_file(std::string_view bytes) {
  io::FaultyFilesystem files(1);
  const std::string path =
      history::segment_file_name(opentrail::journal::Offset{0}, opentrail::journal::Offset{300});
  {
    const auto file = files.open(path, io::OpenMode::CreateNew).value();
    require(file->append(opentrail::as_bytes(bytes)).has_value());
  }
  if (const auto segment = history::SegmentFile::open(files, path); good(segment)) {
    read_blocks(**segment);
  }
}

void read_list(const history::Index& index, const history::PostingsRef& ref) {
  const history::Doc docs = index.meta().docs;
  auto list = history::PostingsReader::open(index.bytes(), ref, docs);
  if (!good(list)) {
    return;
  }
  if (const auto last = list->last_below(docs); good(last) && *last) {
    require(**last < docs);
  }
  if (const auto next = list->first_from(docs / 2); good(next) && *next) {
    require(**next >= docs / 2 && **next < docs);
  }
  history::DocWindow::Words words{};
  static_cast<void>(good(list->add_to(history::DocWindow::first_of(docs / 2), words)));
  if (docs <= kStepsMax) {
    if (const auto all = list->all(); good(all)) {
      require(all->size() <= docs && std::ranges::is_sorted(*all));
      require(all->empty() || all->back() < docs);
    }
  }
}

/// True when everything could be read.
bool read_fields(const history::Index& index) {
  bool whole = true;
  for (const history::TermDictionaryMeta& field : index.meta().fields) {
    auto cursor = history::TermCursor::seek(field, index.bytes(), {});
    if (!good(cursor)) {
      whole = false;
      continue;
    }
    for (std::size_t i = 0;; ++i) {
      const auto more = cursor->next();
      if (!good(more) || !*more || i == kStepsMax) {
        whole = whole && more && !*more;
        break;
      }
      read_list(index, cursor->postings());
      static_cast<void>(good(history::find_term(field, index.bytes(), cursor->term())));
    }
  }
  return whole;
}

bool read_ids(const history::Index& index) {
  history::IdCursor ids(index.meta().ids, index.bytes());
  std::vector<opentrail::journal::Offset> found;
  for (std::size_t i = 0; i < kStepsMax; ++i) {
    const auto more = ids.next();
    if (!good(more)) {
      return false;
    }
    if (!*more) {
      return true;
    }
    found.clear();
    static_cast<void>(good(index.find_id(ids.entry().hash, found)));
    for (const auto offset : found) {
      require(index.meta().first <= offset && offset < index.meta().end);
    }
  }
  return false;
}

bool read_keys(const history::Index& index) {
  history::KeyReader keys(index);
  const history::Doc docs = index.meta().docs;
  const history::Doc step = std::max<history::Doc>(1, docs / kStepsMax);
  bool whole = true;
  for (std::uint64_t doc = 0; doc < docs; doc += step) {
    const auto key = keys.at(static_cast<history::Doc>(doc));
    whole = good(key) && whole;
    if (key) {
      require(index.meta().first <= key->offset && key->offset < index.meta().end);
      if (const auto below = keys.count_below(*key); good(below)) {
        require(*below <= docs);
      }
    }
  }
  return whole;
}

void read_index_of(std::string_view file, std::string_view description, std::uint8_t version) {
  auto meta = history::SegmentMeta::decode(description, file.size(), version);
  if (!meta) {
    return;
  }
  const history::Index index(std::move(meta->index), history::CheckedBytes(file.substr(
                                                         meta->index_position, meta->index_bytes)));
  const bool keys = read_keys(index);
  const bool ids = read_ids(index);
  const bool fields = read_fields(index);
  if (index.meta().docs > kStepsMax) {
    return;
  }
  const history::Index* const source = &index;
  history::MemorySink sink;
  const auto merged = history::merge_indexes({&source, 1}, sink, history::Filtered::Yes);
  // Walking looks at less than merging does: an error may come only here.
  if (good(merged)) {
    require(keys && ids && fields);
    require(merged->docs == index.meta().docs);
  }
}

void read_index(std::string_view file, std::string_view description) {
  // As of both versions, whatever the file says.
  for (const std::uint8_t version : {std::uint8_t{1}, history::kSegmentVersion}) {
    read_index_of(file, description, version);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string file(reinterpret_cast<const char*>(data), size);
  open_file(file);
  if (const auto description = description_of(file)) {
    open_file(with_checksums(file, *description));
    read_index(file, *description);
  }
  const auto manifest = history::Manifest::decode(file);
  if (good(manifest)) {
    require(history::Manifest::decode(manifest->encode())->segments == manifest->segments);
  }
  return 0;
}

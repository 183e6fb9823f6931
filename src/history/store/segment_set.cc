#include "history/store/segment_set.h"

#include "base/log.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

constexpr std::string_view kUnfinished = ".tmp";

SipKey random_key(io::Random& random) {
  std::array<std::uint64_t, 2> words{};
  random.fill(std::as_writable_bytes(std::span(words)));
  return {words[0], words[1]};
}

}  // namespace

Result<std::unique_ptr<SegmentSet>> SegmentSet::open(io::Filesystem& files, std::string folder,
                                                     io::Random& random) {
  std::unique_ptr<SegmentSet> set(new SegmentSet(files, std::move(folder)));
  OT_TRY_DO(files.create_directories(set->folder_));
  OT_TRY(auto manifest, Manifest::load(files, set->folder_));
  if (manifest) {
    set->manifest_ = *std::move(manifest);
  } else {
    OT_TRY(const auto names, files.list(set->folder_));
    for (const std::string& name : names) {
      if (parse_segment_file_name(name)) {
        return fail(ErrorCode::Corruption,
                    fmt::format("{}: the manifest is missing and segments are there; put it back "
                                "from a copy, or move the folder away to build it anew from the "
                                "journal",
                                set->folder_));
      }
    }
    set->manifest_.id_key = random_key(random);
    OT_TRY_DO(set->manifest_.save(files, set->folder_));
  }
  OT_TRY_DO(set->open_segments());
  OT_TRY_DO(set->remove_leftovers());
  return set;
}

std::string SegmentSet::path_of(journal::Offset first, journal::Offset end) const {
  return io::join_path(folder_, segment_file_name(first, end));
}

Result<void> SegmentSet::open_segments() {
  for (const Manifest::Segment& named : manifest_.segments) {
    const std::string path = path_of(named.first, named.end);
    auto segment = SegmentFile::open(files_, path);
    if (!segment && segment.error().code() == ErrorCode::NotFound) {
      return fail(
          ErrorCode::Corruption,
          fmt::format("{}: the segment is missing: records {} to {} of the history are lost "
                      "unless the file is put back",
                      path, value(named.first), value(named.end)));
    }
    OT_TRY(auto opened, std::move(segment));
    if (opened->meta_crc() != named.meta_crc || opened->bytes() != named.bytes) {
      return fail(ErrorCode::Corruption,
                  fmt::format("{}: not the segment that the manifest names", path));
    }
    segments_.push_back(std::move(opened));
  }
  return {};
}

Result<void> SegmentSet::remove_leftovers() {
  OT_TRY(const auto names, files_.list(folder_));
  for (const std::string& name : names) {
    const bool is_named = std::ranges::any_of(segments_, [&](const auto& segment) {
      return segment->path() == io::join_path(folder_, name);
    });
    const bool is_ours = name.ends_with(kUnfinished) || parse_segment_file_name(name).has_value();
    if (is_ours && !is_named) {
      OT_TRY_DO(files_.remove(io::join_path(folder_, name)));
    }
  }
  return {};
}

Result<std::shared_ptr<const SegmentFile>> SegmentSet::write(std::span<const SegmentPart> parts) {
  const std::string path =
      path_of(parts.front().index->meta().first, parts.back().index->meta().end);
  const std::string unfinished = path + std::string(kUnfinished);
  if (files_.exists(unfinished)) {
    OT_TRY_DO(files_.remove(unfinished));
  }
  OT_TRY_DO(write_segment(files_, unfinished, parts));
  OT_TRY_DO(files_.rename(unfinished, path));
  auto written = open_written(path);
  if (!written) {
    static_cast<void>(files_.remove(path));  // No manifest names it. If not now, at the next start.
  }
  return written;
}

Result<std::shared_ptr<const SegmentFile>> SegmentSet::open_written(const std::string& path) {
  OT_TRY_DO(files_.sync_directory(folder_));
  return SegmentFile::open(files_, path);
}

Result<void> SegmentSet::change(Segments next, journal::Offset sealed_end) {
  Manifest manifest;
  manifest.id_key = manifest_.id_key;
  manifest.sealed_end = sealed_end;
  for (const auto& segment : next) {
    manifest.segments.push_back({.first = segment->first(),
                                 .end = segment->end(),
                                 .bytes = segment->bytes(),
                                 .meta_crc = segment->meta_crc()});
  }
  OT_TRY_DO(manifest.save(files_, folder_));
  manifest_ = std::move(manifest);
  segments_.swap(next);
  // Readers that hold an old segment keep its open file; the name may go.
  for (const auto& old : next) {
    if (std::ranges::find(segments_, old) == segments_.end()) {
      if (const auto removed = files_.remove(old->path()); !removed) {
        log::warn("history: an old segment could not be removed: {}; it goes at the next start",
                  removed.error().message());
      }
    }
  }
  return {};
}

Result<void> SegmentSet::begin_at(journal::Offset offset) {
  OT_CHECK(segments_.empty());
  return change({}, offset);
}

Result<void> SegmentSet::seal(std::span<const SegmentPart> parts) {
  OT_CHECK(parts.front().index->meta().first == sealed_end());
  OT_TRY(auto sealed, write(parts));
  Segments next = segments_;
  next.push_back(std::move(sealed));
  const journal::Offset end = next.back()->end();
  return change(std::move(next), end);
}

Result<void> SegmentSet::merge(std::size_t at, std::size_t count) {
  OT_CHECK(count > 1 && at + count <= segments_.size());
  std::vector<SegmentPart> parts;
  for (std::size_t i = at; i < at + count; ++i) {
    parts.push_back({.index = &segments_[i]->index(), .blocks = segments_[i].get()});
  }
  OT_TRY(auto merged, write(parts));
  Segments next = segments_;
  const auto begin = next.begin() + static_cast<std::ptrdiff_t>(at);
  *begin = std::move(merged);
  next.erase(begin + 1, begin + static_cast<std::ptrdiff_t>(count));
  return change(std::move(next), sealed_end());
}

Result<std::uint64_t> SegmentSet::drop_before(Timestamp oldest) {
  Segments next;
  std::uint64_t dropped = 0;
  for (const auto& segment : segments_) {
    const IndexMeta& meta = segment->index().meta();
    if (meta.docs > 0 && meta.newest >= oldest) {
      next.push_back(segment);
    } else {
      dropped += meta.docs;
    }
  }
  if (next.size() != segments_.size()) {
    OT_TRY_DO(change(std::move(next), sealed_end()));
  }
  return dropped;
}

}  // namespace opentrail::history

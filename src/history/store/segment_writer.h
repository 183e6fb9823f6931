#pragma once
#include "base/error.h"
#include "history/index/index.h"
#include "history/store/block_source.h"
#include "history/store/segment_format.h"
#include "io/filesystem.h"

#include <memory>
#include <span>
#include <string>

namespace opentrail::history {

/// One part of a new segment: the index of a run of records, and where their blocks are.
struct SegmentPart {
  const Index* index;
  const BlockSource* blocks;
};

/// Blocks at least this full are copied as they are; smaller ones are packed together.
inline constexpr std::uint32_t kFullBlockBytes = 6 << 10;

/// Writes the parts, whose runs follow each other without gaps, into one segment file at `path`,
/// which must not exist, and makes it durable (not its name). Errors: the parts', the files'; then
/// the file is removed again as far as that is possible.
Result<void> write_segment(io::Filesystem& files, const std::string& path,
                           std::span<const SegmentPart> parts);

}  // namespace opentrail::history

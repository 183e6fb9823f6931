#pragma once
#include "base/error.h"
#include "io/filesystem.h"
#include "journal/journal.h"
#include "journal/segment.h"

#include <memory>
#include <string>
#include <vector>

/// What open() does to the folder before the first append.
namespace opentrail::journal {

struct RecoveredFolder {
  std::vector<Segment> segments;     ///< At least one, without gaps.
  std::unique_ptr<io::File> active;  ///< The last segment, to append to.
  RecoveryReport report;
};

/// Reads the folder, or makes it. All that it returns is durable, whatever an earlier process left
/// unsynced. Errors: Corruption (a bad block, a gap), Unsupported (a newer format), or the files'.
Result<RecoveredFolder> recover_folder(io::Filesystem& files, const std::string& folder);

/// A new, empty segment whose name is durable. Errors: the files'.
Result<std::unique_ptr<io::File>> create_segment(io::Filesystem& files, const std::string& folder,
                                                 Offset first_offset);

}  // namespace opentrail::journal

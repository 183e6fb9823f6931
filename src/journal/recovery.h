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
  bool active_is_version_1 = false;  ///< It must not be written: begin another.
  /// Of the newest segment that has one; null when none has.
  std::shared_ptr<const Dictionary> dictionary;
  RecoveryReport report;
};

/// Reads the folder, or makes it. All that it returns is durable, whatever an earlier process left
/// unsynced. Errors: Corruption (a bad block, a gap), Unsupported (a newer format), or the files'.
Result<RecoveredFolder> recover_folder(io::Filesystem& files, const std::string& folder);

/// A new, empty segment whose name is durable. Errors: the files'; ResourceExhausted: there is
/// none, try again when there is room; one of the folder's sync else is a failed_sync().
Result<std::unique_ptr<io::File>> create_segment(io::Filesystem& files, const std::string& folder,
                                                 Offset first_offset);

/// The error of a failed sync: never ResourceExhausted, which would say that it may be tried again.
/// What the files said is its reason.
[[nodiscard]] Error failed_sync(const Error& cause);

}  // namespace opentrail::journal

#pragma once
#include "base/error.h"
#include "collect/unpack.h"
#include "io/filesystem.h"
#include "record/splitter.h"

#include <cstdint>
#include <functional>
#include <string>

namespace opentrail::collect {

/// What was seen of a file, also when reading it ended with an error.
struct RecordFileFacts {
  Coding coding = Coding::Identity;
  bool has_text = false;  ///< Anything but white space.
  /// It does not begin as JSON does: nothing of it was read on. `first_byte` says how it begins.
  bool not_json = false;
  unsigned char first_byte = 0;
  std::uint64_t digests = 0;
};

/// How much is read from disk at once.
inline constexpr std::size_t kReadBytes = 256 << 10;

/// Reads one file of records in pieces: unpacks it when its first bytes are gzip's or
/// zstd's, passes over a byte order mark, cuts the records out and hands them to `sink`, and what
/// is broken of NDJSON to `on_broken`. `on_read` is told the bytes read from disk after each piece;
/// its error ends the reading, as those of the others do. Errors: the file system's;
/// InvalidArgument for broken packed data or JSON ("line 17: ...").
Result<void> read_record_file(io::Filesystem& files, const std::string& path,
                              record::RecordSplitter::Sink sink,
                              record::RecordSplitter::OnBroken on_broken,
                              const std::function<Result<void>(std::uint64_t)>& on_read,
                              RecordFileFacts& facts);

}  // namespace opentrail::collect

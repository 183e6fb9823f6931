#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "io/filesystem.h"
#include "journal/journal.h"
#include "journal/segment.h"

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace opentrail::journal {

/// Segment files open for reading, the least recently used closed first, and what it takes to read
/// them. A dictionary that several share is held once. Any thread.
class ReadFiles {
 public:
  static constexpr std::size_t kFilesMax = 32;
  struct OpenSegment {
    std::shared_ptr<const io::File> file;
    std::shared_ptr<const Dictionary> dictionary;  ///< Null when the segment has none.
  };

  explicit ReadFiles(io::Filesystem& files) : files_(files) {}
  /// Errors: the files'; Corruption when the dictionary cannot be read.
  Result<OpenSegment> open(const std::string& path, bool has_dictionary);
  void forget(const std::string& path);
  /// The one that is held already, if there is one of the same bytes; else `dictionary`, from now
  /// on.
  std::shared_ptr<const Dictionary> share(std::shared_ptr<const Dictionary> dictionary);

 private:
  struct Entry {
    std::string path;
    OpenSegment segment;
  };
  std::optional<OpenSegment> find(const std::string& path) REQUIRES(mutex_);

  io::Filesystem& files_;
  Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);  ///< Last used first.
  std::vector<std::weak_ptr<const Dictionary>> dictionaries_ GUARDED_BY(mutex_);
  std::uint64_t forgotten_ GUARDED_BY(mutex_) = 0;  ///< Calls of forget().
};

/// The durable part of the journal, as readers see it: the writer tells what became durable, and
/// readers never look behind that. Any thread.
class SegmentSet {
 public:
  SegmentSet(io::Filesystem& files, std::string folder, std::vector<Segment> segments);

  [[nodiscard]] Offset begin() const;
  [[nodiscard]] Offset durable_end() const;

  /// Blocks behind those known so far in the last segment became durable.
  struct Committed {
    Offset end_offset{0};
    std::uint64_t position = 0;  ///< Of the commit in the segment.
    std::uint64_t bytes = 0;     ///< Of the segment, whole.
    bool has_dictionary = false;
    std::vector<SparseIndex::Place> blocks;
  };
  void committed(const Committed& what);
  void begin_segment(Segment segment);
  /// As ReadFiles::share.
  std::shared_ptr<const Dictionary> share(std::shared_ptr<const Dictionary> dictionary) {
    return read_files_.share(std::move(dictionary));
  }

  /// As Journal::read_blocks.
  Result<std::vector<RawBlock>> read_blocks(Offset from, std::size_t bytes_max);
  /// As Journal::drop_before.
  Result<void> drop_before(Offset offset);

 private:
  /// The run of bytes in one file that holds `from` and what follows it.
  struct Part {
    std::string path;
    BlockReader::Range range{};
    Offset end_offset{0};
    bool has_dictionary = false;
  };
  struct Batch {
    std::vector<RawBlock> blocks;
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;

    [[nodiscard]] bool full() const { return !blocks.empty() && bytes >= bytes_max; }
  };
  Result<std::optional<Part>> locate(Offset from) const;
  Result<void> read_part(const Part& part, Offset from, Batch& batch);
  Result<void> read_parts(Offset from, Batch& batch);
  /// The oldest segment's path when it may go; begin() has then moved behind it.
  std::optional<std::string> retire_oldest(Offset offset);

  io::Filesystem& files_;
  const std::string folder_;
  ReadFiles read_files_;
  Mutex dropping_;  ///< Held over the removal of files; taken before mutex_.
  mutable Mutex mutex_;
  std::deque<Segment> segments_ GUARDED_BY(mutex_);
  Offset begin_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::journal

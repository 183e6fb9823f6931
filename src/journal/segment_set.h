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

/// Segment files open for reading, the least recently used closed first. Any thread.
class ReadFiles {
 public:
  static constexpr std::size_t kFilesMax = 32;

  explicit ReadFiles(io::Filesystem& files) : files_(files) {}
  /// Errors: the files'.
  Result<std::shared_ptr<const io::File>> open(const std::string& path);
  void forget(const std::string& path);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const io::File> file;
  };
  std::shared_ptr<const io::File> find(const std::string& path) REQUIRES(mutex_);

  io::Filesystem& files_;
  Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);  ///< Last used first.
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
    std::uint64_t bytes = 0;  ///< Of the segment, whole.
    std::vector<SparseIndex::Place> blocks;
  };
  void committed(const Committed& what);
  void begin_segment(Segment segment);

  /// As Journal::read.
  Result<std::vector<StoredRecord>> read(Offset from, std::size_t bytes_max);
  /// As Journal::drop_before.
  Result<void> drop_before(Offset offset);

 private:
  /// The run of bytes in one file that holds `from` and what follows it.
  struct Part {
    std::string path;
    BlockReader::Range range{};
    Offset end_offset{0};
  };
  struct Batch {
    std::vector<StoredRecord> records;
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;

    void add(Offset first, std::vector<record::Record> block, Offset from);
    [[nodiscard]] bool full() const { return !records.empty() && bytes >= bytes_max; }
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

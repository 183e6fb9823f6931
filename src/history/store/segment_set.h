#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "history/store/manifest.h"
#include "history/store/segment_file.h"
#include "history/store/segment_writer.h"
#include "io/filesystem.h"
#include "io/random.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace opentrail::history {

using Segments = std::vector<std::shared_ptr<const SegmentFile>>;

/// The folder of sealed segments and its manifest. One thread changes it; any may ask.
class SegmentSet {
 public:
  /// Makes the folder when it is not there, and removes leftovers of a crash. Errors: Corruption
  /// when a segment that the manifest names is missing or is not the one it names; the files'.
  static Result<std::unique_ptr<SegmentSet>> open(io::Filesystem& files, std::string folder,
                                                  io::Random& random);

  [[nodiscard]] SipKey id_key() const { return manifest_.id_key; }
  /// Records from here on are not sealed.
  [[nodiscard]] journal::Offset sealed_end() const { return manifest_.sealed_end; }
  /// By offset.
  [[nodiscard]] const Segments& segments() const { return segments_; }

  /// Begins an empty history at `offset`: there is nothing before it that could be sealed.
  Result<void> begin_at(journal::Offset offset);
  /// Seals the parts, which begin at sealed_end(). Durable when it returns. After an error nothing
  /// has changed, and it may be tried again.
  Result<void> seal(std::span<const SegmentPart> parts);
  /// Makes one segment of the `count` that begin at the `at`-th. As seal().
  Result<void> merge(std::size_t at, std::size_t count);
  /// Drops every segment whose records are all older than `oldest`; says how many records.
  Result<std::uint64_t> drop_before(Timestamp oldest);

 private:
  SegmentSet(io::Filesystem& files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}
  Result<void> open_segments();
  Result<void> remove_leftovers();
  Result<std::shared_ptr<const SegmentFile>> write(std::span<const SegmentPart> parts);
  Result<std::shared_ptr<const SegmentFile>> open_written(const std::string& path);
  /// Puts `next` in force: the manifest first, then what is in memory, then old files go.
  Result<void> change(Segments next, journal::Offset sealed_end);
  [[nodiscard]] std::string path_of(journal::Offset first, journal::Offset end) const;

  io::Filesystem& files_;
  const std::string folder_;
  Manifest manifest_;
  Segments segments_;
};

}  // namespace opentrail::history

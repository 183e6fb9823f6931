#pragma once
#include "base/error.h"
#include "history/index/index.h"
#include "history/store/block_source.h"
#include "history/store/segment_format.h"
#include "io/filesystem.h"
#include "journal/record_block.h"

#include <memory>
#include <string>
#include <vector>

namespace opentrail::history {

/// A sealed run of records with its index: one immutable file, the index mapped, the blocks read.
/// Whatever is read is compared with its checksum, each time. Any thread.
class SegmentFile final : public BlockSource {
 public:
  /// Errors: Corruption or Unsupported, naming the file; the file's.
  static Result<std::shared_ptr<const SegmentFile>> open(io::Filesystem& files,
                                                         const std::string& path);

  [[nodiscard]] const Index& index() const { return *index_; }
  [[nodiscard]] journal::Offset first() const { return index_->meta().first; }
  [[nodiscard]] journal::Offset end() const { return index_->meta().end; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Tells this file from another of the same name.
  [[nodiscard]] std::uint32_t meta_crc() const { return footer_.meta_crc; }
  [[nodiscard]] const std::string& path() const { return path_; }

  Result<journal::RawBlock> block_at(journal::Offset offset) const override;
  /// Reads all of it, to learn whether it is whole. Errors: Corruption; the file's.
  [[nodiscard]] Result<void> check() const;

 private:
  SegmentFile() = default;
  Result<void> read_meta();
  Result<void> read_dictionaries();
  [[nodiscard]] std::unexpected<Error> corrupt(std::uint64_t position, std::string_view what) const;

  /// A block and where it is.
  struct Place {
    BlockEntry entry;
    journal::Offset first{0};
    std::uint64_t position = 0;
  };
  [[nodiscard]] Result<Place> find_block(journal::Offset offset) const;

  std::string path_;
  std::unique_ptr<io::File> file_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<io::Mapping> mapping_;
  SegmentFooter footer_;
  SegmentMeta meta_;  ///< Without what index_ holds.
  std::unique_ptr<const Index> index_;
  std::vector<std::shared_ptr<const journal::Dictionary>> dictionaries_;
};

}  // namespace opentrail::history

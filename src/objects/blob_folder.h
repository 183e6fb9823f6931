#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "io/filesystem.h"
#include "io/random.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// The encrypted data files of the embedded store: docs/formats/objects.md. A blob is one file,
/// written once, sealed in chunks under a key of its own.
namespace opentrail::objects {

inline constexpr std::size_t kChunkBytes = 64 << 10;  ///< Plain bytes of a whole chunk.

/// What the index keeps of a blob.
struct Blob {
  std::string id;  ///< 32 hex digits.
  std::uint64_t size = 0;
  std::string sealed_key;  ///< Keyring::seal form of the 32-byte data key.
};

/// A blob while it is written; memory is one chunk. Destroyed without keep(): the file goes.
class BlobWriter {
 public:
  BlobWriter(io::Filesystem& files, std::string path, std::string id, std::string data_key,
             std::unique_ptr<io::File> file);
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;

  Result<void> append(std::string_view bytes);
  /// Seals the last chunk and makes the file and its name durable.
  Result<void> finish();
  /// The index refers to it now (or may do so).
  void keep() { kept_ = true; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& data_key() const { return data_key_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  Result<void> seal_chunk(bool last);

  io::Filesystem& files_;
  std::string path_;
  std::string id_;
  std::string data_key_;
  std::unique_ptr<io::File> file_;
  std::string pending_;
  std::uint64_t next_chunk_ = 0;
  std::uint64_t size_ = 0;
  bool kept_ = false;
};

/// Reads chunks of one blob. Any byte that is not as written is Corruption, naming the blob.
class BlobReader {
 public:
  BlobReader(std::unique_ptr<io::File> file, std::string id, std::string data_key,
             std::uint64_t size);
  /// The plain bytes of chunk `index` (position index * kChunkBytes).
  Result<std::string> chunk(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::unique_ptr<io::File> file_;
  std::string id_;
  std::string data_key_;
  std::uint64_t size_;
};

/// The folder data/xx/. Any thread.
class BlobFolder : public std::enable_shared_from_this<BlobFolder> {
 public:
  BlobFolder(io::Filesystem& files, std::string folder);

  /// A new blob under a random id and data key.
  Result<std::unique_ptr<BlobWriter>> create(io::Random& random);
  Result<std::unique_ptr<BlobReader>> open(const Blob& blob, std::string data_key) const;

  /// While a Pin of `owner` (an object id) lives, the files that retire() was told to remove stay,
  /// so that a read that has begun can end.
  class Pin {
   public:
    Pin(std::shared_ptr<BlobFolder> folder, std::string owner);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    std::shared_ptr<BlobFolder> folder_;
    std::string owner_;
  };
  /// Runs `look_up` so that no retire() comes between what it sees and its pin: the owner that
  /// `look_up` returns is pinned.
  Result<std::unique_ptr<Pin>> pin(const std::function<Result<std::string>()>& look_up)
      EXCLUDES(mutex_);
  /// The index no longer refers to these: removed now, or when the last pin of `owner` goes. A file
  /// that cannot be removed is logged; the next open() removes it.
  void retire(const std::string& owner, const std::vector<std::string>& blob_ids) EXCLUDES(mutex_);

  struct SweepReport {
    std::uint64_t removed = 0;         ///< Files without a row: half-written or replaced ones.
    std::vector<std::string> missing;  ///< Ids with a row but without a file, the first few.
    std::uint64_t missing_count = 0;
  };
  /// Compares the files with the index. `known(from, to)` gives the index's ids in [from, to),
  /// sorted. Only at open, before anything else runs.
  Result<SweepReport> sweep(const std::function<Result<std::vector<std::string>>(
                                const std::string& from, const std::string& to)>& known);

 private:
  struct Pinned {
    std::size_t readers = 0;
    std::vector<std::string> retired;
  };
  void unpin(const std::string& owner) EXCLUDES(mutex_);
  void remove_files(const std::vector<std::string>& blob_ids);
  Result<void> make_folder(const std::string& folder) EXCLUDES(mutex_);
  [[nodiscard]] std::string folder_of(std::string_view blob_id) const;
  [[nodiscard]] std::string path_of(std::string_view blob_id) const;

  io::Filesystem& files_;
  std::string folder_;
  Mutex mutex_;
  std::map<std::string, Pinned> pinned_ GUARDED_BY(mutex_);
  std::set<std::string> durable_ GUARDED_BY(mutex_);  ///< Folders whose names are on the disk.
};

}  // namespace opentrail::objects

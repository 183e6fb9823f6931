#pragma once
#include "base/error.h"
#include "base/text.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The one door to files, so that tests can put a faulty disk behind it. Every write path of the
/// journal, the objects and the keys goes through here. Paths are UTF-8, absolute or relative to
/// the working directory. All calls block; none is for an I/O thread.
/// Errors: NotFound (ENOENT), AlreadyExists (EEXIST), PermissionDenied, ResourceExhausted (ENOSPC,
/// EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM), Unavailable (everything else), each naming the path and
/// the errno text.
namespace opentrail::io {

enum class OpenMode : std::uint8_t {
  Read,       ///< Existing file, reads only.
  Append,     ///< Existing or new file, reads and appends.
  CreateNew,  ///< Must not exist; reads and appends.
};

/// A file's bytes in memory, read-only and shared with whoever writes the file; unmapped by the
/// destructor. It outlives its File, and a rename or removal of the name. Any thread.
///
/// A page that cannot be read (I/O error, a file cut short behind our back) reads as zeros from
/// then on, also after release(), and is counted by mapped_page_faults(): whoever reads a mapping
/// checks a checksum over what it uses, on a thread that does not block SIGBUS. A system call that
/// is handed such a page (write, send) fails with EFAULT instead: copy first what goes to another
/// file or a socket unchecked.
class Mapping {
 public:
  virtual ~Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// The whole file as long as it was at map(); empty for an empty file. Appends made later are not
  /// in it: map again. Starts at a page.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  /// Lets go of the memory its pages take; bytes() stays valid, and what is touched again comes
  /// back from the page cache or the disk.
  virtual void release() const = 0;

 protected:
  explicit Mapping(std::string_view bytes) : bytes_(bytes) {}

 private:
  std::string_view bytes_;
};

/// Most mappings alive at once in a process; one more is refused with ResourceExhausted.
inline constexpr std::size_t kMappingsMax = 16384;

/// Pages of mappings that could not be read and were replaced by zeros since the process started.
/// A page that several threads touch at the same moment may count more than once.
[[nodiscard]] std::uint64_t mapped_page_faults();

/// One open file; closed by the destructor. One writer at a time; `read_at` from any thread.
class File {
 public:
  virtual ~File() = default;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Writes all of `bytes` at the end. After an error the length on disk is unknown.
  virtual Result<void> append(ByteSpan bytes) = 0;
  /// The same for all of `parts`, one behind the other, in as few calls to the kernel as can be.
  virtual Result<void> append(std::span<const ByteSpan> parts) = 0;
  /// Reads up to `bytes` at `position`; fewer only at the end of the file.
  virtual Result<std::string> read_at(std::uint64_t position, std::size_t bytes) const = 0;
  /// Fills `out` from `position` on and says how many bytes it filled; fewer only at the end of the
  /// file. What lies behind them in `out` is unspecified.
  virtual Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const = 0;
  /// Maps the whole file as it is now, for reads in no order (MADV_RANDOM: no read-ahead).
  /// The first call in a process installs a handler of SIGBUS, see Mapping; faults at addresses
  /// outside all mappings go to the handler that was there before.
  /// Errors: as above; ResourceExhausted also at kMappingsMax.
  virtual Result<std::unique_ptr<Mapping>> map() const = 0;
  /// fdatasync. After a failure the file's unsynced contents are unknown: never sync it again.
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(std::uint64_t bytes) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
};

/// Held until destroyed; the kernel lets go of it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Filesystem {
 public:
  virtual ~Filesystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Removes an empty folder.
  virtual Result<void> remove_directory(const std::string& path) = 0;
  /// With parents; mode 0700. An existing folder is fine.
  virtual Result<void> create_directories(const std::string& path) = 0;
  /// Makes renames, creations and removals in `path` durable.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  /// Names in the folder, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  /// Bytes that can still be written on the disk of this folder, by whoever is not root.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& folder) = 0;
  /// Permission bits, for example 0600.
  virtual Result<void> set_mode(const std::string& path, unsigned mode) = 0;
  /// Exclusive, not waiting. Conflict when another process (or this one) holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// The operating system's files. New files have mode 0600.
[[nodiscard]] std::unique_ptr<Filesystem> make_posix_filesystem();

/// Reads a whole file; InvalidArgument when it is larger than `bytes_max`.
Result<std::string> read_file(Filesystem& files, const std::string& path, std::size_t bytes_max);
/// Writes beside, syncs, renames over, syncs the folder: old or new, never half.
Result<void> write_file_atomically(Filesystem& files, const std::string& path,
                                   std::string_view bytes, unsigned mode = 0600);

/// "a/b" + "c" -> "a/b/c".
[[nodiscard]] std::string join_path(std::string_view folder, std::string_view name);
[[nodiscard]] std::string parent_path(std::string_view path);

}  // namespace opentrail::io

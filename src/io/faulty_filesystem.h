#pragma once
#include "io/filesystem.h"
#include "io/random.h"

#include <memory>
#include <optional>

namespace opentrail::io {

/// A disk in memory that fails and loses power on demand: for tests of everything that must survive
/// it. Any thread.
///
/// What it models:
/// - Power loss. Bytes of a file are safe once File::sync() has returned; names (creations,
///   renames, removals, new folders) once sync_directory() of their folder has. crash() loses the
///   rest as disks do: a later change may have reached the disk and an earlier one not, the last
///   append may be there in part, with whole sectors missing in its middle. A name change is all or
///   nothing.
/// - Calls that fail, once: fail_call(), stop_at_call().
/// - A disk that lies about a sync, that is full, that cannot be read in places; too many open
///   files; bytes that rot and files that vanish behind everybody's back. These are of the disk,
///   not of the moment: crash() does not mend them.
/// - Mappings. map() copies the bytes that a read would see now; they stay as they were mapped, but
///   for what happens behind the mapping, which it shows as a real one does: overwrite(),
///   flip_bit(), and zeros where a File::truncate() took bytes away. While fail_reads() is in
///   force, map() shows zeros, as a posix mapping shows of pages that it cannot read. crash()
///   leaves mappings as they are.
///
/// What it does not model: permissions; the room that names take; bytes of a removed file that is
/// still open, which are free at once.
class FaultyFilesystem final : public Filesystem {
 public:
  explicit FaultyFilesystem(std::uint64_t seed);
  ~FaultyFilesystem() override;

  /// The `n`-th call from now (1 is the next one) fails with `error`, once. A failing append has
  /// written some of its bytes; a failing sync has synced nothing, and the bytes it was about never
  /// become durable by a later sync of that file, as on Linux.
  void fail_call(std::uint64_t n, Error error);
  /// The power goes at the `n`-th call from now: it and all that follow fail until crash().
  void stop_at_call(std::uint64_t n);
  /// True once the call named by stop_at_call() was made.
  [[nodiscard]] bool stopped() const;
  /// Power off and on again: what was not synced is lost or torn, open files and locks are gone.
  void crash();
  /// Calls so far, failed ones included.
  [[nodiscard]] std::uint64_t calls() const;

  /// Changes stored bytes behind everybody's back. The file exists and what was written to it is
  /// synced (or the power went since); the bytes are in it or go on behind its end.
  void overwrite(const std::string& path, std::uint64_t position, std::string_view bytes);
  /// The same for one bit: `bit` 0 is the lowest one of the byte at `position`, which exists.
  void flip_bit(const std::string& path, std::uint64_t position, unsigned bit);
  /// The file's name goes away, for good; it exists. Who has it open still reads it.
  void lose_file(const std::string& path);

  /// From the `n`-th call on (1 is the next one) all syncs, of files and of folders, say yes and
  /// make nothing durable: what they were about stays as exposed to crash() as if they were never
  /// made.
  void lie_about_syncs_from_call(std::uint64_t n);
  /// The same for the syncs of one file, by the name it was opened by, or of one folder.
  void lie_about_syncs_of(const std::string& path);
  /// Syncs do what they say again. The next one of a file or folder makes the earlier changes
  /// durable.
  void stop_lying();

  /// The disk has room for so many bytes in all files together, or for any number. An append that
  /// goes beyond writes what fits, then fails with ResourceExhausted (ENOSPC); when nothing is
  /// left, so do new files and folders. May be less than what is stored already.
  void set_capacity(std::optional<std::uint64_t> bytes);
  /// At most so many files and locks are open at once, or any number. open() and lock() beyond
  /// fail with ResourceExhausted (EMFILE); so do list() and sync_directory(), which open the
  /// folder.
  void set_open_files_max(std::optional<std::size_t> files);
  /// File::read_at fails with `error` for a file opened by the name `path`, already or later, until
  /// mend_reads().
  void fail_reads(const std::string& path, Error error);
  void mend_reads(const std::string& path);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> create_directories(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& folder) override;
  Result<void> set_mode(const std::string& path, unsigned mode) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  struct Disk;
  class OpenFile;
  class HeldLock;
  std::shared_ptr<Disk> disk_;  ///< Open files keep it alive.
};

}  // namespace opentrail::io

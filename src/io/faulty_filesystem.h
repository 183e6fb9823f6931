#pragma once
#include "io/filesystem.h"
#include "io/random.h"

#include <memory>

namespace opentrail::io {

/// A disk in memory that fails and loses power on demand: for tests of everything that must survive
/// it. Any thread.
///
/// What it models: bytes of a file are safe once File::sync() has returned; names (creations,
/// renames, removals, new folders) once sync_directory() of their folder has. crash() loses the
/// rest as disks do: a later change may have reached the disk and an earlier one not, the last
/// append may be there in part, with whole sectors missing in its middle. A name change is all or
/// nothing. What it does not model: bytes that rot after they were synced; a disk that lies about a
/// sync.
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
  /// Changes stored bytes behind everybody's back.
  void overwrite(const std::string& path, std::uint64_t position, std::string_view bytes);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> create_directories(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  Result<void> set_mode(const std::string& path, unsigned mode) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  struct Disk;
  class OpenFile;
  class HeldLock;
  std::shared_ptr<Disk> disk_;  ///< Open files keep it alive.
};

}  // namespace opentrail::io

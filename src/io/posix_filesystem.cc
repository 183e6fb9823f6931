#include "io/filesystem.h"
#include "io/mapped_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace opentrail::io {
namespace {

std::unexpected<Error> fail_errno(std::string_view what, std::string_view path) {
  return std::unexpected(error_of(errno, what, path));
}

/// Parts that go to the kernel in one writev.
constexpr std::size_t kPartsPerCall = 64;

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }

  Result<void> append(ByteSpan bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) {
          continue;
        }
        return fail_errno("write", path_);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> append(std::span<const ByteSpan> parts) override {
    std::size_t written = 0;  // of parts.front()
    while (!parts.empty()) {
      std::array<iovec, kPartsPerCall> vectors;  // NOLINT(*-member-init): filled as far as used
      std::size_t used = 0;
      for (const ByteSpan part : parts.first(std::min(parts.size(), kPartsPerCall))) {
        const ByteSpan rest = used == 0 ? part.subspan(written) : part;
        // writev takes pointers to mutable bytes and only reads them.
        vectors[used++] = {const_cast<std::byte*>(rest.data()), rest.size()};
      }
      const ssize_t got = ::writev(fd_, vectors.data(), static_cast<int>(used));
      if (got < 0) {
        if (errno == EINTR) {
          continue;
        }
        return fail_errno("write", path_);
      }
      written += static_cast<std::size_t>(got);
      while (!parts.empty() && written >= parts.front().size()) {
        written -= parts.front().size();
        parts = parts.subspan(1);
      }
    }
    return {};
  }

  Result<std::string> read_at(std::uint64_t position, std::size_t bytes) const override {
    std::string out;
    Result<std::size_t> filled = 0;
    out.resize_and_overwrite(bytes, [&](char* begin, std::size_t size) {
      filled = read_at(position, std::as_writable_bytes(std::span(begin, size)));
      return filled.value_or(0);
    });
    if (!filled) {
      return std::unexpected(std::move(filled).error());
    }
    return out;
  }

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const override {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t got = ::pread(fd_, out.data() + filled, out.size() - filled,
                                  static_cast<off_t>(position + filled));
      if (got < 0) {
        if (errno == EINTR) {
          continue;
        }
        return fail_errno("read", path_);
      }
      if (got == 0) {
        break;
      }
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

  Result<std::unique_ptr<Mapping>> map() const override {
    OT_TRY(const std::uint64_t bytes, size());
    return map_file(fd_, bytes, path_);
  }

  Result<void> sync() override {
    if (::fdatasync(fd_) != 0) {
      return fail_errno("fdatasync", path_);
    }
    return {};
  }

  Result<void> truncate(std::uint64_t bytes) override {
    if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) {
      return fail_errno("truncate", path_);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info{};
    if (::fstat(fd_, &info) != 0) {
      return fail_errno("stat", path_);
    }
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  int fd_;
  std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int fd) : fd_(fd) {}
  ~PosixFileLock() override { ::close(fd_); }
  PosixFileLock(const PosixFileLock&) = delete;
  PosixFileLock& operator=(const PosixFileLock&) = delete;

 private:
  int fd_;
};

class PosixFilesystem final : public Filesystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::Read:
        flags |= O_RDONLY;
        break;
      case OpenMode::Append:
        flags |= O_RDWR | O_APPEND | O_CREAT;
        break;
      case OpenMode::CreateNew:
        flags |= O_RDWR | O_APPEND | O_CREAT | O_EXCL;
        break;
    }
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0) {
      return fail_errno("open", path);
    }
    return std::make_unique<PosixFile>(fd, path);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return fail_errno("rename to", to);
    }
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      return fail_errno("remove", path);
    }
    return {};
  }

  Result<void> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) {
      return fail_errno("remove folder", path);
    }
    return {};
  }

  Result<void> create_directories(const std::string& path) override {
    if (path.empty() || path == "/" || exists(path)) {
      return {};
    }
    OT_TRY_DO(create_directories(parent_path(path)));
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("create folder", path);
    }
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const int fd = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      return fail_errno("open folder", path);
    }
    const int failed = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    errno = error;
    if (failed != 0) {
      return fail_errno("sync folder", path);
    }
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* folder = ::opendir(path.empty() ? "." : path.c_str());
    if (folder == nullptr) {
      return fail_errno("list", path);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): own DIR
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        names.emplace_back(name);
      }
      errno = 0;
    }
    const int error = errno;
    ::closedir(folder);
    if (error != 0) {
      errno = error;
      return fail_errno("list", path);
    }
    std::ranges::sort(names);
    return names;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::uint64_t> free_bytes(const std::string& folder) override {
    struct statvfs disk{};
    if (::statvfs(folder.empty() ? "." : folder.c_str(), &disk) != 0) {
      return fail_errno("ask for the free room of", folder);
    }
    return std::uint64_t{disk.f_bavail} * disk.f_frsize;
  }

  Result<void> set_mode(const std::string& path, unsigned mode) override {
    if (::chmod(path.c_str(), mode) != 0) {
      return fail_errno("set the mode of", path);
    }
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
      return fail_errno("open", path);
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const bool held = errno == EWOULDBLOCK;
      auto error = fail_errno("lock", path);
      ::close(fd);
      return held ? fail(ErrorCode::Conflict, fmt::format("{} is locked", path)) : error;
    }
    return std::make_unique<PosixFileLock>(fd);
  }
};

}  // namespace

std::unique_ptr<Filesystem> make_posix_filesystem() { return std::make_unique<PosixFilesystem>(); }

}  // namespace opentrail::io

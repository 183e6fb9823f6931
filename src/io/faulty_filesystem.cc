#include "io/faulty_filesystem.h"

#include "base/mutex.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace opentrail::io {
namespace {

constexpr std::size_t kSectorBytes = 512;

/// A copy of the file; changes behind everybody's back are made in it too.
class MappedCopy final : public Mapping {
 public:
  explicit MappedCopy(std::shared_ptr<std::string> copy) : Mapping(*copy), copy_(std::move(copy)) {}
  void release() const override {}

 private:
  std::shared_ptr<std::string> copy_;
};

std::unexpected<Error> no_space(std::string_view what, const std::string& path) {
  return fail(ErrorCode::ResourceExhausted,
              fmt::format("{} {}: no space left on device", what, path));
}

/// What a mapping shows of a file that was cut to `bytes`.
void zero_from(std::string& mapped, std::uint64_t bytes) {
  const std::size_t left = std::min<std::size_t>(mapped.size(), bytes);
  std::ranges::fill(std::span(mapped).subspan(left), '\0');
}

/// One file: what programs see, what is safe, and the changes between the two.
struct Inode {
  struct Change {
    enum class Kind : std::uint8_t { Append, Truncate } kind;
    std::string bytes;       ///< Append.
    std::uint64_t size = 0;  ///< Truncate: to this size.
  };
  std::string seen;
  std::string safe;
  std::vector<Change> unsynced;
  /// After a failed sync the kernel counts the pages as clean: later syncs do not write them.
  std::uint64_t lost_from = UINT64_MAX;
  std::vector<std::weak_ptr<std::string>> mapped;  ///< The bytes of its mappings, some gone.

  /// Calls `change` with the bytes of each living mapping.
  void for_each_mapped(auto change) {
    std::erase_if(mapped, [&change](const std::weak_ptr<std::string>& weak) {
      const auto copy = weak.lock();
      if (copy != nullptr) {
        change(*copy);
      }
      return copy == nullptr;
    });
  }

  void overwrite(std::uint64_t position, std::string_view bytes) {
    seen.replace(position, bytes.size(), bytes);
    safe = seen;
    for_each_mapped([position, bytes](std::string& copy) {
      const std::size_t begin = std::min<std::size_t>(position, copy.size());
      std::ranges::copy(bytes.substr(0, copy.size() - begin),
                        std::span(copy).subspan(begin).begin());
    });
  }
};

/// A name that is not safe yet: `inode` is null for a removal.
struct NameChange {
  std::string path;
  std::shared_ptr<Inode> inode;
  std::string renamed_from;  ///< Goes away in the same step; may be empty.
};

}  // namespace

struct FaultyFilesystem::Disk {
  explicit Disk(std::uint64_t seed) : random(seed) {}

  Result<void> count_call(std::string_view what, const std::string& path) REQUIRES(mutex);
  std::uint64_t pick(std::uint64_t below) REQUIRES(mutex);
  void lose_bytes(Inode& inode) REQUIRES(mutex);
  void lose_names() REQUIRES(mutex);
  void apply_append(std::string& bytes, const std::string& appended) REQUIRES(mutex);
  /// For changes behind everybody's back.
  Inode& synced_inode(const std::string& path) REQUIRES(mutex) {
    Inode& inode = *names.at(path);
    OT_CHECK(inode.unsynced.empty());
    return inode;
  }
  [[nodiscard]] bool lies_about(const std::string& path) REQUIRES(mutex);
  [[nodiscard]] std::uint64_t bytes_free() REQUIRES(mutex);
  Result<void> check_room(std::string_view what, const std::string& path) REQUIRES(mutex);
  Result<void> check_descriptors(std::string_view what, const std::string& path) REQUIRES(mutex);
  [[nodiscard]] bool is_folder(const std::string& path) REQUIRES(mutex) {
    return path.empty() || path == "/" || path == "." || folders.contains(path);
  }

  mutable Mutex mutex;
  SeededRandom random GUARDED_BY(mutex);
  std::uint64_t calls GUARDED_BY(mutex) = 0;
  std::uint64_t power GUARDED_BY(mutex) = 0;  ///< Counts crashes; older handles are dead.
  std::optional<std::uint64_t> stop_at GUARDED_BY(mutex);
  bool stopped GUARDED_BY(mutex) = false;
  std::map<std::uint64_t, Error> failures GUARDED_BY(mutex);

  std::optional<std::uint64_t> lie_from GUARDED_BY(mutex);
  std::set<std::string> lied_about GUARDED_BY(mutex);
  std::optional<std::uint64_t> capacity GUARDED_BY(mutex);
  std::optional<std::size_t> open_files_max GUARDED_BY(mutex);
  std::size_t open_files GUARDED_BY(mutex) = 0;
  std::map<std::string, Error> failing_reads GUARDED_BY(mutex);

  std::map<std::string, std::shared_ptr<Inode>> names GUARDED_BY(mutex);
  std::map<std::string, std::shared_ptr<Inode>> safe_names GUARDED_BY(mutex);
  std::vector<NameChange> unsynced_names GUARDED_BY(mutex);
  std::set<std::string> folders GUARDED_BY(mutex);
  std::set<std::string> safe_folders GUARDED_BY(mutex);
  std::set<std::string> locks GUARDED_BY(mutex);
};

Result<void> FaultyFilesystem::Disk::count_call(std::string_view what, const std::string& path) {
  ++calls;
  if (stop_at && calls >= *stop_at) {
    stopped = true;
  }
  if (stopped) {
    return fail(ErrorCode::Unavailable, fmt::format("{} {}: the power is off", what, path));
  }
  if (auto failure = failures.extract(calls)) {
    return std::unexpected(
        std::move(failure.mapped()).while_doing(fmt::format("{} {}", what, path)));
  }
  return {};
}

/// About the call that was counted last.
bool FaultyFilesystem::Disk::lies_about(const std::string& path) {
  return (lie_from && calls >= *lie_from) || lied_about.contains(path);
}

std::uint64_t FaultyFilesystem::Disk::bytes_free() {
  if (!capacity) {
    return UINT64_MAX;
  }
  std::uint64_t used = 0;
  for (const auto& [path, inode] : names) {
    used += inode->seen.size();
  }
  return used < *capacity ? *capacity - used : 0;
}

Result<void> FaultyFilesystem::Disk::check_room(std::string_view what, const std::string& path) {
  if (bytes_free() == 0) {
    return no_space(what, path);
  }
  return {};
}

Result<void> FaultyFilesystem::Disk::check_descriptors(std::string_view what,
                                                       const std::string& path) {
  if (open_files_max && open_files >= *open_files_max) {
    return fail(ErrorCode::ResourceExhausted,
                fmt::format("{} {}: too many open files", what, path));
  }
  return {};
}

std::uint64_t FaultyFilesystem::Disk::pick(std::uint64_t below) {
  std::array<std::byte, 8> bytes{};
  random.fill(bytes);
  std::uint64_t value = 0;
  for (const std::byte b : bytes) {
    value = (value << 8) | std::to_integer<std::uint64_t>(b);
  }
  return value % below;
}

/// Some of `appended` behind `bytes`: a part of its length, of which sectors may be zero.
void FaultyFilesystem::Disk::apply_append(std::string& bytes, const std::string& appended) {
  const std::size_t begin = bytes.size();
  bytes.append(appended, 0, pick(appended.size() + 1));
  if (pick(2) == 0) {
    return;
  }
  for (std::size_t at = begin; at < bytes.size();) {
    const std::size_t end = std::min(bytes.size(), (at / kSectorBytes + 1) * kSectorBytes);
    if (pick(3) == 0) {
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    }
    at = end;
  }
}

void FaultyFilesystem::Disk::lose_bytes(Inode& inode) {
  std::string bytes = inode.safe;
  const std::uint64_t whole = pick(inode.unsynced.size() + 1);
  for (std::size_t i = 0; i < inode.unsynced.size(); ++i) {
    const Inode::Change& change = inode.unsynced[i];
    if (i > whole) {
      break;
    }
    if (change.kind == Inode::Change::Kind::Append) {
      if (i < whole) {
        bytes += change.bytes;
      } else {
        apply_append(bytes, change.bytes);
      }
    } else if (i < whole) {
      bytes.resize(std::min<std::size_t>(bytes.size(), change.size));
    }
  }
  inode.seen = bytes;
  inode.safe = std::move(bytes);
  inode.unsynced.clear();
  inode.lost_from = UINT64_MAX;
}

void FaultyFilesystem::Disk::lose_names() {
  for (const NameChange& change : unsynced_names) {
    if (pick(2) == 0) {
      continue;
    }
    if (!change.renamed_from.empty()) {
      safe_names.erase(change.renamed_from);
    }
    if (change.inode == nullptr) {
      safe_names.erase(change.path);
    } else {
      safe_names[change.path] = change.inode;
    }
  }
  unsynced_names.clear();
  for (const std::string& folder : folders) {
    if (!safe_folders.contains(folder) && pick(2) == 0) {
      safe_folders.insert(folder);
    }
  }
  folders.clear();
  for (const std::string& folder : safe_folders) {
    const std::string parent = parent_path(folder);
    if (is_folder(parent)) {  // parents sort before their children
      folders.insert(folder);
    }
  }
  safe_folders = folders;
  std::erase_if(safe_names, [this](const auto& entry)
                                REQUIRES(mutex) { return !is_folder(parent_path(entry.first)); });
  names = safe_names;
}

class FaultyFilesystem::HeldLock final : public FileLock {
 public:
  HeldLock(std::shared_ptr<Disk> disk, std::string path, std::uint64_t power)
      : disk_(std::move(disk)), path_(std::move(path)), power_(power) {}
  ~HeldLock() override {
    const MutexLock lock(disk_->mutex);
    if (disk_->power == power_) {
      disk_->locks.erase(path_);
      --disk_->open_files;
    }
  }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  std::shared_ptr<Disk> disk_;
  std::string path_;
  std::uint64_t power_;
};

class FaultyFilesystem::OpenFile final : public File {
 public:
  OpenFile(std::shared_ptr<Disk> disk, std::shared_ptr<Inode> inode, std::string path,
           std::uint64_t power, bool writable)
      : disk_(std::move(disk)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        power_(power),
        writable_(writable) {}
  ~OpenFile() override {
    const MutexLock lock(disk_->mutex);
    if (disk_->power == power_) {
      --disk_->open_files;
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  Result<void> append(ByteSpan bytes) override { return append(std::span(&bytes, 1)); }

  /// One call, as one writev.
  Result<void> append(std::span<const ByteSpan> parts) override {
    const MutexLock lock(disk_->mutex);
    OT_TRY_DO(check_writable("write"));
    auto called = disk_->count_call("write", path_);
    std::string text;
    for (const ByteSpan part : parts) {
      text += as_text(part);
    }
    if (!called) {
      text.resize(disk_->pick(text.size() + 1));
    }
    if (const std::uint64_t room = disk_->bytes_free(); text.size() > room) {
      text.resize(room);
      if (called) {
        called = no_space("write", path_);
      }
    }
    if (!text.empty()) {
      inode_->seen += text;
      inode_->unsynced.push_back({Inode::Change::Kind::Append, std::move(text), 0});
    }
    return called;
  }

  Result<std::string> read_at(std::uint64_t position, std::size_t bytes) const override {
    const MutexLock lock(disk_->mutex);
    OT_TRY(const std::string_view found, find(position, bytes));
    return std::string(found);
  }

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const override {
    const MutexLock lock(disk_->mutex);
    OT_TRY(const std::string_view found, find(position, out.size()));
    std::ranges::copy(as_bytes(found), out.begin());
    return found.size();
  }

  Result<std::unique_ptr<Mapping>> map() const override {
    const MutexLock lock(disk_->mutex);
    OT_TRY_DO(check_alive("map"));
    OT_TRY_DO(disk_->count_call("map", path_));
    auto copy = disk_->failing_reads.contains(path_)
                    ? std::make_shared<std::string>(inode_->seen.size(), '\0')
                    : std::make_shared<std::string>(inode_->seen);
    inode_->mapped.push_back(copy);
    return std::make_unique<MappedCopy>(std::move(copy));
  }

  Result<void> sync() override {
    const MutexLock lock(disk_->mutex);
    OT_TRY_DO(check_writable("fdatasync"));
    if (auto called = disk_->count_call("fdatasync", path_); !called) {
      inode_->lost_from = std::min<std::uint64_t>(inode_->lost_from, inode_->safe.size());
      return called;
    }
    if (disk_->lies_about(path_) || inode_->seen.size() > inode_->lost_from) {
      return {};  // says yes and writes nothing (or nothing of what was lost)
    }
    inode_->safe = inode_->seen;
    inode_->unsynced.clear();
    return {};
  }

  Result<void> truncate(std::uint64_t bytes) override {
    const MutexLock lock(disk_->mutex);
    OT_TRY_DO(check_writable("truncate"));
    OT_TRY_DO(disk_->count_call("truncate", path_));
    inode_->seen.resize(bytes);
    inode_->for_each_mapped([bytes](std::string& mapped) { zero_from(mapped, bytes); });
    inode_->unsynced.push_back({Inode::Change::Kind::Truncate, {}, bytes});
    if (bytes <= inode_->lost_from) {
      inode_->lost_from = UINT64_MAX;
    }
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    const MutexLock lock(disk_->mutex);
    OT_TRY_DO(check_alive("stat"));
    OT_TRY_DO(disk_->count_call("stat", path_));
    return inode_->seen.size();
  }

 private:
  Result<void> check_alive(std::string_view what) const REQUIRES(disk_->mutex) {
    if (disk_->power != power_) {
      return fail(ErrorCode::Unavailable, fmt::format("{} {}: opened before a crash", what, path_));
    }
    return {};
  }
  /// The bytes to read; valid while the lock is held.
  Result<std::string_view> find(std::uint64_t position, std::size_t bytes) const
      REQUIRES(disk_->mutex) {
    OT_TRY_DO(check_alive("read"));
    OT_TRY_DO(disk_->count_call("read", path_));
    if (const auto failing = disk_->failing_reads.find(path_);
        failing != disk_->failing_reads.end()) {
      return std::unexpected(Error(failing->second).while_doing(fmt::format("read {}", path_)));
    }
    const std::string_view seen = inode_->seen;
    return seen.substr(std::min<std::size_t>(position, seen.size()), bytes);
  }
  Result<void> check_writable(std::string_view what) const REQUIRES(disk_->mutex) {
    if (!writable_) {
      return fail(ErrorCode::Unavailable, fmt::format("{} {}: opened to read", what, path_));
    }
    return check_alive(what);
  }

  std::shared_ptr<Disk> disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  std::uint64_t power_;
  bool writable_;
};

FaultyFilesystem::FaultyFilesystem(std::uint64_t seed) : disk_(std::make_shared<Disk>(seed)) {}
FaultyFilesystem::~FaultyFilesystem() = default;

void FaultyFilesystem::fail_call(std::uint64_t n, Error error) {
  const MutexLock lock(disk_->mutex);
  disk_->failures.insert_or_assign(disk_->calls + n, std::move(error));
}

void FaultyFilesystem::stop_at_call(std::uint64_t n) {
  const MutexLock lock(disk_->mutex);
  disk_->stop_at = disk_->calls + n;
}

bool FaultyFilesystem::stopped() const {
  const MutexLock lock(disk_->mutex);
  return disk_->stopped;
}

void FaultyFilesystem::crash() {
  const MutexLock lock(disk_->mutex);
  ++disk_->power;
  disk_->stop_at.reset();
  disk_->stopped = false;
  disk_->failures.clear();
  disk_->locks.clear();
  disk_->open_files = 0;
  disk_->lose_names();
  for (const auto& [path, inode] : disk_->names) {
    disk_->lose_bytes(*inode);
  }
}

std::uint64_t FaultyFilesystem::calls() const {
  const MutexLock lock(disk_->mutex);
  return disk_->calls;
}

void FaultyFilesystem::overwrite(const std::string& path, std::uint64_t position,
                                 std::string_view bytes) {
  const MutexLock lock(disk_->mutex);
  disk_->synced_inode(path).overwrite(position, bytes);
}

void FaultyFilesystem::flip_bit(const std::string& path, std::uint64_t position, unsigned bit) {
  const MutexLock lock(disk_->mutex);
  Inode& inode = disk_->synced_inode(path);
  OT_CHECK(position < inode.seen.size() && bit < 8);
  const char flipped = static_cast<char>(inode.seen[position] ^ (1 << bit));
  inode.overwrite(position, {&flipped, 1});
}

void FaultyFilesystem::lose_file(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_CHECK(disk_->names.erase(path) == 1);
  disk_->safe_names.erase(path);
  std::erase_if(
      disk_->unsynced_names, [this, &path](const NameChange& change) REQUIRES(disk_->mutex) {
        if (change.path != path) {
          return false;
        }
        disk_->safe_names.erase(change.renamed_from);  // or it would come back by its old name
        return true;
      });
}

void FaultyFilesystem::lie_about_syncs_from_call(std::uint64_t n) {
  const MutexLock lock(disk_->mutex);
  disk_->lie_from = disk_->calls + n;
}

void FaultyFilesystem::lie_about_syncs_of(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  disk_->lied_about.insert(path);
}

void FaultyFilesystem::stop_lying() {
  const MutexLock lock(disk_->mutex);
  disk_->lie_from.reset();
  disk_->lied_about.clear();
}

void FaultyFilesystem::set_capacity(std::optional<std::uint64_t> bytes) {
  const MutexLock lock(disk_->mutex);
  disk_->capacity = bytes;
}

void FaultyFilesystem::set_open_files_max(std::optional<std::size_t> files) {
  const MutexLock lock(disk_->mutex);
  disk_->open_files_max = files;
}

void FaultyFilesystem::fail_reads(const std::string& path, Error error) {
  const MutexLock lock(disk_->mutex);
  disk_->failing_reads.insert_or_assign(path, std::move(error));
}

void FaultyFilesystem::mend_reads(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  disk_->failing_reads.erase(path);
}

Result<std::unique_ptr<File>> FaultyFilesystem::open(const std::string& path, OpenMode mode) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("open", path));
  OT_TRY_DO(disk_->check_descriptors("open", path));
  auto found = disk_->names.find(path);
  if (found == disk_->names.end()) {
    if (mode == OpenMode::Read || !disk_->is_folder(parent_path(path))) {
      return fail(ErrorCode::NotFound, fmt::format("open {}: no such file", path));
    }
    OT_TRY_DO(disk_->check_room("open", path));
    found = disk_->names.emplace(path, std::make_shared<Inode>()).first;
    disk_->unsynced_names.push_back({path, found->second, {}});
  } else if (mode == OpenMode::CreateNew) {
    return fail(ErrorCode::AlreadyExists, fmt::format("open {}: exists", path));
  }
  ++disk_->open_files;
  return std::make_unique<OpenFile>(disk_, found->second, path, disk_->power,
                                    mode != OpenMode::Read);
}

Result<void> FaultyFilesystem::rename(const std::string& from, const std::string& to) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("rename", from));
  auto moved = disk_->names.extract(from);
  if (!moved) {
    return fail(ErrorCode::NotFound, fmt::format("rename {}: no such file", from));
  }
  disk_->unsynced_names.push_back({to, moved.mapped(), from});
  disk_->names.insert_or_assign(to, std::move(moved.mapped()));
  return {};
}

Result<void> FaultyFilesystem::remove(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("remove", path));
  if (disk_->names.erase(path) == 0) {
    return fail(ErrorCode::NotFound, fmt::format("remove {}: no such file", path));
  }
  disk_->unsynced_names.push_back({path, nullptr, {}});
  return {};
}

Result<void> FaultyFilesystem::remove_directory(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("remove folder", path));
  for (const auto& [name, inode] : disk_->names) {
    if (parent_path(name) == path) {
      return fail(ErrorCode::AlreadyExists, fmt::format("remove folder {}: not empty", path));
    }
  }
  if (disk_->folders.erase(path) == 0) {
    return fail(ErrorCode::NotFound, fmt::format("remove folder {}: no such folder", path));
  }
  disk_->safe_folders.erase(path);
  return {};
}

Result<void> FaultyFilesystem::create_directories(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("create folder", path));
  if (!disk_->is_folder(path)) {
    OT_TRY_DO(disk_->check_room("create folder", path));
  }
  for (std::string folder = path; !disk_->is_folder(folder); folder = parent_path(folder)) {
    disk_->folders.insert(folder);
  }
  return {};
}

Result<void> FaultyFilesystem::sync_directory(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("sync folder", path));
  if (!disk_->is_folder(path)) {
    return fail(ErrorCode::NotFound, fmt::format("sync folder {}: no such folder", path));
  }
  OT_TRY_DO(disk_->check_descriptors("sync folder", path));
  if (disk_->lies_about(path)) {
    return {};
  }
  std::erase_if(disk_->unsynced_names,
                [this, &path](const NameChange& change) REQUIRES(disk_->mutex) {
                  if (parent_path(change.path) != path) {
                    return false;
                  }
                  if (!change.renamed_from.empty()) {
                    disk_->safe_names.erase(change.renamed_from);
                  }
                  if (change.inode == nullptr) {
                    disk_->safe_names.erase(change.path);
                  } else {
                    disk_->safe_names[change.path] = change.inode;
                  }
                  return true;
                });
  for (const std::string& folder : disk_->folders) {
    if (parent_path(folder) == path) {
      disk_->safe_folders.insert(folder);
    }
  }
  return {};
}

Result<std::vector<std::string>> FaultyFilesystem::list(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("list", path));
  if (!disk_->is_folder(path)) {
    return fail(ErrorCode::NotFound, fmt::format("list {}: no such folder", path));
  }
  OT_TRY_DO(disk_->check_descriptors("list", path));
  const auto leaf = [](const std::string& full) { return full.substr(full.rfind('/') + 1); };
  std::vector<std::string> found;
  for (const auto& [name, inode] : disk_->names) {
    if (parent_path(name) == path) {
      found.push_back(leaf(name));
    }
  }
  for (const std::string& folder : disk_->folders) {
    if (parent_path(folder) == path) {
      found.push_back(leaf(folder));
    }
  }
  std::ranges::sort(found);
  return found;
}

bool FaultyFilesystem::exists(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  return disk_->names.contains(path) || disk_->is_folder(path);
}

Result<std::uint64_t> FaultyFilesystem::free_bytes(const std::string& folder) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("ask for the free room of", folder));
  return disk_->bytes_free();
}

Result<void> FaultyFilesystem::set_mode(const std::string& path, unsigned /*mode*/) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("set the mode of", path));
  if (!disk_->names.contains(path)) {
    return fail(ErrorCode::NotFound, fmt::format("set the mode of {}: no such file", path));
  }
  return {};
}

Result<std::unique_ptr<FileLock>> FaultyFilesystem::lock(const std::string& path) {
  const MutexLock lock(disk_->mutex);
  OT_TRY_DO(disk_->count_call("lock", path));
  OT_TRY_DO(disk_->check_descriptors("lock", path));
  if (!disk_->locks.insert(path).second) {
    return fail(ErrorCode::Conflict, fmt::format("{} is locked", path));
  }
  ++disk_->open_files;
  return std::make_unique<HeldLock>(disk_, path, disk_->power);
}

}  // namespace opentrail::io

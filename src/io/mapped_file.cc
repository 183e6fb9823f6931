#include "io/mapped_file.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace opentrail::io {

Error error_of(int error_number, std::string_view what, std::string_view path) {
  ErrorCode code = ErrorCode::Unavailable;
  switch (error_number) {
    case ENOENT:
      code = ErrorCode::NotFound;
      break;
    case EEXIST:
    case ENOTEMPTY:
      code = ErrorCode::AlreadyExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::PermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      code = ErrorCode::ResourceExhausted;
      break;
    default:
      break;
  }
  return {code,
          fmt::format("{} {}: {}", what, path, std::generic_category().message(error_number))};
}

namespace {

constexpr std::uintptr_t kPageBytes = 4096;  // x86-64
/// A range is one word, so that the handler of SIGBUS never sees half of one: the number of its
/// first page (user addresses have 47 bits), then how many pages there are. 0 is a free place.
constexpr unsigned kPagesBits = 29;
constexpr std::uint64_t kPagesMax = (std::uint64_t{1} << kPagesBits) - 1;  // 2 TiB
using Range = std::uint64_t;

struct Table {
  std::array<std::atomic<Range>, kMappingsMax> ranges{};
  std::atomic<std::size_t> next{0};  ///< Where to look first for a free place; only a hint.
  std::atomic<std::uint64_t> pages_replaced{0};
  struct sigaction previous{};  ///< Written once, before our handler is in force.
};
static_assert(std::atomic<Range>::is_always_lock_free);
Table table;  // NOLINT: constant-initialized; a signal handler has nothing else to reach it by

std::uint64_t pages_of(std::uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes; }

bool is_mapped(std::uintptr_t address) {
  const std::uint64_t page = address / kPageBytes;
  for (const std::atomic<Range>& place : table.ranges) {
    const Range range = place.load(std::memory_order_acquire);
    const std::uint64_t first = range >> kPagesBits;
    if (page >= first && page - first < (range & kPagesMax)) {
      return true;
    }
  }
  return false;
}

/// Async-signal-safe: a bare system call, without what a C library or a sanitizer hangs on mmap.
bool replace_page(std::uintptr_t address) {
  const std::uintptr_t page = address & ~(kPageBytes - 1);
  const int64_t mapped = ::syscall(SYS_mmap, page, kPageBytes, PROT_READ,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return mapped == static_cast<int64_t>(page);
}

/// Runs on the thread that touched the page, which holds the Mapping alive meanwhile: the range
/// cannot go away under us. The idea is systemd's (journald, src/basic/sigbus.c).
void on_bus_error(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const int errno_before = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const bool of_an_access =
      info->si_code == BUS_ADRERR || info->si_code == BUS_OBJERR || info->si_code == BUS_MCEERR_AR;
  if (of_an_access && is_mapped(address) && replace_page(address)) {
    table.pages_replaced.fetch_add(1, std::memory_order_relaxed);
  } else {
    ::sigaction(SIGBUS, &table.previous, nullptr);
    if (!of_an_access) {
      ::raise(SIGBUS);  // sent by somebody: it would not come again by itself
    }
  }
  errno = errno_before;
}

/// False, with errno, when it could not be installed.
bool install_handler() {
  static const bool installed = [] {
    if (::sigaction(SIGBUS, nullptr, &table.previous) != 0) {
      return false;
    }
    struct sigaction action{};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  return installed;
}

/// The place of the table where the range now stands, or null when it is full.
std::atomic<Range>* enter(const void* begin, std::uint64_t pages) {
  const Range range = (reinterpret_cast<std::uintptr_t>(begin) / kPageBytes) << kPagesBits | pages;
  const std::size_t start = table.next.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kMappingsMax; ++i) {
    const std::size_t at = (start + i) % kMappingsMax;
    Range none = 0;
    if (table.ranges[at].load(std::memory_order_relaxed) == 0 &&
        table.ranges[at].compare_exchange_strong(none, range, std::memory_order_acq_rel)) {
      table.next.store((at + 1) % kMappingsMax, std::memory_order_relaxed);
      return &table.ranges[at];
    }
  }
  return nullptr;
}

class MappedFile final : public Mapping {
 public:
  MappedFile(void* begin, std::size_t bytes, std::atomic<Range>* place)
      : Mapping({static_cast<const char*>(begin), bytes}), begin_(begin), place_(place) {}
  ~MappedFile() override {
    // First out of the table: the addresses may belong to another at once.
    place_->store(0, std::memory_order_release);
    ::munmap(begin_, bytes().size());
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  void release() const override { ::madvise(begin_, bytes().size(), MADV_DONTNEED); }

 private:
  void* begin_;
  std::atomic<Range>* place_;
};

/// mmap knows no empty mapping.
class EmptyMapping final : public Mapping {
 public:
  EmptyMapping() : Mapping({}) {}
  void release() const override {}
};

}  // namespace

Result<std::unique_ptr<Mapping>> map_file(int fd, std::uint64_t bytes, std::string_view path) {
  if (bytes == 0) {
    return std::make_unique<EmptyMapping>();
  }
  if (pages_of(bytes) > kPagesMax) {
    return fail(
        ErrorCode::ResourceExhausted,
        fmt::format("map {}: {} bytes are more than the 2 TiB of one mapping", path, bytes));
  }
  if (!install_handler()) {
    return std::unexpected(error_of(errno, "handle SIGBUS to map", path));
  }
  void* const begin = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (begin == MAP_FAILED) {  // NOLINT(*-no-int-to-ptr): the kernel's constant
    return std::unexpected(error_of(errno, "map", path));
  }
  ::madvise(begin, bytes, MADV_RANDOM);  // advice: that it fails changes nothing
  std::atomic<Range>* const place = enter(begin, pages_of(bytes));
  if (place == nullptr) {
    ::munmap(begin, bytes);
    return fail(ErrorCode::ResourceExhausted,
                fmt::format("map {}: {} files are mapped, no more can be", path, kMappingsMax));
  }
  return std::make_unique<MappedFile>(begin, bytes, place);
}

std::uint64_t mapped_page_faults() { return table.pages_replaced.load(std::memory_order_relaxed); }

}  // namespace opentrail::io

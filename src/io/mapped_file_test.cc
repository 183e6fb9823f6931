// Goal: a mapping shows the file, survives what happens to it, and a page that cannot be read is
// zeros and counted, on any thread, while a fault that is not ours still ends the process. Method:
// files cut short behind their mappings, which raises SIGBUS as an I/O error does.
#include "io/filesystem.h"
#include "io/temp_folder.h"

#include <algorithm>
#include <array>
#include <barrier>
#include <csignal>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace opentrail::io {
namespace {

constexpr std::size_t kPageBytes = 4096;

class MappedFileTest : public testing::Test {
 protected:
  std::unique_ptr<File> create(std::string_view name, std::string_view bytes) {
    auto file = files_->open(join_path(folder_.path(), name), OpenMode::CreateNew).value();
    EXPECT_TRUE(file->append(as_bytes(bytes)));
    return file;
  }

  TempFolder folder_;
  std::unique_ptr<Filesystem> files_ = make_posix_filesystem();
};

bool is_all(std::string_view bytes, char wanted) {
  return std::ranges::all_of(bytes, [wanted](char c) { return c == wanted; });
}

TEST_F(MappedFileTest, ShowsTheWholeFileAndOutlivesIt) {
  auto file = create("a", std::string(3 * kPageBytes + 5, 'x'));
  const auto mapping = file->map().value();
  ASSERT_TRUE(file->append(as_bytes("more")));
  file.reset();
  ASSERT_TRUE(files_->remove(join_path(folder_.path(), "a")));
  EXPECT_EQ(mapping->bytes(), std::string(3 * kPageBytes + 5, 'x'));
  mapping->release();
  EXPECT_EQ(mapping->bytes(), std::string(3 * kPageBytes + 5, 'x'));
}

TEST_F(MappedFileTest, AnEmptyFileIsAnEmptyView) {
  const auto file = create("a", "");
  const auto mapping = file->map().value();
  EXPECT_TRUE(mapping->bytes().empty());
  mapping->release();
}

TEST_F(MappedFileTest, IsSharedWithItsWriter) {
  const auto file = create("a", "abc");
  const auto mapping = file->map().value();
  ASSERT_TRUE(file->truncate(1));
  ASSERT_TRUE(file->append(as_bytes("BC")));
  EXPECT_EQ(mapping->bytes(), "aBC");
}

TEST_F(MappedFileTest, LostPagesAreZerosAndCounted) {
  const auto file = create("a", std::string(4 * kPageBytes, 'x'));
  const auto mapping = file->map().value();
  const std::uint64_t before = mapped_page_faults();
  ASSERT_TRUE(file->truncate(kPageBytes + 1));
  EXPECT_TRUE(is_all(mapping->bytes().substr(0, kPageBytes + 1), 'x'));
  EXPECT_TRUE(is_all(mapping->bytes().substr(kPageBytes + 1), '\0'));
  EXPECT_EQ(mapped_page_faults() - before, 2U) << "the file's last page is there, cut";

  mapping->release();
  EXPECT_TRUE(is_all(mapping->bytes().substr(kPageBytes + 1), '\0'));
  EXPECT_EQ(mapped_page_faults() - before, 2U) << "a lost page stays replaced";
  EXPECT_TRUE(is_all(mapping->bytes().substr(0, kPageBytes + 1), 'x'));
}

TEST_F(MappedFileTest, ThreadsMeetLostPagesTogether) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kPages = 64;
  const auto file = create("a", std::string(kPages * kPageBytes, 'x'));
  const auto mapping = file->map().value();
  const std::uint64_t before = mapped_page_faults();
  ASSERT_TRUE(file->truncate(0));
  std::barrier start(kThreads);
  std::array<bool, kThreads> zeros{};
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (bool& zero : zeros) {
      threads.emplace_back([&start, &zero, bytes = mapping->bytes()] {
        start.arrive_and_wait();
        zero = is_all(bytes, '\0');
      });
    }
  }
  EXPECT_TRUE(std::ranges::all_of(zeros, std::identity()));
  EXPECT_GE(mapped_page_faults() - before, kPages);
  EXPECT_LE(mapped_page_faults() - before, kPages * kThreads);
}

TEST_F(MappedFileTest, MappingsComeAndGoWhileOthersFault) {
  const auto file = create("a", std::string(2 * kPageBytes, 'x'));
  const auto cut = create("b", std::string(2 * kPageBytes, 'x'));
  std::jthread mapper([&file](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EXPECT_TRUE(is_all(file->map().value()->bytes(), 'x'));
    }
  });
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(cut->truncate(0));
    ASSERT_TRUE(cut->append(as_bytes(std::string(2 * kPageBytes, 'x'))));
    const auto mapping = cut->map().value();
    ASSERT_TRUE(cut->truncate(0));
    EXPECT_TRUE(is_all(mapping->bytes(), '\0'));
  }
}

TEST_F(MappedFileTest, RefusesWhatIsBeyondTheTable) {
  const auto file = create("a", "x");
  std::vector<std::unique_ptr<Mapping>> mappings;
  std::optional<Error> refused;
  while (!refused && mappings.size() <= kMappingsMax) {
    auto mapping = file->map();
    if (mapping) {
      mappings.push_back(*std::move(mapping));
    } else {
      refused = std::move(mapping).error();
    }
  }
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code(), ErrorCode::ResourceExhausted);
  EXPECT_NE(refused->message().find("/a: 16384 files"), std::string::npos) << refused->message();
  EXPECT_EQ(mappings.size(), kMappingsMax);
  mappings.erase(mappings.begin() + 7);
  EXPECT_TRUE(file->map()) << "a place is free again";
}

using MappedFileDeathTest = MappedFileTest;

/// A fault of somebody else's mapping, after the first of ours.
char touch_lost_page(File& file, const std::string& path) {
  const auto mapping = file.map().value();
  const int foreign = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  OT_CHECK(foreign >= 0);
  const void* const begin = ::mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, foreign, 0);
  OT_CHECK(file.truncate(0).has_value());
  return *static_cast<const volatile char*>(begin);
}

void no_core() {
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
}

TEST_F(MappedFileDeathTest, FaultsThatAreNotOursAreFatal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto file = create("a", "x");
  const std::string path = join_path(folder_.path(), "a");
  const auto fault = [&] {
    no_core();
    ::signal(SIGBUS, SIG_DFL);
    touch_lost_page(*file, path);
  };
  EXPECT_EXIT(fault(), testing::KilledBySignal(SIGBUS), "");
  const auto be_sent = [&] {
    no_core();
    ::signal(SIGBUS, SIG_DFL);
    const auto mapping = file->map().value();
    ::raise(SIGBUS);
  };
  EXPECT_EXIT(be_sent(), testing::KilledBySignal(SIGBUS), "");
}

TEST_F(MappedFileDeathTest, ThePreviousHandlerIsAsked) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto file = create("a", "x");
  const std::string path = join_path(folder_.path(), "a");
  const auto fault = [&] {
    ::signal(SIGBUS, [](int) { ::_exit(42); });
    touch_lost_page(*file, path);
  };
  EXPECT_EXIT(fault(), testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace opentrail::io

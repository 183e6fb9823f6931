#pragma once
#include "base/error.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace opentrail::io {

/// A fresh folder for a test, removed with all it holds at the end.
class TempFolder {
 public:
  TempFolder() : TempFolder(std::filesystem::temp_directory_path()) {}
  explicit TempFolder(const std::filesystem::path& parent) {
    std::string pattern = (parent / "opentrail-XXXXXX").string();
    OT_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  /// In memory where the system has such a place: for tests that commit thousands of times and do
  /// not ask what survives a loss of power.
  [[nodiscard]] static std::filesystem::path fast_parent() {
    const std::filesystem::path memory = "/dev/shm";
    return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace opentrail::io

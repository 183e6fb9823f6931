#include "collect/file_walk.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace opentrail::collect {

namespace {

namespace fs = std::filesystem;

/// `/`-joined without changing what the user typed: "logs/" stays "logs/x.json".
std::string child_path(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

class Walker {
 public:
  explicit Walker(const WalkVisitor& visitor) : visitor_(visitor) {}

  Result<void> visit(const std::string& path, bool given_itself, int depth) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (error || status.type() == fs::file_type::not_found) {
      return skip(path, error ? error.message() : "a link to nothing", true);
    }
    if (status.type() == fs::file_type::directory) {
      if (!given_itself && fs::is_symlink(path, error)) {
        return skip(path, "a link to a folder; name the folder itself to import it", false);
      }
      return visit_folder(path, depth);
    }
    if (status.type() != fs::file_type::regular) {
      return skip(path, "not a regular file", false);
    }
    return visit_file(path, given_itself);
  }

 private:
  Result<void> visit_file(const std::string& path, bool given_itself) {
    const FileKind kind = given_itself ? FileKind::Json : file_kind(path);
    if (kind == FileKind::Other) {
      return skip(path, "not JSON by its name", false);
    }
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) {
      return skip(path, error.message(), true);
    }
    return visitor_.on_file(InputFile{.path = path, .bytes = bytes, .kind = kind});
  }

  Result<void> visit_folder(const std::string& path, int depth) {
    if (depth >= kFolderDepthMax) {
      return skip(path, fmt::format("more than {} folders deep", kFolderDepthMax), true);
    }
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) {
      return skip(path, error.message(), true);
    }
    std::ranges::sort(names);
    for (const std::string& name : names) {
      OT_TRY_DO(visit(child_path(path, name), false, depth + 1));
    }
    return {};
  }

  Result<void> skip(const std::string& path, std::string reason, bool failed) {
    return visitor_.on_skipped(
        SkippedPath{.path = path, .reason = std::move(reason), .failed = failed});
  }

  const WalkVisitor& visitor_;
};

}  // namespace

FileKind file_kind(std::string_view path) {
  static constexpr std::array<std::string_view, 5> kJsonEndings = {".json", ".json.gz", ".ndjson",
                                                                   ".jsonl", ".cloudtrail"};
  static constexpr std::array<std::string_view, 4> kMaybeEndings = {".log", ".gz", ".gzip",
                                                                    ".log.gz"};
  const std::string name = to_lower(path);
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  if (std::ranges::any_of(kJsonEndings, ends)) {
    return FileKind::Json;
  }
  return std::ranges::any_of(kMaybeEndings, ends) ? FileKind::MaybeJson : FileKind::Other;
}

Result<void> walk(const std::vector<std::string>& paths, const WalkVisitor& visitor) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::exists(path, error)) {
      return fail(ErrorCode::NotFound,
                  fmt::format("{}: {}", path, error ? error.message() : "no such file or folder"));
    }
  }
  Walker walker(visitor);
  for (const std::string& path : paths) {
    OT_TRY_DO(walker.visit(path, true, 0));
  }
  return {};
}

}  // namespace opentrail::collect

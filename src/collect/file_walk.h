#pragma once
#include "base/error.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Finds the files to import. Nothing is passed over in silence: what is not taken is named.
namespace opentrail::collect {

/// How sure a name is that the file holds records.
enum class FileKind : std::uint8_t {
  Json,       ///< Named for it (.json, .json.gz, .ndjson, .jsonl, .cloudtrail), or given itself.
  MaybeJson,  ///< .log, .gz: many things are; the content decides.
  Other,      ///< Not taken out of a folder.
};
/// Judges by the name alone; case does not matter.
[[nodiscard]] FileKind file_kind(std::string_view path);

struct InputFile {
  std::string path;
  std::uint64_t bytes = 0;
  FileKind kind = FileKind::Json;
};

/// Something in a folder that is not read, and why ("not JSON by its name", "Permission denied").
struct SkippedPath {
  std::string path;
  std::string reason;
  bool failed = false;  ///< It could not be read, though it might hold records.
};

struct WalkVisitor {
  std::function<Result<void>(const InputFile&)> on_file;
  std::function<Result<void>(const SkippedPath&)> on_skipped;
};

/// Folders are walked in byte order of their names, depth first, at most this deep.
inline constexpr int kFolderDepthMax = 64;

/// Calls `visitor` for every file under `paths`, in the order given; a path that is a file is taken
/// whatever its name. Links to files are followed, links to folders are not (they could lead in a
/// circle). Holds the names of one folder a level, nothing else.
/// Errors: NotFound when one of `paths` does not exist (before anything is visited), or the
/// visitor's.
Result<void> walk(const std::vector<std::string>& paths, const WalkVisitor& visitor);

}  // namespace opentrail::collect

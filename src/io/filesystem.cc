#include "io/filesystem.h"

#include <fmt/format.h>

namespace opentrail::io {

Result<std::string> read_file(Filesystem& files, const std::string& path, std::size_t bytes_max) {
  OT_TRY(const auto file, files.open(path, OpenMode::Read));
  OT_TRY(const auto size, file->size());
  if (size > bytes_max) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} has {} bytes; at most {} are read", path, size, bytes_max));
  }
  return file->read_at(0, size);
}

Result<void> write_file_atomically(Filesystem& files, const std::string& path,
                                   std::string_view bytes, unsigned mode) {
  const std::string draft = path + ".new";
  if (files.exists(draft)) {
    OT_TRY_DO(files.remove(draft));  // left by a crash; its contents were never in force
  }
  {
    OT_TRY(const auto file, files.open(draft, OpenMode::CreateNew));
    OT_TRY_DO(files.set_mode(draft, mode));
    OT_TRY_DO(file->append(as_bytes(bytes)));
    OT_TRY_DO(file->sync());
  }
  OT_TRY_DO(files.rename(draft, path));
  return files.sync_directory(parent_path(path));
}

std::string join_path(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && path.back() != '/') {
    path += '/';
  }
  return path.append(name);
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') {
    path.remove_suffix(1);
  }
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {};
  }
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace opentrail::io

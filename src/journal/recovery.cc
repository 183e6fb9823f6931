#include "journal/recovery.h"

#include "base/log.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

constexpr std::string_view kUnfinishedSuffix = ".journal.tmp";
constexpr std::size_t kCopyBytes = 1 << 20;

/// A folder is durable once its parent is synced, up to the root. All of them, not only those that
/// were missing: an earlier start may have made some and died before it could sync.
Result<void> make_folder(io::Filesystem& files, const std::string& folder) {
  OT_TRY_DO(files.create_directories(folder));
  for (std::string path = folder; !path.empty() && path != "." && path != "/";
       path = io::parent_path(path)) {
    const auto synced = files.sync_directory(io::parent_path(path));
    // What may not be read was not made by us.
    if (!synced && synced.error().code() != ErrorCode::PermissionDenied) {
      return synced;
    }
  }
  return {};
}

/// First offsets of the segments in the folder, ascending.
Result<std::vector<Offset>> list_segments(io::Filesystem& files, const std::string& folder) {
  OT_TRY(const auto names, files.list(folder));
  std::vector<Offset> found;
  for (const std::string& name : names) {
    if (const auto offset = parse_segment_name(name)) {
      found.push_back(*offset);
    } else if (name.ends_with(kUnfinishedSuffix)) {
      OT_TRY_DO(files.remove(io::join_path(folder, name)));
    } else {
      log::warn("journal: {} is not a segment and is left alone", io::join_path(folder, name));
    }
  }
  std::ranges::sort(found);
  return found;
}

Result<void> copy_bytes(const io::File& from, io::File& to, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBytes, bytes - at));
    OT_TRY(const std::string chunk, from.read_at(at, wanted));
    if (chunk.empty()) {
      return fail(ErrorCode::Corruption, "the file became shorter while it was read");
    }
    OT_TRY_DO(to.append(as_bytes(chunk)));
    at += chunk.size();
  }
  return {};
}

Result<void> copy_durably(io::Filesystem& files, const Segment& segment, const std::string& to) {
  OT_TRY(const auto old, files.open(segment.path, io::OpenMode::Read));
  OT_TRY(const auto fresh, files.open(to, io::OpenMode::CreateNew));
  OT_TRY_DO(copy_bytes(*old, *fresh, segment.bytes));
  return fresh->sync();
}

/// Writes the whole blocks of the last segment into a new file and puts it in the old one's place.
/// Reading them back proves nothing about the disk: they may be pages that a crashed process had
/// not synced, or that a failed fsync left in memory, marked clean, so that no later fsync of the
/// same file would write them. A fresh copy is synced for certain, and leaves a torn tail behind.
Result<void> rewrite_durably(io::Filesystem& files, const Segment& segment) {
  const std::string fresh_path = segment.path + ".tmp";
  auto copied = copy_durably(files, segment, fresh_path);
  if (!copied) {
    // Not needed for a new try, and on a full disk in its way. A leftover goes at the next start.
    static_cast<void>(files.remove(fresh_path));
    return copied;
  }
  return files.rename(fresh_path, segment.path);
}

/// Of the newest of `segments` that has one.
Result<std::shared_ptr<const Dictionary>> newest_dictionary(io::Filesystem& files,
                                                            const std::vector<Segment>& segments) {
  const auto newest = std::find_if(segments.rbegin(), segments.rend(),
                                   [](const Segment& segment) { return segment.has_dictionary; });
  if (newest == segments.rend()) {
    return nullptr;
  }
  OT_TRY(const auto file, files.open(newest->path, io::OpenMode::Read));
  return load_dictionary(*file, newest->path);
}

Result<void> check_follows(const Segment& before, const Segment& segment) {
  if (before.end_offset != segment.first_offset) {
    return fail(ErrorCode::Corruption,
                fmt::format("{} at byte {}: ends at record {}, but {} begins at record {}",
                            before.path, before.bytes, value(before.end_offset), segment.path,
                            value(segment.first_offset)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<io::File>> create_segment(io::Filesystem& files, const std::string& folder,
                                                 Offset first_offset) {
  const std::string path = io::join_path(folder, segment_name(first_offset));
  OT_TRY(auto file, files.open(path, io::OpenMode::CreateNew));
  const auto synced = files.sync_directory(folder);
  if (synced) {
    return file;
  }
  if (synced.error().code() != ErrorCode::ResourceExhausted) {
    return std::unexpected(failed_sync(synced.error()));
  }
  // No room, or no descriptor left for the folder. Nothing is in the file yet, so it can go and be
  // made again; should a power cut bring it back, it is an empty segment at the right place.
  file.reset();
  if (const auto removed = files.remove(path); !removed) {
    return std::unexpected(failed_sync(removed.error()));
  }
  return std::unexpected(synced.error());
}

Error failed_sync(const Error& cause) {
  return {ErrorCode::Unavailable, cause.message(), std::string(to_string(cause.code()))};
}

Result<RecoveredFolder> recover_folder(io::Filesystem& files, const std::string& folder) {
  OT_TRY_DO(make_folder(files, folder));
  OT_TRY(const auto firsts, list_segments(files, folder));
  RecoveredFolder found;
  if (firsts.empty()) {
    OT_TRY(found.active, create_segment(files, folder, Offset{0}));
    found.segments.push_back({.path = io::join_path(folder, segment_name(Offset{0})), .index = {}});
    return found;
  }
  std::uint64_t torn_bytes = 0;
  for (const Offset first : firsts) {
    const std::string path = io::join_path(folder, segment_name(first));
    OT_TRY(auto scan, first == firsts.back() ? scan_last_segment(files, path, first)
                                             : scan_sealed_segment(files, path, first));
    if (!found.segments.empty()) {
      OT_TRY_DO(check_follows(found.segments.back(), scan.segment));
    }
    found.segments.push_back(std::move(scan.segment));
    torn_bytes = scan.torn_bytes;
    found.active_is_version_1 = scan.version_1;
  }
  const Segment& last = found.segments.back();
  if (last.bytes > 0 || torn_bytes > 0) {
    OT_TRY_DO(rewrite_durably(files, last));
  }
  if (torn_bytes > 0) {
    found.report = {torn_bytes, last.path};
    log::warn("journal: cut {} torn bytes, never acknowledged, at byte {} of {}", torn_bytes,
              last.bytes, last.path);
  }
  OT_TRY_DO(files.sync_directory(folder));
  OT_TRY(found.active, files.open(last.path, io::OpenMode::Append));
  OT_TRY(found.dictionary, newest_dictionary(files, found.segments));
  return found;
}

}  // namespace opentrail::journal

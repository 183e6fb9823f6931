#pragma once
#include "base/error.h"
#include "io/filesystem.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::bench {

/// More than these are not read: the shapes repeat, and each is held in memory.
inline constexpr std::size_t kTemplatesMax = 50'000;

/// Some sixty made-up records, about 1.3 KB on average: services, people, roles, root, console
/// sign-ins, data events, failures; neighbours belong together.
[[nodiscard]] std::span<const std::string_view> builtin_templates();

struct Templates {
  std::vector<std::string> records;  ///< One JSON object each, without white space between tokens.
  std::uint64_t unusable = 0;        ///< Records that cannot be replayed; see is_replayable().
  std::uint64_t files = 0;
};

/// The built-in set, in that form.
[[nodiscard]] Templates load_builtin_templates();
/// Reads the records of a file, or of all files of a folder, in any form that
/// record::RecordSplitter takes, packed or not.
/// Errors: NotFound, the file system's; InvalidArgument when a file is broken (it is named) or not
/// one record can be replayed.
[[nodiscard]] Result<Templates> load_templates(io::Filesystem& files, const std::string& path);

/// `json` without the white space between its tokens; the strings keep their bytes.
[[nodiscard]] std::string without_white_space(std::string_view json);
/// A record that can be made anew: JSON that is a record, with an eventID, an eventTime that can be
/// read and an eventName.
[[nodiscard]] bool is_replayable(std::string_view json);

}  // namespace opentrail::bench

#pragma once
#include "base/error.h"
#include "history/sip_hash.h"
#include "io/filesystem.h"
#include "journal/journal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::history {

/// Which segments make up the history: the one truth about it. A file that the manifest names and
/// that is not there is a loss that is noticed; one that it does not name is a leftover. Layout:
/// docs/formats/history.md.
struct Manifest {
  struct Segment {
    journal::Offset first{0};
    journal::Offset end{0};
    std::uint64_t bytes = 0;
    std::uint32_t meta_crc = 0;
    bool operator==(const Segment&) const = default;
  };
  SipKey id_key;                  ///< For the hashes of record ids; drawn once.
  journal::Offset sealed_end{0};  ///< Everything before this offset is sealed, or dropped since.
  std::vector<Segment>
      segments;  ///< By offset; gaps are segments that were dropped when they aged.

  [[nodiscard]] std::string encode() const;
  /// Errors: Corruption; Unsupported when a newer version wrote it.
  static Result<Manifest> decode(std::string_view bytes);

  /// Absent when the folder has none. Errors: as decode(), naming the file; the files'.
  static Result<std::optional<Manifest>> load(io::Filesystem& files, const std::string& folder);
  /// Old or new, never half. Errors: the files'.
  Result<void> save(io::Filesystem& files, const std::string& folder) const;
};

}  // namespace opentrail::history

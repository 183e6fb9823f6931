#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

namespace opentrail::collect {

/// Where a record stood.
struct SourcePlace {
  std::string file;
  std::uint64_t line = 0;  ///< 1-based, of the unpacked text.
};

/// The records of one request: their bytes one behind the other, and where each came from.
///
/// The body is {"Records":[ ... ]} with a line break before each record. Not NDJSON: a record keeps
/// its bytes, and pretty-printed ones hold line breaks of their own. In this frame a record that
/// looks like a frame itself is still taken as one record.
class Batch {
 public:
  struct Limits {
    std::size_t bytes_max = 8 << 20;
    std::size_t records_max = 8192;
  };

  Batch() : Batch(Limits()) {}
  explicit Batch(Limits limits);

  /// True when a record of `json_bytes` still has room. An empty batch has room for any one.
  [[nodiscard]] bool has_room(std::size_t json_bytes) const;
  /// `id`: what the record counts by; only whether it is in this batch is kept.
  void add(std::string_view json, std::string_view id, std::string_view file, std::uint64_t line);

  [[nodiscard]] std::size_t records() const { return records_.size(); }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  /// The whole request body; nothing can be added any more.
  [[nodiscard]] const std::string& close();
  /// Whether an id of `other` may be in this one, too. Never false when one is.
  [[nodiscard]] bool may_share_ids(const Batch& other) const;
  /// The record that the body's line `line` belongs to. The first one's place when `line` is before
  /// all of them; a nameless place when the batch is empty.
  [[nodiscard]] SourcePlace place_of(std::uint64_t line) const;

 private:
  struct Entry {
    std::uint64_t body_line;
    std::uint64_t file_line;
    std::size_t file_index;
  };

  Limits limits_;
  std::string text_;
  std::uint64_t next_body_line_ = 0;
  std::vector<Entry> records_;
  std::vector<std::string> files_;
  boost::unordered_flat_set<std::uint64_t> id_hashes_;
  bool closed_ = false;
};

}  // namespace opentrail::collect

#include "collect/batch.h"

#include "base/error.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace opentrail::collect {

namespace {

constexpr std::string_view kFrameBegin = R"({"Records":[)";
constexpr std::string_view kFrameEnd = "\n]}";
/// The frame's own line is the first; records begin on the second.
constexpr std::uint64_t kFirstRecordLine = 2;

}  // namespace

Batch::Batch(Limits limits)
    : limits_(limits), text_(kFrameBegin), next_body_line_(kFirstRecordLine) {}

bool Batch::has_room(std::size_t json_bytes) const {
  constexpr std::size_t kSeparatorBytes = 2;
  return records_.empty() ||
         (records_.size() < limits_.records_max &&
          text_.size() + kSeparatorBytes + json_bytes + kFrameEnd.size() <= limits_.bytes_max);
}

void Batch::add(std::string_view json, std::string_view id, std::string_view file,
                std::uint64_t line) {
  OT_CHECK(!closed_);
  id_hashes_.insert(std::hash<std::string_view>()(id));
  if (files_.empty() || files_.back() != file) {
    files_.emplace_back(file);
  }
  text_ += records_.empty() ? "\n" : ",\n";
  records_.push_back(
      Entry{.body_line = next_body_line_, .file_line = line, .file_index = files_.size() - 1});
  text_ += json;
  next_body_line_ += 1 + static_cast<std::uint64_t>(std::ranges::count(json, '\n'));
}

const std::string& Batch::close() {
  if (!std::exchange(closed_, true)) {
    text_ += kFrameEnd;
  }
  return text_;
}

bool Batch::may_share_ids(const Batch& other) const {
  const bool smaller = id_hashes_.size() < other.id_hashes_.size();
  const auto& few = smaller ? id_hashes_ : other.id_hashes_;
  const auto& many = smaller ? other.id_hashes_ : id_hashes_;
  return std::ranges::any_of(few, [&](std::uint64_t hash) { return many.contains(hash); });
}

SourcePlace Batch::place_of(std::uint64_t line) const {
  if (records_.empty()) {
    return {};
  }
  auto behind = std::ranges::upper_bound(records_, line, {}, &Entry::body_line);
  const Entry& entry = behind == records_.begin() ? *behind : *std::prev(behind);
  const std::uint64_t lines_into = line > entry.body_line ? line - entry.body_line : 0;
  return SourcePlace{.file = files_[entry.file_index], .line = entry.file_line + lines_into};
}

}  // namespace opentrail::collect

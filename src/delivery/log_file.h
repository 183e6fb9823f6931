#pragma once
#include "base/time.h"
#include "record/record.h"

#include <string>
#include <string_view>

namespace opentrail::delivery {

/// Bytes of records in one file before compression: well under AWS's 50 MB (spec records §3.1), and
/// the memory of one delivery round.
inline constexpr std::size_t kFileBytesMax = 24 << 20;

/// Collects the records of one log file: {"Records":[...]}, in journal order.
class LogFile {
 public:
  void add(const record::Record& record);
  [[nodiscard]] bool empty() const { return records_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return text_.size(); }
  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] Timestamp oldest() const { return oldest_; }
  [[nodiscard]] Timestamp newest() const { return newest_; }
  /// The whole uncompressed file; nothing can be added afterwards.
  [[nodiscard]] std::string finish() &&;

 private:
  std::string text_ = R"({"Records":[)";
  std::size_t records_ = 0;
  Timestamp oldest_;
  Timestamp newest_;
};

}  // namespace opentrail::delivery

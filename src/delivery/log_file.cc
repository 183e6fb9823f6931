#include "delivery/log_file.h"

#include <algorithm>
#include <utility>

namespace opentrail::delivery {

void LogFile::add(const record::Record& record) {
  if (records_ > 0) {
    text_ += ',';
  }
  text_ += record.json;
  oldest_ = records_ == 0 ? record.event_time : std::min(oldest_, record.event_time);
  newest_ = records_ == 0 ? record.event_time : std::max(newest_, record.event_time);
  ++records_;
}

std::string LogFile::finish() && {
  text_ += "]}";
  return std::exchange(text_, {});
}

}  // namespace opentrail::delivery

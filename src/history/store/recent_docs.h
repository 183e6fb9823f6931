#pragma once
#include "history/index/index_builder.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace opentrail::history {

/// The records that came last: few enough to look through one by one. One thread adds; any reads
/// what is there, without a lock.
class RecentDocs {
 public:
  static constexpr std::size_t kRoom = 256;

  RecentDocs() : docs_(std::make_unique<NewDoc[]>(kRoom)) {}

  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] bool full() const { return size() == kRoom; }
  /// `i` must be less than size().
  [[nodiscard]] const NewDoc& operator[](std::size_t i) const { return docs_[i]; }
  /// Must not be full.
  void add(NewDoc doc) {
    const std::size_t at = size_.load(std::memory_order_relaxed);
    docs_[at] = std::move(doc);
    size_.store(at + 1, std::memory_order_release);
  }
  [[nodiscard]] std::vector<NewDoc> copy() const { return {docs_.get(), docs_.get() + size()}; }

 private:
  std::unique_ptr<NewDoc[]> docs_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace opentrail::history

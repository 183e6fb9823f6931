#pragma once
#include <atomic>
#include <csignal>

namespace opentrail::cli {

/// Takes Ctrl-C over while it lives: the first one asks politely, a second one ends the process.
/// One at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// True once Ctrl-C was pressed. Lives as long as the process.
  [[nodiscard]] const std::atomic<bool>* flag() const;

 private:
  struct sigaction before_{};
};

}  // namespace opentrail::cli

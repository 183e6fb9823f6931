#include "cli/interrupt_watch.h"

namespace opentrail::cli {

namespace {

std::atomic<bool> interrupt_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

}  // namespace

InterruptWatch::InterruptWatch() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupt_requested.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, &before_);
}

InterruptWatch::~InterruptWatch() { ::sigaction(SIGINT, &before_, nullptr); }

const std::atomic<bool>* InterruptWatch::flag() const { return &interrupt_requested; }

}  // namespace opentrail::cli

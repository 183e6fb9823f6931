#pragma once
#include <condition_variable>
#include <mutex>

/// Clang's thread-safety analysis over std::mutex. No lock is held over a co_await.
#define OT_CAPABILITY(name) __attribute__((capability(name)))
#define OT_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define OT_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define OT_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))

namespace opentrail {

class OT_CAPABILITY("mutex") Mutex {
 public:
  void lock() OT_ACQUIRE() { mutex_.lock(); }
  void unlock() OT_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class OT_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) OT_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() OT_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// A condition over Mutex; the caller loops over its own predicate, so that the analysis sees it.
class Condition {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }
  void wait(Mutex& mutex) REQUIRES(mutex) { condition_.wait(mutex); }
  /// False when `deadline` passed.
  template <typename TimePoint>
  bool wait_until(Mutex& mutex, TimePoint deadline) REQUIRES(mutex) {
    return condition_.wait_until(mutex, deadline) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable_any condition_;
};

}  // namespace opentrail

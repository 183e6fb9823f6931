#pragma once
#include "base/error.h"
#include "crypto/sigv4.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace opentrail::bench {

/// CPU time of a process so far, all its threads, in user and in kernel.
[[nodiscard]] std::chrono::microseconds own_cpu();

struct ServerMemory {
  std::uint64_t resident_bytes = 0;      ///< VmRSS.
  std::uint64_t resident_bytes_max = 0;  ///< VmHWM.
};

struct ServerOptions {
  std::string program;      ///< Empty: this program itself.
  std::string data_folder;  ///< Made by the server when it is not there.
  std::string log_file;     ///< What the server says, both streams; written anew at each start.
  std::vector<std::string> arguments;  ///< More of `opentrail serve`.
  std::chrono::milliseconds ready_timeout{120'000};
};

/// One `opentrail serve` of our own on a free port of 127.0.0.1. It gets none of the caller's
/// OPENTRAIL_* variables, is in a process group of its own, so that Ctrl-C reaches it through us
/// alone, and dies with the thread that started it. One thread at a time.
class ServerProcess {
 public:
  /// Starts it and waits until /readyz says 200.
  /// Errors: Unavailable when it ends or is not ready in time: with the end of what it said.
  static Result<std::unique_ptr<ServerProcess>> start(ServerOptions options);
  /// stop(), whatever comes of it.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// SIGTERM, then waits; SIGKILL after a minute. Idempotent.
  /// Errors: Unavailable when it did not end by itself with 0.
  Result<void> stop();

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  /// From start() to ready.
  [[nodiscard]] std::chrono::microseconds start_time() const { return start_time_; }
  /// The keys of the profile "default" that first start made.
  [[nodiscard]] Result<crypto::sigv4::Credentials> credentials() const;
  [[nodiscard]] Result<std::chrono::microseconds> cpu() const;
  [[nodiscard]] Result<ServerMemory> memory() const;

 private:
  explicit ServerProcess(ServerOptions options) : options_(std::move(options)) {}
  Result<void> spawn();
  Result<void> wait_ready();
  [[nodiscard]] Result<void> check_alive();
  [[nodiscard]] std::string last_words() const;

  ServerOptions options_;
  pid_t pid_ = -1;
  std::string endpoint_;
  std::chrono::microseconds start_time_{};
};

}  // namespace opentrail::bench

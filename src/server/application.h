#pragma once
#include "base/error.h"
#include "server/config.h"

#include <memory>
#include <string>

namespace opentrail::server {

/// The whole server: puts the layers together in the order of the dependencies, and takes them
/// apart in the reverse one.
class Application {
 public:
  /// Opens the data folder (making it on first start), replays the journal and serves. /healthz
  /// answers while the replay runs. Errors say what to do; a folder that another server holds is
  /// Conflict.
  static Result<std::unique_ptr<Application>> start(Config config);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  [[nodiscard]] std::string endpoint() const;          ///< "http://127.0.0.1:4747".
  [[nodiscard]] std::string credentials_path() const;  ///< Absolute.
  [[nodiscard]] std::string certificate_file() const;  ///< Empty without TLS.

  /// Stops accepting, lets running calls end, makes everything durable. Idempotent.
  void stop();

 private:
  struct Parts;
  explicit Application(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace opentrail::server

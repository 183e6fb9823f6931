#pragma once
#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace opentrail::bench {

struct ChildOptions {
  bool feeds = false;         ///< feed() writes its standard input; otherwise there is none.
  std::string log_file = {};  ///< What it says, both streams, appended; empty: nowhere.
  std::string folder = {};    ///< Working folder; empty: ours.
  uid_t user = 0;             ///< Runs as this user and group when we are root and it is not 0.
  gid_t group = 0;
};

/// One run of another program, without a shell. Killed when it is let go before finish().
class ChildCommand {
 public:
  /// `arguments` begins with the program's path. Errors: ResourceExhausted, Unavailable (log file).
  static Result<ChildCommand> start(std::vector<std::string> arguments,
                                    const ChildOptions& options);
  ChildCommand(ChildCommand&& other) noexcept;
  ChildCommand& operator=(ChildCommand&&) = delete;
  ChildCommand(const ChildCommand&) = delete;
  ChildCommand& operator=(const ChildCommand&) = delete;
  ~ChildCommand();

  /// Writes all of it. Errors: Unavailable when the program does not read any more.
  Result<void> feed(std::string_view bytes);
  /// Ends its input, waits, and gives its exit code; 127 when it could not be started.
  /// Errors: Unavailable when a signal ended it.
  Result<int> finish();
  /// Asks it to end with `signal`; finish() waits for it.
  void ask_to_end(int signal) const;

 private:
  ChildCommand(pid_t pid, int input) : pid_(pid), input_(input) {}

  pid_t pid_ = -1;
  int input_ = -1;
};

}  // namespace opentrail::bench

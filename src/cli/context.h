#pragma once
#include "io/clock.h"

#include <functional>
#include <iosfwd>
#include <string>

namespace opentrail::cli {

/// The value of an environment variable; empty when it is not set.
using GetEnvironment = std::function<std::string(const std::string& name)>;

/// What a command sees of the world, so that a test can be the world.
struct Context {
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::size_t terminal_columns = 80;
  GetEnvironment environment;
  const io::Clock& clock;

  /// Colour: on a terminal, unless NO_COLOR is set (no-color.org) or TERM is "dumb".
  [[nodiscard]] bool out_has_colour() const;
};

/// stdout, stderr, the process environment, the system clock.
[[nodiscard]] Context system_context();

/// Exit codes of the commands that talk to a server.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFindings = 1;  ///< Ran, but with something to look at; see the command.
inline constexpr int kExitError = 2;     ///< Wrong use, no connection, refused.
inline constexpr int kExitInterrupted = 130;  ///< By SIGINT, as shells have it.

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string with_commas(std::uint64_t number);

}  // namespace opentrail::cli

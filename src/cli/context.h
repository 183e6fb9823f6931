#pragma once
#include "io/clock.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

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

inline constexpr int kExitOk = 0;
inline constexpr int kExitFindings = 1;  ///< Ran, but with something to look at; see the command.
inline constexpr int kExitError = 2;     ///< Wrong use, no connection, refused, output not written.
inline constexpr int kExitInterrupted = 130;  ///< By SIGINT, as shells have it.

/// Where the descriptions begin in every help page.
inline constexpr std::size_t kHelpColumns = 28;

/// Flushes what a command printed. A full disk must not look like success: false, after a complaint
/// on `err` in the name of `command`, when not all of it was written.
[[nodiscard]] bool finish_output(const Context& context, std::string_view command);

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string with_commas(std::uint64_t number);

}  // namespace opentrail::cli

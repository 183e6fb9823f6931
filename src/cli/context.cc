#include "cli/context.h"

#include <cstdlib>
#include <iostream>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace opentrail::cli {

namespace {

std::size_t columns_of_terminal() {
  constexpr std::size_t kUsualColumns = 80;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return kUsualColumns;
}

}  // namespace

bool Context::out_has_colour() const {
  return out_is_terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

Context system_context() {
  static const io::SystemClock clock;
  return Context{.out = std::cout,
                 .err = std::cerr,
                 .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
                 .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
                 .terminal_columns = columns_of_terminal(),
                 .environment = [](const std::string& name) -> std::string {
                   const char* value = std::getenv(name.c_str());
                   return value != nullptr ? value : "";
                 },
                 .clock = clock};
}

bool finish_output(const Context& context, std::string_view command) {
  context.out.flush();
  if (context.out.good()) {
    return true;
  }
  context.err << "opentrail " << command
              << ": the output could not be written in full; is the disk full?\n";
  return false;
}

std::string with_commas(std::uint64_t number) {
  constexpr std::size_t kGroup = 3;
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > kGroup;) {
    at -= kGroup;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace opentrail::cli

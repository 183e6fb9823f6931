#pragma once
#include <string_view>
#include <utility>

#include <fmt/format.h>

/// The process log, on stderr: one line an event. Secrets never go here.
namespace opentrail::log {

enum class Level : unsigned char { Debug, Info, Warning, Error, Off };

/// Lines below `level` are not written. Default: Info. Any thread.
void set_level(Level level);
void write(Level level, std::string_view line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace opentrail::log

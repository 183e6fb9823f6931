#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace opentrail {

/// What a caller can do about a failure: a small closed set of reactions, not of causes.
/// AWS exception names and HTTP status are chosen in `services`, never here.
enum class ErrorCode : std::uint8_t {
  InvalidArgument,    ///< The input is wrong; the same call will fail again.
  NotFound,           ///< The named thing does not exist.
  AlreadyExists,      ///< A thing of that name exists.
  PermissionDenied,   ///< The caller may not do this.
  Conflict,           ///< Another change is in the way.
  Throttled,          ///< A bound was reached; try again later.
  Unavailable,        ///< The other side is down or unreachable; try again later.
  Timeout,            ///< A deadline passed; the outcome is unknown.
  Corruption,         ///< Stored bytes are not those that were written. Never retried.
  ResourceExhausted,  ///< Disk full, too many open files.
  Unsupported,        ///< Valid, but not offered here.
  Internal,           ///< A defect on our side.
};

/// Name of `code`, for logs and tests: "NotFound".
[[nodiscard]] std::string_view to_string(ErrorCode code);

/// A failure as a value: the reaction, one sentence for a person, and, where a foreign system gave
/// one, its own code ("NoSuchBucket"), kept apart so that it can be shown unchanged.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  Error(ErrorCode code, std::string message, std::string reason)
      : code_(code), message_(std::move(message)), reason_(std::move(reason)) {}

  [[nodiscard]] ErrorCode code() const { return code_; }
  /// What happened, to what, and what to do: "deliver x.json.gz: put object: 503 SlowDown".
  [[nodiscard]] const std::string& message() const { return message_; }
  /// The foreign system's error code, or empty.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// Prefixes the message with what the caller was doing.
  [[nodiscard]] Error while_doing(std::string_view what) && {
    message_.insert(0, std::string(what) + ": ");
    return std::move(*this);
  }

 private:
  ErrorCode code_;
  std::string message_;
  std::string reason_;
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error(code, std::move(message)));
}
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string reason) {
  return std::unexpected(Error(code, std::move(message), std::move(reason)));
}

/// Prints the message and the place, then aborts. Bugs are not errors.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace opentrail

// Names, declarations and statements cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define OT_CONCAT_INNER(a, b) a##b
#define OT_CONCAT(a, b) OT_CONCAT_INNER(a, b)

/// `OT_TRY(const auto bytes, read_file(path));` declares `bytes`, or returns the error.
#define OT_TRY(declaration, expression) \
  OT_TRY_INNER(OT_CONCAT(ot_try_, __COUNTER__), declaration, expression, return)
/// `OT_TRY_DO(sync());` for Result<void>, or when the value is not wanted.
#define OT_TRY_DO(expression) OT_TRY_DO_INNER(OT_CONCAT(ot_try_, __COUNTER__), expression, return)
/// The same two inside a coroutine.
#define OT_CO_TRY(declaration, expression) \
  OT_TRY_INNER(OT_CONCAT(ot_try_, __COUNTER__), declaration, expression, co_return)
#define OT_CO_TRY_DO(expression) \
  OT_TRY_DO_INNER(OT_CONCAT(ot_try_, __COUNTER__), expression, co_return)

#define OT_TRY_INNER(result, declaration, expression, leave) \
  auto result = (expression);                                \
  if (!result) [[unlikely]] {                                \
    leave std::unexpected(std::move(result).error());        \
  }                                                          \
  declaration = *std::move(result)
#define OT_TRY_DO_INNER(result, expression, leave)        \
  if (auto result = (expression); !result) [[unlikely]] { \
    leave std::unexpected(std::move(result).error());     \
  }                                                       \
  static_assert(true)

// NOLINTEND(bugprone-macro-parentheses)

/// On in release too. Input never reaches a CHECK.
#define OT_CHECK(condition)                            \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::opentrail::check_failed(#condition, __FILE__, __LINE__))

#include "bench/child_command.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace opentrail::bench {

namespace {

constexpr int kNotStarted = 127;

struct Streams {
  int input = -1;
  int output = -1;
};

/// Between fork and exec: nothing but system calls.
[[noreturn]] void become(char* const* arguments, const Streams& streams,
                         const ChildOptions& options) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(streams.input, STDIN_FILENO);
  ::dup2(streams.output, STDOUT_FILENO);
  ::dup2(streams.output, STDERR_FILENO);
  const bool changes_user = options.user != 0 && ::geteuid() == 0;
  if (changes_user && (::setgroups(0, nullptr) != 0 || ::setgid(options.group) != 0 ||
                       ::setuid(options.user) != 0)) {
    ::_exit(kNotStarted);
  }
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) {
    ::_exit(kNotStarted);
  }
  ::execv(arguments[0], arguments);
  ::_exit(kNotStarted);
}

int open_output(const ChildOptions& options) {
  constexpr mode_t kMode = 0600;
  const char* path = options.log_file.empty() ? "/dev/null" : options.log_file.c_str();
  return ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
}

std::unexpected<Error> failed(std::string_view what) {
  return fail(ErrorCode::Unavailable, fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

Result<ChildCommand> ChildCommand::start(std::vector<std::string> arguments,
                                         const ChildOptions& options) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  std::array<int, 2> pipe_ends = {-1, -1};
  if (options.feeds) {
    if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
      return failed("pipe");
    }
  } else {
    pipe_ends[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  const Streams streams{.input = pipe_ends[0], .output = open_output(options)};
  const pid_t pid = streams.output < 0 ? -1 : ::fork();
  if (pid == 0) {
    become(pointers.data(), streams, options);
  }
  const int error = errno;
  ::close(streams.input);
  if (streams.output >= 0) {
    ::close(streams.output);
  }
  if (pid < 0) {
    if (pipe_ends[1] >= 0) {
      ::close(pipe_ends[1]);
    }
    errno = error;
    return failed(arguments.front());
  }
  return ChildCommand(pid, pipe_ends[1]);
}

ChildCommand::ChildCommand(ChildCommand&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), input_(std::exchange(other.input_, -1)) {}

ChildCommand::~ChildCommand() {
  if (input_ >= 0) {
    ::close(input_);
  }
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

Result<void> ChildCommand::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(input_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return failed("the program reads no more");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void ChildCommand::ask_to_end(int signal) const {
  if (pid_ > 0) {
    ::kill(pid_, signal);
  }
}

Result<int> ChildCommand::finish() {
  if (input_ >= 0) {
    ::close(std::exchange(input_, -1));
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) {
      pid_ = -1;
      return failed("wait");
    }
  }
  pid_ = -1;
  if (!WIFEXITED(status)) {
    return fail(ErrorCode::Unavailable, fmt::format("ended by signal {}", WTERMSIG(status)));
  }
  return WEXITSTATUS(status);
}

}  // namespace opentrail::bench

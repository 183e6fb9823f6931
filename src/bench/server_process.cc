#include "bench/server_process.h"

#include "base/text.h"
#include "io/filesystem.h"
#include "net/client.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-identifier-naming): the C library's name

namespace opentrail::bench {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollInterval{2};

/// /proc and log files: they have no size to ask for.
std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What stands behind `name` on its line; empty when there is no such line.
std::string value_on_line(const std::string& text, std::string_view name) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(name)) {
      return std::string(trim(line.substr(name.size())));
    }
  }
  return {};
}

std::vector<char*> to_pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> plain_environment() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("OPENTRAIL_")) {
      kept.emplace_back(*entry);
    }
  }
  return kept;
}

/// Between fork and exec: nothing but system calls.
[[noreturn]] void become_server(const char* program, char* const* arguments,
                                char* const* environment, int output) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execve(program, arguments, environment);
  constexpr int kNotStarted = 127;
  ::_exit(kNotStarted);
}

std::uint64_t kilobytes(const std::string& text) {
  constexpr std::uint64_t kBytes = 1024;
  const auto number = parse_int(std::string_view(text).substr(0, text.find(' ')));
  return number ? static_cast<std::uint64_t>(*number) * kBytes : 0;
}

}  // namespace

microseconds own_cpu() {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto to_micros = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + microseconds(time.tv_usec);
  };
  return to_micros(usage.ru_utime) + to_micros(usage.ru_stime);
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(ServerOptions options) {
  std::unique_ptr<ServerProcess> server(new ServerProcess(std::move(options)));
  const auto begin = steady_clock::now();
  OT_TRY_DO(server->spawn());
  OT_TRY_DO(server->wait_ready());
  server->start_time_ = std::chrono::duration_cast<microseconds>(steady_clock::now() - begin);
  return server;
}

ServerProcess::~ServerProcess() {
  [[maybe_unused]] const auto stopped = stop();  // whoever wants to know has called it before
}

Result<void> ServerProcess::spawn() {
  const std::string program = options_.program.empty() ? "/proc/self/exe" : options_.program;
  std::vector<std::string> arguments = {"opentrail",          "serve",    "--data-dir",
                                        options_.data_folder, "--listen", "127.0.0.1:0"};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<std::string> environment = plain_environment();
  const std::vector<char*> argument_pointers = to_pointers(arguments);
  const std::vector<char*> environment_pointers = to_pointers(environment);
  constexpr mode_t kMode = 0600;
  const int output =
      ::open(options_.log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (output < 0) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{}: {}", options_.log_file, std::strerror(errno)));
  }
  pid_ = ::fork();
  if (pid_ == 0) {
    become_server(program.c_str(), argument_pointers.data(), environment_pointers.data(), output);
  }
  const int failed = errno;
  ::close(output);
  if (pid_ < 0) {
    return fail(ErrorCode::ResourceExhausted,
                fmt::format("the server could not be started: {}", std::strerror(failed)));
  }
  return {};
}

Result<void> ServerProcess::check_alive() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) {
    return {};
  }
  pid_ = -1;
  return fail(ErrorCode::Unavailable, "the server ended before it was ready: " + last_words());
}

std::string ServerProcess::last_words() const {
  constexpr std::size_t kShownBytes = 1000;
  const std::string said = read_all(options_.log_file);
  return std::string(trim(
      std::string_view(said).substr(said.size() > kShownBytes ? said.size() - kShownBytes : 0)));
}

Result<void> ServerProcess::wait_ready() {
  const auto deadline = steady_clock::now() + options_.ready_timeout;
  std::unique_ptr<net::Client> client;
  for (; steady_clock::now() < deadline; std::this_thread::sleep_for(kPollInterval)) {
    OT_TRY_DO(check_alive());
    if (endpoint_.empty()) {
      endpoint_ = value_on_line(read_all(options_.log_file), "endpoint: ");
      continue;
    }
    if (!client) {
      OT_TRY(auto url, net::parse_url(endpoint_));
      OT_TRY(client, net::Client::make(std::move(url)));
    }
    constexpr int kOk = 200;
    const auto answer =
        client->send({.method = "GET", .target = "/readyz", .headers = {}, .body = {}});
    if (answer && answer->status == kOk) {
      return {};
    }
  }
  return fail(ErrorCode::Timeout, "the server was not ready in time: " + last_words());
}

Result<void> ServerProcess::stop() {
  if (pid_ < 0) {
    return {};
  }
  constexpr std::chrono::seconds kStopTimeout{60};
  const pid_t pid = std::exchange(pid_, -1);
  ::kill(pid, SIGTERM);
  const auto deadline = steady_clock::now() + kStopTimeout;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) != pid) {
    if (steady_clock::now() > deadline) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      break;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::Unavailable, "the server did not stop as it should: " + last_words());
  }
  return {};
}

Result<crypto::sigv4::Credentials> ServerProcess::credentials() const {
  const std::string path = io::join_path(options_.data_folder, "credentials");
  const std::string text = read_all(path);
  const auto profile = text.find("[default]");
  if (profile == std::string::npos) {
    return fail(ErrorCode::NotFound, path + ": has no profile default");
  }
  const std::string from_profile = text.substr(profile);
  crypto::sigv4::Credentials credentials;
  credentials.access_key_id = value_on_line(from_profile, "aws_access_key_id = ");
  credentials.secret_access_key = value_on_line(from_profile, "aws_secret_access_key = ");
  return credentials;
}

Result<microseconds> ServerProcess::cpu() const {
  // proc(5): fields 14 and 15, counted behind the name, which may hold anything.
  const std::string stat = read_all(fmt::format("/proc/{}/stat", pid_));
  const auto name_end = stat.rfind(')');
  const auto fields = split(
      std::string_view(stat).substr(name_end == std::string::npos ? stat.size() : name_end), ' ');
  constexpr std::size_t kUserTime = 12;
  constexpr std::size_t kSystemTime = 13;
  const auto user = fields.size() > kSystemTime ? parse_int(fields[kUserTime]) : std::nullopt;
  const auto system = fields.size() > kSystemTime ? parse_int(fields[kSystemTime]) : std::nullopt;
  if (!user || !system) {
    return fail(ErrorCode::Unavailable, "the server is gone: " + last_words());
  }
  constexpr std::int64_t kMicros = 1'000'000;
  return microseconds((*user + *system) * kMicros / ::sysconf(_SC_CLK_TCK));
}

Result<ServerMemory> ServerProcess::memory() const {
  const std::string status = read_all(fmt::format("/proc/{}/status", pid_));
  if (status.empty()) {
    return fail(ErrorCode::Unavailable, "the server is gone: " + last_words());
  }
  return ServerMemory{.resident_bytes = kilobytes(value_on_line(status, "VmRSS:")),
                      .resident_bytes_max = kilobytes(value_on_line(status, "VmHWM:"))};
}

}  // namespace opentrail::bench

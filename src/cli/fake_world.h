#pragma once
#include "cli/context.h"
#include "io/temp_folder.h"

#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace opentrail::cli {

/// All that a command sees, for tests: output in strings, an environment that is empty but for
/// what the test sets, a clock that stands, a folder for files.
class FakeWorld {
 public:
  [[nodiscard]] Context context() {
    return Context{.out = out,
                   .err = err,
                   .out_is_terminal = terminal,
                   .err_is_terminal = terminal,
                   .terminal_columns = 80,
                   .environment = [this](const std::string& name) -> std::string {
                     const auto found = environment.find(name);
                     return found == environment.end() ? "" : found->second;
                   },
                   .clock = clock};
  }

  /// Writes a file into the folder and returns its path.
  std::string write(const std::string& name, std::string_view text) {
    const std::string path = folder.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  /// A credentials file with one profile "default", named by the environment.
  void give_credentials() {
    environment["AWS_SHARED_CREDENTIALS_FILE"] =
        write("credentials",
              "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
              "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n");
  }

  std::ostringstream out;
  std::ostringstream err;
  bool terminal = false;
  std::map<std::string, std::string> environment;
  io::FakeClock clock{*parse_iso("2026-11-24T08:46:13Z")};
  io::TempFolder folder;
};

}  // namespace opentrail::cli

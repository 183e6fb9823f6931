#include "bench/baseline.h"
#include "bench/child_command.h"

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr std::string_view kPrograms = "/usr/lib/postgresql/15/bin";

constexpr std::string_view kSchema = R"sql(
CREATE TABLE events (
  id bigint PRIMARY KEY, event_id text NOT NULL, event_time bigint NOT NULL, account text,
  region text, event_name text, event_source text, username text, access_key_id text,
  read_only text, json text NOT NULL);
CREATE UNIQUE INDEX ON events (event_id);
CREATE INDEX ON events (account, region, event_time);
CREATE INDEX ON events (account, region, event_name, event_time);
CREATE INDEX ON events (account, region, event_source, event_time);
CREATE INDEX ON events (account, region, username, event_time);
CREATE INDEX ON events (account, region, access_key_id, event_time);
CREATE INDEX ON events (account, region, read_only, event_time);
CREATE TABLE resources (
  event bigint NOT NULL, event_time bigint NOT NULL, account text, region text, type text,
  name text);
CREATE INDEX ON resources (account, region, type, event_time);
CREATE INDEX ON resources (account, region, name, event_time);
)sql";

/// A column of COPY's text form.
void append_column(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;  // compact JSON and our ids hold neither tabs nor line breaks
    }
  }
}

void append_event(std::string& out, std::uint64_t id, const BaselineRecords::Item& item) {
  const RecordFacts& facts = item.facts;
  fmt::format_to(std::back_inserter(out), "{}\t{}\t{}", id, facts.event_id,
                 facts.time.time_since_epoch().count());
  for (const std::string* text :
       {&facts.account, &facts.region, &facts.event_name, &facts.event_source, &facts.username,
        &facts.access_key_id, &facts.read_only, &item.json}) {
    out += '\t';
    append_column(out, *text);
  }
  out += '\n';
}

void append_resource(std::string& out, std::uint64_t id, const RecordFacts& facts) {
  if (facts.resource_name.empty()) {
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}\t{}", id, facts.time.time_since_epoch().count());
  for (const std::string* text :
       {&facts.account, &facts.region, &facts.resource_type, &facts.resource_name}) {
    out += '\t';
    append_column(out, *text);
  }
  out += '\n';
}

/// One batch as a script for psql: one transaction, a COPY into each table.
std::string copy_script(std::uint64_t first_id, std::span<const BaselineRecords::Item> batch) {
  std::string events = "BEGIN;\nCOPY events FROM STDIN;\n";
  std::string resources = "COPY resources FROM STDIN;\n";
  for (std::uint64_t id = first_id; const BaselineRecords::Item& item : batch) {
    append_event(events, id, item);
    append_resource(resources, id, item.facts);
    ++id;
  }
  return events + "\\.\n" + resources + "\\.\nCOMMIT;\n";
}

/// A cluster of our own: its files, its socket and its log lie in one folder, and it listens
/// nowhere else.
class Cluster {
 public:
  static Result<Cluster> start(const std::string& folder) {
    Cluster cluster(folder);
    OT_TRY_DO(cluster.give_folder_away());
    const std::string data = cluster.below("data");
    OT_TRY_DO(cluster.run("initdb", {"-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8",
                                     "--no-locale", "--no-instructions"}));
    OT_TRY(auto server, ChildCommand::start({program("postgres"), "-D", data, "-k", folder, "-c",
                                             "listen_addresses=", "-c", "shared_buffers=256MB",
                                             "-c", "max_wal_size=2GB"},
                                            cluster.child_));
    cluster.server_ = std::make_unique<ChildCommand>(std::move(server));
    OT_TRY_DO(cluster.wait_ready());
    return cluster;
  }

  Result<void> stop() {
    server_->ask_to_end(SIGINT);  // PostgreSQL's fast shutdown
    OT_TRY_DO(server_->finish());
    server_.reset();
    return {};
  }

  Result<ChildCommand> open_psql() const {
    ChildOptions options = child_;
    options.feeds = true;
    return ChildCommand::start({program("psql"), "-h", folder_, "-U", "bench", "-d", "postgres",
                                "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", "-"},
                               options);
  }
  [[nodiscard]] std::string log() const {
    std::ifstream in(child_.log_file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    constexpr std::size_t kShown = 1000;
    return text.size() > kShown ? text.substr(text.size() - kShown) : text;
  }

 private:
  explicit Cluster(std::string folder) : folder_(std::move(folder)) {
    child_.log_file = folder_ + ".log";
    child_.folder = folder_;
  }

  static std::string program(std::string_view name) { return io::join_path(kPrograms, name); }
  [[nodiscard]] std::string below(std::string_view name) const {
    return io::join_path(folder_, name);
  }

  /// PostgreSQL refuses to run as root.
  Result<void> give_folder_away() {
    if (::geteuid() != 0) {
      return {};
    }
    const passwd* nobody = ::getpwnam("nobody");
    if (nobody == nullptr || ::chown(folder_.c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
      return fail(ErrorCode::PermissionDenied,
                  folder_ + ": cannot be given to the user nobody, and PostgreSQL refuses root");
    }
    child_.user = nobody->pw_uid;
    child_.group = nobody->pw_gid;
    // It must be able to reach its folder.
    constexpr mode_t kMayPass = 0711;
    if (::chmod(io::parent_path(folder_).c_str(), kMayPass) != 0) {
      return fail(ErrorCode::PermissionDenied, folder_ + ": cannot be opened to the user nobody");
    }
    return {};
  }

  Result<void> run(std::string_view name, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program(name));
    OT_TRY(ChildCommand command, ChildCommand::start(std::move(arguments), child_));
    OT_TRY(const int exit_code, command.finish());
    if (exit_code != 0) {
      return fail(ErrorCode::Unavailable,
                  fmt::format("{} ended with {}: {}", name, exit_code, log()));
    }
    return {};
  }

  Result<void> wait_ready() const {
    constexpr int kTries = 300;
    constexpr std::chrono::milliseconds kInterval{100};
    Result<void> ready;
    for (int i = 0; i < kTries; ++i) {
      ready = run("pg_isready", {"-q", "-h", folder_});
      if (ready) {
        return ready;
      }
      std::this_thread::sleep_for(kInterval);
    }
    return ready;
  }

  std::string folder_;
  ChildOptions child_;
  std::unique_ptr<ChildCommand> server_;
};

struct Copied {
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;
  double seconds = 0;
};

/// Making the text is not counted; that psql still works on it meanwhile is, in the next write.
Result<Copied> copy_all(const BaselineInput& input, const Cluster& cluster) {
  OT_TRY(BaselineRecords records, BaselineRecords::make(input));
  OT_TRY(ChildCommand psql, cluster.open_psql());
  OT_TRY_DO(psql.feed(kSchema));
  Copied copied;
  const auto begin = steady_clock::now();
  for (;;) {
    OT_TRY(const auto batch, records.next_batch());
    if (batch.empty()) {
      break;
    }
    OT_TRY_DO(psql.feed(copy_script(copied.records, batch)));
    copied.records += batch.size();
    input.on_progress("postgres", copied.records, input.records);
  }
  OT_TRY(const int exit_code, psql.finish());
  copied.seconds = duration<double>(steady_clock::now() - begin).count();
  copied.raw_bytes = records.bytes();
  if (exit_code != 0) {
    return fail(ErrorCode::Internal, fmt::format("psql ended with {}", exit_code));
  }
  return copied;
}

}  // namespace

Result<Section> run_postgres_baseline(const BaselineInput& input) {
  Section section{.name = "postgres", .note = {}, .metrics = {}};
  if (::access(io::join_path(kPrograms, "initdb").c_str(), X_OK) != 0) {
    section.note = fmt::format("PostgreSQL 15 is not at {}", kPrograms);
    return section;
  }
  OT_TRY(Cluster cluster, Cluster::start(input.folder));
  auto copied = copy_all(input, cluster);
  if (!copied) {
    return std::unexpected(std::move(copied).error().while_doing(cluster.log()));
  }
  OT_TRY_DO(cluster.stop());
  section.add("records", "records", static_cast<double>(copied->records));
  section.add("recordsPerSecond", "records a second",
              static_cast<double>(copied->records) / copied->seconds, "/s");
  section.add("seconds", "time", copied->seconds, "s");
  return section;
}

}  // namespace opentrail::bench

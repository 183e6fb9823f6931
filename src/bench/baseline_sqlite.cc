#include "bench/baseline.h"
#include "bench/phases.h"

#include <array>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// One index for each way that LookupEvents looks, with the time behind it, so that the newest
/// fifty are read and nothing else.
constexpr const char* kSchema = R"sql(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -262144;
CREATE TABLE events (
  id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, event_time INTEGER NOT NULL,
  account TEXT, region TEXT, event_name TEXT, event_source TEXT, username TEXT,
  access_key_id TEXT, read_only TEXT, json TEXT NOT NULL);
CREATE UNIQUE INDEX by_event_id ON events (event_id);
CREATE INDEX by_time ON events (account, region, event_time);
CREATE INDEX by_event_name ON events (account, region, event_name, event_time);
CREATE INDEX by_event_source ON events (account, region, event_source, event_time);
CREATE INDEX by_username ON events (account, region, username, event_time);
CREATE INDEX by_access_key_id ON events (account, region, access_key_id, event_time);
CREATE INDEX by_read_only ON events (account, region, read_only, event_time);
CREATE TABLE resources (
  event INTEGER NOT NULL, event_time INTEGER NOT NULL, account TEXT, region TEXT, type TEXT,
  name TEXT);
CREATE INDEX by_type ON resources (account, region, type, event_time);
CREATE INDEX by_name ON resources (account, region, name, event_time);
)sql";

struct AttributeQuery {
  std::string_view prefix;
  std::string RecordFacts::* value;
  const char* sql;
};
constexpr std::array<AttributeQuery, 4> kQueries = {{
    {"eventId", &RecordFacts::event_id,
     "SELECT json FROM events WHERE account = ?1 AND region = ?2 AND event_id = ?3"},
    {"username", &RecordFacts::username,
     "SELECT json FROM events WHERE account = ?1 AND region = ?2 AND username = ?3 "
     "ORDER BY event_time DESC LIMIT 50"},
    {"eventName", &RecordFacts::event_name,
     "SELECT json FROM events WHERE account = ?1 AND region = ?2 AND event_name = ?3 "
     "ORDER BY event_time DESC LIMIT 50"},
    {"resourceName", &RecordFacts::resource_name,
     "SELECT e.json FROM resources r JOIN events e ON e.id = r.event WHERE r.account = ?1 AND "
     "r.region = ?2 AND r.name = ?3 ORDER BY r.event_time DESC LIMIT 50"},
}};

class Database {
 public:
  static Result<Database> open(const std::string& path) {
    Database database;
    sqlite3* handle = nullptr;
    const int opened = ::sqlite3_open(path.c_str(), &handle);
    database.handle_.reset(handle);
    if (opened != SQLITE_OK) {
      return database.failure();
    }
    OT_TRY_DO(database.run(kSchema));
    return database;
  }

  Result<void> run(const char* sql) {
    return ::sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK
               ? Result<void>()
               : failure();
  }
  [[nodiscard]] std::unexpected<Error> failure() const {
    return fail(ErrorCode::Internal, std::string("sqlite: ") + ::sqlite3_errmsg(handle_.get()));
  }
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { ::sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

class Statement {
 public:
  static Result<Statement> make(const Database& database, const char* sql) {
    sqlite3_stmt* prepared = nullptr;
    if (::sqlite3_prepare_v2(database.handle(), sql, -1, &prepared, nullptr) != SQLITE_OK) {
      return database.failure();
    }
    return Statement(prepared);
  }

  /// `text` must live until the statement has run.
  Statement& text(std::string_view text) {
    ::sqlite3_bind_text(prepared_.get(), ++bound_, text.data(), static_cast<int>(text.size()),
                        nullptr);
    return *this;
  }
  Statement& number(std::int64_t number) {
    ::sqlite3_bind_int64(prepared_.get(), ++bound_, number);
    return *this;
  }
  /// Runs to the end and gives the bytes of the first column, or none on an error.
  std::optional<std::size_t> run() {
    std::size_t bytes = 0;
    int stepped = SQLITE_ROW;
    while ((stepped = ::sqlite3_step(prepared_.get())) == SQLITE_ROW) {
      bytes += static_cast<std::size_t>(::sqlite3_column_bytes(prepared_.get(), 0));
    }
    ::sqlite3_reset(prepared_.get());
    bound_ = 0;
    return stepped == SQLITE_DONE ? std::optional(bytes) : std::nullopt;
  }

 private:
  explicit Statement(sqlite3_stmt* prepared) : prepared_(prepared) {}
  struct Finalize {
    void operator()(sqlite3_stmt* prepared) const { ::sqlite3_finalize(prepared); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> prepared_;
  int bound_ = 0;
};

struct Inserts {
  Statement event;
  Statement resource;
};

Result<Inserts> make_inserts(const Database& database) {
  OT_TRY(Statement event,
         Statement::make(database, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  OT_TRY(Statement resource,
         Statement::make(database, "INSERT INTO resources VALUES (?, ?, ?, ?, ?, ?)"));
  return Inserts{.event = std::move(event), .resource = std::move(resource)};
}

Result<void> insert_batch(Database& database, Inserts& inserts,
                          std::span<const BaselineRecords::Item> batch, std::int64_t first_id) {
  OT_TRY_DO(database.run("BEGIN"));
  for (std::int64_t id = first_id; const BaselineRecords::Item& item : batch) {
    const RecordFacts& facts = item.facts;
    const std::int64_t time = facts.time.time_since_epoch().count();
    inserts.event.number(id).text(facts.event_id).number(time).text(facts.account);
    inserts.event.text(facts.region).text(facts.event_name).text(facts.event_source);
    inserts.event.text(facts.username).text(facts.access_key_id).text(facts.read_only);
    if (!inserts.event.text(item.json).run()) {
      return database.failure();
    }
    if (!facts.resource_name.empty()) {
      inserts.resource.number(id).number(time).text(facts.account).text(facts.region);
      if (!inserts.resource.text(facts.resource_type).text(facts.resource_name).run()) {
        return database.failure();
      }
    }
    ++id;
  }
  return database.run("COMMIT");
}

Result<LatencySummary> time_lookups(const Database& database, const AttributeQuery& query,
                                    std::span<const RecordFacts> sample, std::uint64_t count) {
  OT_TRY(Statement statement, Statement::make(database, query.sql));
  std::vector<nanoseconds> times;
  Draws draws(count);
  constexpr std::uint64_t kTries = 20;
  for (std::uint64_t i = 0; i < count * kTries && times.size() < count; ++i) {
    const RecordFacts& facts = sample[below(sample.size(), draws.next())];
    if ((facts.*query.value).empty()) {
      continue;
    }
    const auto begin = steady_clock::now();
    if (!statement.text(facts.account).text(facts.region).text(facts.*query.value).run()) {
      return database.failure();
    }
    times.push_back(steady_clock::now() - begin);
  }
  return summarise(times);
}

std::uint64_t bytes_below(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    bytes += entry.file_size(error);
  }
  return bytes;
}

}  // namespace

Result<Section> run_sqlite_baseline(const BaselineInput& input) {
  OT_TRY(BaselineRecords records, BaselineRecords::make(input));
  OT_TRY(Database database, Database::open(io::join_path(input.folder, "events.db")));
  OT_TRY(Inserts inserts, make_inserts(database));
  std::vector<RecordFacts> sample;
  duration<double> inserting{};
  std::uint64_t done = 0;
  const auto cpu_before = own_cpu();
  std::chrono::microseconds cpu_making{};
  for (;;) {
    const auto cpu_begin = own_cpu();
    OT_TRY(const auto batch, records.next_batch());
    cpu_making += own_cpu() - cpu_begin;
    if (batch.empty()) {
      break;
    }
    constexpr std::size_t kSampleEvery = 50;
    for (std::size_t i = 0; i < batch.size(); i += kSampleEvery) {
      sample.push_back(batch[i].facts);
    }
    const auto begin = steady_clock::now();
    OT_TRY_DO(insert_batch(database, inserts, batch, static_cast<std::int64_t>(done)));
    inserting += steady_clock::now() - begin;
    done += batch.size();
    input.on_progress("sqlite", done, input.records);
  }
  const auto cpu = own_cpu() - cpu_before - cpu_making;
  Section section{.name = "sqlite", .note = {}, .metrics = {}};
  const auto count = static_cast<double>(done);
  section.add("records", "records", count);
  section.add("recordsPerSecond", "records a second", count / inserting.count(), "/s");
  section.add("cpuMicrosPerRecord", "CPU a record", static_cast<double>(cpu.count()) / count, "us");
  for (const AttributeQuery& query : kQueries) {
    OT_TRY(const LatencySummary latency,
           time_lookups(database, query, sample, input.options.lookups));
    section.add_latency(query.prefix, std::string(query.prefix) + ", in process", latency);
  }
  OT_TRY_DO(database.run("PRAGMA wal_checkpoint(TRUNCATE)"));
  section.add("bytesPerRawByte", "on disk, a byte of JSON",
              static_cast<double>(bytes_below(input.folder)) / static_cast<double>(records.bytes()),
              "B");
  return section;
}

}  // namespace opentrail::bench

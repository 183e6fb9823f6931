#include "sql/database.h"

#include "base/mutex.h"

#include <algorithm>
#include <charconv>
#include <deque>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace opentrail::sql {
namespace {

/// What a statement is about, for messages: its first words, never its parameters.
std::string_view first_words(std::string_view statement) {
  constexpr std::size_t kShown = 60;
  return statement.substr(0, std::min(statement.size(), kShown));
}

// SQLite's primary result codes; an extended code keeps its primary one in the low byte.
constexpr int kSqliteCorrupt = 11;
constexpr int kSqliteFull = 13;
constexpr int kSqliteConstraint = 19;
constexpr int kSqliteNotADatabase = 26;

ErrorCode code_of(const soci::soci_error& error) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  if (sqlite == nullptr) {
    return ErrorCode::Unavailable;
  }
  switch (sqlite->result() & 0xFF) {
    case kSqliteConstraint:
      return ErrorCode::Conflict;
    case kSqliteFull:
      return ErrorCode::ResourceExhausted;
    case kSqliteCorrupt:
    case kSqliteNotADatabase:
      return ErrorCode::Corruption;
    default:
      return ErrorCode::Unavailable;
  }
}

/// Runs `work` and turns SOCI's exceptions into errors.
template <typename Work>
auto guarded(std::string_view statement, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const soci::soci_error& error) {
    return fail(code_of(error), fmt::format("catalog: {} ({}...)", error.get_error_message(),
                                            first_words(statement)));
  } catch (const std::exception& error) {
    return fail(ErrorCode::Internal,
                fmt::format("catalog: {} ({}...)", error.what(), first_words(statement)));
  }
}

/// SOCI wants named or positional ":x" parameters; ours are "?".
std::string number_parameters(std::string_view statement) {
  std::string out;
  int count = 0;
  bool quoted = false;
  for (const char c : statement) {
    quoted = c == '\'' ? !quoted : quoted;
    if (c == '?' && !quoted) {
      out += fmt::format(":p{}", count++);
    } else {
      out += c;
    }
  }
  return out;
}

/// Parameters with stable addresses, as SOCI binds references.
class Bound {
 public:
  Bound(soci::statement& statement, const std::vector<Value>& parameters) {
    for (const Value& parameter : parameters) {
      if (const auto* text = std::get_if<std::string>(&parameter)) {
        statement.exchange(soci::use(texts_.emplace_back(*text)));
      } else if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
        // SOCI has its own overloads for `long long`, not for std::int64_t (long).
        statement.exchange(soci::use(numbers_.emplace_back(*number)));
      } else {
        statement.exchange(soci::use(texts_.emplace_back(), null_));
      }
    }
  }

 private:
  std::deque<std::string> texts_;
  std::deque<long long> numbers_;
  soci::indicator null_ = soci::i_null;
};

Value value_of(const soci::row& row, std::size_t column) {
  if (row.get_indicator(column) == soci::i_null) {
    return Null{};
  }
  switch (row.get_properties(column).get_data_type()) {
    case soci::dt_integer:
      return static_cast<std::int64_t>(row.get<int>(column));
    case soci::dt_long_long:
      return static_cast<std::int64_t>(row.get<long long>(column));
    case soci::dt_unsigned_long_long:
      return static_cast<std::int64_t>(row.get<unsigned long long>(column));
    case soci::dt_double:
      return static_cast<std::int64_t>(row.get<double>(column));
    default:
      return row.get<std::string>(column);
  }
}

class SqliteDatabase final : public Database, private Transaction {
 public:
  explicit SqliteDatabase(const std::string& path)
      : session_(*soci::factory_sqlite3(), "dbname=\"" + path + "\" timeout=10") {
    session_ << "PRAGMA journal_mode=WAL";
    session_ << "PRAGMA synchronous=FULL";
    session_ << "PRAGMA foreign_keys=ON";
  }

  Result<void> transaction(const std::function<Result<void>(Transaction&)>& work) override {
    const MutexLock lock(mutex_);
    return guarded("transaction", [&]() -> Result<void> {
      soci::transaction scope(session_);  // rolls back unless committed
      OT_TRY_DO(work(*this));
      scope.commit();
      return {};
    });
  }

 private:
  Result<std::vector<Row>> query(std::string_view statement,
                                 std::vector<Value> parameters) override {
    return guarded(statement, [&]() -> Result<std::vector<Row>> {
      soci::statement prepared(session_);
      soci::row row;
      prepared.exchange(soci::into(row));
      const Bound bound(prepared, parameters);
      prepared.alloc();
      prepared.prepare(number_parameters(statement));
      prepared.define_and_bind();
      std::vector<Row> rows;
      bool more = prepared.execute(true);
      while (more) {
        std::vector<Value> values;
        values.reserve(row.size());
        for (std::size_t column = 0; column < row.size(); ++column) {
          values.push_back(value_of(row, column));
        }
        rows.emplace_back(std::move(values));
        more = prepared.fetch();
      }
      return rows;
    });
  }

  Result<std::int64_t> execute(std::string_view statement, std::vector<Value> parameters) override {
    return guarded(statement, [&]() -> Result<std::int64_t> {
      soci::statement prepared(session_);
      const Bound bound(prepared, parameters);
      prepared.alloc();
      prepared.prepare(number_parameters(statement));
      prepared.define_and_bind();
      prepared.execute(true);
      return static_cast<std::int64_t>(prepared.get_affected_rows());
    });
  }

  Mutex mutex_;
  soci::session session_;  // one at a time: every use is inside transaction()
};

}  // namespace

std::int64_t Row::integer(std::size_t column) const {
  if (const auto* number = std::get_if<std::int64_t>(&values_.at(column))) {
    return *number;
  }
  // Expressions such as COUNT(*) have no declared type and come as text.
  std::int64_t value = 0;
  if (const auto* text = std::get_if<std::string>(&values_.at(column))) {
    std::from_chars(text->data(), text->data() + text->size(), value);
  }
  return value;
}

std::string Row::text(std::size_t column) const {
  if (const auto* text = std::get_if<std::string>(&values_.at(column))) {
    return *text;
  }
  const auto* number = std::get_if<std::int64_t>(&values_.at(column));
  return number != nullptr ? std::to_string(*number) : std::string();
}

bool Row::is_null(std::size_t column) const {
  return std::holds_alternative<Null>(values_.at(column));
}

Result<std::unique_ptr<Database>> Database::open_sqlite(const std::string& path) {
  return guarded("open", [&]() -> Result<std::unique_ptr<Database>> {
    return std::make_unique<SqliteDatabase>(path);
  });
}

Result<std::vector<Row>> Database::query(std::string_view statement,
                                         std::vector<Value> parameters) {
  std::vector<Row> rows;
  OT_TRY_DO(transaction([&](Transaction& inside) -> Result<void> {
    OT_TRY(rows, inside.query(statement, std::move(parameters)));
    return {};
  }));
  return rows;
}

Result<std::int64_t> Database::execute(std::string_view statement, std::vector<Value> parameters) {
  std::int64_t changed = 0;
  OT_TRY_DO(transaction([&](Transaction& inside) -> Result<void> {
    OT_TRY(changed, inside.execute(statement, std::move(parameters)));
    return {};
  }));
  return changed;
}

Result<void> Database::migrate(std::string_view store, const std::vector<std::string_view>& steps) {
  OT_TRY_DO(
      execute("CREATE TABLE IF NOT EXISTS schema_versions ("
              "store TEXT PRIMARY KEY, version BIGINT NOT NULL)"));
  return transaction([&](Transaction& inside) -> Result<void> {
    const std::string name(store);
    OT_TRY(const auto rows,
           inside.query("SELECT version FROM schema_versions WHERE store = ?", {name}));
    const auto done = rows.empty() ? 0 : static_cast<std::size_t>(rows.front().integer(0));
    if (done > steps.size()) {
      return fail(ErrorCode::Unsupported,
                  fmt::format("the tables of '{}' have version {}, newer than this program's {}: "
                              "use the newer program on this data folder",
                              store, done, steps.size()));
    }
    if (done == steps.size()) {
      return {};
    }
    for (std::size_t i = done; i < steps.size(); ++i) {
      OT_TRY_DO(inside.execute(steps[i]));
    }
    OT_TRY_DO(
        inside.execute("INSERT INTO schema_versions (store, version) VALUES (?, ?) "
                       "ON CONFLICT (store) DO UPDATE SET version = excluded.version",
                       {name, static_cast<std::int64_t>(steps.size())}));
    return {};
  });
}

}  // namespace opentrail::sql

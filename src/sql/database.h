#pragma once
#include "base/error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The one owner of SOCI. SQL stays in the stores that use it (catalog, objects); this module turns
/// exceptions into errors and rows into values.
namespace opentrail::sql {

struct Null {
  bool operator==(const Null&) const = default;
};
/// Columns are declared BIGINT or TEXT; binary data goes in as base64.
using Value = std::variant<Null, std::int64_t, std::string>;

class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  [[nodiscard]] std::int64_t integer(std::size_t column) const;  ///< 0 for NULL.
  [[nodiscard]] std::string text(std::size_t column) const;      ///< "" for NULL.
  [[nodiscard]] bool is_null(std::size_t column) const;
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  std::vector<Value> values_;
};

/// Runs statements inside one transaction; see Database::transaction.
class Transaction {
 public:
  virtual ~Transaction() = default;
  /// `?` stands for the parameters in order. Errors: Conflict (a constraint), ResourceExhausted
  /// (disk full), Corruption, Unavailable (locked, I/O), each with the statement's first words.
  virtual Result<std::vector<Row>> query(std::string_view statement,
                                         std::vector<Value> parameters = {}) = 0;
  /// Number of changed rows.
  virtual Result<std::int64_t> execute(std::string_view statement,
                                       std::vector<Value> parameters = {}) = 0;
};

/// One database. Any thread; statements run one at a time. Every commit is durable (WAL, FULL).
class Database {
 public:
  /// Opens or makes a SQLite file.
  static Result<std::unique_ptr<Database>> open_sqlite(const std::string& path);
  virtual ~Database() = default;

  /// Commits when `work` succeeds, rolls back when it fails.
  virtual Result<void> transaction(const std::function<Result<void>(Transaction&)>& work) = 0;

  /// One statement in a transaction of its own.
  Result<std::vector<Row>> query(std::string_view statement, std::vector<Value> parameters = {});
  Result<std::int64_t> execute(std::string_view statement, std::vector<Value> parameters = {});

  /// Brings a store's tables to the newest version: runs the steps that this database has not seen
  /// yet, in order, each in a transaction, and remembers them under `store`. Steps are never edited
  /// once released; a change is a new step.
  Result<void> migrate(std::string_view store, const std::vector<std::string_view>& steps);
};

}  // namespace opentrail::sql

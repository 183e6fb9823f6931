#pragma once
#include "base/error.h"
#include "base/time.h"
#include "bench/random_draw.h"
#include "bench/template_compiler.h"
#include "bench/value_pools.h"
#include "record/record.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace opentrail::bench {

struct GeneratorOptions {
  std::uint64_t seed = 1;
  Timestamp first_time{};                    ///< Of the first record.
  std::chrono::microseconds gap_mean{5000};  ///< Between two records; each gap is 0 to twice this.
  std::size_t users = 2'000;
  std::size_t keys = 4'000;  ///< Shared out evenly among the users.
  std::size_t addresses = 5'000;
  std::size_t resources = 20'000;  ///< Shared out evenly among the kinds that the templates have.
  std::size_t accounts = 4;
  double zipf_exponent = 1.0;  ///< How much busier the busy ones are; 0: all alike.
  std::size_t session_records_mean = 8;
};

/// What LookupEvents finds a record by.
struct RecordFacts {
  std::string event_id;
  std::string event_name;
  std::string event_source;
  std::string username;  ///< May be empty, as all below.
  std::string access_key_id;
  std::string read_only;
  std::string resource_type;  ///< Of the first of its resources, as the next.
  std::string resource_name;
  std::string account;
  std::string region;
  record::Category category = record::Category::Management;
  Timestamp time;
};

/// Replays the shape of real records with fresh ids and times: the same seed and templates make the
/// same bytes on every machine. Records come in sessions, runs of neighbouring templates by one
/// user with one key from one address, as in real logs. Times never go back. One thread at a time.
class RecordGenerator {
 public:
  /// Errors: InvalidArgument when there is no template, or one that is not replayable.
  [[nodiscard]] static Result<RecordGenerator> make(std::span<const std::string> templates,
                                                    const GeneratorOptions& options);

  /// Appends the next record to `out`, without a line break. No two of a generator have one
  /// eventID.
  void next(std::string& out);
  /// The last record's facts; the strings of `facts` are used again.
  void describe(RecordFacts& facts) const;

  /// Of the templates, each counted once.
  [[nodiscard]] double template_bytes_mean() const;
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  RecordGenerator(std::vector<CompiledTemplate> templates, std::size_t pools,
                  const GeneratorOptions& options);
  void begin_session();
  [[nodiscard]] std::uint64_t value_for(const Slot& slot);
  void append(std::string& out, const Pattern& pattern) const;
  void set(std::string& out, const Pattern& pattern) const;

  struct Session {
    std::size_t records_left = 0;
    std::size_t next_template = 0;
    std::size_t user = 0;
    std::size_t key = 0;
    std::size_t address = 0;
    std::size_t account = 0;
  };

  std::vector<CompiledTemplate> templates_;
  GeneratorOptions options_;
  std::size_t keys_a_user_;
  ValuePools values_;
  Zipf users_;
  Zipf keys_;
  Zipf addresses_;
  Zipf resources_;
  Zipf accounts_;
  Draws draws_;
  Session session_;
  const CompiledTemplate* current_ = nullptr;
  std::vector<std::uint64_t> slot_values_;  ///< Of the last record.
  std::chrono::sys_time<std::chrono::microseconds> time_;
  std::uint64_t records_ = 0;
};

}  // namespace opentrail::bench

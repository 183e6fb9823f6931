#pragma once
#include "crypto/hash.h"
#include "history/history.h"
#include "search/matcher.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

/// For tests of the whole history: random records and queries over few values, so that they meet,
/// and the answers that a plain list of the records gives.
namespace opentrail::history::model {

using record::Field;
using search::Expression;

inline constexpr Timestamp kStart{std::chrono::seconds(1'795'510'000)};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// Small numbers more often than large ones.
  std::uint64_t skewed(std::uint64_t bound) { return below(1 + below(bound)); }
  template <typename T>
  const T& of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

/// What a record that was put together by hand is found by (record::Terms says it of others).
inline record::Terms terms_of(const record::Record& record) {
  if (!record.terms.empty()) {
    return record.terms;
  }
  record::Terms terms;
  terms.add(Field::AccountId, record.account_id);
  terms.add(Field::Region, record.region);
  terms.add(Field::EventCategory, record::to_string(record.category));
  const auto parsed = record::parse_record(record.json, record.origin, record.event_time).value();
  for (const record::Terms::Term term : parsed.terms) {
    if (term.field != Field::AccountId && term.field != Field::Region &&
        term.field != Field::EventCategory) {
      terms.add(term.field, term.value);
    }
  }
  return terms;
}

inline const std::vector<std::string>& accounts() {
  static const std::vector<std::string> all{"111122223333", "444455556666", "777788889999"};
  return all;
}
inline const std::vector<std::string>& regions() {
  static const std::vector<std::string> all{"us-east-1", "eu-west-1", "ap-southeast-2"};
  return all;
}

/// Makes batches of records; the times of a batch rise, are scattered, or are all the same.
class RecordMaker {
 public:
  explicit RecordMaker(std::uint64_t seed) : dice_(seed) {}

  /// New records from now on have ids that a maker of fewer records did not give.
  void skip_ids(std::uint64_t count) { made_ = std::max(made_, count); }

  /// `known`: records that some of the new ones repeat.
  std::vector<record::Record> batch(std::size_t count, Timestamp now,
                                    const std::vector<record::Record>& known) {
    const std::uint64_t order = dice_.below(3);
    const std::uint64_t hand_made_in = dice_.one_in(4) ? 2 : 40;
    const std::uint64_t repeated_in = dice_.one_in(5) ? 3 : 50;
    const Timestamp base = now - std::chrono::seconds(dice_.below(3600));
    std::vector<record::Record> records;
    records.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!known.empty() && dice_.one_in(repeated_in)) {
        records.push_back(repeated(dice_.of(known)));
        continue;
      }
      if (!records.empty() && dice_.one_in(2 * repeated_in)) {
        records.push_back(repeated(dice_.of(records)));
        continue;
      }
      const Timestamp time = order == 0   ? base + std::chrono::seconds(i / 3)
                             : order == 1 ? now - std::chrono::seconds(dice_.below(11ULL * 86'400))
                                          : base;
      records.push_back(make(time, dice_.one_in(hand_made_in)));
    }
    return records;
  }

 private:
  record::Record make(Timestamp time, bool by_hand) {
    const std::uint64_t n = made_++;
    const std::string id = dice_.one_in(30) ? fmt::format("id-{}", n)
                                            : fmt::format("{:08x}-1c5e-4f0a-9a3c-{:012x}", n, n);
    const std::string account = dice_.one_in(40) ? "" : dice_.of(accounts());
    const std::string region = dice_.of(regions());
    record::Record record =
        record::parse_record(json(id, account, region, time, n), record::Origin::Call, time)
            .value();
    if (by_hand) {
      record.terms = {};
      record.event_time += std::chrono::milliseconds(dice_.below(1000));
    }
    return record;
  }

  std::string json(const std::string& id, const std::string& account, const std::string& region,
                   Timestamp time, std::uint64_t n) {
    std::string text = "{";
    if (!dice_.one_in(25)) {
      text += fmt::format(R"("eventID":"{}",)", id);
    }
    text += fmt::format(R"("eventTime":"{}","awsRegion":"{}",)", to_iso_seconds(time), region);
    if (!account.empty()) {
      text += fmt::format(R"("recipientAccountId":"{}",)", account);
    }
    text += fmt::format(R"("eventName":"{}","eventSource":"{}.amazonaws.com",)",
                        dice_.one_in(6) ? fmt::format("GetThing{}", dice_.below(97))
                                        : fmt::format("Create{}", dice_.skewed(12)),
                        dice_.of(sources_));
    text += fmt::format(
        R"("userIdentity":{{"type":"IAMUser","userName":"user-{}","accessKeyId":"AKIA{}",)"
        R"("arn":"arn:aws:iam::{}:user/a-long-path-that-many-share/user-{}"}},)",
        dice_.skewed(20), dice_.below(30), account, dice_.below(20));
    if (!dice_.one_in(5)) {
      text += fmt::format(R"("readOnly":{},)", dice_.one_in(2));
    }
    if (dice_.one_in(4)) {
      text += fmt::format(R"("errorCode":"Err{}",)", dice_.skewed(9));
    }
    text += fmt::format(
        R"("sourceIPAddress":"198.51.100.{}","userAgent":"aws-cli/2.15.0 md/Botocore/{}",)",
        dice_.below(250), n);
    text +=
        fmt::format(R"("requestParameters":{{"bucketName":"b-{}","n":{},"tags":["t{}","t{}"]}},)",
                    dice_.skewed(40), n % 17, n % 3, n % 5);
    text += R"("resources":[)";
    for (std::uint64_t i = 0, count = dice_.below(3); i < count; ++i) {
      text += fmt::format(
          R"({}{{"type":"AWS::S3::{}","ARN":"arn:aws:s3:::a-bucket-with-a-long-name/{}"}})",
          i == 0 ? "" : ",", dice_.one_in(2) ? "Bucket" : "Object", dice_.skewed(300));
    }
    text += fmt::format(R"(],"eventType":"AwsApiCall","eventCategory":"{}")",
                        dice_.one_in(7)    ? "Data"
                        : dice_.one_in(40) ? "Insight"
                                           : "Management");
    if (dice_.one_in(12)) {
      text += fmt::format(R"(,"noise":"{}")", noise(dice_.below(2500)));
    }
    return text + "}";
  }

  std::string noise(std::size_t bytes) {
    std::string text(bytes, ' ');
    std::ranges::generate(text, [this] { return static_cast<char>('0' + dice_.below(75) % 43); });
    return text;
  }

  /// Another record of the same id and time: the same bytes, or forged ones.
  record::Record repeated(const record::Record& known) {
    record::Record again = known;
    if (dice_.one_in(2)) {
      again.json.back() = ',';
      again.json += fmt::format(R"("forged":{}}})", made_++);
      if (!again.terms.empty()) {
        again = record::parse_record(again.json, again.origin, again.event_time).value();
      }
    }
    return again;
  }

  Dice dice_;
  std::uint64_t made_ = 0;
  const std::vector<std::string> sources_{"iam", "sts", "s3", "ec2", "cloudtrail", "kms"};
};

/// All records that were appended, by offset; what is found of them follows by looking at each.
class PlainHistory {
 public:
  void append(const std::vector<record::Record>& batch) {
    for (const record::Record& record : batch) {
      counts_.push_back(ids_.insert(record.id).second);
      terms_.push_back(terms_of(record));
      fields_.push_back(record::lookup_fields(record.json).value());
      records_.push_back(record);
    }
  }
  void cut(std::size_t size) {
    if (size >= records_.size()) {
      return;
    }
    for (std::size_t i = size; i < records_.size(); ++i) {
      if (counts_[i]) {
        ids_.erase(records_[i].id);
      }
    }
    records_.resize(size);
    terms_.resize(size);
    fields_.resize(size);
    counts_.resize(size);
  }
  [[nodiscard]] const std::vector<record::Record>& records() const { return records_; }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] const record::Terms& terms(std::size_t i) const { return terms_[i]; }

  /// Offsets below `end` of what matches and is not older than `oldest`; newest first.
  template <typename Predicate>
  [[nodiscard]] std::vector<std::size_t> find(Timestamp oldest, std::size_t end,
                                              const Predicate& matches) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < std::min(end, records_.size()); ++i) {
      if (counts_[i] && records_[i].event_time >= oldest && matches(i)) {
        found.push_back(i);
      }
    }
    std::ranges::sort(found, [this](std::size_t a, std::size_t b) {
      return std::pair(records_[a].event_time, a) > std::pair(records_[b].event_time, b);
    });
    return found;
  }

  [[nodiscard]] std::vector<std::size_t> find(const LookupQuery& query, Timestamp oldest,
                                              std::size_t end) const {
    return find(oldest, end, [&](std::size_t i) { return matches(query, i); });
  }
  [[nodiscard]] std::vector<std::size_t> find(const SearchQuery& query, Timestamp oldest,
                                              std::size_t end) const {
    const search::Matcher matcher(query.where);
    const bool any_category = names_category(query.where);
    auto found = find(oldest, end, [&](std::size_t i) -> bool {
      const record::Record& record = records_[i];
      return (any_category || record.category == record::Category::Management) &&
             is_one_of(record.account_id, query.accounts) &&
             is_one_of(record.region, query.regions) &&
             (!query.start_time || record.event_time >= *query.start_time) &&
             (!query.end_time || record.event_time <= *query.end_time) &&
             matcher
                 .matches(search::Matcher::Subject{
                     .id = record.id, .json = record.json, .terms = terms_[i]})
                 .value();
    });
    if (query.direction == Direction::OldestFirst) {
      std::ranges::reverse(found);
    }
    return found;
  }

  [[nodiscard]] Counts count(const CountQuery& query, Timestamp oldest) const {
    using Buckets = std::map<Timestamp, std::uint64_t>;
    Counts counts;
    Buckets all;
    std::map<std::string, std::pair<std::uint64_t, Buckets>> groups;
    for (const std::size_t i : find(query.query, oldest, size())) {
      const Timestamp bucket = bucket_of(records_[i].event_time, query.bucket);
      ++counts.total;
      ++all[bucket];
      for (const record::Terms::Term term : terms_[i]) {
        if (query.by && term.field == *query.by) {
          auto& [total, buckets] = groups[std::string(term.value)];
          ++total;
          ++buckets[bucket];
        }
      }
    }
    const auto listed = [&](const Buckets& buckets) {
      std::vector<CountBucket> list;
      for (const auto& [start, number] : buckets) {
        if (query.bucket.count() > 0) {
          list.push_back({.start = start, .count = number});
        }
      }
      return list;
    };
    counts.buckets = listed(all);
    counts.values = groups.size();
    for (const auto& [value, group] : groups) {
      counts.groups.push_back(
          {.value = value, .count = group.first, .buckets = listed(group.second)});
    }
    std::ranges::sort(counts.groups, [](const CountGroup& a, const CountGroup& b) {
      return a.count != b.count ? a.count > b.count : a.value < b.value;
    });
    counts.groups.resize(std::min(counts.groups.size(), query.groups_max));
    return counts;
  }

  [[nodiscard]] std::optional<std::string> content_hash(std::string_view id,
                                                        Timestamp oldest) const {
    const auto found = find(oldest, size(), [&](std::size_t i) { return records_[i].id == id; });
    return found.empty() ? std::nullopt
                         : std::optional(crypto::sha256_hex(records_[found.front()].json));
  }

 private:
  static bool is_one_of(const std::string& value, const std::vector<std::string>& values) {
    return values.empty() || std::ranges::find(values, value) != values.end();
  }
  static bool names_category(const Expression& expression) {
    return expression.kind == Expression::Kind::Test
               ? expression.test.target.kind == search::Target::Kind::Field &&
                     expression.test.target.field == Field::EventCategory
               : std::ranges::any_of(expression.children, names_category);
  }
  static Timestamp bucket_of(Timestamp time, std::chrono::milliseconds width) {
    return width.count() == 0 ? Timestamp() : time - time.time_since_epoch() % width;
  }

  /// By the fields that an answer shows, so independently of the terms.
  [[nodiscard]] bool matches(const LookupQuery& query, std::size_t i) const {
    const record::Record& record = records_[i];
    if (record.account_id != query.account_id || record.region != query.region ||
        record.category != record::Category::Management ||
        (query.start_time && record.event_time < *query.start_time) ||
        (query.end_time && std::chrono::floor<std::chrono::seconds>(record.event_time) >
                               std::chrono::floor<std::chrono::seconds>(*query.end_time))) {
      return false;
    }
    return !query.filter || has(i, *query.filter);
  }
  [[nodiscard]] bool has(std::size_t i, const LookupFilter& filter) const {
    const record::LookupFields& fields = fields_[i];
    const auto resource = [&](const std::string record::ResourceName::* part) {
      return !filter.value.empty() &&
             std::ranges::find(fields.resources, filter.value, part) != fields.resources.end();
    };
    const auto is = [&](const std::string& value) {
      return !value.empty() && value == filter.value;
    };
    switch (filter.key) {
      case LookupKey::EventId:
        return records_[i].id == filter.value;
      case LookupKey::EventName:
        return is(fields.event_name);
      case LookupKey::ReadOnly:
        return is(fields.read_only);
      case LookupKey::Username:
        return is(fields.username);
      case LookupKey::ResourceType:
        return resource(&record::ResourceName::type);
      case LookupKey::ResourceName:
        return resource(&record::ResourceName::name);
      case LookupKey::EventSource:
        return is(fields.event_source);
      case LookupKey::AccessKeyId:
        return is(fields.access_key_id);
    }
    return false;
  }

  std::vector<record::Record> records_;
  std::vector<record::Terms> terms_;
  std::vector<record::LookupFields> fields_;
  std::vector<bool> counts_;  ///< The first of its id.
  std::set<std::string> ids_;
};

/// Questions whose answers are mostly neither empty nor everything.
class QueryMaker {
 public:
  QueryMaker(std::uint64_t seed, const PlainHistory& plain) : dice_(seed), plain_(plain) {}

  LookupQuery lookup() {
    constexpr std::uint64_t kKeys = 9;
    LookupQuery query;
    query.account_id = dice_.of(accounts());
    query.region = dice_.of(regions());
    const std::uint64_t key = dice_.below(kKeys);
    if (key < kKeys - 1 && plain_.size() > 0) {
      query.filter = filter(static_cast<LookupKey>(key));
    }
    times(query);
    query.results_max = 1 + dice_.below(kResultsMax);
    return query;
  }

  SearchQuery search() {
    SearchQuery query;
    query.where = expression(3);
    for (std::uint64_t i = dice_.below(3); i > 0; --i) {
      query.accounts.push_back(dice_.of(accounts()));
    }
    for (std::uint64_t i = dice_.below(3); i > 0; --i) {
      query.regions.push_back(dice_.of(regions()));
    }
    times(query);
    query.direction = dice_.one_in(2) ? Direction::NewestFirst : Direction::OldestFirst;
    query.results_max = 1 + dice_.below(kSearchResultsMax);
    return query;
  }

  CountQuery count() {
    CountQuery query;
    query.query = search();
    if (!dice_.one_in(3)) {
      query.by = static_cast<Field>(dice_.below(record::kFieldCount));
      query.groups_max = dice_.one_in(2) ? 1 + dice_.below(10) : kGroupsMax;
    }
    if (dice_.one_in(2)) {
      query.bucket = std::chrono::minutes(30 + dice_.below(3000));
    }
    return query;
  }

  std::string id() {
    return plain_.size() == 0 || dice_.one_in(8) ? fmt::format("none-{}", dice_.below(9))
                                                 : plain_.records()[any()].id;
  }

 private:
  std::size_t any() { return dice_.below(plain_.size()); }

  template <typename Query>
  void times(Query& query) {
    const auto time = [this] {
      return kStart - std::chrono::milliseconds(dice_.below(900'000'000));
    };
    if (dice_.one_in(4)) {
      query.start_time = time();
    }
    if (dice_.one_in(4)) {
      query.end_time = time();
    }
    if (plain_.size() > 0 && dice_.one_in(8)) {
      query.start_time = query.end_time = plain_.records()[any()].event_time;
    }
  }

  LookupFilter filter(LookupKey key) {
    const record::Record& record = plain_.records()[any()];
    const auto fields = record::lookup_fields(record.json).value();
    LookupFilter made{.key = key, .value = record.id};
    switch (key) {
      case LookupKey::EventId:
        break;
      case LookupKey::EventName:
        made.value = fields.event_name;
        break;
      case LookupKey::ReadOnly:
        made.value = fields.read_only;
        break;
      case LookupKey::Username:
        made.value = fields.username;
        break;
      case LookupKey::ResourceType:
        made.value = fields.resources.empty() ? "none" : fields.resources.front().type;
        break;
      case LookupKey::ResourceName:
        made.value = fields.resources.empty() ? "none" : fields.resources.back().name;
        break;
      case LookupKey::EventSource:
        made.value = fields.event_source;
        break;
      case LookupKey::AccessKeyId:
        made.value = fields.access_key_id;
        break;
    }
    if (dice_.one_in(20)) {
      made.value += "x";
    }
    return made;
  }

  Expression expression(std::size_t depth) {
    if (depth == 0 || dice_.one_in(3)) {
      return dice_.one_in(12) ? Expression{} : search::make_test(test());
    }
    if (dice_.one_in(4)) {
      return search::make_not(expression(depth - 1));
    }
    std::vector<Expression> children;
    for (std::uint64_t i = 2 + dice_.below(2); i > 0; --i) {
      children.push_back(expression(depth - 1));
    }
    return dice_.one_in(2) ? search::make_and(std::move(children))
                           : search::make_or(std::move(children));
  }

  search::Test test() {
    using Kind = search::Target::Kind;
    search::Test test;
    const std::uint64_t kind = dice_.below(10);
    if (kind == 0) {
      test.target = {.kind = Kind::EventId, .path = {}};
      test.op = dice_.one_in(4) ? search::Operator::StartsWith : search::Operator::Equals;
      test.value = id();
    } else if (kind == 1) {
      test.target = {};
      test.op = dice_.one_in(2) ? search::Operator::Contains : search::Operator::ContainsIgnoreCase;
      test.value = dice_.one_in(2) ? fmt::format("tocore/{}", dice_.below(50))
                                   : fmt::format("\"b-{}\"", dice_.below(20));
    } else if (kind == 2) {
      test.target = {.kind = Kind::Path, .path = {}};
      test.target.path.emplace_back("requestParameters");
      test.target.path.emplace_back(dice_.one_in(2) ? "n" : "tags");
      test.op = dice_.one_in(5) ? search::Operator::Exists : search::Operator::Equals;
      test.value = test.op == search::Operator::Exists ? ""
                   : dice_.one_in(2)                   ? fmt::format("{}", dice_.below(17))
                                                       : fmt::format("t{}", dice_.below(5));
    } else {
      field_test(test);
    }
    return test;
  }

  void field_test(search::Test& test) {
    test.target = {.kind = search::Target::Kind::Field,
                   .field = static_cast<Field>(dice_.below(record::kFieldCount)),
                   .path = {}};
    test.op =
        dice_.one_in(2) ? search::Operator::Equals : static_cast<search::Operator>(dice_.below(6));
    if (test.op == search::Operator::Exists) {
      return;
    }
    test.value = "none";
    if (plain_.size() == 0) {
      return;
    }
    for (const record::Terms::Term term : plain_.terms(any())) {
      if (term.field == test.target.field) {
        test.value = term.value;
      }
    }
    if (test.op != search::Operator::Equals) {
      const std::size_t cut = dice_.below(test.value.size());
      test.value = test.op == search::Operator::StartsWith
                       ? test.value.substr(0, test.value.size() - cut)
                       : test.value.substr(cut);
    }
  }

  Dice dice_;
  const PlainHistory& plain_;
};

}  // namespace opentrail::history::model

#include "objects/list_page.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace opentrail::objects {
namespace {

/// Rows asked at a time when keys may roll up, so that a folder of many keys costs few of them.
constexpr std::size_t kRollUpRows = 100;

/// The least string that is greater than every string with `prefix`; absent when there is none.
std::optional<std::string> behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') {
    prefix.pop_back();
  }
  if (prefix.empty()) {
    return std::nullopt;
  }
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

/// What `key` rolls up into, or nothing.
std::optional<std::string> common_prefix(const std::string& key, const ListQuery& query) {
  if (query.delimiter.empty()) {
    return std::nullopt;
  }
  const std::size_t found = key.find(query.delimiter, query.prefix.size());
  if (found == std::string::npos) {
    return std::nullopt;
  }
  return key.substr(0, found + query.delimiter.size());
}

class Lister {
 public:
  Lister(ObjectIndex& index, const ListQuery& query)
      : index_(index), query_(query), keys_max_(std::min(query.keys_max, kListKeysMax)) {
    // No key holds a NUL, so nothing lies between "a" and "a\0b".
    const std::string start = query.start_after.substr(0, query.start_after.find('\0'));
    inclusive_ = start < query.prefix;
    from_ = inclusive_ ? query.prefix : start;
    // Going on behind a common prefix that the page before showed: not one of its keys again.
    if (start.starts_with(query.prefix) && common_prefix(start, query) == start) {
      skip(start);
    }
  }

  Result<ListPage> run() {
    const bool impossible = query_.prefix.find('\0') != std::string::npos;
    if (keys_max_ == 0 || impossible) {
      return ListPage();
    }
    while (!done_) {
      const std::size_t wanted = keys_max_ - shown() + 1;  // one more tells whether there is more
      const std::size_t limit = query_.delimiter.empty() ? wanted : std::min(wanted, kRollUpRows);
      OT_TRY(auto rows, index_.page(query_.bucket, from_, inclusive_, limit));
      done_ = rows.size() < limit;
      take(std::move(rows));
    }
    return std::move(page_);
  }

 private:
  [[nodiscard]] std::size_t shown() const {
    return page_.objects.size() + page_.common_prefixes.size();
  }

  /// The next rows are asked from behind `prefix`.
  void skip(const std::string& prefix) {
    auto behind = behind_prefix(prefix);
    done_ = done_ || !behind;
    from_ = std::move(behind).value_or("");
    inclusive_ = true;
    skipped_ = prefix;
  }

  void take(std::vector<ObjectInfo> rows) {
    for (ObjectInfo& row : rows) {
      if (!row.key.starts_with(query_.prefix)) {
        done_ = true;
        return;
      }
      if (skipped_ && row.key.starts_with(*skipped_)) {
        continue;
      }
      if (shown() == keys_max_) {
        page_.truncated = true;
        page_.next_start_after = last_;
        done_ = true;
        return;
      }
      if (auto prefix = common_prefix(row.key, query_)) {
        last_ = *prefix;
        skip(*prefix);
        page_.common_prefixes.push_back(*std::move(prefix));
      } else {
        skipped_.reset();
        last_ = row.key;
        from_ = row.key;
        inclusive_ = false;
        page_.objects.push_back(std::move(row));
      }
    }
  }

  ObjectIndex& index_;
  const ListQuery& query_;
  std::size_t keys_max_;
  std::string from_;
  bool inclusive_ = false;
  std::optional<std::string> skipped_;  ///< The common prefix that was shown last.
  std::string last_;                    ///< What was shown last.
  bool done_ = false;
  ListPage page_;
};

}  // namespace

Result<ListPage> list_objects(ObjectIndex& index, const ListQuery& query) {
  return Lister(index, query).run();
}

}  // namespace opentrail::objects

#pragma once
#include "history/history.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::history {

/// A history without records, for tests that override what they care about.
class FakeHistory : public History {
 public:
  Result<LookupPage> lookup(const LookupQuery& /*query*/) override { return {}; }
  Result<SearchPage> search(const SearchQuery& /*query*/) override { return SearchPage(); }
  Result<Counts> count(const CountQuery& /*query*/) override { return Counts(); }
  Result<bool> contains(std::string_view /*record_id*/) override { return false; }
  Result<std::optional<std::string>> content_hash(std::string_view /*record_id*/) override {
    return std::nullopt;
  }
  [[nodiscard]] Timestamp oldest_kept() const override { return {}; }
  [[nodiscard]] Result<std::vector<std::string>> accounts() override {
    return std::vector<std::string>();
  }
  [[nodiscard]] journal::Offset needed_from() const override { return {}; }
  [[nodiscard]] journal::Offset applied_end() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return 0; }
  [[nodiscard]] std::optional<Error> failure() const override { return std::nullopt; }
  bool wait_settled() override { return true; }
  void wake() override {}
  void stop() override {}
};

}  // namespace opentrail::history

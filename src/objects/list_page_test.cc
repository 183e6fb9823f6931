// Goal: listings walk a bucket in byte order without losing or repeating a key, whatever the page
// size. Method: pages of every size against a model that sorts and rolls up.
#include "objects/list_page.h"

#include "objects/store_test_kit.h"

#include <set>

#include <gmock/gmock.h>

namespace opentrail::objects {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ListPageTest : public StoreTest {
 protected:
  ListPageTest() {
    EXPECT_TRUE(store_->create_bucket("logs", "r", "111122223333"));
    EXPECT_TRUE(store_->create_bucket("other", "r", "111122223333"));
    EXPECT_TRUE(put(object("a/zzz", "other"), "x"));
  }

  void put_all(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      ASSERT_TRUE(put(key, key));
    }
  }

  ListPage page(const ListQuery& query) {
    auto found = store_->list_page(query);
    EXPECT_TRUE(found.has_value());
    return found ? *std::move(found) : ListPage();
  }

  /// Everything, page by page: keys as they are, common prefixes in "<>".
  std::vector<std::string> walk(ListQuery query) {
    std::vector<std::string> all;
    for (;;) {
      const ListPage found = page(query);
      std::set<std::string> sorted;
      for (const ObjectInfo& info : found.objects) {
        sorted.insert(info.key);
      }
      for (const std::string& prefix : found.common_prefixes) {
        sorted.insert("<" + prefix + ">");
      }
      EXPECT_LE(sorted.size(), query.keys_max);
      all.insert(all.end(), sorted.begin(), sorted.end());
      if (!found.truncated) {
        return all;
      }
      EXPECT_EQ(sorted.size(), query.keys_max);
      query.start_after = found.next_start_after;
    }
  }
};

const std::vector<std::string> kKeys = {
    "a",     "a/", "a/1",  "a/2/x", "a/2/y", "a0",         "b/1",        "b/2",
    "b/3/4", "c",  "c//d", "c/d",   "d\x7F", "\xC3\xA9/x", "\xC3\xA9/y", "z",
};

TEST_F(ListPageTest, EveryPageSizeGivesTheSameWalk) {
  put_all(kKeys);
  for (const std::string prefix : {"", "a", "a/", "b/", "c/", "\xC3\xA9", "zz", "z"}) {
    for (const std::string delimiter : {"", "/", "//", "2"}) {
      ListQuery query{.bucket = "logs", .prefix = prefix, .delimiter = delimiter};
      const std::vector<std::string> whole = walk(query);
      std::set<std::string> model;
      for (const std::string& key : kKeys) {
        if (key.starts_with(prefix)) {
          const std::size_t at =
              delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
          model.insert(at == std::string::npos ? key
                                               : "<" + key.substr(0, at + delimiter.size()) + ">");
        }
      }
      EXPECT_EQ(std::set<std::string>(whole.begin(), whole.end()), model);
      EXPECT_EQ(whole.size(), model.size());
      for (std::size_t size = 1; size <= kKeys.size(); ++size) {
        query.keys_max = size;
        const std::vector<std::string> pages = walk(query);
        EXPECT_EQ(std::set<std::string>(pages.begin(), pages.end()), model)
            << prefix << " " << delimiter << " " << size;
        EXPECT_EQ(pages.size(), model.size());
      }
    }
  }
}

TEST_F(ListPageTest, ShowsWhatALogReaderNeeds) {
  put_all({"AWSLogs/1/CloudTrail/", "AWSLogs/1/CloudTrail/eu/x", "AWSLogs/2/CloudTrail/eu/y"});
  const ListPage found = page({.bucket = "logs", .prefix = "AWSLogs/", .delimiter = "/"});
  EXPECT_THAT(found.common_prefixes, ElementsAre("AWSLogs/1/", "AWSLogs/2/"));
  EXPECT_THAT(found.objects, IsEmpty());
  EXPECT_FALSE(found.truncated);
  const ListPage rest =
      page({.bucket = "logs", .prefix = "AWSLogs/1/", .start_after = "AWSLogs/1/CloudTrail/"});
  ASSERT_EQ(rest.objects.size(), 1U);
  EXPECT_EQ(rest.objects.front().key, "AWSLogs/1/CloudTrail/eu/x");
  EXPECT_EQ(rest.objects.front().size, 25U);
  EXPECT_EQ(rest.objects.front().last_modified, clock_.now());
}

TEST_F(ListPageTest, StartAfterBeforeInsideAndBehindThePrefix) {
  put_all(kKeys);
  const auto from = [&](std::string start) {
    return walk({.bucket = "logs", .prefix = "b/", .start_after = std::move(start)});
  };
  EXPECT_THAT(from("a"), ElementsAre("b/1", "b/2", "b/3/4"));
  EXPECT_THAT(from("b/1"), ElementsAre("b/2", "b/3/4"));
  EXPECT_THAT(from("b/10"), ElementsAre("b/2", "b/3/4"));
  EXPECT_THAT(from(std::string("b/1\0x", 5)), ElementsAre("b/2", "b/3/4"));
  EXPECT_THAT(from("c"), IsEmpty());
}

TEST_F(ListPageTest, Bounds) {
  put_all({"a", "b"});
  const ListPage none = page({.bucket = "logs", .keys_max = 0});
  EXPECT_THAT(none.objects, IsEmpty());
  EXPECT_FALSE(none.truncated);
  const ListPage exact = page({.bucket = "logs", .keys_max = 2});
  EXPECT_EQ(exact.objects.size(), 2U);
  EXPECT_FALSE(exact.truncated);
  EXPECT_THAT(page({.bucket = "logs", .prefix = std::string("a\0", 2)}).objects, IsEmpty());
}

TEST_F(ListPageTest, AFolderOfManyKeysIsOnePrefix) {
  for (int i = 0; i < 250; ++i) {  // more than are asked for at a time
    ASSERT_TRUE(put("many/" + std::to_string(i), ""));
  }
  put_all({"l", "n"});
  EXPECT_THAT(walk({.bucket = "logs", .delimiter = "/"}), ElementsAre("<many/>", "l", "n"));
  EXPECT_THAT(walk({.bucket = "logs", .delimiter = "/", .keys_max = 1}),
              ElementsAre("l", "<many/>", "n"));
}

}  // namespace
}  // namespace opentrail::objects

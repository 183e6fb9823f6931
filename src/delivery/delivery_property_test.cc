// Goal: after any sequence of calls, changes, failures and crashes, each wanted record stands in
// exactly one log file and each file in exactly one digest. Method: random sequences from printed
// seeds; the model knows from the calls' own order what is wanted.
#include "delivery/delivery_fixture.h"

namespace opentrail::delivery {
namespace {

class DeliveryPropertyTest : public DeliveryFixture, public testing::WithParamInterface<int> {
 protected:
  std::uint64_t draw(std::uint64_t below) {
    std::uint64_t number = 0;
    dice_.fill(std::as_writable_bytes(std::span(&number, 1)));
    return number % below;
  }

  void call_somewhere(const catalog::Trail& trail) {
    const std::vector<std::string> regions = {"us-east-1", "us-west-2", "eu-west-1"};
    const auto id = call(regions.at(draw(regions.size())));
    if (trail.config.logging) {
      wanted_.push_back(id);
    }
  }

  void toggle(catalog::Trail& trail) {
    if (trail.config.logging) {
      wanted_.push_back(stop_logging(trail));
    } else {
      wanted_.push_back(start_logging(trail));
    }
  }

  void break_bucket() {
    const auto kind = draw(3);
    store_.fault = [this, kind](const objects::PutRequest&) -> FakeBucketStore::Fault {
      if (draw(2) == 0) {
        return {};
      }
      if (kind == 0) {
        return {Error(ErrorCode::Unavailable, "gone"), false};
      }
      return {Error(ErrorCode::Timeout, "no answer"), kind == 1};
    };
  }

  io::SeededRandom dice_{static_cast<std::uint64_t>(GetParam())};
  std::vector<std::string> wanted_;
};

TEST_P(DeliveryPropertyTest, EachRecordInOneFileAndEachFileInOneDigest) {
  auto trail = create_trail(multi_region());
  for (int step = 0; step < 150; ++step) {
    switch (draw(10)) {
      case 0:
        toggle(trail);
        break;
      case 1:
        break_bucket();
        break;
      case 2:
        store_.fault = nullptr;
        break;
      case 3:
        reopen();
        break;
      case 4:
      case 5:
        pass(std::chrono::seconds(1 + static_cast<long>(draw(90))));
        break;
      default:
        call_somewhere(trail);
    }
  }
  store_.fault = nullptr;
  if (trail.config.logging) {
    toggle(trail);
  }
  for (int i = 0; i < 4; ++i) {
    pass(std::chrono::minutes(6));
  }
  expect_once(wanted_);
  expect_all_listed();
  EXPECT_EQ(store_.different_bytes, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeliveryPropertyTest, testing::Range(1, 17));

}  // namespace
}  // namespace opentrail::delivery

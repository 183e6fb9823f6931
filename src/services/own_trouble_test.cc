#include "services/own_trouble.h"

#include <gtest/gtest.h>

namespace opentrail::services {
namespace {

TEST(OwnTrouble, TellsWhatToDoAndNothingOfTheInside) {
  const auto busy = own_trouble(Error(ErrorCode::ResourceExhausted, "/data/catalog.db: no space"));
  EXPECT_EQ(busy.code, "ServiceUnavailable");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.message.find("catalog.db"), std::string::npos);
  const auto broken = own_trouble(Error(ErrorCode::Corruption, "SELECT secret FROM keys"));
  EXPECT_EQ(broken.code, "InternalFailure");
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.message.find("SELECT"), std::string::npos);
}

}  // namespace
}  // namespace opentrail::services

// Goal: the unsigned endpoints answer, and only they: what is signed, or changes something, goes on
// to the services. Method: one exchange a case.
#include "server/health.h"

#include "base/metrics.h"
#include "services/fake_exchange.h"

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

net::RequestHead head_of(std::string method, std::string target) {
  net::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  return head;
}

class HealthTest : public testing::Test {
 protected:
  /// The status; 0 when it was not for Health.
  int ask(net::RequestHead head) {
    services::FakeExchange exchange(std::move(head));
    const bool answered = services::run_to_value(health_.answer(exchange));
    EXPECT_EQ(answered, exchange.responded());
    body_ = exchange.answer_body();
    return answered ? exchange.answer()->status : 0;
  }
  Health health_;
  std::string body_;
};

TEST_F(HealthTest, IsAliveFromTheStart) {
  EXPECT_EQ(ask(head_of("GET", "/healthz")), 200);
  EXPECT_EQ(body_, "ok\n");
  EXPECT_EQ(ask(head_of("HEAD", "/healthz?probe=1")), 200);
}

TEST_F(HealthTest, IsReadyWhenToldSo) {
  EXPECT_EQ(ask(head_of("GET", "/readyz")), 503);
  health_.set_ready(true);
  EXPECT_EQ(ask(head_of("GET", "/readyz")), 200);
  EXPECT_EQ(body_, "ready\n");
  health_.set_ready(false);
  EXPECT_EQ(ask(head_of("GET", "/readyz")), 503);
}

TEST_F(HealthTest, ShowsTheMetrics) {
  metrics::counter("opentrail_health_test_total", "Of this test").add(3);
  EXPECT_EQ(ask(head_of("GET", "/metrics")), 200);
  EXPECT_NE(body_.find("opentrail_health_test_total 3\n"), std::string::npos) << body_;
}

TEST_F(HealthTest, LeavesTheRestToTheServices) {
  EXPECT_EQ(ask(head_of("GET", "/")), 0);
  EXPECT_EQ(ask(head_of("GET", "/healthz/")), 0);
  EXPECT_EQ(ask(head_of("GET", "/metrics/key")), 0);
  EXPECT_EQ(ask(head_of("PUT", "/metrics")), 0);
  EXPECT_EQ(ask(head_of("POST", "/healthz")), 0);
}

TEST_F(HealthTest, ASignedRequestMeansABucketOfThatName) {
  net::RequestHead head = head_of("GET", "/metrics");
  head.headers.add("Authorization", "AWS4-HMAC-SHA256 Credential=...");
  EXPECT_EQ(ask(std::move(head)), 0);
  EXPECT_EQ(ask(head_of("GET", "/metrics?X-Amz-Date=x&X-Amz-Signature=00")), 0);
}

}  // namespace
}  // namespace opentrail::server

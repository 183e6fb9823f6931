// Goal: flags beat the environment, which beats the file, which beats the defaults; every wrong
// value is refused with its name and source; what print_config prints reads back the same.
#include "server/config.h"

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

TEST(Config, DefaultsAreValid) {
  const auto config = make_config(resolve({}).value());
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->listen_address, "127.0.0.1");
  EXPECT_EQ(config->listen_port, 4747);
  EXPECT_EQ(config->regions.size(), 17U);
  EXPECT_EQ(config->retention, std::chrono::days(90));
}

TEST(Config, PrecedenceIsFlagEnvironmentFileDefault) {
  Sources sources;
  sources.toml_path = "o.toml";
  sources.toml_text =
      "delivery_interval = 10\ndigest_interval = 20\nregions = ['us-east-1', "
      "'eu-west-1']\nretention_days = 7\n[objects]\nendpoint = 'http://a:1'\n";
  sources.environment = {
      {"OPENTRAIL_DELIVERY_INTERVAL", "11"}, {"OPENTRAIL_DIGEST_INTERVAL", "21"}, {"HOME", "/"}};
  sources.flags = {{"delivery_interval", "12"}};
  const auto settings = resolve(sources).value();
  EXPECT_EQ(settings.find("delivery_interval")->second.source, "flag");
  EXPECT_EQ(settings.find("digest_interval")->second.source, "environment");
  EXPECT_EQ(settings.find("retention_days")->second.source, "file o.toml");
  EXPECT_EQ(settings.find("listen")->second.source, "default");
  const auto config = make_config(settings).value();
  EXPECT_EQ(config.delivery_interval, std::chrono::seconds(12));
  EXPECT_EQ(config.digest_interval, std::chrono::seconds(21));
  EXPECT_EQ(config.retention, std::chrono::days(7));
  EXPECT_EQ(config.objects_endpoint, "http://a:1");
  EXPECT_EQ(config.regions, (std::vector<std::string>{"us-east-1", "eu-west-1"}));
}

TEST(Config, ReadsUpstreams) {
  Sources sources;
  sources.toml_path = "o.toml";
  sources.toml_text =
      "upstream = 'http://a:1'\nupstream_recording = 'strict'\n[upstreams]\n\"s3\" = 'http://b:2'\n"
      "\"ec2/eu-west-1\" = 'https://c'\n";
  const auto config = make_config(resolve(sources).value());
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->upstreams.size(), 3U);
  EXPECT_EQ(config->upstreams[0].url, "http://a:1");
  EXPECT_EQ(config->upstreams[0].service, "");
  // TOML's tables are sorted by key.
  EXPECT_EQ(config->upstreams[1].service, "ec2");
  EXPECT_EQ(config->upstreams[1].region, "eu-west-1");
  EXPECT_EQ(config->upstreams[1].url, "https://c");
  EXPECT_EQ(config->upstreams[2].service, "s3");
  EXPECT_EQ(config->upstream_recording, gateway::Mode::Strict);
  sources.toml_text = "[upstreams]\ns3 = 5\n";
  EXPECT_FALSE(resolve(sources));
}

TEST(Config, PrintsWhatReadsBack) {
  Sources sources;
  sources.flags = {{"objects.endpoint", "http://a\"b"},
                   {"listen", "127.0.0.1:0"},
                   {"upstreams", "s3=http://a,ec2/eu-west-1=http://b"}};
  const auto first = resolve(sources).value();
  Sources again;
  again.toml_path = "printed";
  again.toml_text = print_config(first);
  const auto second = resolve(again);
  ASSERT_TRUE(second.has_value()) << second.error().message() << again.toml_text;
  for (const auto& [key, resolved] : first) {
    EXPECT_EQ(second->find(key)->second.value, resolved.value) << key;
  }
}

TEST(Config, RefusesWithNameAndSource) {
  constexpr struct {
    const char *key, *value;
  } kCases[] = {
      {"listen", "4747"},
      {"upstreams", "http://a"},
      {"upstreams", "s3/=http://a"},
      {"upstreams", "/us-east-1=http://a"},
      {"upstream_recording", "sometimes"},
      {"upstream_timeout", "0"},
      {"listen", "127.0.0.1:70000"},
      {"account_id", "12"},
      {"retention_days", "0"},
      {"delivery_interval", "x"},
      {"digest_interval", "-1"},
      {"regions", "eu-west-1"},
      {"regions", "us-east-1,BAD"},
      {"tls.cert", "only-one.pem"},
      {"lookup_rate", "-1"},
      {"threads", "0"},
      {"log_level", "loud"},
      {"data_dir", ""},
  };
  for (const auto& c : kCases) {
    Sources sources;
    sources.flags = {{c.key, c.value}};
    const auto config = make_config(resolve(sources).value());
    ASSERT_FALSE(config.has_value()) << c.key << "=" << c.value;
    EXPECT_NE(config.error().message().find(c.value), std::string::npos)
        << config.error().message();
  }
}

TEST(Config, RefusesUnknownKeysByLine) {
  Sources sources;
  sources.toml_path = "o.toml";
  sources.toml_text = "listen = '127.0.0.1:1'\nlisten_to = 'x'\n";
  EXPECT_NE(resolve(sources).error().message().find("o.toml:2"), std::string::npos);
  sources.toml_text = "listen = \n";
  EXPECT_NE(resolve(sources).error().message().find("o.toml:1"), std::string::npos);
}

}  // namespace
}  // namespace opentrail::server

// Goal: a trail gets the records its event selectors name, and no others.
// Method: tables of (selector, record) with the near misses that prefixes invite; then random
// selectors over random records, against an evaluation that follows spec api §4.5 word by word.
#include "record/selector_matcher.h"

#include "base/json_writer.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

using enum SelectorOperator;

bool selects(const std::vector<EventSelector>& selectors, const SelectorSubject& subject) {
  return SelectorMatcher(selectors).matches(subject);
}
bool selects(const std::vector<AdvancedEventSelector>& selectors, const SelectorSubject& subject) {
  return SelectorMatcher(selectors).matches(subject);
}

SelectorSubject management(bool read_only, std::string_view source = "iam.amazonaws.com") {
  SelectorSubject subject;
  subject.read_only = read_only;
  subject.event_source = source;
  return subject;
}

SelectorSubject data(std::vector<SelectorResource> resources, bool read_only = true) {
  SelectorSubject subject;
  subject.category = Category::Data;
  subject.read_only = read_only;
  subject.resources = std::move(resources);
  return subject;
}

FieldSelector field(std::string name, SelectorOperator op, std::vector<std::string> values) {
  FieldSelector selector{std::move(name), {}};
  selector[op] = std::move(values);
  return selector;
}

/// One of the category, with these conditions.
std::vector<AdvancedEventSelector> advanced(std::string category,
                                            std::vector<FieldSelector> fields) {
  fields.insert(fields.begin(), field("eventCategory", Equals, {std::move(category)}));
  return {{"", std::move(fields)}};
}

// ---- basic
// ---------------------------------------------------------------------------------------

TEST(BasicSelectors, TheDefaultWantsAllManagementEventsAndNothingElse) {
  const std::vector<EventSelector> selectors(1);
  EXPECT_TRUE(selects(selectors, management(true)));
  EXPECT_TRUE(selects(selectors, management(false)));
  EXPECT_FALSE(selects(selectors, data({{"AWS::S3::Object", "arn:aws:s3:::bucket/key"}})));
  for (const auto category : {Category::NetworkActivity, Category::Insight, Category::Other}) {
    SelectorSubject subject = management(true);
    subject.category = category;
    EXPECT_FALSE(selects(selectors, subject));
    EXPECT_EQ(SelectorMatcher(selectors).answer_for(category), false);
  }
  EXPECT_FALSE(selects(std::vector<EventSelector>{}, management(true)));
  EXPECT_EQ(SelectorMatcher(selectors).answer_for(Category::Management), true);
}

TEST(BasicSelectors, ReadWriteTypeHoldsForBothKinds) {
  EventSelector selector;
  selector.data_resources = {{"AWS::S3::Object", {"arn:aws:s3"}}};
  constexpr struct {
    ReadWriteType type;
    bool reads, writes;
  } kCases[] = {{ReadWriteType::All, true, true},
                {ReadWriteType::ReadOnly, true, false},
                {ReadWriteType::WriteOnly, false, true}};
  const std::vector<SelectorResource> object = {{"AWS::S3::Object", "arn:aws:s3:::b/k"}};
  for (const auto& wanted : kCases) {
    SCOPED_TRACE(to_string(wanted.type));
    selector.read_write_type = wanted.type;
    const std::vector<EventSelector> selectors = {selector};
    EXPECT_EQ(selects(selectors, management(true)), wanted.reads);
    EXPECT_EQ(selects(selectors, management(false)), wanted.writes);
    EXPECT_EQ(selects(selectors, data(object, true)), wanted.reads);
    EXPECT_EQ(selects(selectors, data(object, false)), wanted.writes);
    EXPECT_EQ(parse_read_write_type(to_string(wanted.type)), wanted.type);
  }
  EXPECT_FALSE(parse_read_write_type("readonly").has_value());
  EXPECT_FALSE(parse_read_write_type("").has_value());
}

TEST(BasicSelectors, ManagementEventsCanBeLeftOutWhollyOrBySource) {
  EventSelector selector;
  selector.exclude_management_event_sources = {"rdsdata.amazonaws.com", "kms.amazonaws.com"};
  const auto wants = [&](const SelectorSubject& subject) {
    return selects(std::vector<EventSelector>{selector}, subject);
  };
  EXPECT_FALSE(wants(management(true, "kms.amazonaws.com")));
  EXPECT_FALSE(wants(management(true, "rdsdata.amazonaws.com")));
  EXPECT_TRUE(wants(management(true, "iam.amazonaws.com")));
  EXPECT_TRUE(wants(management(true, "")));
  selector.include_management_events = false;
  EXPECT_FALSE(wants(management(true)));
  // Any selector of a trail may want the record.
  EXPECT_TRUE(selects(std::vector<EventSelector>{selector, EventSelector{}},
                      management(true, "kms.amazonaws.com")));
}

TEST(BasicSelectors, CompareDataResourcesAsTheirTypeWants) {
  constexpr std::string_view kObject = "AWS::S3::Object";
  constexpr std::string_view kFunction = "AWS::Lambda::Function";
  constexpr std::string_view kTable = "AWS::DynamoDB::Table";
  constexpr struct {
    std::string_view type, value, resource_type, arn;
    bool wanted;
  } kCases[] = {
      {kObject, "arn:aws:s3", kObject, "arn:aws:s3:::bucket/key", true},
      {kObject, "arn:aws:s3:::", kObject, "arn:aws:s3:::bucket/key", true},
      {kObject, "arn:aws:s3", "AWS::S3Outposts::Object", "arn:aws:s3-outposts:r:1:x", false},
      {kObject, "arn:aws:s3", "AWS::S3::Bucket", "arn:aws:s3:::bucket", false},
      {kObject, "arn:aws:s3:::bucket/", kObject, "arn:aws:s3:::bucket/key", true},
      {kObject, "arn:aws:s3:::bucket/", kObject, "arn:aws:s3:::bucket/", true},
      {kObject, "arn:aws:s3:::bucket/", kObject, "arn:aws:s3:::bucket2/key", false},
      {kObject, "arn:aws:s3:::bucket/pre", kObject, "arn:aws:s3:::bucket/prefix/key", true},
      {kObject, "arn:aws:s3:::bucket/pre", kObject, "arn:aws:s3:::bucket/other", false},
      {kObject, "arn:aws:s3:::Bucket/", kObject, "arn:aws:s3:::bucket/key", false},
      {kFunction, "arn:aws:lambda", kFunction, "arn:aws:lambda:r:1:function:f", true},
      {kFunction, "arn:aws:lambda:r:1:function:helloworld", kFunction,
       "arn:aws:lambda:r:1:function:helloworld", true},
      {kFunction, "arn:aws:lambda:r:1:function:helloworld", kFunction,
       "arn:aws:lambda:r:1:function:helloworld2", false},
      {kFunction, "arn:aws:lambda", kObject, "arn:aws:s3:::bucket/key", false},
      {kTable, "arn:aws:dynamodb", kTable, "arn:aws:dynamodb:r:1:table/t", true},
      {kTable, "arn:aws:dynamodb:r:1:table/t", kTable, "arn:aws:dynamodb:r:1:table/t", true},
      {kTable, "arn:aws:dynamodb:r:1:table/t", kTable, "arn:aws:dynamodb:r:1:table/t2", false},
      {kTable, "arn:aws:dynamodb", "AWS::DynamoDB::Stream", "arn:aws:dynamodb:r:1:table/t/s",
       false},
      {"AWS::Unknown::Type", "arn:aws:s3", "AWS::Unknown::Type", "arn:aws:s3:::b/k", false},
  };
  for (const auto& item : kCases) {
    SCOPED_TRACE(std::string(item.value) + " : " + std::string(item.arn));
    EventSelector selector;
    selector.include_management_events = false;
    selector.data_resources = {{std::string(item.type), {std::string(item.value)}}};
    EXPECT_EQ(selects(std::vector<EventSelector>{selector}, data({{item.resource_type, item.arn}})),
              item.wanted);
  }
}

TEST(BasicSelectors, AnyResourceOfTheRecordMayBeTheOne) {
  EventSelector selector;
  selector.data_resources = {{"AWS::S3::Object", {"arn:aws:s3:::other/", "arn:aws:s3:::bucket/"}}};
  const std::vector<EventSelector> selectors = {selector};
  EXPECT_TRUE(selects(selectors, data({{"AWS::IAM::Role", "arn:aws:iam::1:role/x"},
                                       {"AWS::S3::Object", "arn:aws:s3:::bucket/key"}})));
  EXPECT_FALSE(selects(selectors, data({{"AWS::IAM::Role", "arn:aws:s3:::bucket/key"},
                                        {"AWS::S3::Object", "arn:aws:s3:::third/key"}})));
  EXPECT_FALSE(selects(selectors, data({})));
}

// ---- advanced
// ------------------------------------------------------------------------------------

TEST(AdvancedSelectors, OperatorsCompareAsTheirNamesSay) {
  constexpr struct {
    SelectorOperator op;
    std::string_view value, name;
    bool wanted;
  } kCases[] = {
      {Equals, "GetObject", "GetObject", true},
      {Equals, "GetObject", "getobject", false},
      {Equals, "GetObject", "GetObjectAcl", false},
      {Equals, "Get*", "GetObject", false},
      {Equals, "GetObject", "", false},
      {StartsWith, "Get", "GetObject", true},
      {StartsWith, "Get", "Get", true},
      {StartsWith, "Get", "Ge", false},
      {StartsWith, "Get", "", false},
      {EndsWith, "Object", "GetObject", true},
      {EndsWith, "Object", "GetObjectAcl", false},
      {EndsWith, "GetObject", "Object", false},
      {EndsWith, "Object", "", false},
      {NotEquals, "GetObject", "GetObject", false},
      {NotEquals, "GetObject", "PutObject", true},
      {NotEquals, "GetObject", "", true},
      {NotStartsWith, "Get", "GetObject", false},
      {NotStartsWith, "Get", "PutObject", true},
      {NotStartsWith, "Get", "", true},
      {NotEndsWith, "Object", "GetObject", false},
      {NotEndsWith, "Object", "GetObjectAcl", true},
      {NotEndsWith, "Object", "", true},
  };
  for (const auto& item : kCases) {
    SCOPED_TRACE(std::string(to_string(item.op)) + " " + std::string(item.value) + " : " +
                 std::string(item.name));
    SelectorSubject subject = data({});
    subject.event_name = item.name;
    const auto selectors =
        advanced("Data", {field("eventName", item.op, {"never", std::string(item.value)})});
    EXPECT_EQ(selects(selectors, subject), item.wanted);
  }
}

TEST(AdvancedSelectors, EveryFieldLooksAtItsOwnPart) {
  constexpr struct {
    std::string_view field;
    std::string_view SelectorSubject::* part;
  } kFields[] = {
      {"eventName", &SelectorSubject::event_name},
      {"eventSource", &SelectorSubject::event_source},
      {"eventType", &SelectorSubject::event_type},
      {"errorCode", &SelectorSubject::error_code},
      {"vpcEndpointId", &SelectorSubject::vpc_endpoint_id},
      {"userIdentity.arn", &SelectorSubject::user_identity_arn},
      {"sessionCredentialFromConsole", &SelectorSubject::session_credential_from_console},
  };
  for (const auto& asked : kFields) {
    const auto selectors =
        advanced("Management", {field(std::string(asked.field), Equals, {"value"})});
    for (const auto& set : kFields) {
      SelectorSubject subject;
      subject.*set.part = "value";
      EXPECT_EQ(selects(selectors, subject), asked.field == set.field) << asked.field;
    }
  }
}

TEST(AdvancedSelectors, AllConditionsAndAllOperatorsMustHold) {
  FieldSelector name = field("eventName", StartsWith, {"Get"});
  name[NotEndsWith] = {"Acl"};
  const auto selectors =
      advanced("Data", {name, field("eventSource", Equals, {"s3.amazonaws.com"})});
  constexpr struct {
    std::string_view name, source;
    bool wanted;
  } kCases[] = {{"GetObject", "s3.amazonaws.com", true},
                {"GetObjectAcl", "s3.amazonaws.com", false},
                {"PutObject", "s3.amazonaws.com", false},
                {"GetObject", "dynamodb.amazonaws.com", false}};
  for (const auto& item : kCases) {
    SelectorSubject subject = data({});
    subject.event_name = item.name;
    subject.event_source = item.source;
    EXPECT_EQ(selects(selectors, subject), item.wanted) << item.name;
    subject.category = Category::Management;
    EXPECT_FALSE(selects(selectors, subject)) << "another category";
  }
}

TEST(AdvancedSelectors, AnyResourceMayBeHit) {
  // A call on an item of a table with a stream lists both (spec api §4.5).
  const auto subject = data({{"AWS::DynamoDB::Table", "arn:aws:dynamodb:r:1:table/t"},
                             {"AWS::DynamoDB::Stream", "arn:aws:dynamodb:r:1:table/t/stream/s"}});
  const auto wants = [&](const std::string& name, SelectorOperator op, std::string value) {
    return selects(advanced("Data", {field(name, op, {std::move(value)})}), subject);
  };
  EXPECT_TRUE(wants("resources.type", Equals, "AWS::DynamoDB::Stream"));
  EXPECT_TRUE(wants("resources.type", Equals, "AWS::DynamoDB::Table"));
  EXPECT_FALSE(wants("resources.type", Equals, "AWS::DynamoDB"));
  EXPECT_TRUE(wants("resources.ARN", EndsWith, "/s"));
  EXPECT_FALSE(wants("resources.ARN", NotEndsWith, "/s"));
  EXPECT_FALSE(wants("resources.ARN", NotStartsWith, "arn:aws:dynamodb:"));
  EXPECT_TRUE(wants("resources.ARN", NotStartsWith, "arn:aws:s3:"));
}

TEST(AdvancedSelectors, ReadOnlyAndCategoryAreSettledBeforehand) {
  const auto reads = advanced("Management", {field("readOnly", Equals, {"true"})});
  EXPECT_TRUE(selects(reads, management(true)));
  EXPECT_FALSE(selects(reads, management(false)));
  const SelectorMatcher all(advanced("Management", {}));
  EXPECT_EQ(all.answer_for(Category::Management), true);
  EXPECT_EQ(all.answer_for(Category::Data), false);
  EXPECT_EQ(SelectorMatcher(reads).answer_for(Category::Management), std::nullopt);
  EXPECT_EQ(SelectorMatcher(advanced("Insight", {})).answer_for(Category::Insight), false);
}

// ---- a property
// ----------------------------------------------------------------------------------

/// What a record says, by the names of selectors' fields; a field that is not said is not there.
using Said = std::map<std::string, std::vector<std::string>>;

bool hits(SelectorOperator op, const std::string& value, const std::string& said) {
  switch (op) {
    case Equals:
    case NotEquals:
      return said == value;
    case StartsWith:
    case NotStartsWith:
      return said.compare(0, value.size(), value) == 0;
    case EndsWith:
    case NotEndsWith:
      return said.size() >= value.size() && said.substr(said.size() - value.size()) == value;
  }
  return false;
}

bool plainly_holds(const FieldSelector& selector, const Said& said) {
  const auto values = said.find(selector.field);
  for (const auto op : kSelectorOperators) {
    bool hit = false;
    for (const auto& value : selector[op]) {
      for (const auto& text : values == said.end() ? std::vector<std::string>() : values->second) {
        hit = hit || hits(op, value, text);
      }
    }
    const bool positive = op == Equals || op == StartsWith || op == EndsWith;
    if (!selector[op].empty() && hit != positive) {
      return false;
    }
  }
  return true;
}

bool plainly_selects(const std::vector<AdvancedEventSelector>& selectors, const Said& said) {
  for (const auto& selector : selectors) {
    bool all = true;
    for (const auto& condition : selector.field_selectors) {
      all = all && plainly_holds(condition, said);
    }
    if (all) {
      return true;
    }
  }
  return false;
}

class RandomSelectors : public ::testing::Test {
 protected:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  /// Few letters, so that texts meet; some that JSON escapes.
  std::string word(std::size_t shortest = 1) {
    static const std::vector<std::string> kLetters = {"a", "b", "/", "\"", "\xC3\xA9", "\n"};
    std::string text;
    const std::size_t letters = shortest + below(4);
    for (std::size_t i = 0; i < letters; ++i) {
      text += kLetters[below(chance(4) ? kLetters.size() : 3)];
    }
    return text;
  }
  std::vector<std::string> words(std::size_t most) {
    std::vector<std::string> values(1 + below(most));
    for (auto& value : values) {
      value = word();
    }
    return values;
  }

  FieldSelector condition() {
    FieldSelector selector;
    selector.field = kFields[below(kFields.size())];
    do {
      const auto op = kSelectorOperators[below(kSelectorOperators.size())];
      selector[op] = words(chance(8) ? 40 : 3);
      if (selector.field == "readOnly") {
        selector[op] = {chance(2) ? "true" : "false"};
      }
    } while (chance(3));
    return selector;
  }
  std::vector<AdvancedEventSelector> selectors() {
    std::vector<AdvancedEventSelector> all(below(4));
    for (auto& one : all) {
      one.field_selectors.push_back(field("eventCategory", Equals, {category()}));
      const std::size_t more = below(4);
      for (std::size_t i = 0; i < more; ++i) {
        one.field_selectors.push_back(condition());
      }
    }
    return all;
  }
  std::string category() {
    return chance(2) ? "Data" : chance(2) ? "Management" : "NetworkActivity";
  }

  /// The record's bytes, and in `said` what they say.
  std::string record(Said& said) {
    JsonWriter out;
    out.begin_object().field("eventCategory", said["eventCategory"].emplace_back(category()));
    for (const auto* const name :
         {"eventName", "eventSource", "eventType", "errorCode", "vpcEndpointId"}) {
      if (!chance(4)) {
        out.field(name, said[name].emplace_back(word()));
      }
    }
    if (!chance(4)) {
      out.key("userIdentity").begin_object();
      out.field("arn", said["userIdentity.arn"].emplace_back(word())).end_object();
    }
    if (chance(2)) {
      out.field("sessionCredentialFromConsole", "true");
      said["sessionCredentialFromConsole"] = {"true"};
    }
    const bool says = chance(2);
    const bool read_only = says && chance(2);
    if (says) {
      out.key("readOnly").boolean(read_only);
    }
    said["readOnly"] = {read_only ? "true" : "false"};
    out.key("resources").begin_array();
    for (std::size_t left = below(4); left > 0; --left) {
      out.begin_object();
      if (!chance(4)) {
        out.field("type", said["resources.type"].emplace_back(word()));
      }
      if (!chance(4)) {
        out.field("ARN", said["resources.ARN"].emplace_back(word()));
      }
      out.end_object();
    }
    out.end_array().end_object();
    return std::move(out).text();
  }

  inline static const std::vector<std::string> kFields = {
      "eventName",     "eventSource",      "eventType",
      "errorCode",     "vpcEndpointId",    "userIdentity.arn",
      "resources.ARN", "resources.type",   "sessionCredentialFromConsole",
      "readOnly",      "not.a.known.field"};
  std::mt19937 random_{2026};
};

TEST_F(RandomSelectors, SelectWhatThePlainEvaluationSelects) {
  std::size_t wanted = 0;
  constexpr int kRounds = 2000;
  constexpr int kRecords = 20;
  for (int round = 0; round < kRounds; ++round) {
    const auto all = selectors();
    const SelectorMatcher matcher(all);
    for (int i = 0; i < kRecords; ++i) {
      Said said;
      const auto parsed = parse_record(record(said), Origin::Call, Timestamp{}).value();
      const auto subject = selector_subject(parsed).value();
      const bool expected = plainly_selects(all, said);
      wanted += expected ? 1 : 0;
      ASSERT_EQ(matcher.matches(subject), expected) << "round " << round << ": " << parsed.json;
      const auto known = matcher.answer_for(parsed.category);
      ASSERT_TRUE(!known || *known == expected) << "round " << round << ": " << parsed.json;
    }
  }
  EXPECT_GT(wanted, kRounds * kRecords / 20) << "the test hardly tests";
  EXPECT_LT(wanted, kRounds * kRecords * 19 / 20);
}

TEST(Selectors, KnowGlobalServices) {
  EXPECT_TRUE(is_global_service("iam.amazonaws.com"));
  EXPECT_TRUE(is_global_service("signin.amazonaws.com"));
  EXPECT_FALSE(is_global_service("sts.amazonaws.com"));
  EXPECT_FALSE(is_global_service("cloudtrail.amazonaws.com"));
}

}  // namespace
}  // namespace opentrail::record

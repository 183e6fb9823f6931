// Goal: terms hold what was added once, of any length, and parse_record() fills each field with the
// meaning that terms.h gives it. Method: tables; and the real samples, whose terms must be what
// lookup_fields() and the record itself say.
#include "record/terms.h"

#include "record/record.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::record {

void PrintTo(const Terms::Term& term, std::ostream* out) {
  *out << to_string(term.field) << "=" << term.value;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<Terms::Term> all(const Terms& terms) {
  std::vector<Terms::Term> list;
  for (const Terms::Term term : terms) {
    list.push_back(term);
  }
  return list;
}

std::vector<std::string_view> values(const Terms& terms, Field field) {
  std::vector<std::string_view> list;
  for (const Terms::Term term : terms) {
    if (term.field == field) {
      list.push_back(term.value);
    }
  }
  return list;
}

Record parsed(std::string json) {
  auto record = parse_record(std::move(json), Origin::Import, Timestamp{});
  EXPECT_TRUE(record.has_value()) << (record ? "" : record.error().message());
  return record.value_or(Record());
}

TEST(Terms, HoldsEachPairOnceAndNoEmptyValue) {
  Terms terms;
  EXPECT_TRUE(terms.empty());
  EXPECT_THAT(all(terms), IsEmpty());
  terms.add(Field::EventName, "");
  EXPECT_TRUE(terms.empty());
  terms.add(Field::EventName, "CreateUser");
  terms.add(Field::ResourceName, "bob");
  terms.add(Field::ResourceName, "alice");
  terms.add(Field::ResourceName, "bob");
  terms.add(Field::Username, "bob");
  EXPECT_THAT(all(terms), ElementsAre(Terms::Term{Field::EventName, "CreateUser"},
                                      Terms::Term{Field::ResourceName, "bob"},
                                      Terms::Term{Field::ResourceName, "alice"},
                                      Terms::Term{Field::Username, "bob"}));
  EXPECT_TRUE(terms.contains(Field::ResourceName, "alice"));
  EXPECT_FALSE(terms.contains(Field::Username, "alice"));
  EXPECT_FALSE(terms.contains(Field::ResourceName, "ali"));
  EXPECT_FALSE(terms.contains(Field::Region, "bob"));
}

TEST(Terms, TakesValuesOfAnyLengthAndAnyBytes) {
  Terms terms;
  std::vector<std::string> added;
  for (const int size :
       {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 127, 128, 129, 16'383, 16'384, 1 << 20}) {
    const auto length = static_cast<std::size_t>(size);
    std::string value(length, '\0');
    for (std::size_t i = 0; i < length; ++i) {
      value[i] = static_cast<char>(i * 7 + length);
    }
    terms.add(Field::UserAgent, value);
    added.push_back(std::move(value));
  }
  std::vector<Terms::Term> pairs;
  for (const std::string& value : added) {
    pairs.push_back({Field::UserAgent, value});
  }
  pairs.push_back({Field::Region, ""});
  const Terms packed(pairs);
  EXPECT_EQ(all(packed), all(terms));
  EXPECT_EQ(packed.bytes(), terms.bytes());
  EXPECT_FALSE(packed.contains(Field::Region, ""));
  EXPECT_EQ(values(terms, Field::UserAgent),
            std::vector<std::string_view>(added.begin(), added.end()));
  for (const std::string& value : added) {
    EXPECT_TRUE(terms.contains(Field::UserAgent, value));
  }
}

TEST(Terms, StayWhatTheyWereWhenCopiedAndMoved) {
  Terms terms;
  terms.add(Field::Region, "us-east-1");
  const Terms copy = terms;
  const Terms moved = std::move(terms);
  EXPECT_EQ(all(copy), all(moved));
  EXPECT_TRUE(copy.contains(Field::Region, "us-east-1"));
}

TEST(Terms, FieldsHaveNamesThatAreReadBack) {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    EXPECT_EQ(parse_field(to_string(field)), field);
  }
  EXPECT_EQ(parse_field("EVENTNAME"), Field::EventName);
  EXPECT_EQ(parse_field("useridentity.ARN"), Field::UserIdentityArn);
  EXPECT_EQ(parse_field("userIdentity"), std::nullopt);
  EXPECT_EQ(parse_field(""), std::nullopt);
}

TEST(RecordTerms, HaveEveryFieldWithItsMeaning) {
  const Record record = parsed(
      R"({"userIdentity":{"type":"AssumedRole","principalId":"AROAX:session-1",)"
      R"("arn":"arn:aws:sts::1:assumed-role/R/session-1","accountId":"1","accessKeyId":"ASIAX"},)"
      R"("eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"eu-west-1",)"
      R"("sourceIPAddress":"192.0.2.1","userAgent":"aws-cli","errorCode":"AccessDenied",)"
      R"("requestParameters":{"bucketName":"b"},"readOnly":"False","eventType":"AwsApiCall",)"
      R"("managementEvent":false,"recipientAccountId":"2",)"
      R"("resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},)"
      R"({"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"},)"
      R"({"type":"Other::Type","ARN":"arn:aws:s3:::b"}]})");
  EXPECT_THAT(
      all(record.terms),
      UnorderedElementsAre(
          Terms::Term{Field::EventName, "PutObject"},
          Terms::Term{Field::EventSource, "s3.amazonaws.com"},
          Terms::Term{Field::Username, "session-1"}, Terms::Term{Field::AccessKeyId, "ASIAX"},
          Terms::Term{Field::ReadOnly, "false"},
          Terms::Term{Field::ResourceType, "AWS::S3::Object"},
          Terms::Term{Field::ResourceType, "AWS::S3::Bucket"},
          Terms::Term{Field::ResourceType, "Other::Type"},
          Terms::Term{Field::ResourceName, "arn:aws:s3:::b/k"},
          Terms::Term{Field::ResourceName, "k"}, Terms::Term{Field::ResourceName, "arn:aws:s3:::b"},
          Terms::Term{Field::ResourceName, "b"}, Terms::Term{Field::AccountId, "2"},
          Terms::Term{Field::Region, "eu-west-1"}, Terms::Term{Field::EventCategory, "Data"},
          Terms::Term{Field::EventType, "AwsApiCall"},
          Terms::Term{Field::ErrorCode, "AccessDenied"},
          Terms::Term{Field::SourceIpAddress, "192.0.2.1"},
          Terms::Term{Field::UserAgent, "aws-cli"},
          Terms::Term{Field::UserIdentityArn, "arn:aws:sts::1:assumed-role/R/session-1"},
          Terms::Term{Field::UserIdentityType, "AssumedRole"}));
}

TEST(RecordTerms, AreAbsentWhereTheRecordDoesNotSay) {
  EXPECT_THAT(all(parsed("{}").terms),
              ElementsAre(Terms::Term{Field::EventCategory, "Management"}));
  EXPECT_THAT(all(parsed(R"({"eventCategory":"Aggregated","readOnly":1,"userIdentity":[]})").terms),
              IsEmpty());
  const std::string long_region(kRoutingValueBytesMax + 1, 'r');
  const std::string long_agent(5000, 'a');
  const Record record =
      parsed(fmt::format(R"({{"awsRegion":"{}","userAgent":"{}"}})", long_region, long_agent));
  EXPECT_THAT(values(record.terms, Field::Region), IsEmpty());
  EXPECT_THAT(values(record.terms, Field::UserAgent), ElementsAre(long_agent));
}

TEST(RecordTerms, AreWithoutEscapes) {
  const Record record = parsed(
      R"({"event\u004eame":"Create\u0055ser","userAgent":"a\"b\\c\/d\u00e9\ud83d\ude00",)"
      R"("eventSource":"iam.amazonaws.com","requestParameters":{"user\u004eame":"b\u006fb"}})");
  EXPECT_THAT(values(record.terms, Field::EventName), ElementsAre("CreateUser"));
  EXPECT_THAT(values(record.terms, Field::UserAgent), ElementsAre("a\"b\\c/d\u00e9\U0001F600"));
  EXPECT_THAT(values(record.terms, Field::ResourceName), ElementsAre("bob"));
}

}  // namespace
}  // namespace opentrail::record

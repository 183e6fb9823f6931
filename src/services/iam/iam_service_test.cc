// Goal: IAM's calls are answered in its XML and recorded in CloudTrail's shape; secrets are on the
// wire once and never in a record. Method: real iam over a catalog in a fresh folder, a fake
// exchange.
#include "services/iam/iam_service.h"

#include "base/json.h"
#include "base/text.h"
#include "io/filesystem.h"
#include "io/temp_folder.h"
#include "services/fake_exchange.h"
#include "sql/database.h"

#include <regex>

#include <gtest/gtest.h>

namespace opentrail::services {
namespace {

constexpr std::uint64_t kSeed = 20261126;
constexpr std::string_view kAccount = "111122223333";
const Timestamp kNow = parse_iso("2026-11-24T08:46:13Z").value();

struct Answered {
  Operation operation;
  std::optional<Outcome> outcome;  ///< Absent when identify() refused.
};

struct IamServiceTest : testing::Test {
  IamServiceTest() {
    RecordProperty("seed", std::to_string(kSeed));
    iam->bootstrap().value();
    admin.account_id = kAccount;
    admin.user_name = "admin";
    admin.arn = "arn:aws:iam::111122223333:user/admin";
    admin.principal_id = iam->user(std::string(kAccount), "admin").value().user_id;
    admin.verified = true;
    root.account_id = kAccount;
    root.arn = "arn:aws:iam::111122223333:root";
    root.root = root.verified = true;
  }
  ~IamServiceTest() override { workers.join(); }

  Answered call(const iam::Caller& caller, const std::string& form) {
    FakeExchange exchange(form_head("localhost"));
    Call one = make_call(exchange, caller, form);
    Answered answered{service.identify(one), {}};
    if (!answered.operation.error) {
      answered.outcome = run_to_value(service.handle(one, answered.operation));
    }
    return answered;
  }
  /// The body of an answer that must be a good one.
  std::string body_of(const iam::Caller& caller, const std::string& form) {
    auto answered = call(caller, form);
    EXPECT_TRUE(answered.outcome && !answered.outcome->error) << form;
    return answered.outcome ? answered.outcome->body : std::string();
  }
  std::size_t users() { return iam->users(std::string(kAccount), "")->size(); }

  io::TempFolder folder;
  std::unique_ptr<io::Filesystem> files = io::make_posix_filesystem();
  io::SeededRandom random{kSeed};
  io::FakeClock clock{kNow};
  crypto::Keyring keyring =
      crypto::Keyring::open(*files, random, io::join_path(folder.path(), "master.key")).value();
  std::unique_ptr<sql::Database> database =
      sql::Database::open_sqlite(io::join_path(folder.path(), "catalog.db")).value();
  std::unique_ptr<iam::Iam> iam =
      iam::Iam::open(*database, keyring, random, clock, {std::string(kAccount)}).value();
  asio::thread_pool workers{1};
  IamService service{*iam, workers};
  iam::Caller admin;
  iam::Caller root;
};

std::string element(const std::string& xml, const std::string& name) {
  std::smatch found;
  return std::regex_search(xml, found, std::regex("<" + name + ">([^<]*)</" + name + ">"))
             ? found[1].str()
             : std::string("(none)");
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr auto kCreateAlice =
    "Action=CreateUser&Version=2010-05-08&UserName=alice&Path=%2Fteam%2F&Tags.member.1.Key=k&"
    "Tags.member.1.Value=v";

TEST_F(IamServiceTest, CreateUserIsAnsweredAndRecorded) {
  const auto answered = call(admin, kCreateAlice);
  EXPECT_EQ(answered.operation.action, "iam:CreateUser");
  EXPECT_EQ(answered.operation.resource, "arn:aws:iam::111122223333:user/alice");
  EXPECT_EQ(answered.operation.region_override, "us-east-1");
  EXPECT_FALSE(answered.operation.read_only);
  EXPECT_EQ(to_text(answered.operation.request_parameters),
            R"({"path":"/team/","userName":"alice","tags":[{"key":"k","value":"v"}]})");

  ASSERT_TRUE(answered.outcome.has_value());
  const std::string& xml = answered.outcome->body;
  EXPECT_EQ(answered.outcome->head.status, 200);
  EXPECT_TRUE(
      contains(xml, "<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/"));
  EXPECT_EQ(element(xml, "Arn"), "arn:aws:iam::111122223333:user/team/alice");
  EXPECT_EQ(element(xml, "CreateDate"), "2026-11-24T08:46:13Z");
  EXPECT_EQ(element(xml, "RequestId"), "623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59");
  const std::string user_id = element(xml, "UserId");
  EXPECT_EQ(to_text(answered.outcome->response_elements),
            R"({"user":{"path":"/team/","userName":"alice","userId":")" + user_id +
                R"(","arn":"arn:aws:iam::111122223333:user/team/alice",)"
                R"("createDate":"Nov 24, 2026, 8:46:13 AM","tags":[{"key":"k","value":"v"}]}})");
}

TEST_F(IamServiceTest, ASecretIsOnTheWireAndNotInTheRecord) {
  body_of(admin, kCreateAlice);
  const auto key = call(admin, "Action=CreateAccessKey&UserName=alice");
  ASSERT_TRUE(key.outcome.has_value());
  const std::string secret = element(key.outcome->body, "SecretAccessKey");
  EXPECT_EQ(secret.size(), 40U);
  const std::string recorded = to_text(key.outcome->response_elements);
  EXPECT_TRUE(contains(recorded, element(key.outcome->body, "AccessKeyId")));
  EXPECT_FALSE(contains(recorded, secret));
  EXPECT_FALSE(contains(recorded, "ecretAccessKey"));

  const auto profile =
      call(admin, "Action=CreateLoginProfile&UserName=alice&Password=Correct-Horse-1");
  ASSERT_TRUE(profile.outcome.has_value());
  EXPECT_EQ(to_text(profile.operation.request_parameters), R"({"userName":"alice"})");
  EXPECT_EQ(to_text(profile.outcome->response_elements),
            R"({"loginProfile":{"userName":"alice","createDate":"Nov 24, 2026, 8:46:13 AM",)"
            R"("passwordResetRequired":false}})");
  EXPECT_FALSE(contains(profile.outcome->body, "Correct-Horse-1"));
}

TEST_F(IamServiceTest, ErrorsHaveIamsCodesAndStatus) {
  body_of(admin, kCreateAlice);
  body_of(admin, "Action=CreateAccessKey&UserName=alice");
  body_of(admin, "Action=CreateAccessKey&UserName=alice");
  const struct {
    std::string form;
    std::string_view code, record_code;
    int status;
  } kCases[] = {
      {"Action=GetUser&UserName=bob", "NoSuchEntity", "NoSuchEntityException", 404},
      {kCreateAlice, "EntityAlreadyExists", "EntityAlreadyExistsException", 409},
      {"Action=DeleteUser&UserName=alice", "DeleteConflict", "DeleteConflictException", 409},
      {"Action=CreateAccessKey&UserName=alice", "LimitExceeded", "LimitExceededException", 409},
      {"Action=CreateUser&UserName=a%20b", "ValidationError", "ValidationException", 400},
      {"Action=CreateLoginProfile&UserName=alice&Password=x", "PasswordPolicyViolation",
       "PasswordPolicyViolationException", 400},
      {"Action=ListUsers&MaxItems=0", "ValidationError", "ValidationException", 400},
      {"Action=ListUsers&Marker=%21", "ValidationError", "ValidationException", 400},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.form);
    const auto answered = call(admin, one.form);
    ASSERT_TRUE(answered.outcome && answered.outcome->error);
    EXPECT_EQ(answered.outcome->error->code, one.code);
    EXPECT_EQ(answered.outcome->error->record_code, one.record_code);
    EXPECT_EQ(answered.outcome->head.status, one.status);
    EXPECT_EQ(element(answered.outcome->body, "Code"), one.code);
    EXPECT_EQ(element(answered.outcome->body, "Type"), "Sender");
    EXPECT_TRUE(answered.outcome->response_elements.is_null());
  }
}

TEST_F(IamServiceTest, WhatCannotBeRunIsRefusedBeforeItIs) {
  const struct {
    std::string_view form, code, part;
  } kCases[] = {
      {"Action=CreateUser", "ValidationError", "Value null at 'userName'"},
      {"Action=CreateUser&UserName=", "ValidationError", "Value '' at 'userName'"},
      {"Action=CreateAccessKey&UserName=", "ValidationError", "Value '' at 'userName'"},
      {"Action=UpdateAccessKey&UserName=admin&AccessKeyId=A", "ValidationError", "'status'"},
      {"Action=CreateGroup&GroupName=g", "InvalidAction",
       "Could not find operation CreateGroup for version 2010-05-08"},
      {"Action=CreateUser&UserName=a&Version=2009-01-01", "InvalidAction", "2009-01-01"},
      {"UserName=a", "MissingAction", ""},
      {"Action=%zz", "MalformedQueryString", ""},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.form);
    const auto answered = call(admin, std::string(one.form));
    ASSERT_TRUE(answered.operation.error.has_value());
    EXPECT_EQ(answered.operation.error->code, one.code);
    EXPECT_TRUE(contains(answered.operation.error->message, one.part))
        << answered.operation.error->message;
  }
  EXPECT_EQ(users(), 1U);
}

TEST_F(IamServiceTest, ALongForeignNameIsCutInWhatIsShown) {
  const auto answered = call(admin, "Action=" + std::string(100'000, 'A'));
  ASSERT_TRUE(answered.operation.error.has_value());
  EXPECT_LT(answered.operation.error->message.size(), 1024U);
  EXPECT_LT(answered.operation.event_name.size(), 1024U);
  const auto denied =
      iam->deny_reason(admin, "nothing:Allowed", std::string(100'000, 'r')).value_or("");
  EXPECT_EQ(denied, "");  // an administrator may do anything
  iam::Caller nobody = admin;
  nobody.user_name = "nobody";
  EXPECT_LT(iam->deny_reason(nobody, "a:B", std::string(100'000, 'r')).value().size(), 4096U);
}

// An administrator must not get a key of the root user by leaving the name empty.
TEST_F(IamServiceTest, WithoutAUserNameTheCallersOwnKeysAreMeant) {
  EXPECT_EQ(element(body_of(admin, "Action=CreateAccessKey"), "UserName"), "admin");
  EXPECT_EQ(iam->access_keys(std::string(kAccount), "")->size(), 1U);
  EXPECT_EQ(element(body_of(root, "Action=CreateAccessKey"), "UserName"), "(none)");
  EXPECT_EQ(iam->access_keys(std::string(kAccount), "")->size(), 2U);
  EXPECT_EQ(element(body_of(root, "Action=GetUser"), "Arn"), root.arn);
  EXPECT_EQ(element(body_of(admin, "Action=GetUser"), "Arn"), admin.arn);
}

TEST_F(IamServiceTest, ListsComeInPages) {
  for (const auto* const name : {"a", "b", "c", "d"}) {
    body_of(admin, std::string("Action=CreateUser&UserName=") + name);
  }
  std::string names;
  std::string marker;
  int pages = 0;
  do {
    const auto xml = body_of(admin, "Action=ListUsers&MaxItems=2" + marker);
    const std::regex name_of("<UserName>([^<]*)<");
    for (std::sregex_iterator at(xml.begin(), xml.end(), name_of), end; at != end; ++at) {
      names += (*at)[1].str() + " ";
    }
    ++pages;
    marker = element(xml, "IsTruncated") == "true" ? "&Marker=" + uri_encode(element(xml, "Marker"))
                                                   : std::string();
  } while (!marker.empty() && pages < 10);
  EXPECT_EQ(names, "a admin b c d ");
  EXPECT_EQ(pages, 3);
}

TEST_F(IamServiceTest, TheLifeOfAUser) {
  body_of(admin, "Action=CreateUser&UserName=alice");
  const auto id = element(body_of(admin, "Action=CreateAccessKey&UserName=alice"), "AccessKeyId");
  body_of(admin, "Action=UpdateAccessKey&UserName=alice&AccessKeyId=" + id + "&Status=Inactive");
  EXPECT_EQ(element(body_of(admin, "Action=ListAccessKeys&UserName=alice"), "Status"), "Inactive");
  const std::string policy =
      "&UserName=alice&PolicyArn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FAWSCloudTrail_FullAccess";
  body_of(admin, "Action=AttachUserPolicy" + policy);
  EXPECT_EQ(element(body_of(admin, "Action=ListAttachedUserPolicies&UserName=alice"), "PolicyName"),
            "AWSCloudTrail_FullAccess");
  body_of(admin, "Action=DetachUserPolicy" + policy);
  body_of(admin, "Action=DeleteAccessKey&UserName=alice&AccessKeyId=" + id);
  body_of(admin, "Action=CreateLoginProfile&UserName=alice&Password=Correct-Horse-1");
  body_of(admin, "Action=DeleteLoginProfile&UserName=alice");
  const auto gone = call(admin, "Action=DeleteUser&UserName=alice");
  ASSERT_TRUE(gone.outcome.has_value());
  EXPECT_TRUE(contains(gone.outcome->body, "<DeleteUserResponse"));
  EXPECT_TRUE(gone.outcome->response_elements.is_null());
  EXPECT_EQ(users(), 1U);
}

}  // namespace
}  // namespace opentrail::services

#pragma once
#include "base/error.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Bucket policies: parse, validate, evaluate. Pure; any thread. Source: IAM User Guide, "IAM JSON
/// policy elements reference"; S3 User Guide, "Policies and permissions in Amazon S3".
namespace opentrail::objects {

inline constexpr std::size_t kPolicyBytesMax = 20 << 10;

/// Who asks: a service ("cloudtrail.amazonaws.com") or a principal of an account. One of the two.
struct PolicyPrincipal {
  std::string service;
  std::string arn;         ///< "arn:aws:iam::123456789012:user/a".
  std::string account_id;  ///< Of `arn`.
};

struct PolicyRequest {
  PolicyPrincipal principal;
  std::string action;    ///< "s3:PutObject".
  std::string resource;  ///< "arn:aws:s3:::bucket/key".
  /// Condition keys in lower case with their value: "aws:sourcearn". Absent keys are absent.
  std::map<std::string, std::string> context;
};

enum class PolicyDecision : unsigned char {
  None,   ///< No statement speaks of the request.
  Allow,  ///< A statement allows it and none denies it.
  Deny,   ///< A statement denies it.
};

class BucketPolicy {
 public:
  /// Accepts a policy document for `bucket`. Errors: reason MalformedPolicy with S3's text.
  /// Every condition operator must be one of StringEquals, StringNotEquals,
  /// StringEqualsIgnoreCase, StringNotEqualsIgnoreCase, StringLike, StringNotLike, ArnEquals,
  /// ArnNotEquals, ArnLike, ArnNotLike, Bool, Null, with "IfExists", "ForAnyValue:" and
  /// "ForAllValues:"; a policy that needs another one is refused, not half understood. Policy
  /// variables ("${aws:username}") are refused for the same reason.
  static Result<BucketPolicy> parse(std::string_view json, std::string_view bucket);

  [[nodiscard]] PolicyDecision evaluate(const PolicyRequest& request) const;
  /// True when an Allow statement names everybody ("*") without a condition that narrows it to an
  /// account, a service or a source: what GetBucketPolicyStatus calls public.
  [[nodiscard]] bool is_public() const;

  // What parse() made of the document; read by the parts of the implementation.
  enum class Operator : unsigned char { Equals, EqualsIgnoreCase, Like, Arn, Bool, Null };
  enum class Quantifier : unsigned char { One, AnyValue, AllValues };
  struct Condition {
    Operator op = Operator::Equals;
    Quantifier quantifier = Quantifier::One;
    bool negated = false;
    bool if_exists = false;
    std::string key;  ///< Lower case.
    std::vector<std::string> values;
  };
  struct Principals {
    bool everybody = false;
    std::vector<std::string> services;
    std::vector<std::string> accounts;  ///< 12 digits; from an id or a root ARN.
    std::vector<std::string> arns;
  };
  struct Statement {
    bool allow = false;
    bool not_principal = false;
    bool not_action = false;
    bool not_resource = false;
    Principals principals;
    std::vector<std::string> actions;  ///< Lower case.
    std::vector<std::string> resources;
    std::vector<Condition> conditions;
  };

 private:
  std::vector<Statement> statements_;
};

}  // namespace opentrail::objects

#pragma once
#include "io/clock.h"
#include "objects/object_store.h"

#include <memory>
#include <string>

namespace opentrail::objects {

struct S3ClientOptions {
  std::string endpoint;  ///< "http://127.0.0.1:5000"; path style is used.
  std::string region = "us-east-1";
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
};

/// Credentials as the AWS SDKs find them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
/// AWS_SESSION_TOKEN, else the profile AWS_PROFILE (or "default") of AWS_SHARED_CREDENTIALS_FILE
/// (or ~/.aws/credentials). Fills only the credential members.
Result<S3ClientOptions> load_credentials(S3ClientOptions options);

/// Any S3. The bucket's policy is the other side's business; check_acl_readable asks GetBucketAcl.
Result<std::unique_ptr<ObjectStore>> make_s3_client(S3ClientOptions options,
                                                    const io::Clock& clock);

}  // namespace opentrail::objects

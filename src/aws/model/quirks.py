"""What botocore's models do not say of a call's record: which calls only read, how CloudTrail
spells a source or a name, what must not be kept. From CloudTrail's documentation and from records
that AWS itself wrote (spec records §1.5)."""

import re

READING_VERBS = (
    "AdminGet AdminList Autocomplete BatchCheck BatchDescribe BatchGet BatchIs BatchList Calculate "
    "Can Check Classify Compare Converse Count Decode Decrypt Derive Describe Detect Discover "
    "Download Encrypt Estimate Evaluate Filter Find Generate Geocode Get Head Invoke Is List "
    "Lookup Optimize Parse Peek Poll Predict Preview Query Rank Read Receive Recognize Recommend "
    "Resolve Retrieve ReverseGeocode Scan Search Select Simulate Suggest Synthesize Test "
    "TransactGet Translate Validate Verify View"
).split()

# Against the rule of the verbs. KMS: spec api §4.5. STS: spec records §1.5.
READ_ONLY = {
    ("sts.amazonaws.com", "AssumeRole"): True,
    ("sts.amazonaws.com", "AssumeRoleWithSAML"): True,
    ("sts.amazonaws.com", "AssumeRoleWithWebIdentity"): True,
    ("sts.amazonaws.com", "GetFederationToken"): False,
    ("sts.amazonaws.com", "GetSessionToken"): False,
    ("kms.amazonaws.com", "ReEncrypt"): True,
    ("kms.amazonaws.com", "Sign"): True,
    ("iam.amazonaws.com", "GenerateCredentialReport"): False,
    ("iam.amazonaws.com", "GenerateServiceLastAccessedDetails"): False,
    ("iam.amazonaws.com", "GenerateOrganizationsAccessReport"): False,
    ("bedrock.amazonaws.com", "InvokeModel"): True,
    ("lambda.amazonaws.com", "Invoke"): False,
    ("lambda.amazonaws.com", "InvokeAsync"): False,
    ("lambda.amazonaws.com", "InvokeWithResponseStream"): False,
    ("ses.amazonaws.com", "VerifyDomainDkim"): False,
    ("ses.amazonaws.com", "VerifyDomainIdentity"): False,
    ("ses.amazonaws.com", "VerifyEmailAddress"): False,
    ("ses.amazonaws.com", "VerifyEmailIdentity"): False,
    ("sqs.amazonaws.com", "ReceiveMessage"): False,
    ("cognito-identity.amazonaws.com", "GetId"): False,
    ("cloudtrail.amazonaws.com", "StartQuery"): False,
    ("cloudtrail.amazonaws.com", "CancelQuery"): False,
}

# Reads whose record shows an answer all the same (spec records §1.5).
READS_WITH_ANSWER = {
    ("sts.amazonaws.com", "AssumeRole"),
    ("sts.amazonaws.com", "AssumeRoleWithSAML"),
    ("sts.amazonaws.com", "AssumeRoleWithWebIdentity"),
}

EVENT_SOURCES = {
    "sso-oidc": "sso.amazonaws.com",
    "sso": "sso.amazonaws.com",
    "s3control": "s3.amazonaws.com",
    "cloudwatch": "monitoring.amazonaws.com",
    "marketplace-agreement": "agreement-marketplace.amazonaws.com",
    "marketplace-discovery": "discovery-marketplace.amazonaws.com",
}

# Services whose records spell members as they are on the wire (seen in records of AWS).
RAW_NAMES = {"account", "ce", "devops-guru", "resource-explorer-2", "securityhub"}

S3_NAMES = {
    "ListObjectsV2": "ListObjects",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
}

# The versions of Lambda's API whose date its names carry, and the second versions of a call.
LAMBDA_DATED = ("/2015-03-31/", "/2017-03-31/", "/2018-10-31/")
LAMBDA_V2 = {
    "AddPermission",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "RemovePermission",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "TagResource",
    "UntagResource",
}
LAMBDA_BARE = {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}

_S3_OBJECT = (
    "AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject "
    "DeleteObjects DeleteObjectTagging GetObject GetObjectAcl GetObjectAttributes "
    "GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent HeadObject ListParts "
    "ListObjects ListObjectsV2 ListObjectVersions ListMultipartUploads HeadBucket PutObject "
    "PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging RenameObject "
    "RestoreObject SelectObjectContent UploadPart UploadPartCopy WriteGetObjectResponse"
)
_DYNAMODB = (
    "BatchExecuteStatement BatchGetItem BatchWriteItem DeleteItem ExecuteStatement "
    "ExecuteTransaction GetItem PutItem Query Scan TransactGetItems TransactWriteItems UpdateItem"
)
# Data events by source: the resource type that a selector names them by (spec api §4.3).
_DATA = {
    "s3.amazonaws.com": {"AWS::S3::Object": _S3_OBJECT},
    "lambda.amazonaws.com": {
        "AWS::Lambda::Function": "Invoke InvokeAsync InvokeWithResponseStream"
    },
    "dynamodb.amazonaws.com": {
        "AWS::DynamoDB::Table": _DYNAMODB,
        "AWS::DynamoDB::Stream": "GetRecords GetShardIterator",
    },
    "sns.amazonaws.com": {"AWS::SNS::Topic": "Publish PublishBatch"},
    "sqs.amazonaws.com": {
        "AWS::SQS::Queue": "SendMessage SendMessageBatch ReceiveMessage DeleteMessage "
        "DeleteMessageBatch ChangeMessageVisibility ChangeMessageVisibilityBatch"
    },
    "kinesis.amazonaws.com": {
        "AWS::Kinesis::Stream": "PutRecord PutRecords GetRecords GetShardIterator "
        "SubscribeToShard"
    },
    "firehose.amazonaws.com": {"AWS::KinesisFirehose::DeliveryStream": "PutRecord PutRecordBatch"},
    "cloudtrail-data.amazonaws.com": {"AWS::CloudTrail::Channel": "PutAuditEvents"},
    "monitoring.amazonaws.com": {
        "AWS::CloudWatch::Metric": "GetMetricData GetMetricStatistics GetMetricWidgetImage "
        "ListMetrics PutMetricData"
    },
}
DATA_TYPES = {
    (source, name): resource_type
    for source, types in _DATA.items()
    for resource_type, names in types.items()
    for name in names.split()
}

# Members that hold a secret, whatever the model's own trait says.
SENSITIVE_NAME = re.compile(
    r"(Password|Passphrase|SecretAccessKey|SecretString|SecretBinary|ClientSecret|PrivateKey"
    r"|PrivateKeyMaterial|KeyMaterial|AuthToken|UserData|Plaintext|PlaintextKeyMaterial"
    r"|SecretHash|SharedSecret|PreSharedKey|OldPassword|NewPassword|CertificatePrivateKey)$",
    re.IGNORECASE,
)
SENSITIVE_MEMBERS = {
    ("ssm", "Value"),
    ("sns", "Message"),
    ("sns", "Subject"),
    ("sns", "MessageAttributes"),
    ("cognito-identity", "Logins"),
    ("lambda", "Variables"),
    ("lambda", "ZipFile"),
}


def signing_name(metadata):
    return metadata.get("signingName") or metadata["endpointPrefix"]


def event_source(service_id, metadata):
    return EVENT_SOURCES.get(service_id, signing_name(metadata) + ".amazonaws.com")


def event_name(service_id, name, uri):
    if service_id == "s3":
        return S3_NAMES.get(name, name)
    if service_id == "s3control" and name.endswith("PublicAccessBlock"):
        return name.replace("PublicAccessBlock", "AccountPublicAccessBlock")
    if service_id == "lambda" and name not in LAMBDA_BARE and uri.startswith(LAMBDA_DATED):
        date = uri.split("/")[1].replace("-", "")
        return name + date + ("v2" if name in LAMBDA_V2 else "")
    return name


def is_read_only(source, name):
    known = READ_ONLY.get((source, name))
    if known is not None:
        return known
    return any(
        name.startswith(verb) and not name[len(verb) : len(verb) + 1].islower()
        for verb in READING_VERBS
    )


def has_response_elements(source, name, read_only):
    return not read_only or (source, name) in READS_WITH_ANSWER


def data_resource_type(source, name):
    return DATA_TYPES.get((source, name))


def is_sensitive(service_id, member):
    return bool(SENSITIVE_NAME.search(member)) or (service_id, member) in SENSITIVE_MEMBERS

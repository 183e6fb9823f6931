"""Goal: users and keys can be run with `aws iam`, every refusal is IAM's own, and all of it is on the
record in us-east-1 without a secret.

Method: the operations by the stock CLI, in the order in which people use them; then the refusals by
boto3, each with the code on the wire and the code on the record.
"""
import json

import pytest

from harness import ACCOUNT, Server, error_of, request_id
from record_shape import check_record

READ_ONLY = "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess"
PASSWORD = "correct-Horse-battery-1"


@pytest.fixture
def iam(server: Server):
    return server.client("iam", "eu-west-1")  # whatever the region: IAM is recorded in us-east-1


def records_of(server: Server, name: str) -> list[dict]:
    """Newest first."""
    found = server.records(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": name}])
    for record in found:
        check_record(record)
        assert (record["eventSource"], record["awsRegion"]) == ("iam.amazonaws.com", "us-east-1")
    return found


def test_users_by_the_cli(server):
    def cli(operation: str, *words: str) -> dict:
        done = server.aws("iam", operation, *words)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    user = cli("create-user", "--user-name", "carol", "--path", "/staff/", "--tags",
               "Key=team,Value=blue")["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/staff/carol"
    assert user["Path"] == "/staff/" and user["UserId"].startswith("AIDA")
    assert cli("get-user", "--user-name", "carol")["User"]["Tags"] == [
        {"Key": "team", "Value": "blue"}]
    assert cli("get-user")["User"]["UserName"] == "admin"
    listed = cli("list-users", "--path-prefix", "/staff/")["Users"]
    assert [one["UserName"] for one in listed] == ["carol"]

    key = cli("create-access-key", "--user-name", "carol")["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40
    listed = cli("list-access-keys", "--user-name", "carol")["AccessKeyMetadata"]
    assert [(one["AccessKeyId"], one["Status"]) for one in listed] == [(key["AccessKeyId"], "Active")]
    cli("update-access-key", "--user-name", "carol", "--access-key-id", key["AccessKeyId"],
        "--status", "Inactive")
    assert cli("list-access-keys", "--user-name", "carol")["AccessKeyMetadata"][0]["Status"] == (
        "Inactive")
    cli("delete-access-key", "--user-name", "carol", "--access-key-id", key["AccessKeyId"])

    profile = cli("create-login-profile", "--user-name", "carol", "--password", PASSWORD,
                  "--password-reset-required")["LoginProfile"]
    assert profile["UserName"] == "carol" and profile["PasswordResetRequired"] is True
    cli("delete-login-profile", "--user-name", "carol")
    cli("attach-user-policy", "--user-name", "carol", "--policy-arn", READ_ONLY)
    attached = cli("list-attached-user-policies", "--user-name", "carol")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSCloudTrail_ReadOnlyAccess", "PolicyArn": READ_ONLY}]
    cli("detach-user-policy", "--user-name", "carol", "--policy-arn", READ_ONLY)
    cli("delete-user", "--user-name", "carol")
    gone = server.aws("iam", "get-user", "--user-name", "carol", check=False)
    assert gone.returncode != 0 and "(NoSuchEntity)" in gone.stderr
    the_cli_is_on_the_record(server, key)


def the_cli_is_on_the_record(server: Server, key: dict) -> None:
    for name, read_only in (
            ("CreateUser", False), ("GetUser", True), ("ListUsers", True), ("CreateAccessKey", False),
            ("ListAccessKeys", True), ("UpdateAccessKey", False), ("DeleteAccessKey", False),
            ("CreateLoginProfile", False), ("DeleteLoginProfile", False),
            ("AttachUserPolicy", False), ("DetachUserPolicy", False),
            ("ListAttachedUserPolicies", True), ("DeleteUser", False)):
        record = records_of(server, name)[-1]
        assert record["readOnly"] is read_only, name
        assert "errorCode" not in record, record
        assert "aws-cli/" in record["userAgent"]
    made, = records_of(server, "CreateUser")
    assert made["requestParameters"] == {"path": "/staff/", "userName": "carol",
                                         "tags": [{"key": "team", "value": "blue"}]}
    assert made["responseElements"]["user"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/staff/carol"
    refused = records_of(server, "GetUser")[0]
    assert refused["errorCode"] == "NoSuchEntityException" and "carol" in refused["errorMessage"]
    login, = records_of(server, "CreateLoginProfile")
    assert login["requestParameters"] == {"userName": "carol", "passwordResetRequired": True}
    whole = json.dumps(server.records())
    assert key["SecretAccessKey"] not in whole and PASSWORD not in whole
    assert key["AccessKeyId"] in whole
    said = server.all_output()
    assert key["SecretAccessKey"].encode() not in said and PASSWORD.encode() not in said


def test_refusals(server, iam):
    iam.create_user(UserName="dave")
    first = iam.create_access_key(UserName="dave")["AccessKey"]["AccessKeyId"]
    iam.create_access_key(UserName="dave")
    iam.create_login_profile(UserName="dave", Password=PASSWORD)
    iam.attach_user_policy(UserName="dave", PolicyArn=READ_ONLY)
    nowhere = "arn:aws:iam::aws:policy/NoSuchPolicy"
    for operation, arguments, code, status in (
            ("create_user", {"UserName": "dave"}, "EntityAlreadyExists", 409),
            ("get_user", {"UserName": "nobody"}, "NoSuchEntity", 404),
            ("delete_user", {"UserName": "nobody"}, "NoSuchEntity", 404),
            ("delete_user", {"UserName": "dave"}, "DeleteConflict", 409),
            ("create_access_key", {"UserName": "dave"}, "LimitExceeded", 409),
            ("create_access_key", {"UserName": "nobody"}, "NoSuchEntity", 404),
            ("create_login_profile", {"UserName": "dave", "Password": PASSWORD},
             "EntityAlreadyExists", 409),
            ("delete_login_profile", {"UserName": "nobody"}, "NoSuchEntity", 404),
            ("attach_user_policy", {"UserName": "dave", "PolicyArn": nowhere}, "NoSuchEntity", 404),
            ("detach_user_policy", {"UserName": "dave", "PolicyArn": nowhere}, "NoSuchEntity", 404),
            ("delete_access_key", {"UserName": "nobody", "AccessKeyId": first}, "NoSuchEntity", 404),
            ("create_user", {"UserName": "not a name!"}, "ValidationError", 400)):
        found = error_of(getattr(iam, operation), **arguments)
        assert found[::2] == (code, status), (operation, found)
        assert found[1], "IAM says why"
    assert {"EntityAlreadyExistsException", "ValidationException"} <= {
        record.get("errorCode") for record in records_of(server, "CreateUser")}
    assert "DeleteConflictException" in {
        record.get("errorCode") for record in records_of(server, "DeleteUser")}


def test_users_come_in_pages(iam):
    names = [f"page-{number:02d}" for number in range(7)]
    for name in names:
        iam.create_user(UserName=name, Path="/pages/")
    pages = iam.get_paginator("list_users").paginate(
        PathPrefix="/pages/", PaginationConfig={"PageSize": 3})
    listed = [[user["UserName"] for user in page["Users"]] for page in pages]
    assert listed == [names[:3], names[3:6], names[6:]]


def test_a_user_without_rights(server):
    key = server.new_user("erin")
    denied = server.client("iam", keys=key)
    code, message, status = error_of(denied.create_user, UserName="mallory")
    arn = f"arn:aws:iam::{ACCOUNT}:user/erin"
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(f"User: {arn} is not authorized to perform: iam:CreateUser on resource: ")
    assert "because no identity-based policy allows the iam:CreateUser action" in message
    record = records_of(server, "CreateUser")[0]
    assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", message)
    assert record["userIdentity"]["arn"] == arn and record["requestParameters"] is None
    trails = server.client("cloudtrail", keys=key)
    assert error_of(trails.describe_trails)[0] == "AccessDeniedException"
    assert error_of(trails.lookup_events)[0] == "AccessDeniedException"
    # Who one is may always be asked.
    me = server.client("sts", keys=key).get_caller_identity()
    assert (me["Arn"], me["Account"]) == (arn, ACCOUNT)


def test_what_policies_allow(server):
    reader = server.client("cloudtrail", keys=server.new_user("frank", "AWSCloudTrail_ReadOnlyAccess"))
    assert reader.describe_trails()["trailList"] == []
    assert reader.lookup_events()["Events"]
    assert error_of(reader.start_logging, Name="any-trail")[0] == "AccessDeniedException"
    full = server.client("cloudtrail", keys=server.new_user("grace", "AWSCloudTrail_FullAccess"))
    assert error_of(full.start_logging, Name="any-trail")[0] == "TrailNotFoundException"
    admin = server.client("iam", keys=server.new_user("heidi", "AdministratorAccess"))
    assert admin.list_users()["Users"]
    iam = server.client("iam")
    iam.detach_user_policy(UserName="frank", PolicyArn=READ_ONLY)
    assert error_of(reader.describe_trails)[0] == "AccessDeniedException", "at once"


def test_a_key_that_was_switched_off(server, iam):
    key = server.new_user("ivan", "AdministratorAccess")
    sts = server.client("sts", keys=key)
    assert sts.get_caller_identity()["Arn"].endswith("/ivan")
    iam.update_access_key(UserName="ivan", AccessKeyId=key[0], Status="Inactive")
    assert error_of(sts.get_caller_identity)[::2] == ("InvalidClientTokenId", 403)
    iam.update_access_key(UserName="ivan", AccessKeyId=key[0], Status="Active")
    assert sts.get_caller_identity()["Arn"].endswith("/ivan")
    iam.delete_access_key(UserName="ivan", AccessKeyId=key[0])
    assert error_of(sts.get_caller_identity)[0] == "InvalidClientTokenId"


def test_root(server):
    root = server.client("sts", profile="root").get_caller_identity()
    assert (root["Arn"], root["UserId"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    made = server.client("iam", profile="root").create_user(UserName="by-root")
    event, = [event for event in server.lookup(LookupAttributes=[
        {"AttributeKey": "Username", "AttributeValue": "root"}])
        if json.loads(event["CloudTrailEvent"]).get("requestID") == request_id(made)]
    record = json.loads(event["CloudTrailEvent"])
    check_record(record)
    assert event["Username"] == "root" and record["userIdentity"]["type"] == "Root"

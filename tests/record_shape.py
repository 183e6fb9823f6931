"""The shape of an audit record, checked independently of the code that builds it.

Source: CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element".
"""
import json
import re
from collections.abc import Iterator
from typing import Any

from harness import ACCOUNT

FIELD_ORDER = [
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion",
    "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestParameters",
    "responseElements", "additionalEventData", "requestID", "eventID", "readOnly", "resources",
    "eventType", "apiVersion", "managementEvent", "recipientAccountId", "sharedEventID",
    "vpcEndpointId", "vpcEndpointAccountId", "eventCategory", "tlsDetails",
    "sessionCredentialFromConsole"]
ALWAYS = ["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion",
          "sourceIPAddress", "requestParameters", "responseElements", "eventID", "eventType",
          "managementEvent", "recipientAccountId", "eventCategory"]
IDENTITY_ORDER = ["type", "principalId", "arn", "accountId", "accessKeyId", "userName",
                  "sessionContext", "invokedBy"]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
S3_REQUEST_ID = re.compile(r"[A-Z0-9]{16}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
RECORD_BYTES_MAX = 256 * 1024
SECRET_NAMES = {"secretaccesskey", "password", "oldpassword", "newpassword"}
READS_WITH_RESPONSE = {"AssumeRole"}


def in_order(names: list[str], order: list[str]) -> bool:
    known = [order.index(name) for name in names if name in order]
    return known == sorted(known) and len(known) == len(names)


def walk(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """(path, name, value) of every member at every depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield path, name, inner
            yield from walk(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, path + "[]")


def check_identity(identity: dict, record: dict) -> None:
    assert in_order(list(identity), IDENTITY_ORDER), list(identity)
    kind = identity["type"]
    verified = "arn" in identity
    if kind == "IAMUser":
        assert identity["accountId"] == record["recipientAccountId"]
        assert re.fullmatch(r"(AKIA|ASIA)[A-Z0-9]{16}", identity["accessKeyId"])
        assert identity["userName"]
        if verified:
            assert re.fullmatch(r"AIDA[A-Z0-9]{17}", identity["principalId"])
            account = re.escape(identity["accountId"])
            name = re.escape(identity["userName"])
            assert re.fullmatch(rf"arn:aws:iam::{account}:user(/.+)?/{name}", identity["arn"])
    elif kind == "Root":
        assert "userName" not in identity
        assert identity["accountId"] == record["recipientAccountId"]
        if verified:
            assert identity["principalId"] == identity["accountId"]
            assert identity["arn"] == f"arn:aws:iam::{identity['accountId']}:root"
    elif kind == "AWSService":
        assert identity["invokedBy"].endswith(".amazonaws.com")
        assert record["sourceIPAddress"] == record["userAgent"] == identity["invokedBy"]
    else:
        raise AssertionError(f"no such caller here: {kind}")


def check_record(record: dict, account: str = ACCOUNT) -> None:
    """Raises an AssertionError that shows the record when anything is out of shape."""
    try:
        _check(record, account)
    except AssertionError as error:
        raise AssertionError(f"{error}\nin the record {json.dumps(record)}") from error


def _check(record: dict, account: str) -> None:
    assert in_order(list(record), FIELD_ORDER), f"order of fields: {list(record)}"
    missing = [name for name in ALWAYS if name not in record]
    assert not missing, f"missing: {missing}"
    assert record["eventVersion"] == "1.11"
    assert record["eventType"] == "AwsApiCall"
    assert record["recipientAccountId"] == account
    assert UUID.fullmatch(record["eventID"]), "eventID"
    assert TIME.fullmatch(record["eventTime"]), "eventTime"
    assert record["eventSource"].endswith(".amazonaws.com")
    assert record["eventCategory"] in ("Management", "Data")
    assert record["managementEvent"] is (record["eventCategory"] == "Management")
    for name in ("readOnly", "managementEvent"):
        if name in record:
            assert isinstance(record[name], bool), name
    for name in ("requestParameters", "responseElements"):
        assert record[name] is None or isinstance(record[name], dict), name
    check_identity(record["userIdentity"], record)
    s3 = record["eventSource"] == "s3.amazonaws.com"
    if record["userIdentity"]["type"] != "AWSService":
        assert (S3_REQUEST_ID if s3 else UUID).fullmatch(record["requestID"]), "requestID"
    if s3 and "userAgent" in record and record["userIdentity"]["type"] != "AWSService":
        assert re.fullmatch(r"\[.*\]", record["userAgent"]), "S3 wraps the user agent"
    if "errorMessage" in record:
        assert "errorCode" in record
    if "errorCode" in record:
        assert record["responseElements"] is None
    if record.get("readOnly") and record["eventName"] not in READS_WITH_RESPONSE:
        assert record["responseElements"] is None, "a read has no responseElements"
    for item in record.get("resources", []):
        assert set(item) <= {"accountId", "type", "ARN", "ARNPrefix"} and item, item
        assert re.fullmatch(r"AWS::\w+::\w+", item["type"])
    if not s3:
        for place in ("requestParameters", "responseElements"):
            for name in record[place] or {}:
                assert not name[0].isupper(), f"{place}.{name}: first letter is lower-case"
    for path, name, value in walk(record):
        hidden = value is None or value in ("HIDDEN_DUE_TO_SECURITY_REASONS", "***",
                                            "<sensitiveDataRemoved>")
        assert name.lower() not in SECRET_NAMES or hidden, f"a secret: {path}.{name}"
    assert len(json.dumps(record, separators=(",", ":")).encode()) <= RECORD_BYTES_MAX


def check_event(event: dict) -> dict:
    """One item of LookupEvents against the record that it carries; returns the record."""
    record = json.loads(event["CloudTrailEvent"])
    check_record(record)
    assert "\n" not in event["CloudTrailEvent"]
    assert event["EventId"] == record["eventID"]
    assert event["EventName"] == record["eventName"]
    assert event["EventSource"] == record["eventSource"]
    assert event["EventTime"].strftime("%Y-%m-%dT%H:%M:%SZ") == record["eventTime"]
    assert event.get("ReadOnly") == {True: "true", False: "false"}.get(record.get("readOnly"))
    assert event.get("AccessKeyId") == record["userIdentity"].get("accessKeyId")
    kind = record["userIdentity"]["type"]
    assert event.get("Username") == ("root" if kind == "Root"
                                     else record["userIdentity"].get("userName"))
    assert isinstance(event["Resources"], list)
    for resource in event["Resources"]:
        assert set(resource) <= {"ResourceType", "ResourceName"}
    return record

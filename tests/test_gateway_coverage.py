"""Goal: whatever service is called through the gateway, the call is on the record once, as CloudTrail
would say it, and its secrets are not.

Method: calls of some hundred services that moto knows, made from botocore's models, each marked in its
User-Agent; what the record must say is worked out here from the models and the rules of the record's
specification, not from the gateway's table.
"""
import base64
import collections
import json
import os
import re

import botocore.exceptions
import botocore.parsers
import pytest

from foreign_s3 import MotoServer
from gateway_calls import SECRET, WHEN, Call, generate
from harness import Server, wait_for

REGION = "us-east-1"
UNREADABLE = "?"
HIDDEN = {"HIDDEN_DUE_TO_SECURITY_REASONS", "<sensitiveDataRemoved>"}
SOURCES = {"cloudwatch": "monitoring", "sso": "sso", "s3control": "s3"}
READS = ("Get", "List", "Describe", "Head", "Search", "Lookup", "BatchGet")
NOT_READS = {("sts", "GetFederationToken"), ("sts", "GetSessionToken"), ("cognito-identity", "GetId")}
LAMBDA_DATED = re.compile(r"/(2015-03-31|2017-03-31|2018-10-31)/")
# Calls that are data events: not in event history (spec api §4.3).
DATA = re.compile(
    r"^(s3:(Get|Put|Delete|Head|List|Copy|Restore|Upload|Abort|Complete|Create|Select)"
    r"(Object|Objects|ObjectAcl|ObjectTagging|ObjectAttributes|ObjectLegalHold|ObjectRetention"
    r"|ObjectTorrent|ObjectVersions|ObjectsV2|Parts|MultipartUpload|MultipartUploads|Part|PartCopy"
    r"|ObjectContent|Bucket)"
    r"|dynamodb:(BatchExecuteStatement|BatchGetItem|BatchWriteItem|DeleteItem|ExecuteStatement"
    r"|ExecuteTransaction|GetItem|PutItem|Query|Scan|TransactGetItems|TransactWriteItems|UpdateItem)"
    r"|sns:Publish(Batch)?|firehose:PutRecord(Batch)?"
    r"|sqs:(Send|Delete|Receive)Message(Batch)?|sqs:ChangeMessageVisibility(Batch)?"
    r"|kinesis:(PutRecords?|GetRecords|GetShardIterator)"
    r"|cloudwatch:(GetMetricData|GetMetricStatistics|GetMetricWidgetImage|ListMetrics|PutMetricData))$")
# Lex's two versions have these at the same path; their parameters differ in case alone.
SAME_ON_THE_WIRE = {("lexv2-models", "TagResource"), ("lexv2-models", "UntagResource"),
                    ("lexv2-models", "ListTagsForResource")}
MANAGED = {"s3:CreateBucket", "s3:DeleteBucket", "s3:ListBuckets", "s3:GetBucket", "s3:PutBucket"}


def is_data(call: Call) -> bool:
    name = f"{call.service}:{call.operation}"
    return bool(DATA.match(name)) and name not in MANAGED


# Their records spell members as the wire does (records that AWS wrote).
RAW_NAMES = {"account", "ce", "devops-guru", "resource-explorer-2", "securityhub"}


def key_of(shape, name: str, raw: bool) -> str:
    if raw:
        return shape.members[name].serialization.get("name", name)
    return name[:1].lower() + name[1:]


def expected_name(call: Call) -> str:
    if call.service == "lambda":
        dated = LAMBDA_DATED.match(call.model.http["requestUri"])
        return call.operation + (dated[1].replace("-", "") if dated else "")
    return call.model.wire_name  # CloudFront's have their version in it


def hides(shape, member: str) -> bool:
    return bool(shape.metadata.get("sensitive")) or bool(
        re.search(r"(Password|SecretString|ClientSecret|PrivateKey|AuthToken)$", member))


def differences(shape, value, found, raw: bool, path: str = "") -> list[str]:
    """Where a record's parameters are not what was sent, written by the rules of the record."""
    if isinstance(found, str) and found in HIDDEN:
        return []  # what else is hidden than must be is looked at by eye (docs/gateway-coverage.md)
    if hides(shape, path.rpartition(".")[2]):
        return [f"{path}: shown"]
    if shape.type_name == "structure":
        if not isinstance(found, dict):
            return [f"{path}: {found!r}"]
        wrong = []
        for name, inner in value.items():
            member = shape.members[name]
            if member.serialization.get("streaming") or member.type_name == "blob" and (
                    shape.serialization.get("payload") == name):
                continue
            key = key_of(shape, name, raw)
            if key not in found:
                wrong.append(f"{path}.{name}: missing")
            else:
                wrong += differences(member, inner, found[key], raw, f"{path}.{name}")
        return wrong
    if shape.type_name == "list":
        if not isinstance(found, list) or len(found) != len(value):
            return [f"{path}: {found!r}"]
        return [wrong for one, other in zip(value, found)
                for wrong in differences(shape.member, one, other, raw, path)]
    if shape.type_name == "map":
        if not isinstance(found, dict) or set(found) != set(value):
            return [f"{path}: {found!r}"]
        return [wrong for key in value
                for wrong in differences(shape.value, value[key], found[key], raw, path)]
    if shape.type_name == "timestamp":
        return [] if isinstance(found, str) and str(WHEN.year) in found else [f"{path}: {found!r}"]
    if shape.type_name == "blob":
        return [] if found == base64.b64encode(value).decode() else [f"{path}: {found!r}"]
    return [] if found == value else [f"{path}: {found!r} instead of {value!r}"]


class Driver:
    """Makes the calls, each with a mark in its User-Agent."""

    def __init__(self, server: Server):
        self.server = server
        self.number = 0
        self.clients = {}

    def client(self, service: str):
        if service not in self.clients:
            made = self.server.client(service, REGION, read_timeout=20, parameter_validation=False)
            made.meta.events.register("before-sign", self.mark)
            made.meta.events.register("before-parameter-build.s3", lambda **_: None)
            self.clients[service] = made
        return self.clients[service]

    def mark(self, request, **_):
        request.headers["User-Agent"] = f"coverage call/{self.number}"

    def make(self, number: int, call: Call) -> str | None:
        """The error's code, or None."""
        self.number = number
        try:
            getattr(self.client(call.service), call.method)(**call.parameters)
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        except botocore.parsers.ResponseParserError:
            return UNREADABLE  # moto's own 500, an HTML page
        except (botocore.exceptions.BotoCoreError, ValueError, TypeError, KeyError,
                AttributeError) as error:
            return f"!{type(error).__name__}: {error}"  # never left, or an answer that boto cannot read
        return None


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    moto = MotoServer(tmp_path_factory.mktemp("moto")).start()
    server = Server(tmp_path_factory.mktemp("gateway"), [
        "--upstream", moto.endpoint,
        "--upstreams", ",".join(f"{name}={moto.endpoint}" for name in ("iam", "s3", "sts"))]).start()
    driver = Driver(server)
    calls = generate()
    errors = [driver.make(number, call) for number, call in enumerate(calls)]
    found = collections.defaultdict(list)

    def collect():
        found.clear()
        for record in server.records(REGION):
            if mark := re.search(r"coverage call/(\d+)", record.get("userAgent", "")):
                found[int(mark[1])].append(record)
        return True
    wait_for("the records", collect)
    yield calls, errors, found
    server.stop()
    moto.stop()


def left(calls, errors):
    """Calls that reached the gateway: (number, call, error code)."""
    return [(number, call, error) for number, (call, error) in enumerate(zip(calls, errors))
            if not (error or "").startswith("!")]


def write_table(path: str, made, found) -> None:
    """docs/gateway-coverage.md's table: a row a service."""
    rows = collections.defaultdict(list)
    for number, call, error in made:
        rows[call.service].append((call, error, len(found[number])))
    protocols = {service: "/".join(calls[0][0].model.service_model.metadata.get(
        "protocols", [calls[0][0].model.service_model.metadata["protocol"]]))
        for service, calls in rows.items()}
    with open(path, "w") as out:
        out.write("| service | protocol | calls | on the record | data events | succeeded | failed |\n"
                  "|---|---|---|---|---|---|---|\n")
        for service, calls in sorted(rows.items()):
            out.write(f"| {service} | {protocols[service]} | {len(calls)} "
                      f"| {sum(count for _, _, count in calls)} "
                      f"| {sum(is_data(call) for call, _, _ in calls)} "
                      f"| {sum(error is None for _, error, _ in calls)} "
                      f"| {sum(error is not None for _, error, _ in calls)} |\n")
        out.write(f"| **{len(rows)} services** | | **{len(made)}** "
                  f"| **{sum(len(found[number]) for number, _, _ in made)}** "
                  f"| **{sum(is_data(call) for _, call, _ in made)}** "
                  f"| **{sum(error is None for _, _, error in made)}** "
                  f"| **{sum(error is not None for _, _, error in made)}** |\n")


def test_enough_was_driven(driven):
    calls, errors, found = driven
    made = left(calls, errors)
    if path := os.environ.get("OPENTRAIL_COVERAGE_TABLE"):
        write_table(path, made, found)
    assert len({call.service for _, call, _ in made}) >= 60
    assert len(made) >= 400
    assert sum(error is None for _, _, error in made) >= 200


def test_each_call_is_on_the_record_once(driven):
    calls, errors, found = driven
    wrong = []
    for number, call, error in left(calls, errors):
        wanted = 0 if is_data(call) else 1
        if len(found[number]) != wanted:
            wrong.append(f"{call.service} {call.operation} ({error}): {len(found[number])} records")
    assert not wrong, "\n".join(wrong)


def test_each_record_says_what_was_called(driven):
    calls, errors, found = driven
    wrong = []
    for number, call, error in left(calls, errors):
        if is_data(call) or not found[number]:
            continue
        record = found[number][0]
        signing = call.model.service_model.signing_name
        source = SOURCES.get(call.service, signing) + ".amazonaws.com"
        name = record["eventName"]
        if call.service == "lambda":
            name = name.removesuffix("v2")
        problems = []
        if record["eventSource"] != source:
            problems.append(f"eventSource {record['eventSource']}")
        if call.service != "s3" and name != expected_name(call):
            problems.append(f"eventName {record['eventName']}")
        signed = call.model.auth_type != "none"
        if record["awsRegion"] != REGION or (
                signed and record["userIdentity"].get("userName") != "admin"):
            problems.append("region or identity")
        verb = call.operation.startswith(READS) and (call.service, call.operation) not in NOT_READS
        writes = call.operation.startswith(("Create", "Put", "Update", "Delete", "Tag", "Untag", "Add"))
        if (verb and not record["readOnly"]) or (writes and record["readOnly"]):
            problems.append(f"readOnly {record['readOnly']}")
        code = (record.get("errorCode") or "").removeprefix("Client.").removeprefix("Server.")
        same = {error, f"{error}Exception", (error or "").removesuffix("Exception")}
        unclear = error and (error == UNREADABLE or error.isdigit())
        if (error is None) != (not code) or (error and code not in same and not unclear):
            problems.append(f"errorCode {record.get('errorCode')} instead of {error}")
        if problems:
            wrong.append(f"{call.service} {call.operation}: {', '.join(problems)}")
    assert not wrong, "\n".join(wrong)


def test_each_record_shows_the_parameters(driven):
    calls, errors, found = driven
    wrong = []
    for number, call, _ in left(calls, errors):
        if is_data(call) or not found[number] or call.service in ("s3", "ec2") or not call.parameters:
            continue
        if (call.service, call.operation) in SAME_ON_THE_WIRE:
            continue
        record = found[number][0]
        for difference in differences(call.model.input_shape, call.parameters,
                                      record["requestParameters"] or {},
                                      call.service in RAW_NAMES):
            wrong.append(f"{call.service} {call.operation} {difference}")
        if "unparsed" in record.get("additionalEventData", {}).get("gateway", {}):
            wrong.append(f"{call.service} {call.operation}: {record['additionalEventData']}")
    assert not wrong, "\n".join(wrong)


def test_no_record_shows_a_secret(driven):
    _, _, found = driven
    encoded = base64.b64encode(SECRET.encode()).decode()
    shown = [record["eventName"] for records in found.values() for record in records
             if SECRET in json.dumps(record) or encoded in json.dumps(record)]
    assert not shown

"""Goal: a trail's bucket gets the records that its event selectors name, and no others.

Method: boto3 and the AWS CLI against one server. Several trails with selectors of their own write to one
bucket under prefixes of their own; each call is then looked for in each trail's files. A last call that
all of them want says when a file must have been there.
"""
import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness import ACCOUNT, Server, error_of, request_id
from trail_files import TrailFiles, bucket_policy, make_trail

HOME = "us-west-2"
LOGS = "opentrail-selected"
SECRET, OPEN = "opentrail-secret", "opentrail-secret2"  # one name begins with the other
PREFIXES = ("a", "b", "c", "d", "e")
DEFAULT_SELECTOR = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                    "ExcludeManagementEventSources": []}


def field(name: str, **operators: list[str]) -> dict:
    return {"Field": name, **operators}


def selector(category: str, *fields: dict, name: str | None = None) -> dict:
    return ({"Name": name} if name else {}) | {
        "FieldSelectors": [field("eventCategory", Equals=[category]), *fields]}


MANAGEMENT = selector("Management")
OBJECTS = field("resources.type", Equals=["AWS::S3::Object"])


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    """The client of the home region, with the buckets of this file."""
    client = server.client("s3", HOME)
    for bucket in (LOGS, SECRET, OPEN):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
    policies = [json.loads(bucket_policy(LOGS, prefix))["Statement"] for prefix in PREFIXES]
    statements = [policies[0][0]] + [policy[1] | {"Sid": f"Write{number}"}
                                     for number, policy in enumerate(policies)]
    client.put_bucket_policy(Bucket=LOGS, Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": statements}))
    return client


@pytest.fixture
def trails(server: Server, s3: Any) -> Iterator[Any]:
    """The client of the home region; the trails of a test end with it."""
    client = server.client("cloudtrail", HOME)
    yield client
    for trail in client.list_trails()["Trails"]:
        client.delete_trail(Name=trail["TrailARN"])


def make(server: Server, prefix: str, **selectors: list[dict]) -> TrailFiles:
    """A trail of the home region with these selectors; what it delivers."""
    arn = make_trail(server, f"trail-{prefix}", LOGS, HOME, S3KeyPrefix=prefix,
                     IsMultiRegionTrail=False)
    server.client("cloudtrail", HOME).put_event_selectors(TrailName=arn, **selectors)
    return TrailFiles(server.client("s3", HOME), LOGS, prefix)


def check_refused(function: Any, text: str, **arguments: Any) -> None:
    code, message, status = error_of(function, **arguments)
    assert (code, status) == ("InvalidEventSelectorsException", 400), (code, message)
    assert text in message


# ---- what is delivered ---------------------------------------------------------------------------

def test_each_trail_gets_what_it_names(server, s3, trails):
    secret = f"arn:aws:s3:::{SECRET}/"
    wants = {
        "a": [MANAGEMENT, selector("Data", OBJECTS, field("resources.ARN", StartsWith=[secret]))],
        "b": [MANAGEMENT, selector("Data", OBJECTS, field("readOnly", Equals=["false"]),
                                   field("resources.ARN", NotStartsWith=[secret]))],
        "c": [MANAGEMENT, selector("Data", OBJECTS, field(
            "eventName", StartsWith=["Get"], NotEndsWith=["Tagging"]))],
        "d": [MANAGEMENT, selector("Data", OBJECTS, field(
            "resources.ARN", Equals=[secret + "key", f"arn:aws:s3:::{OPEN}/other"]))],
    }
    files = {prefix: make(server, prefix, AdvancedEventSelectors=selectors)
             for prefix, selectors in wants.items()}
    files["e"] = make(server, "e", EventSelectors=[DEFAULT_SELECTOR | {
        "ReadWriteType": "WriteOnly", "DataResources": [
            {"Type": "AWS::S3::Object", "Values": [secret]}]}])
    expected = {
        request_id(s3.put_object(Bucket=SECRET, Key="key", Body=b"x")): "ade",
        request_id(s3.put_object(Bucket=SECRET, Key="key2", Body=b"x")): "ae",
        request_id(s3.put_object(Bucket=OPEN, Key="key", Body=b"x")): "b",
        request_id(s3.get_object(Bucket=SECRET, Key="key")): "acd",
        request_id(s3.get_object(Bucket=OPEN, Key="key")): "c",
        request_id(s3.list_objects_v2(Bucket=SECRET)): "a",
        request_id(s3.list_objects_v2(Bucket=OPEN)): "",
    }
    last = request_id(trails.add_tags(ResourceId=trails.list_trails()["Trails"][0]["TrailARN"],
                                      TagsList=[{"Key": "a", "Value": "b"}]))
    for prefix, delivered in files.items():
        where = delivered.wait_delivered([last])
        found = {request for request in expected if request in where}
        assert found == {request for request, whose in expected.items() if prefix in whose}, prefix
        assert all(len(keys) == 1 for keys in where.values()), "no record twice"


def test_management_events_by_reading_and_source(server, trails):
    files = {
        "reads": make(server, "a", AdvancedEventSelectors=[
            selector("Management", field("readOnly", Equals=["true"]))]),
        "others": make(server, "b", AdvancedEventSelectors=[
            selector("Management", field("eventSource", NotEquals=["kms.amazonaws.com"]))]),
        "all": make(server, "c", AdvancedEventSelectors=[MANAGEMENT])}
    # Calls of services that are not served here are on the record all the same, as writes.
    error_of(server.client("kms", HOME).list_keys)
    kms = next(record["requestID"] for record in server.records(HOME)
               if record["eventSource"] == "kms.amazonaws.com")
    arn = trails.list_trails()["Trails"][0]["TrailARN"]
    write = request_id(trails.add_tags(ResourceId=arn, TagsList=[{"Key": "a", "Value": "b"}]))
    read = request_id(trails.list_trails())
    for name, expected in (("reads", {read}), ("others", {read, write}),
                           ("all", {kms, read, write})):
        assert files[name].wait_delivered([read]).keys() & {kms, read, write} == expected, name


def test_a_change_and_a_restart(server, s3, trails):
    files = make(server, "a", AdvancedEventSelectors=[MANAGEMENT, selector("Data", OBJECTS)])
    before = request_id(s3.put_object(Bucket=OPEN, Key="1", Body=b"x"))
    changed = [MANAGEMENT, selector("Data", OBJECTS, field("eventName", NotEquals=["PutObject"]),
                                    name="no puts")]
    trails.put_event_selectors(TrailName="trail-a", AdvancedEventSelectors=changed)
    put = request_id(s3.put_object(Bucket=OPEN, Key="2", Body=b"x"))
    got = request_id(s3.get_object(Bucket=OPEN, Key="2"))
    server.restart()
    again = server.client("cloudtrail", HOME)
    seen = again.get_event_selectors(TrailName="trail-a")
    assert seen["AdvancedEventSelectors"] == changed and "EventSelectors" not in seen
    objects = server.client("s3", HOME)
    put_again = request_id(objects.put_object(Bucket=OPEN, Key="3", Body=b"x"))
    got_again = request_id(objects.get_object(Bucket=OPEN, Key="3"))
    last = request_id(again.get_trail(Name="trail-a"))
    where = TrailFiles(objects, LOGS, "a").wait_delivered([before, got, got_again, last])
    assert not {put, put_again} & where.keys()


# ---- the calls -----------------------------------------------------------------------------------

def test_one_kind_replaces_the_other(server, trails):
    arn = make_trail(server, "kinds", LOGS, HOME, S3KeyPrefix="a", start=False)

    def put(**selectors: list[dict]) -> dict:
        done = trails.put_event_selectors(TrailName=arn, **selectors)
        done.pop("ResponseMetadata")
        got = trails.get_event_selectors(TrailName=arn)
        got.pop("ResponseMetadata")
        assert got == done
        return done

    def has_custom() -> bool:
        return trails.get_trail(Name=arn)["Trail"]["HasCustomEventSelectors"]

    assert has_custom() is False
    advanced = [MANAGEMENT, selector("Data", OBJECTS, name="objects")]
    assert put(AdvancedEventSelectors=advanced) == {
        "TrailARN": arn, "AdvancedEventSelectors": advanced}
    assert has_custom() is True
    basic = [DEFAULT_SELECTOR | {"ReadWriteType": "ReadOnly"}]
    assert put(EventSelectors=basic) == {"TrailARN": arn, "EventSelectors": basic}
    put(AdvancedEventSelectors=advanced)
    # What Terraform sends when the last advanced selector is removed.
    assert put(AdvancedEventSelectors=[]) == {"TrailARN": arn, "EventSelectors": [DEFAULT_SELECTOR]}
    assert has_custom() is False


def test_the_command_line(server, trails):
    make_trail(server, "shell", LOGS, HOME, S3KeyPrefix="a", start=False)
    wanted = [selector("NetworkActivity", field("eventSource", Equals=["kms.amazonaws.com"]),
                       field("errorCode", Equals=["VpceAccessDenied"]), name="denied"),
              selector("Data", field("resources.type", Equals=["AWS::DynamoDB::Table"]),
                       field("userIdentity.arn", NotEndsWith=["user/batch"]))]
    put = server.aws_json("cloudtrail", "put-event-selectors", "--trail-name", "shell",
                          "--advanced-event-selectors", json.dumps(wanted), region=HOME)
    assert put["AdvancedEventSelectors"] == wanted
    assert server.aws_json("cloudtrail", "get-event-selectors", "--trail-name", "shell",
                           region=HOME) == put
    short = server.aws_json("cloudtrail", "put-event-selectors", "--trail-name", "shell",
                            "--event-selectors", "ReadWriteType=WriteOnly", region=HOME)
    assert short["EventSelectors"] == [DEFAULT_SELECTOR | {"ReadWriteType": "WriteOnly"}]
    refused = server.aws("cloudtrail", "put-event-selectors", "--trail-name", "shell",
                         "--advanced-event-selectors", json.dumps([selector("Data")]),
                         region=HOME, check=False)
    assert refused.returncode != 0 and "InvalidEventSelectorsException" in refused.stderr


def test_the_call_is_on_the_record(server, trails):
    make_trail(server, "recorded", LOGS, HOME, S3KeyPrefix="a", start=False)
    done = trails.put_event_selectors(TrailName="recorded", AdvancedEventSelectors=[
        selector("Data", OBJECTS, field("resources.ARN", StartsWith=["arn:aws:s3:::some/"]),
                 name="some")])
    record = next(one for one in server.records(HOME) if one.get("requestID") == request_id(done))
    selectors = [{"name": "some", "fieldSelectors": [
        {"field": "eventCategory", "equals": ["Data"]},
        {"field": "resources.type", "equals": ["AWS::S3::Object"]},
        {"field": "resources.ARN", "startsWith": ["arn:aws:s3:::some/"]}]}]
    assert record["requestParameters"] == {"trailName": "recorded",
                                           "advancedEventSelectors": selectors}
    assert record["responseElements"] == {
        "trailARN": f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/recorded",
        "advancedEventSelectors": selectors}


def test_what_is_refused(server, trails):
    make_trail(server, "strict", LOGS, HOME, S3KeyPrefix="a", start=False)
    put = trails.put_event_selectors
    cases = [
        (selector("Data"), "resources.type"),
        (selector("Insight"), "Insight"),
        (selector("Data", field("resources.type", Equals=["AWS::S3::Nothing"])), "AWS::S3::Nothing"),
        (selector("Management", field("eventSource", NotEquals=["s3.amazonaws.com"])),
         "s3.amazonaws.com"),
        (selector("Management", field("eventName", Equals=["x"])), "eventName"),
        (selector("Data", OBJECTS, field("resources.ARN", Equals=["arn:aws:s3:::bucket"])), "ARN"),
        (selector("Data", OBJECTS, field("eventName")), "at least one operator"),
        (selector("Data", OBJECTS, OBJECTS), "once"),
        (selector("Data", OBJECTS, field("eventName", Equals=[str(n) for n in range(499)])), "500"),
    ]
    for broken, text in cases:
        check_refused(put, text, TrailName="strict", AdvancedEventSelectors=[broken])
    check_refused(put, "not both", TrailName="strict", AdvancedEventSelectors=[MANAGEMENT],
                  EventSelectors=[DEFAULT_SELECTOR])
    assert trails.get_event_selectors(TrailName="strict")["EventSelectors"] == [DEFAULT_SELECTOR]

"""Goal: event history answers LookupEvents as CloudTrail does, from the moment a call was answered.

Method: a history whose every event is known, read through each attribute, in time ranges and in pages;
what LookupEvents says of an event is compared with the record inside it.
"""
import datetime
import json

import pytest

from harness import ACCOUNT, Keys, Server, call, error_of, request_id
from record_shape import check_event

EVENTS = 23
PAGE = 5


class Past:
    """What happened on the server of this file before its tests."""

    def __init__(self, server: Server):
        self.server = server
        self.began = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self.user: Keys = server.new_user("judy", "AdministratorAccess")
        iam = server.client("iam", keys=self.user)
        self.made = [request_id(iam.create_user(UserName=f"past-{number:02d}"))
                     for number in range(EVENTS)]
        self.read = request_id(iam.list_users())
        self.refused = request_id(call(iam.create_user, UserName="past-00")[0])
        s3 = server.client("s3", keys=self.user)
        self.bucket = request_id(s3.create_bucket(Bucket="opentrail-past"))

    def find(self, key: str, value: str, **query: object) -> list[dict]:
        return self.server.lookup(LookupAttributes=[
            {"AttributeKey": key, "AttributeValue": value}], **query)


@pytest.fixture(scope="module")
def past(server: Server) -> Past:
    return Past(server)


def ids(events: list[dict]) -> list[str]:
    return [json.loads(event["CloudTrailEvent"]).get("requestID") for event in events]


def test_every_attribute(past):
    by_name = past.find("EventName", "CreateUser", StartTime=past.began)
    assert set(past.made) | {past.refused} <= set(ids(by_name))
    one = next(event for event in by_name if ids([event])[0] == past.made[7])
    record = check_event(one)
    assert past.find("EventId", one["EventId"]) == [one]
    assert set(ids(past.find("Username", "judy"))) >= {*past.made, past.read, past.bucket}
    assert set(ids(past.find("AccessKeyId", past.user[0]))) >= {*past.made, past.read, past.bucket}
    assert past.read in ids(past.find("ReadOnly", "true"))
    assert past.made[0] in ids(past.find("ReadOnly", "false"))
    assert past.read not in ids(past.find("ReadOnly", "false"))
    assert past.bucket in ids(past.find("EventSource", "s3.amazonaws.com"))
    assert past.made[0] not in ids(past.find("EventSource", "s3.amazonaws.com"))
    assert past.bucket in ids(past.find("ResourceType", "AWS::S3::Bucket"))
    assert past.bucket in ids(past.find("ResourceName", "opentrail-past"))
    assert past.made[7] in ids(past.find("ResourceName", "past-07"))
    arn = record["responseElements"]["user"]["arn"]
    assert past.made[7] in ids(past.find("ResourceName", arn))
    assert {"ResourceType": "AWS::IAM::User", "ResourceName": "past-07"} in one["Resources"]
    for key, value in (("EventName", "createuser"), ("EventName", "CreateUse"), ("Username", "JUDY"),
                       ("EventId", "0" * 36), ("ResourceName", "past-0")):
        assert past.find(key, value) == [], "values match exactly"


def test_every_event_is_what_its_record_says(past):
    events = past.server.lookup()
    assert len(events) > EVENTS
    for event in events:
        record = check_event(event)
        assert record["recipientAccountId"] == ACCOUNT and record["awsRegion"] == "us-east-1"
    assert len({event["EventId"] for event in events}) == len(events)
    times = [event["EventTime"] for event in events]
    assert times == sorted(times, reverse=True), "newest first"


def without_lookups(events: list[dict]) -> list[dict]:
    """Each lookup is an event itself, perhaps of the very second that is looked at."""
    return [event for event in events if event["EventName"] != "LookupEvents"]


def test_time_ranges(past):
    everything = without_lookups(past.server.lookup(StartTime=past.began))
    one = next(event for event in everything if ids([event])[0] == past.made[EVENTS // 2])
    at = one["EventTime"]
    assert one in past.server.lookup(StartTime=at, EndTime=at), "both ends are inclusive"
    second = datetime.timedelta(seconds=1)
    assert one not in past.server.lookup(StartTime=at + second)
    assert one not in past.server.lookup(EndTime=at - second)
    before = [event for event in everything if event["EventTime"] <= at]
    after = [event for event in everything if event["EventTime"] > at]
    assert without_lookups(past.server.lookup(StartTime=past.began, EndTime=at)) == before
    newer = past.server.lookup(StartTime=at + second)
    assert [event for event in newer if event in after] == after
    assert past.server.lookup(EndTime=past.began - datetime.timedelta(days=1)) == []


def test_pages(past):
    client = past.server.client("cloudtrail")
    query = {"LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": "judy"}]}
    whole = past.server.lookup(**query)
    pages, token = [], None
    while token is not None or not pages:
        page = client.lookup_events(MaxResults=PAGE, **query, **({"NextToken": token} if token else {}))
        pages.append(page["Events"])
        token = page.get("NextToken")
        # What happens meanwhile does not enter a listing that has begun.
        past.server.client("sts", keys=past.user).get_caller_identity()
    assert all(len(page) == PAGE for page in pages[:-1]) and len(pages[-1]) <= PAGE
    assert [event for page in pages for event in page] == whole
    first = client.lookup_events(MaxResults=PAGE, **query)["NextToken"]
    for changed in ({"MaxResults": PAGE, "NextToken": first},
                    {**query, "MaxResults": PAGE, "NextToken": first, "StartTime": past.began},
                    {**query, "MaxResults": PAGE, "NextToken": "bm9uc2Vuc2U="}):
        code, _, status = error_of(client.lookup_events, **changed)
        assert (code, status) == ("InvalidNextTokenException", 400), changed


def test_default_page_is_fifty(past):
    sts = past.server.client("sts")
    for _ in range(55):
        sts.get_caller_identity()
    page = past.server.client("cloudtrail").lookup_events()
    assert len(page["Events"]) == 50 and page["NextToken"]


@pytest.mark.parametrize("query, code", [
    ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "A"},
                           {"AttributeKey": "Username", "AttributeValue": "b"}]},
     "InvalidLookupAttributes"),
    ({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "blue"}]},
     "InvalidLookupAttributes"),
    ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x" * 2001}]},
     "InvalidLookupAttributes"),
    ({"MaxResults": 51}, "InvalidMaxResults"), ({"MaxResults": 0}, "InvalidMaxResults"),
    ({"StartTime": datetime.datetime(2026, 2, 2), "EndTime": datetime.datetime(2026, 2, 1)},
     "InvalidTimeRange"),
    ({"EventCategory": "management"}, "InvalidEventCategory")], ids=lambda value: str(value)[:30])
def test_queries_that_are_none(past, query, code):
    client = past.server.client("cloudtrail", parameter_validation=False)
    found = error_of(client.lookup_events, **query)
    assert found[::2] == (code + "Exception", 400), found


def test_read_your_writes(past):
    """Many times over: a call that was answered is found by the very next lookup."""
    iam = past.server.client("iam")
    client = past.server.client("cloudtrail")
    for number in range(40):
        made = request_id(iam.create_user(UserName=f"now-{number}"))
        newest = client.lookup_events(MaxResults=5)["Events"]
        assert made in ids(newest), f"call {number} was answered, but is not in the history"
    seen = request_id(iam.get_user(UserName="now-0"))
    assert seen in ids(client.lookup_events(MaxResults=5)["Events"]), "reads too"


def test_regions_are_apart(past):
    west = past.server.client("cloudtrail", "us-west-2")
    here = request_id(west.describe_trails())
    assert here in ids(past.server.lookup("us-west-2"))
    assert here not in ids(past.server.lookup("us-east-1"))
    assert past.made[0] not in ids(past.server.lookup("us-west-2"))
    assert past.server.client("cloudtrail", "eu-west-1").lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "CreateUser"}])["Events"] == []


def test_only_management_events(past):
    s3 = past.server.client("s3")
    put = s3.put_object(Bucket="opentrail-past", Key="key", Body=b"data")
    got = s3.get_object(Bucket="opentrail-past", Key="key")
    listed = s3.list_objects_v2(Bucket="opentrail-past")
    known = ids(past.server.lookup())
    for answer in (put, got, listed):
        assert request_id(answer) not in known
    assert request_id(s3.get_bucket_acl(Bucket="opentrail-past")) in ids(past.server.lookup())


def test_lookups_are_looked_up(past):
    past.server.client("cloudtrail", "eu-west-1").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}],
        StartTime=past.began)
    event = past.find("EventName", "LookupEvents") or past.server.lookup("eu-west-1")
    record = check_event(event[0])
    assert record["readOnly"] is True and record["responseElements"] is None


def test_the_history_survives_a_kill(past):
    before = {event["EventId"]: event["CloudTrailEvent"] for event in past.server.lookup()}
    past.server.kill()
    past.server.start()
    after = {event["EventId"]: event["CloudTrailEvent"] for event in past.server.lookup()}
    assert before.items() <= after.items(), "the same records with the same bytes"


def test_lookup_rate(new_server):
    """Off by default; `--lookup-rate` limits an account and region as CloudTrail does."""
    client = new_server("--lookup-rate", 2).client("cloudtrail")
    codes = {call(client.lookup_events)[1] for _ in range(12)}
    assert codes == {None, "ThrottlingException"}

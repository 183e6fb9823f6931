"""Goal: trails are made, seen, changed and removed as in CloudTrail, regions and refusals included.

Method: boto3 against one server with three regions; error names and the texts that clients match on come
from the API reference and from captured answers. Each test uses trails of its own and removes them.
"""
import base64
import datetime
import hashlib
import json
from collections.abc import Iterator

import pytest

from harness import ACCOUNT, Server, error_of, request_id, wait_for
from record_shape import check_record
from trail_files import TrailFiles, bucket_policy, make_bucket, make_trail, parse_pkcs1

HOME = "us-west-2"
ABROAD = "eu-west-1"
BUCKET = "opentrail-trails"
DEFAULT_SELECTOR = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                    "ExcludeManagementEventSources": []}
TRAILS_MAX = 5


@pytest.fixture(scope="module")
def bucket(server: Server) -> str:
    return make_bucket(server.client("s3", HOME), BUCKET, HOME)


@pytest.fixture
def trails(server: Server, bucket: str) -> Iterator:
    """The client of the home region; the trails of a test end with it."""
    client = server.client("cloudtrail", HOME)
    yield client
    for region in (HOME, ABROAD):
        here = server.client("cloudtrail", region)
        for trail in here.describe_trails(includeShadowTrails=False)["trailList"]:
            here.delete_trail(Name=trail["TrailARN"])


def arn_of(name: str, region: str = HOME) -> str:
    return f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{name}"


def check_refused(function, code: str, text: str | None = None, **arguments: object) -> None:
    found = error_of(function, **arguments)
    assert found[0] == code + "Exception" and found[2] == 400, found
    if text is not None:
        assert found[1] == text


# ---- life ----------------------------------------------------------------------------------------

def test_defaults_of_the_api(trails):
    made = trails.create_trail(Name="plain", S3BucketName=BUCKET)
    made.pop("ResponseMetadata")
    assert made == {"Name": "plain", "S3BucketName": BUCKET, "IncludeGlobalServiceEvents": True,
                    "IsMultiRegionTrail": False, "TrailARN": arn_of("plain"),
                    "LogFileValidationEnabled": False, "IsOrganizationTrail": False}
    seen = trails.get_trail(Name="plain")["Trail"]
    assert seen == made | {"HomeRegion": HOME, "HasCustomEventSelectors": False,
                           "HasInsightSelectors": False}
    assert trails.get_trail(Name=arn_of("plain"))["Trail"] == seen
    assert trails.describe_trails(trailNameList=["plain", "unknown"])["trailList"] == [seen]
    assert trails.list_trails()["Trails"] == [
        {"TrailARN": arn_of("plain"), "Name": "plain", "HomeRegion": HOME}]
    status = trails.get_trail_status(Name="plain")
    assert status["IsLogging"] is False
    for name in ("LatestDeliveryAttemptTime", "LatestNotificationAttemptTime", "TimeLoggingStarted",
                 "LatestNotificationAttemptSucceeded", "LatestDeliveryAttemptSucceeded",
                 "TimeLoggingStopped"):
        assert status[name] == "", name
    for name in ("LatestDeliveryError", "LatestDeliveryTime", "StartLoggingTime", "StopLoggingTime"):
        assert name not in status, name


def test_start_stop_status(trails):
    trails.create_trail(Name="switch", S3BucketName=BUCKET, EnableLogFileValidation=True)
    trails.start_logging(Name="switch")
    trails.start_logging(Name=arn_of("switch"))  # twice is once
    status = trails.get_trail_status(Name=arn_of("switch"))
    assert status["IsLogging"] is True and "StopLoggingTime" not in status
    assert status["TimeLoggingStarted"] == status["StartLoggingTime"].astimezone(
        datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    delivered = wait_for("a delivery", lambda: (
        lambda seen: seen if {"LatestDeliveryTime", "LatestDigestDeliveryTime"} <= seen.keys()
        else None)(trails.get_trail_status(Name="switch")))
    assert "LatestDeliveryError" not in delivered and "LatestDigestDeliveryError" not in delivered
    trails.stop_logging(Name="switch")
    trails.stop_logging(Name="switch")
    status = trails.get_trail_status(Name="switch")
    assert status["IsLogging"] is False
    assert status["StopLoggingTime"] >= status["StartLoggingTime"]


def test_update(server, trails):
    other = make_bucket(server.client("s3", HOME), "opentrail-trails-other", HOME, prefix="logs/here")
    trails.create_trail(Name="change", S3BucketName=BUCKET)
    changed = trails.update_trail(Name="change", S3BucketName=other, S3KeyPrefix="logs/here",
                                  EnableLogFileValidation=True)
    assert (changed["S3BucketName"], changed["S3KeyPrefix"]) == (other, "logs/here")
    assert changed["LogFileValidationEnabled"] is True
    assert changed["IsMultiRegionTrail"] is False, "what is not named stays"
    trails.start_logging(Name="change")
    marker = trails.get_trail(Name="change")
    files = TrailFiles(server.client("s3", HOME), other, "logs/here")
    files.wait_delivered([request_id(marker)])
    trails.update_trail(Name=arn_of("change"), S3BucketName=BUCKET, S3KeyPrefix="")
    seen = trails.get_trail(Name="change")["Trail"]
    assert seen["S3BucketName"] == BUCKET and "S3KeyPrefix" not in seen


def test_delete(server, trails):
    trails.create_trail(Name="short-lived", S3BucketName=BUCKET, IsMultiRegionTrail=True)
    trails.delete_trail(Name="short-lived")
    text = f"Unknown trail: short-lived for the user: {ACCOUNT}"
    check_refused(trails.get_trail, "TrailNotFound", text, Name="short-lived")
    check_refused(trails.delete_trail, "TrailNotFound", Name="short-lived")
    check_refused(trails.get_trail_status, "TrailNotFound",
                  f"Unknown trail: {arn_of('short-lived')} for the user: {ACCOUNT}",
                  Name="short-lived")
    assert server.client("cloudtrail", ABROAD).describe_trails()["trailList"] == []
    assert trails.list_trails()["Trails"] == []


# ---- refusals ------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, text", [
    ("ab", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 "
           "characters."),
    ("a" * 129, "Trail name too long. Maximum allowed length: 128 characters. Specified name length: "
                "129 characters."),
    ("-abc", "Trail name must starts with a letter or number."),
    ("abc-", "Trail name must ends with a letter or number."),
    ("a b c", "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
              "periods (.), hyphens (-), and underscores (_)."),
    ("a..b", None), ("a_-b", None), ("192.168.5.4", None)])
def test_names_that_are_none(trails, name, text):
    check_refused(trails.create_trail, "InvalidTrailName", text, Name=name, S3BucketName=BUCKET)


def test_what_create_refuses(server, trails):
    s3 = server.client("s3", HOME)
    s3.create_bucket(Bucket="opentrail-no-policy",
                     CreateBucketConfiguration={"LocationConstraint": HOME})
    create = trails.create_trail
    check_refused(create, "S3BucketDoesNotExist", "S3 bucket opentrail-nowhere does not exist!",
                  Name="refused", S3BucketName="opentrail-nowhere")
    check_refused(create, "InsufficientS3BucketPolicy",
                  "Incorrect S3 bucket policy is detected for bucket: opentrail-no-policy",
                  Name="refused", S3BucketName="opentrail-no-policy")
    check_refused(create, "InvalidS3BucketName", Name="refused", S3BucketName="Not_A_Bucket")
    check_refused(create, "InvalidS3Prefix", Name="refused", S3BucketName=BUCKET,
                  S3KeyPrefix="p" * 201)
    check_refused(create, "InvalidParameterCombination",
                  "Multi-Region trail must include global service events.", Name="refused",
                  S3BucketName=BUCKET, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False)
    # A policy that speaks of another trail is no permission for this one.
    s3.put_bucket_policy(Bucket="opentrail-no-policy", Policy=bucket_policy(
        "opentrail-no-policy", trail_arn=arn_of("another")))
    check_refused(create, "InsufficientS3BucketPolicy", Name="refused",
                  S3BucketName="opentrail-no-policy")
    s3.put_bucket_policy(Bucket="opentrail-no-policy", Policy=bucket_policy(
        "opentrail-no-policy", trail_arn=arn_of("another")))
    create(Name="another", S3BucketName="opentrail-no-policy")
    check_refused(create, "TrailAlreadyExists",
                  f"Trail another already exists for customer: {ACCOUNT}", Name="another",
                  S3BucketName=BUCKET)
    for operation in ("start_logging", "stop_logging", "delete_trail", "update_trail", "get_trail",
                      "get_trail_status"):
        check_refused(getattr(trails, operation), "TrailNotFound", Name="refused")
    for operation in ("get_event_selectors", "put_event_selectors"):
        more = {"EventSelectors": [DEFAULT_SELECTOR]} if operation.startswith("put") else {}
        check_refused(getattr(trails, operation), "TrailNotFound", TrailName="refused", **more)


def test_five_trails_a_region(trails):
    for number in range(TRAILS_MAX):
        trails.create_trail(Name=f"limit-{number}", S3BucketName=BUCKET)
    check_refused(trails.create_trail, "MaximumNumberOfTrailsExceeded",
                  f"User: {ACCOUNT} already has 5 trails in {HOME}.", Name="limit-5",
                  S3BucketName=BUCKET)
    assert len(trails.list_trails()["Trails"]) == TRAILS_MAX


def test_arns_of_elsewhere(trails):
    trails.create_trail(Name="here", S3BucketName=BUCKET)
    check_refused(trails.start_logging, "CloudTrailARNInvalid", Name="arn:aws:cloudtrail:nonsense")
    check_refused(trails.delete_trail, "CloudTrailARNInvalid", f"Region in ARN is wrong, you can only "
                  f"access resources in region {HOME}.", Name=arn_of("here", ABROAD))
    foreign = arn_of("here").replace(ACCOUNT, "210987654321")
    check_refused(trails.delete_trail, "CloudTrailARNInvalid", f"AccountID in ARN is wrong, you can "
                  f"only access resources with AccountID {ACCOUNT}.", Name=foreign)


# ---- regions -------------------------------------------------------------------------------------

def test_shadow_trails(server, trails):
    make_trail(server, "everywhere", BUCKET, HOME)
    abroad = server.client("cloudtrail", ABROAD)
    seen, = abroad.describe_trails()["trailList"]
    assert (seen["TrailARN"], seen["HomeRegion"]) == (arn_of("everywhere"), HOME)
    assert abroad.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert abroad.describe_trails(trailNameList=["everywhere"])["trailList"] == []
    by_arn = abroad.describe_trails(trailNameList=[arn_of("everywhere")])["trailList"]
    assert by_arn == [seen]
    assert abroad.get_trail(Name=arn_of("everywhere"))["Trail"] == seen
    assert abroad.get_trail_status(Name=arn_of("everywhere"))["IsLogging"] is True
    assert arn_of("everywhere") in [item["TrailARN"] for item in abroad.list_trails()["Trails"]]
    for operation in ("stop_logging", "start_logging", "delete_trail", "update_trail"):
        code, _, status = error_of(getattr(abroad, operation), Name="everywhere")
        assert (code, status) == ("InvalidHomeRegionException", 400), operation
        code = error_of(getattr(abroad, operation), Name=arn_of("everywhere"))[0]
        assert code in ("InvalidHomeRegionException", "CloudTrailARNInvalidException"), operation
    check_refused(abroad.create_trail, "TrailAlreadyExists", Name="everywhere", S3BucketName=BUCKET)
    answer = abroad.get_trail(Name=arn_of("everywhere"))
    files = TrailFiles(server.client("s3", HOME), BUCKET)
    where = files.wait_delivered([request_id(answer)])
    assert f"/CloudTrail/{ABROAD}/" in where[request_id(answer)][0]
    trails.update_trail(Name="everywhere", IsMultiRegionTrail=False)
    assert abroad.describe_trails()["trailList"] == []
    trails.update_trail(Name="everywhere", IsMultiRegionTrail=True)
    assert len(abroad.describe_trails()["trailList"]) == 1


def test_a_trail_of_one_region_stays_there(server, trails):
    make_trail(server, "alone", BUCKET, HOME, IsMultiRegionTrail=False)
    abroad = server.client("cloudtrail", ABROAD)
    assert abroad.describe_trails()["trailList"] == []
    elsewhere = [request_id(abroad.list_trails()), request_id(server.client("iam").list_users())]
    here = request_id(trails.list_trails())
    files = TrailFiles(server.client("s3", HOME), BUCKET)
    files.wait_delivered([here])
    last = request_id(trails.list_trails())
    assert not set(elsewhere) & files.wait_delivered([last]).keys()


# ---- selectors, tags, keys -----------------------------------------------------------------------

def test_event_selectors(server, trails):
    make_trail(server, "selective", BUCKET, HOME, IsMultiRegionTrail=False)
    selectors = trails.get_event_selectors(TrailName="selective")
    assert (selectors["TrailARN"], selectors["EventSelectors"]) == (arn_of("selective"),
                                                                    [DEFAULT_SELECTOR])
    writes = DEFAULT_SELECTOR | {"ReadWriteType": "WriteOnly", "DataResources": [
        {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::some-bucket/"]}]}
    put = trails.put_event_selectors(TrailName=arn_of("selective"), EventSelectors=[writes])
    assert put["EventSelectors"] == [writes] and put["TrailARN"] == arn_of("selective")
    assert trails.get_event_selectors(TrailName="selective")["EventSelectors"] == [writes]
    assert trails.get_trail(Name="selective")["Trail"]["HasCustomEventSelectors"] is True
    read = trails.get_trail(Name="selective")
    write = trails.add_tags(ResourceId=arn_of("selective"), TagsList=[{"Key": "a", "Value": "b"}])
    files = TrailFiles(server.client("s3", HOME), BUCKET)
    assert request_id(read) not in files.wait_delivered([request_id(write)])
    refused = trails.put_event_selectors
    for broken in ([DEFAULT_SELECTOR | {"ReadWriteType": "Sometimes"}],
                   [DEFAULT_SELECTOR | {"ExcludeManagementEventSources": ["s3.amazonaws.com"]}],
                   [DEFAULT_SELECTOR | {"DataResources": [
                       {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::*"]}]}],
                   [DEFAULT_SELECTOR] * 6):
        check_refused(refused, "InvalidEventSelectors", TrailName="selective", EventSelectors=broken)
    abroad = server.client("cloudtrail", ABROAD)
    check_refused(abroad.get_event_selectors, "TrailNotFound", TrailName="selective")
    assert trails.get_event_selectors(TrailName="selective")["EventSelectors"] == [writes]


def test_tags(trails):
    trails.create_trail(Name="tagged", S3BucketName=BUCKET,
                        TagsList=[{"Key": "made", "Value": "first"}])
    arn = arn_of("tagged")

    def tags() -> dict[str, str]:
        listed, = trails.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        assert listed["ResourceId"] == arn
        return {tag["Key"]: tag.get("Value", "") for tag in listed["TagsList"]}

    assert tags() == {"made": "first"}
    trails.add_tags(ResourceId=arn, TagsList=[{"Key": "made", "Value": "again"},
                                              {"Key": "more", "Value": "yes"}])
    assert tags() == {"made": "again", "more": "yes"}
    trails.remove_tags(ResourceId=arn, TagsList=[{"Key": "made"}, {"Key": "never"}])
    assert tags() == {"more": "yes"}
    check_refused(trails.add_tags, "InvalidTagParameter", ResourceId=arn,
                  TagsList=[{"Key": "twice", "Value": "1"}, {"Key": "twice", "Value": "2"}])
    check_refused(trails.add_tags, "TagsLimitExceeded", ResourceId=arn,
                  TagsList=[{"Key": str(number), "Value": "v"} for number in range(50)])
    check_refused(trails.list_tags, "ResourceNotFound", ResourceIdList=[arn_of("not-there")])
    check_refused(trails.list_tags, "CloudTrailARNInvalid", ResourceIdList=["tagged"])
    assert tags() == {"more": "yes"}


def test_public_keys(server, trails):
    keys = trails.list_public_keys()["PublicKeyList"]
    assert len(keys) == 1, "without times: the current key"
    key, = keys
    assert hashlib.md5(key["Value"]).hexdigest() == key["Fingerprint"]
    assert parse_pkcs1(key["Value"])[0].bit_length() == 2048
    assert key["ValidityStartTime"] < datetime.datetime.now(datetime.UTC) < key["ValidityEndTime"]
    raw = server.aws_json("cloudtrail", "list-public-keys", region=HOME)["PublicKeyList"][0]
    assert base64.b64decode(raw["Value"]) == key["Value"]
    other, = server.client("cloudtrail", ABROAD).list_public_keys()["PublicKeyList"]
    assert other["Fingerprint"] != key["Fingerprint"], "each region signs with a key of its own"
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    assert trails.list_public_keys(StartTime=long_ago, EndTime=long_ago)["PublicKeyList"] == []
    check_refused(trails.list_public_keys, "InvalidTimeRange",
                  StartTime=datetime.datetime.now(datetime.UTC), EndTime=long_ago)


def test_trail_calls_are_on_the_record(server, trails):
    made = trails.create_trail(Name="recorded", S3BucketName=BUCKET)
    missed = error_of(trails.get_trail, Name="not-there")
    found = {record.get("requestID"): record for record in server.records(HOME)}
    record = found[request_id(made)]
    check_record(record)
    assert (record["eventName"], record["readOnly"]) == ("CreateTrail", False)
    assert record["requestParameters"]["name"] == "recorded"
    assert record["responseElements"]["trailARN"] == arn_of("recorded")
    assert json.dumps(record["responseElements"]).count("ResponseMetadata") == 0
    refused = next(record for record in found.values() if record["eventName"] == "GetTrail"
                   and record.get("errorMessage") == missed[1])
    assert refused["errorCode"] == "TrailNotFoundException"
    assert refused["requestParameters"] == {"name": "not-there"}

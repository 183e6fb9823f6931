"""Goal: the lesson "turn on CloudTrail" can be done as it is taught, and what it teaches holds.

Method: the lab's own steps with the stock AWS CLI against a server with default regions; then calls
in three regions, some refused, whose request ids must each turn up in exactly one log file of the
right region; validate-logs is the judge of the rest.
"""
import datetime
import json

from harness import ACCOUNT, Keys, Server, call, request_id
from record_shape import check_event, check_record
from trail_files import TrailFiles, bucket_policy, check_chain, now, validate_logs

HOME = "us-west-2"
BUCKET = "aws-cloudtrail-logs-123456789012-1ab2c3d4"


def history_shows_iam_work_in_virginia_only(server: Server, key: dict) -> None:
    assert server.aws_json("cloudtrail", "lookup-events", region=HOME)["Events"] == []
    listed = server.aws_json(
        "cloudtrail", "lookup-events", "--lookup-attributes",
        "AttributeKey=EventName,AttributeValue=CreateUser", region="us-east-1")["Events"]
    assert len(listed) == 1
    record = json.loads(listed[0]["CloudTrailEvent"])
    check_record(record)
    assert record["requestParameters"] == {"userName": "alice"}
    user = record["responseElements"]["user"]
    assert user["userName"] == "alice" and user["arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert record["userIdentity"]["userName"] == "admin"
    assert record["awsRegion"] == "us-east-1"
    assert record["eventSource"] == "iam.amazonaws.com" and record["readOnly"] is False
    made, = server.aws_json(
        "cloudtrail", "lookup-events", "--lookup-attributes",
        "AttributeKey=EventName,AttributeValue=CreateAccessKey", region="us-east-1")["Events"]
    assert key["SecretAccessKey"] not in made["CloudTrailEvent"]
    assert key["AccessKeyId"] in made["CloudTrailEvent"]


def make_calls(server: Server, alice: Keys) -> dict[str, str]:
    """Calls in three regions; {request id: region of its record}."""
    answered = {}

    def did(region, client, operation, **arguments):
        answer, error = call(getattr(client, operation), **arguments)
        answered[request_id(answer)] = region
        return error

    iam = server.client("iam", "eu-west-1")
    assert not did("us-east-1", iam, "create_user", UserName="bob")
    assert not did("us-east-1", iam, "list_users")
    assert did("us-east-1", iam, "create_user", UserName="bob") == "EntityAlreadyExists"
    assert did("us-east-1", iam, "delete_user", UserName="nobody") == "NoSuchEntity"
    for region in (HOME, "us-east-1", "eu-west-1"):
        trails = server.client("cloudtrail", region)
        assert not did(region, trails, "describe_trails")
        assert did(region, trails, "get_trail", Name="nowhere") == "TrailNotFoundException"
        refused = server.client("cloudtrail", region, keys=alice)
        assert did(region, refused, "stop_logging", Name="management-events") == (
            "AccessDeniedException")
        assert did(region, refused, "lookup_events") == "AccessDeniedException"
    assert did("us-east-1", server.client("iam", keys=alice), "list_users") == "AccessDenied"
    abroad = server.client("s3", "eu-west-1")
    assert not did("eu-west-1", abroad, "create_bucket", Bucket="opentrail-lab-abroad",
                   CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert did("eu-west-1", server.client("s3", "eu-west-1", keys=alice), "create_bucket",
               Bucket="opentrail-lab-refused",
               CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}) == "AccessDenied"
    return answered


def turn_on(server: Server) -> str:
    """The bucket, its policy, the trail: by hand, as the lab does. Returns the trail's ARN."""
    server.aws("s3", "mb", f"s3://{BUCKET}", region=HOME)
    policy = server.folder / "policy.json"
    policy.write_text(bucket_policy(BUCKET))
    server.aws("s3api", "put-bucket-policy", "--bucket", BUCKET, "--policy", f"file://{policy}",
               region=HOME)
    trail = server.aws_json(
        "cloudtrail", "create-trail", "--name", "management-events", "--s3-bucket-name", BUCKET,
        "--is-multi-region-trail", "--enable-log-file-validation", region=HOME)
    arn = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/management-events"
    assert trail == {"Name": "management-events", "S3BucketName": BUCKET, "TrailARN": arn,
                     "IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": True,
                     "LogFileValidationEnabled": True, "IsOrganizationTrail": False}
    server.aws("cloudtrail", "start-logging", "--name", "management-events", region=HOME)
    status = server.aws_json("cloudtrail", "get-trail-status", "--name", "management-events",
                             region=HOME)
    assert status["IsLogging"] is True
    return arn


def test_turn_on_cloudtrail(new_server):
    server = new_server("--delivery-interval", 1, "--digest-interval", 4, regions=None)
    began = now()
    me = server.aws_json("sts", "get-caller-identity")
    assert me["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin" and me["Account"] == ACCOUNT
    assert me["UserId"].startswith("AIDA")
    server.aws("iam", "create-user", "--user-name", "alice")
    key = server.aws_json("iam", "create-access-key", "--user-name", "alice")["AccessKey"]
    history_shows_iam_work_in_virginia_only(server, key)

    arn = turn_on(server)
    answered = make_calls(server, (key["AccessKeyId"], key["SecretAccessKey"]))
    finished = now()

    files = TrailFiles(server.client("s3", HOME), BUCKET)
    where = files.wait_delivered(answered)
    for one, region in answered.items():
        assert f"/CloudTrail/{region}/" in where[one][0]
    for records in files.logs().values():
        for record in records:
            check_record(record)
    everything_in_the_history_is_in_one_file(server, files, set(answered), finished)

    listed = server.aws("s3", "ls", "--recursive", f"s3://{BUCKET}/AWSLogs/", region=HOME).stdout
    for region in (HOME, "us-east-1", "eu-west-1"):
        assert f"/CloudTrail/{region}/" in listed
        logs = files.wait_digested(region)
        verdict = validate_logs(server, arn, region, began)
        assert verdict.all_valid, verdict.text
        assert verdict.counts["log"][1] >= len(logs)
        assert check_chain(files, server.client("cloudtrail", region), region, began) > 0


def everything_in_the_history_is_in_one_file(server: Server, files: TrailFiles,
                                             answered: set[str],
                                             until: datetime.datetime) -> None:
    """From StartLogging on, history and files tell the same.

    Event times have whole seconds, so of the second in which logging began, and of the last one,
    only the calls that we know to lie inside count: `answered` are their request ids.
    """
    started, = [event for event in server.lookup(HOME) if event["EventName"] == "StartLogging"]
    found = {}
    for region in (HOME, "us-east-1", "eu-west-1"):
        for event in server.lookup(region):
            record = check_event(event)
            between = started["EventTime"] < event["EventTime"] < until.replace(microsecond=0)
            if between or record["requestID"] in answered:
                found[record["eventID"]] = event["CloudTrailEvent"]
    assert len(found) >= len(answered)
    delivered = {}
    for records in files.logs().values():
        for record in records:
            delivered.setdefault(record["eventID"], []).append(record)
    for event_id, text in found.items():
        assert delivered.get(event_id) == [json.loads(text)], event_id

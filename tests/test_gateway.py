"""The recording gateway in front of moto_server: calls of every protocol go through unchanged and are
on the record once, as CloudTrail would say it."""
import http.client
import json
import re
import socket

import botocore.exceptions
import pytest

from foreign_s3 import MotoServer
from harness import ACCOUNT, Server, free_port, wait_for
from signing import Signer


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    server = MotoServer(tmp_path_factory.mktemp("moto")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, moto):
    server = Server(tmp_path_factory.mktemp("gateway"), ["--upstream", moto.endpoint]).start()
    yield server
    server.stop()


def recorded(server, name, region="us-east-1", count=1):
    """The records of one event name, newest first, once there are `count`."""
    def found():
        events = server.lookup(region, LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": name}])
        return len(events) >= count and [json.loads(event["CloudTrailEvent"]) for event in events]
    records = wait_for(f"{count} records of {name}", found)
    assert len(records) == count, [record["requestParameters"] for record in records]
    return records


def test_json(gateway):
    kms = gateway.client("kms", "eu-west-1")
    made = kms.create_key(Description="d", Tags=[{"TagKey": "Team", "TagValue": "a"}])
    [record] = recorded(gateway, "CreateKey", "eu-west-1")
    assert record["eventSource"] == "kms.amazonaws.com"
    assert record["requestParameters"] == {"description": "d",
                                           "tags": [{"tagKey": "Team", "tagValue": "a"}]}
    assert record["responseElements"]["keyMetadata"]["keyId"] == made["KeyMetadata"]["KeyId"]
    assert record["readOnly"] is False and record["managementEvent"] is True
    assert record["awsRegion"] == "eu-west-1" and record["recipientAccountId"] == ACCOUNT
    assert record["userIdentity"]["userName"] == "admin"
    assert record["requestID"] == made["ResponseMetadata"]["RequestId"]
    assert "Boto3" in record["userAgent"] and record["sourceIPAddress"] == "127.0.0.1"


def test_query_and_secrets(gateway):
    sns = gateway.client("sns")
    sns.create_topic(Name="t", Attributes={"DisplayName": "x"})
    [record] = recorded(gateway, "CreateTopic")
    assert record["requestParameters"] == {"name": "t", "attributes": {"DisplayName": "x"}}
    assert record["responseElements"]["topicArn"].endswith(":t")
    rds = gateway.client("rds")
    rds.create_db_instance(DBInstanceIdentifier="d", DBInstanceClass="db.t3.micro", Engine="mysql",
                           MasterUsername="root", MasterUserPassword="hush-hush-1", AllocatedStorage=20)
    [record] = recorded(gateway, "CreateDBInstance")
    assert record["requestParameters"]["masterUserPassword"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert record["requestParameters"]["dBInstanceIdentifier"] == "d"
    assert "hush" not in json.dumps(record)


def test_ec2(gateway):
    ec2 = gateway.client("ec2", "us-west-2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    [record] = recorded(gateway, "CreateVpc", "us-west-2")
    assert record["requestParameters"]["cidrBlock"] == "10.0.0.0/16"
    assert record["responseElements"]["vpc"]["vpcId"] == vpc
    with pytest.raises(botocore.exceptions.ClientError):
        ec2.describe_vpcs(VpcIds=["vpc-nothing"])
    [record] = recorded(gateway, "DescribeVpcs", "us-west-2")
    assert record["errorCode"] == "Client.InvalidVpcID.NotFound"
    assert record["readOnly"] is True and record["responseElements"] is None


def test_rest_json(gateway):
    gateway.client("apigateway").create_rest_api(name="api", description="d")
    [record] = recorded(gateway, "CreateRestApi")
    assert record["requestParameters"] == {"name": "api", "description": "d"}
    assert record["responseElements"]["name"] == "api"


def test_rest_xml(gateway):
    gateway.client("route53").create_hosted_zone(Name="example.test", CallerReference="r")
    [record] = recorded(gateway, "CreateHostedZone")
    assert record["requestParameters"]["name"] == "example.test"
    assert record["responseElements"]["hostedZone"]["name"].startswith("example.test")


def test_cbor(gateway):
    cloudwatch = gateway.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="a", MetricName="m", Namespace="n", Period=60,
                                EvaluationPeriods=1, Threshold=1.0, Statistic="Sum",
                                ComparisonOperator="GreaterThanThreshold")
    [record] = recorded(gateway, "PutMetricAlarm")
    assert record["eventSource"] == "monitoring.amazonaws.com"
    assert record["requestParameters"]["alarmName"] == "a"
    assert record["requestParameters"]["period"] == 60


def test_errors_are_recorded_with_their_code(gateway):
    with pytest.raises(botocore.exceptions.ClientError):
        gateway.client("ssm").get_parameter(Name="/none")
    [record] = recorded(gateway, "GetParameter")
    assert record["errorCode"] == "ParameterNotFound" and record["errorMessage"]
    assert record["requestParameters"] == {"name": "/none"}


def test_data_events_are_not_in_history_and_answers_are_whole(gateway):
    sqs = gateway.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"].replace(
        "http://sqs.us-east-1.amazonaws.com", gateway.endpoint)
    sqs.send_message(QueueUrl=url, MessageBody="x" * 200000)
    body = sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
    assert body == "x" * 200000
    recorded(gateway, "CreateQueue")
    assert not gateway.lookup(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "SendMessage"}])


def test_a_key_that_our_iam_does_not_know(gateway):
    kinesis = gateway.client("kinesis", keys=("AKIAUNKNOWNEXAMPLE00", "s" * 40))
    kinesis.create_stream(StreamName="s", ShardCount=1)
    [record] = recorded(gateway, "CreateStream")
    assert record["userIdentity"] == {"type": "Unknown", "principalId": "AKIAUNKNOWNEXAMPLE00",
                                      "accountId": ACCOUNT, "accessKeyId": "AKIAUNKNOWNEXAMPLE00"}


READS = [
    ("kms", "json", "TrentService.ListKeys"), ("ssm", "json", "AmazonSSM.DescribeParameters"),
    ("logs", "json", "Logs_20140328.DescribeLogGroups"), ("dynamodb", "json", "DynamoDB_20120810.ListTables"),
    ("ecs", "json", "AmazonEC2ContainerServiceV20141113.ListClusters"),
    ("kms", "json", "TrentService.DescribeKey"),  # an error
    ("ec2", "form", "Action=DescribeVpcs&Version=2016-11-15"),
    ("sns", "form", "Action=ListTopics&Version=2010-03-31"),
    ("rds", "form", "Action=DescribeDBSubnetGroups&Version=2014-10-31"),
    ("cloudformation", "form", "Action=ListStacks&Version=2010-05-15"),
    ("ec2", "form", "Action=DescribeVpcs&Version=2016-11-15&VpcId.1=vpc-none"),  # an error
    ("lambda", "get", "/2015-03-31/functions"), ("apigateway", "get", "/restapis"),
    ("route53", "get", "/2013-04-01/hostedzone"), ("eks", "get", "/clusters"),
    ("lambda", "get", "/2015-03-31/functions/none"),  # an error
]


@pytest.mark.parametrize(("service", "kind", "what"), READS)
def test_answers_are_the_upstreams_to_the_byte(gateway, moto, service, kind, what):
    """The same bytes sent to both; only the time and the request's id may differ."""
    signer = Signer(gateway.credentials(), "upstream.test", service)
    if kind == "json":
        request = signer.json("", b"{}", target=what)
    elif kind == "form":
        request = signer.query(what.encode())
    else:
        request = signer.request("GET", what, {})

    def answer(port):
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            head = f"{answer.status} {answer.reason}\n" + "\n".join(
                f"{name}: {value}" for name, value in answer.getheaders()
                if name.lower() not in ("date", "x-amzn-requestid", "x-amz-request-id"))
            body = re.sub(rb"<([Rr]equestI[dD])>[^<]*</", rb"<\1></", answer.read())
            return head, body
    assert answer(gateway.port) == answer(moto.port)


def test_own_services_stay_ours(gateway):
    assert gateway.client("sts").get_caller_identity()["Arn"].endswith(":user/admin")
    assert gateway.client("cloudtrail").describe_trails()["trailList"] == []


def test_a_service_of_ours_can_be_moved(tmp_path, moto):
    server = Server(tmp_path, ["--upstreams", f"s3={moto.endpoint}"]).start()
    try:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="moved")
        s3.put_object(Bucket="moved", Key="k/1", Body=b"x" * 3_000_000)
        assert s3.get_object(Bucket="moved", Key="k/1")["Body"].read() == b"x" * 3_000_000
        assert [bucket["Name"] for bucket in moto.s3().list_buckets()["Buckets"]] == ["moved"]
        [record] = recorded(server, "CreateBucket")
        assert record["requestParameters"]["bucketName"] == "moved"
        assert record["requestParameters"]["Host"] == server.listen
        assert {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::moved"} in record["resources"]
    finally:
        server.stop()


def test_an_upstream_that_is_away(tmp_path):
    server = Server(tmp_path, ["--upstream", f"http://127.0.0.1:{free_port()}"]).start()
    try:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            server.client("kms").create_key()
        assert refused.value.response["Error"]["Code"] == "BadGateway"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
        [record] = recorded(server, "CreateKey")
        assert record["errorCode"] == "BadGateway" and "refused" in record["errorMessage"]
    finally:
        server.stop()


def test_a_loop_is_refused(tmp_path):
    port = free_port()
    server = Server(tmp_path, ["--upstream", f"http://127.0.0.1:{port}"],
                    listen=f"127.0.0.1:{port}").start(wait=False)
    assert server.process.wait(20) != 0
    assert "this server itself" in server.log() + server.stdout()


def test_smuggling_is_refused_and_recorded(gateway):
    def send(head):
        with socket.create_connection(("127.0.0.1", gateway.port), 10) as connection:
            connection.sendall(head.encode())
            return connection.recv(4096).decode()
    heads = [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET http://elsewhere/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n" + "X: 1\r\n" * 300 + "\r\n",
    ]
    for head in heads:
        assert send(head).startswith("HTTP/1.1 400"), head
    records = recorded(gateway, "RefusedRequest", count=len(heads))
    assert {record["errorMessage"] for record in records} == {
        "more than one Content-Length", "Content-Length beside Transfer-Encoding",
        "the target does not begin with a slash", "a field is folded over several lines",
        "the header has too many fields"}

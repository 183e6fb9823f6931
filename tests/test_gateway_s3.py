"""S3 through the gateway to a foreign S3: every style of address and body comes through whole, and data
events are recorded where a trail selects them."""
import hashlib
import io
import os
import pathlib
import subprocess

import pytest
import requests
from boto3.s3.transfer import TransferConfig

from conftest import QUICK
from foreign_s3 import MotoServer
from harness import Server, request_id
from trail_files import TrailFiles, bucket_policy, make_trail

REGION = "us-west-2"
MIB = 1 << 20


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    server = MotoServer(tmp_path_factory.mktemp("moto")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, moto):
    made = Server(tmp_path_factory.mktemp("gateway"),
                  [*QUICK, "--upstreams", f"s3={moto.endpoint}", "--objects-endpoint", moto.endpoint],
                  MotoServer.ENVIRONMENT).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def s3(server):
    made = server.client("s3", REGION)
    made.create_bucket(Bucket="objects", CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def test_multipart_and_ranges(s3):
    data = os.urandom(12 * MIB + 17)
    s3.upload_fileobj(io.BytesIO(data), "objects", "big",
                      Config=TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB))
    assert s3.get_object(Bucket="objects", Key="big")["Body"].read() == data
    part = s3.get_object(Bucket="objects", Key="big", Range="bytes=5242870-5242899")
    assert part["Body"].read() == data[5242870:5242900]
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    head = s3.head_object(Bucket="objects", Key="big")
    assert head["ContentLength"] == len(data)


def test_keys_of_all_kinds(s3):
    for key in ("a b", "ä/ö", "a+b%20c", "x//y", "~tilde'quote", "?mark&and=equals"):
        s3.put_object(Bucket="objects", Key=key, Body=key.encode())
        assert s3.get_object(Bucket="objects", Key=key)["Body"].read() == key.encode()


def test_presigned(server, s3):
    url = s3.generate_presigned_url("put_object", {"Bucket": "objects", "Key": "presigned"})
    assert url.startswith(server.endpoint)
    assert requests.put(url, data=b"x" * 100, timeout=30).status_code == 200
    url = s3.generate_presigned_url("get_object", {"Bucket": "objects", "Key": "presigned"})
    assert requests.get(url, timeout=30).content == b"x" * 100


def test_virtual_host(server, s3):
    """The bucket is in the Host header, which reaches the upstream as it was sent."""
    s3.put_object(Bucket="objects", Key="hosted", Body=b"x")
    answer = requests.get(server.endpoint + "/hosted", timeout=30, headers={
        "Host": f"objects.s3.{REGION}.amazonaws.com"})
    assert answer.status_code in (200, 403)


def test_expect_continue_and_chunks(server, s3):
    """curl sends both for a body that it cannot see the end of."""
    done = subprocess.run(
        ["curl", "-s", "-S", "--fail", "--aws-sigv4", f"aws:amz:{REGION}:s3", "-u",
         ":".join(server.credentials()), "-H", "Expect: 100-continue", "-H", "Transfer-Encoding: chunked",
         "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-T", "-",
         f"{server.endpoint}/objects/chunked"], input=b"y" * 300_000, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert s3.get_object(Bucket="objects", Key="chunked")["Body"].read() == b"y" * 300_000


def test_data_events_where_a_trail_selects_them(server, s3, moto):
    foreign = moto.s3()
    foreign.create_bucket(Bucket="logs")
    foreign.put_bucket_policy(Bucket="logs", Policy=bucket_policy("logs"))
    make_trail(server, "data", "logs", REGION, start=False)
    trails = server.client("cloudtrail", REGION)
    trails.put_event_selectors(TrailName="data", AdvancedEventSelectors=[
        {"Name": "objects", "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::objects/watched"]}]}])
    trails.start_logging(Name="data")
    body = b"12345"
    put = s3.put_object(Bucket="objects", Key="watched/1", Body=body)
    got = s3.get_object(Bucket="objects", Key="watched/1")
    got["Body"].read()
    other = s3.get_object(Bucket="objects", Key="big")
    other["Body"].close()
    last = s3.delete_object(Bucket="objects", Key="watched/1")
    files = TrailFiles(foreign, "logs")
    where = files.wait_delivered([request_id(put), request_id(got), request_id(last)], region=REGION)
    assert request_id(other) not in where
    records = {record["eventName"]: record
               for found in files.logs(REGION).values() for record in found}
    assert set(records) == {"PutObject", "GetObject", "DeleteObject"}
    record = records["PutObject"]
    assert record["eventCategory"] == "Data" and record["managementEvent"] is False
    assert record["readOnly"] is False and records["GetObject"]["readOnly"] is True
    assert record["requestParameters"]["bucketName"] == "objects"
    assert record["requestParameters"]["key"] == "watched/1"
    assert record["resources"][0] == {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::objects/watched/1"}
    assert record["additionalEventData"]["bytesTransferredIn"] >= len(body)
    assert records["GetObject"]["additionalEventData"]["bytesTransferredOut"] == len(body)
    assert record["userIdentity"]["userName"] == "admin"
    history = {record["eventName"] for record in server.records(REGION)}
    assert not history & set(records), "data events are in no event history"


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="reads /proc")
def test_a_large_object_takes_little_memory(server, s3):
    """256 MiB through the gateway while its memory grows by less than 64 MiB."""
    def peak():
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10
    before = peak()
    size = 256 * MIB
    block = os.urandom(MIB)
    url = s3.generate_presigned_url("put_object", {"Bucket": "objects", "Key": "large"})
    sent = requests.put(url, data=(block for _ in range(size // MIB)), timeout=300)
    assert sent.status_code == 200, sent.text
    url = s3.generate_presigned_url("get_object", {"Bucket": "objects", "Key": "large"})
    digest, count = hashlib.sha256(), 0
    with requests.get(url, stream=True, timeout=300) as answer:
        for piece in answer.iter_content(MIB):
            digest.update(piece)
            count += len(piece)
    expected = hashlib.sha256()
    for _ in range(size // MIB):
        expected.update(block)
    assert (count, digest.hexdigest()) == (size, expected.hexdigest())
    assert peak() - before < 64 * MIB

"""Goal: the embedded buckets serve the stock clients: AWS CLI (`s3`, `s3api`) and boto3 as they come.

Method: what people do with a bucket, by the stock tools with their default checksums and streaming
signatures; bytes are compared by their hash, errors by their code; the calls' records by their shape.
"""
import base64
import hashlib
import json
import random
import re
import urllib.request
import zlib

import pytest

from harness import ACCOUNT, Server, error_of, request_id
from record_shape import check_record
from trail_files import TrailFiles, bucket_policy, make_bucket, make_trail

REGION = "us-west-2"
BIG_BYTES = 20 << 20
PART_BYTES = 5 << 20


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.fixture
def s3(server: Server):
    return server.client("s3", REGION)


@pytest.fixture
def bucket(s3, request) -> str:
    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_")).strip("-")
    name = f"opentrail-{words}"[:50].rstrip("-")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def record_of(server: Server, answer: dict, region: str = REGION) -> dict:
    found, = [record for record in server.records(region)
              if record.get("requestID") == request_id(answer)]
    check_record(record=found)
    return found


# ---- the CLI's own words -------------------------------------------------------------------------

def test_mb_cp_ls_rm_rb(server):
    home = "s3://opentrail-cli-words"

    def cli(*words: object, **options):
        return server.aws("s3", *words, region=REGION, **options)

    cli("mb", home)
    assert "opentrail-cli-words" in cli("ls").stdout
    big = server.folder / "big"
    big.write_bytes(random_bytes(BIG_BYTES))
    (server.folder / "small.txt").write_text("small\n")
    cli("cp", big, f"{home}/folder/big")
    cli("cp", server.folder / "small.txt", f"{home}/small.txt")
    listed = cli("ls", home).stdout
    assert "PRE folder/" in listed and "small.txt" in listed
    listed = cli("ls", "--recursive", home).stdout
    assert f"{BIG_BYTES} folder/big" in listed
    cli("cp", f"{home}/folder/big", server.folder / "back")
    assert (server.folder / "back").read_bytes() == big.read_bytes()
    assert cli("cp", f"{home}/small.txt", "-").stdout == "small\n"
    refused = cli("rb", home, check=False)
    assert refused.returncode != 0 and "BucketNotEmpty" in refused.stderr
    cli("rm", "--recursive", home)
    assert cli("ls", home, check=False).stdout == ""
    cli("rb", home)
    assert "opentrail-cli-words" not in cli("ls").stdout


def test_s3api_bucket_and_object(server):
    def cli(operation: str, *words: object, **options):
        return server.aws("s3api", operation, "--bucket", "opentrail-s3api", *words, region=REGION,
                          **options)

    made = cli("create-bucket", "--create-bucket-configuration", f"LocationConstraint={REGION}")
    assert "opentrail-s3api" in json.loads(made.stdout)["Location"]
    cli("head-bucket")
    location = json.loads(cli("get-bucket-location").stdout)
    assert location == {"LocationConstraint": REGION}
    body = server.folder / "body"
    body.write_bytes(b"the body")
    put = json.loads(cli("put-object", "--key", "a/key", "--body", body, "--content-type",
                         "text/plain", "--metadata", "colour=blue").stdout)
    assert put["ETag"] == f'"{hashlib.md5(b"the body").hexdigest()}"'
    head = json.loads(cli("head-object", "--key", "a/key").stdout)
    assert (head["ContentLength"], head["ContentType"]) == (8, "text/plain")
    assert head["Metadata"] == {"colour": "blue"} and head["ServerSideEncryption"] == "AES256"
    cli("get-object", "--key", "a/key", server.folder / "got")
    assert (server.folder / "got").read_bytes() == b"the body"
    assert [item["Key"] for item in json.loads(cli("list-objects").stdout)["Contents"]] == ["a/key"]
    second = json.loads(cli("list-objects-v2").stdout)
    assert [item["Key"] for item in second["Contents"]] == ["a/key"]
    cli("delete-object", "--key", "a/key")
    assert "404" in cli("head-object", "--key", "a/key", check=False).stderr
    cli("delete-bucket")
    assert "404" in cli("head-bucket", check=False).stderr


# ---- buckets -------------------------------------------------------------------------------------

def test_bucket_names_and_owners(server, s3, bucket):
    where = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    assert error_of(s3.create_bucket, Bucket=bucket, **where)[0] == "BucketAlreadyOwnedByYou"
    for name in ("Upper", "ab", "a..b", "192.168.0.1", "-dash", "x" * 64):
        assert error_of(s3.create_bucket, Bucket=name, **where)[0] == "InvalidBucketName", name
    for call in (s3.head_bucket, s3.get_bucket_acl, s3.list_objects_v2, s3.delete_bucket):
        code, _, status = error_of(call, Bucket="opentrail-not-there")
        assert status == 404 and code in ("NoSuchBucket", "404")
    virginia = server.client("s3", "us-east-1")
    virginia.create_bucket(Bucket="opentrail-virginia")
    assert virginia.get_bucket_location(Bucket="opentrail-virginia")["LocationConstraint"] is None
    names = {item["Name"] for item in s3.list_buckets()["Buckets"]}
    assert {bucket, "opentrail-virginia"} <= names


def test_bucket_policy(s3, bucket):
    assert error_of(s3.get_bucket_policy, Bucket=bucket)[::2] == ("NoSuchBucketPolicy", 404)
    policy = bucket_policy(bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
    for broken in ("{", "{}", policy.replace(bucket, "another-bucket")):
        assert error_of(s3.put_bucket_policy, Bucket=bucket, Policy=broken)[::2] == (
            "MalformedPolicy", 400)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
    s3.delete_bucket_policy(Bucket=bucket)
    assert error_of(s3.get_bucket_policy, Bucket=bucket)[0] == "NoSuchBucketPolicy"


def test_acl_access_block_encryption(s3, bucket):
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                            "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    block = s3.get_public_access_block(Bucket=bucket)
    assert block["PublicAccessBlockConfiguration"] == closed
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})


def test_buckets_are_private(server, s3, bucket):
    """Another user of the account, without rights, and nobody at all."""
    s3.put_object(Bucket=bucket, Key="secret", Body=b"secret")
    stranger = server.client("s3", REGION, keys=server.new_user("stranger"))
    assert error_of(stranger.get_object, Bucket=bucket, Key="secret")[::2] == ("AccessDenied", 403)
    assert error_of(stranger.put_object, Bucket=bucket, Key="k", Body=b"")[::2] == (
        "AccessDenied", 403)
    assert server.get(f"/{bucket}/secret").status_code == 403
    stored = [path for path in server.data.rglob("*") if path.is_file()]
    assert not any(b"secret\n" in path.read_bytes() for path in stored if "objects" in str(path))


# ---- objects -------------------------------------------------------------------------------------

@pytest.mark.parametrize("algorithm", [None, "CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_objects_with_checksums(server, s3, algorithm, size):
    bucket = "opentrail-checksums"
    if bucket not in {item["Name"] for item in s3.list_buckets()["Buckets"]}:
        make_bucket(s3, bucket, REGION)
    body = random_bytes(size)
    extra = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    key = f"{algorithm}-{size}"
    put = s3.put_object(Bucket=bucket, Key=key, Body=body, **extra)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == body
    if algorithm in (None, "CRC32"):
        assert got["ChecksumCRC32"] == _base64(zlib.crc32(body).to_bytes(4, "big"))


@pytest.mark.parametrize("algorithm, value", [("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")])
def test_checksums_by_hand(s3, bucket, algorithm, value):
    """boto3 computes these only with an extension; of the check text "123456789" they are known."""
    given = {f"Checksum{algorithm}": value}
    put = s3.put_object(Bucket=bucket, Key="right", Body=b"123456789", **given)
    assert put[f"Checksum{algorithm}"] == value
    assert error_of(s3.put_object, Bucket=bucket, Key="wrong", Body=b"987654321", **given)[::2] == (
        "BadDigest", 400)
    assert error_of(s3.get_object, Bucket=bucket, Key="wrong")[0] == "NoSuchKey"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_ranges(s3, bucket):
    body = random_bytes(200_000)
    s3.put_object(Bucket=bucket, Key="ranges", Body=body)
    for text, wanted in (("bytes=0-0", body[:1]), ("bytes=65530-65545", body[65530:65546]),
                         ("bytes=199990-", body[199990:]), ("bytes=-7", body[-7:]),
                         ("bytes=100-999999", body[100:])):
        got = s3.get_object(Bucket=bucket, Key="ranges", Range=text)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert got["Body"].read() == wanted, text
        assert got["ContentRange"].endswith("/200000")
    assert error_of(s3.get_object, Bucket=bucket, Key="ranges", Range="bytes=200000-")[::2] == (
        "InvalidRange", 416)


def test_awkward_keys_and_listings(s3, bucket):
    keys = ["a", "a b", "a/b/c", "a/b/d", "a/ü", "a+b", "a%41", "a&b=c", "z~", "ключ", "日本/語",
            "quote'\"<>", "x" * 1024]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    wanted = sorted(keys, key=str.encode)
    for operation, options in (("list_objects_v2", {"MaxKeys": 3}), ("list_objects", {"MaxKeys": 4})):
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={
            "PageSize": options["MaxKeys"]})
        assert [item["Key"] for page in pages for item in page.get("Contents", [])] == wanted
    page = s3.list_objects_v2(Bucket=bucket, Prefix="a/", Delimiter="/")
    assert [item["Key"] for item in page["Contents"]] == ["a/ü"]
    assert [item["Prefix"] for item in page["CommonPrefixes"]] == ["a/b/"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="a/b/c", MaxKeys=1)
    assert after["Contents"][0]["Key"] == "a/b/d" and after["IsTruncated"] is True
    assert error_of(s3.put_object, Bucket=bucket, Key="y" * 1025, Body=b"")[0] == "KeyTooLongError"
    assert error_of(s3.get_object, Bucket=bucket, Key="missing")[::2] == ("NoSuchKey", 404)


def test_properties_and_overwriting(s3, bucket):
    given = {"ContentType": "application/json", "ContentEncoding": "gzip", "CacheControl": "no-store",
             "ContentDisposition": "attachment", "ContentLanguage": "de",
             "Metadata": {"signature": "ab" * 256, "signature-algorithm": "SHA256withRSA"}}
    s3.put_object(Bucket=bucket, Key="k", Body=b"one", **given)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert {name: head[name] for name in given} == given
    s3.put_object(Bucket=bucket, Key="k", Body=b"two")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"two" and got["Metadata"] == {}
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"three", IfNoneMatch="*")[::2] == (
        "PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k")  # gone is gone


def test_multipart(s3, bucket):
    parts = [random_bytes(PART_BYTES), random_bytes(PART_BYTES + 1), b"the end"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ContentType="text/x")["UploadId"]
    named = {"Bucket": bucket, "Key": "m", "UploadId": upload}
    done = [{"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=part, **named)["ETag"]}
            for number, part in enumerate(parts, 1)]
    assert [part["Size"] for part in s3.list_parts(**named)["Parts"]] == [len(p) for p in parts]
    assert error_of(s3.get_object, Bucket=bucket, Key="m")[0] == "NoSuchKey"
    wrong = [done[0] | {"ETag": '"' + "0" * 32 + '"'}]
    assert error_of(s3.complete_multipart_upload, MultipartUpload={"Parts": wrong}, **named)[0] == (
        "InvalidPart")
    assert error_of(s3.complete_multipart_upload, MultipartUpload={"Parts": done[1::-1]}, **named)[0] == (
        "InvalidPartOrder")
    s3.complete_multipart_upload(MultipartUpload={"Parts": done}, **named)
    got = s3.get_object(Bucket=bucket, Key="m")
    assert got["Body"].read() == b"".join(parts) and got["ContentType"] == "text/x"
    joined = b"".join(hashlib.md5(part).digest() for part in parts)
    assert got["ETag"] == f'"{hashlib.md5(joined).hexdigest()}-3"'

    gone = s3.create_multipart_upload(Bucket=bucket, Key="aborted")["UploadId"]
    assert [item["Key"] for item in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["aborted"]
    s3.abort_multipart_upload(Bucket=bucket, Key="aborted", UploadId=gone)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert error_of(s3.upload_part, Bucket=bucket, Key="aborted", UploadId=gone, PartNumber=1,
                    Body=b"x")[::2] == ("NoSuchUpload", 404)


def test_presigned_urls(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="shared", Body=b"for you")
    v4 = server.client("s3", REGION, signature_version="s3v4")
    url = v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "shared"},
                                    ExpiresIn=60)
    assert urllib.request.urlopen(url, timeout=10).read() == b"for you"
    broken = url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
    assert server.get(broken.removeprefix(server.endpoint)).status_code == 403


def test_everything_stays_over_a_restart(server, s3, bucket):
    body = random_bytes(300_000)
    s3.put_object(Bucket=bucket, Key="stays", Body=body, Metadata={"a": "b"})
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket))
    assert server.restart() == 0
    again = server.client("s3", REGION)
    got = again.get_object(Bucket=bucket, Key="stays")
    assert got["Body"].read() == body and got["Metadata"] == {"a": "b"}
    assert again.get_bucket_policy(Bucket=bucket)["Policy"]


# ---- records -------------------------------------------------------------------------------------

def test_bucket_calls_are_on_the_record(server, s3, bucket):
    where = {"LocationConstraint": REGION}
    made = s3.create_bucket(Bucket=bucket + "-2", CreateBucketConfiguration=where)
    record = record_of(server, made)
    assert (record["eventName"], record["eventSource"]) == ("CreateBucket", "s3.amazonaws.com")
    assert record["readOnly"] is False and record["managementEvent"] is True
    assert record["requestParameters"]["bucketName"] == bucket + "-2"
    assert record["userIdentity"]["userName"] == "admin"
    assert {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}-2", "accountId": ACCOUNT} in (
        record["resources"])
    policy = s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket))
    assert record_of(server, policy)["eventName"] == "PutBucketPolicy"
    read = s3.get_bucket_acl(Bucket=bucket)
    record = record_of(server, read)
    assert record["readOnly"] is True and record["responseElements"] is None


def test_object_calls_are_data_events_where_a_trail_wants_them(server, s3, bucket):
    logs = make_bucket(s3, bucket + "-logs", REGION)
    make_trail(server, "data-events", logs, REGION, start=False)
    trails = server.client("cloudtrail", REGION)
    trails.put_event_selectors(TrailName="data-events", EventSelectors=[
        {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False, "DataResources": [
            {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}/"]}]}])
    trails.start_logging(Name="data-events")
    put = s3.put_object(Bucket=bucket, Key="watched", Body=b"12345")
    got = s3.get_object(Bucket=bucket, Key="watched")
    last = s3.delete_object(Bucket=bucket, Key="watched")
    files = TrailFiles(s3, logs)
    where = files.wait_delivered([request_id(put), request_id(last)], region=REGION)
    assert request_id(got) not in where
    records = [record for found in files.logs(REGION).values() for record in found]
    assert {record["eventName"] for record in records} == {"PutObject", "DeleteObject"}
    for record in records:
        check_record(record)
        assert record["eventCategory"] == "Data" and record["managementEvent"] is False
        assert record["requestParameters"]["key"] == "watched"
        assert {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/watched"} in (
            record["resources"])
    history = {record.get("requestID") for record in server.records(REGION)}
    assert request_id(put) not in history, "data events are in no event history"

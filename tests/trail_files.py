"""What a trail left in its bucket, read back and checked with none of OpenTrail's code.

Log files and digests are fetched over S3, unpacked with zlib, and the digest chain is verified with
plain integers: PKCS#1 v1.5 is a modular power and a comparison.
"""
import datetime
import hashlib
import json
import re
import subprocess
import zlib
from collections.abc import Iterable
from typing import Any

from harness import ACCOUNT, Server, aws_tool, wait_for

DIGEST_KEYS = [
    "awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket", "digestS3Object",
    "digestPublicKeyFingerprint", "digestSignatureAlgorithm", "newestEventTime", "oldestEventTime",
    "previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue",
    "previousDigestHashAlgorithm", "previousDigestSignature", "logFiles"]
LOG_FILE_KEYS = ["s3Bucket", "s3Object", "hashValue", "hashAlgorithm", "newestEventTime",
                 "oldestEventTime"]
PREVIOUS_KEYS = [key for key in DIGEST_KEYS if key.startswith("previous")]
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def bucket_policy(bucket: str, prefix: str = "", trail_arn: str | None = None) -> str:
    """The policy of the CloudTrail User Guide."""
    source = {"aws:SourceArn": trail_arn} if trail_arn else {}
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    acl_check = statement | {"Sid": "AWSCloudTrailAclCheck20150319", "Action": "s3:GetBucketAcl",
                             "Resource": f"arn:aws:s3:::{bucket}"}
    write = statement | {
        "Sid": "AWSCloudTrailWrite20150319", "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/{prefix + '/' if prefix else ''}AWSLogs/{ACCOUNT}/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"} | source}}
    if source:
        acl_check["Condition"] = {"StringEquals": source}
    return json.dumps({"Version": "2012-10-17", "Statement": [acl_check, write]})


def make_bucket(s3: Any, bucket: str, region: str = "us-east-1", prefix: str = "") -> str:
    """A bucket that CloudTrail may write to."""
    where = {} if region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **where)
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, prefix))
    return bucket


def make_trail(server: Server, name: str, bucket: str, region: str = "us-east-1",
               start: bool = True, **options: Any) -> str:
    """A multi-Region trail with validation that is logging; returns its ARN."""
    cloudtrail = server.client("cloudtrail", region)
    settings = {"IsMultiRegionTrail": True, "EnableLogFileValidation": True} | options
    arn = cloudtrail.create_trail(Name=name, S3BucketName=bucket, **settings)["TrailARN"]
    if start:
        cloudtrail.start_logging(Name=arn)
    return arn


def gunzip_one(data: bytes) -> bytes:
    """Unpacks exactly one gzip member; more than one would hash wrongly in validate-logs."""
    unpack = zlib.decompressobj(31)
    text = unpack.decompress(data) + unpack.flush()
    assert unpack.eof, "the gzip member is not complete"
    assert unpack.unused_data == b"", "more than one gzip member"
    return text


def ordered(text: bytes) -> Any:
    return json.loads(text, object_pairs_hook=list)


class TrailFiles:
    """The files of one account under AWSLogs/. Fetched objects are kept: a delivered file never
    changes, and that is checked by its ETag."""

    def __init__(self, s3: Any, bucket: str, prefix: str = ""):
        self.s3 = s3
        self.bucket = bucket
        self.root = f"{prefix + '/' if prefix else ''}AWSLogs/{ACCOUNT}/"
        self._kept: dict[str, tuple[bytes, dict]] = {}

    def objects(self, prefix: str = "") -> dict[str, dict]:
        found = {}
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket,
                                                                      Prefix=prefix):
            found |= {item["Key"]: item for item in page.get("Contents", [])}
        return found

    def fetch(self, item: dict) -> tuple[bytes, dict]:
        """(unpacked bytes, the answer of GetObject with "raw") of a listed object."""
        key, etag = item["Key"], item["ETag"]
        if key in self._kept:
            assert self._kept[key][1]["ETag"] == etag, f"{key} was delivered again with other bytes"
        else:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
            answer["raw"] = answer.pop("Body").read()
            self._kept[key] = (gunzip_one(answer["raw"]), answer)
        return self._kept[key]

    def log_keys(self, region: str | None = None) -> dict[str, dict]:
        prefix = f"{self.root}CloudTrail/" + (f"{region}/" if region else "")
        return {key: item for key, item in self.objects(prefix).items() if item["Size"] > 0}

    def logs(self, region: str | None = None) -> dict[str, list[dict]]:
        """{key: [record, ...]} of every log file."""
        found = {}
        for key, item in self.log_keys(region).items():
            body = json.loads(self.fetch(item)[0])
            assert list(body) == ["Records"], f"{key}: {list(body)}"
            assert body["Records"], f"{key} holds no record"
            found[key] = body["Records"]
        return found

    def digest_keys(self, region: str) -> dict[str, dict]:
        return self.objects(f"{self.root}CloudTrail-Digest/{region}/")

    def digests(self, region: str) -> list[tuple[str, dict, dict]]:
        """[(key, digest, GetObject's answer)], oldest first."""
        found = []
        for key, item in sorted(self.digest_keys(region).items()):
            text, answer = self.fetch(item)
            found.append((key, json.loads(text), answer))
        return found

    def times_delivered(self, region: str | None = None) -> dict[str, list[str]]:
        """{request id: [key of each log file that has a record of it]}."""
        where = {}
        for key, records in self.logs(region).items():
            for record in records:
                if "requestID" in record:
                    where.setdefault(record["requestID"], []).append(key)
        return where

    def wait_delivered(self, request_ids: Iterable[str], seconds: float = 40.0,
                       region: str | None = None) -> dict[str, list[str]]:
        """Waits for all of them; then each must be in exactly one file."""
        wanted = set(request_ids)

        def arrived():
            missing = wanted - self.times_delivered(region).keys()
            assert not missing, f"{len(missing)} of {len(wanted)} not delivered: {sorted(missing)[:3]}"
            return True

        wait_for("delivery", arrived, seconds, poll=0.3)
        where = self.times_delivered(region)
        twice = {one: where[one] for one in wanted if len(where[one]) != 1}
        assert not twice, f"delivered more than once: {twice}"
        return where

    def wait_digested(self, region: str, seconds: float = 40.0) -> set[str]:
        """Waits until digests list every log file that a region has now; returns those keys."""
        keys = set(self.log_keys(region))

        def covered():
            listed = {entry["s3Object"] for _, digest, _ in self.digests(region)
                      for entry in digest["logFiles"]}
            assert keys <= listed, f"{len(keys - listed)} log files are in no digest yet"
            return True

        wait_for(f"digests of {region}", covered, seconds, poll=0.3)
        return keys


# ---- the digest chain ----------------------------------------------------------------------------

def parse_pkcs1(der: bytes) -> tuple[int, int]:
    """(modulus, exponent) of an RSAPublicKey: SEQUENCE { INTEGER n, INTEGER e }."""
    def element(data: bytes, tag: int) -> tuple[bytes, bytes]:
        assert data[0] == tag, f"DER tag {data[0]:#x} instead of {tag:#x}"
        length, start = data[1], 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(data[2:2 + size], "big"), 2 + size
        return data[start:start + length], data[start + length:]

    sequence, rest = element(der, 0x30)
    modulus, sequence = element(sequence, 0x02)
    exponent, left = element(sequence, 0x02)
    assert rest == b"" and left == b"", "bytes behind the key"
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def rsa_verifies(key: tuple[int, int], message: bytes, signature: bytes) -> bool:
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    opened = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    tail = SHA256_DIGEST_INFO + hashlib.sha256(message).digest()
    return opened == b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail


def public_keys(cloudtrail: Any, since: datetime.datetime) -> dict[str, tuple[int, int]]:
    """{fingerprint: key} of a region."""
    answer = cloudtrail.list_public_keys(
        StartTime=since, EndTime=datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2))
    found = {}
    for item in answer["PublicKeyList"]:
        der = item["Value"]
        assert hashlib.md5(der).hexdigest() == item["Fingerprint"]
        key = parse_pkcs1(der)
        assert key[0].bit_length() == 2048 and key[1] == 65537
        found[item["Fingerprint"]] = key
    return found


def stamp_of(time_text: str) -> str:
    return time_text.replace("-", "").replace(":", "")


def check_digest(files: TrailFiles, key: str, digest: dict, answer: dict,
                 keys: dict[str, tuple[int, int]]) -> None:
    """Everything that one digest says of itself and of its log files."""
    text = gunzip_one(answer["raw"])
    assert [name for name, _ in ordered(text)] == DIGEST_KEYS
    assert b'": ' not in text and b", \"" not in text, "white space in a digest"
    assert digest["awsAccountId"] == ACCOUNT
    assert (digest["digestS3Bucket"], digest["digestS3Object"]) == (files.bucket, key)
    assert digest["digestSignatureAlgorithm"] == "SHA256withRSA"
    assert key.endswith(f"_{stamp_of(digest['digestEndTime'])}.json.gz"), key
    assert sorted(answer["Metadata"]) == ["signature", "signature-algorithm"]
    assert answer["Metadata"]["signature-algorithm"] == "SHA256withRSA"
    signature = answer["Metadata"]["signature"]
    assert re.fullmatch("[0-9a-f]{512}", signature)
    signed = "\n".join([digest["digestEndTime"], f"{files.bucket}/{key}",
                        hashlib.sha256(text).hexdigest(),
                        digest["previousDigestSignature"] or "null"])
    assert digest["digestPublicKeyFingerprint"] in keys
    assert rsa_verifies(keys[digest["digestPublicKeyFingerprint"]], signed.encode(),
                        bytes.fromhex(signature)), f"{key}: the signature does not hold"
    times = []
    for entry in digest["logFiles"]:
        assert list(entry) == LOG_FILE_KEYS
        item = files.objects(entry["s3Object"])[entry["s3Object"]]
        log = files.fetch(item)[0]
        assert entry["hashAlgorithm"] == "SHA-256"
        assert entry["hashValue"] == hashlib.sha256(log).hexdigest()
        inside = [record["eventTime"] for record in json.loads(log)["Records"]]
        assert (entry["oldestEventTime"], entry["newestEventTime"]) == (min(inside), max(inside))
        times += inside
    assert digest["oldestEventTime"] == (min(times) if times else None)
    assert digest["newestEventTime"] == (max(times) if times else None)


def check_chain(files: TrailFiles, cloudtrail: Any, region: str, since: datetime.datetime) -> int:
    """Verifies every digest of a region and its link to the one before; returns their number."""
    keys = public_keys(cloudtrail, since)
    before = None
    listed = []
    chain = files.digests(region)
    for key, digest, answer in chain:
        check_digest(files, key, digest, answer, keys)
        listed += [entry["s3Object"] for entry in digest["logFiles"]]
        if before is None:
            assert [digest[name] for name in PREVIOUS_KEYS] == [None] * 5, "not a starting digest"
        else:
            before_key, before_digest, before_answer = before
            assert digest["previousDigestS3Bucket"] == files.bucket
            assert digest["previousDigestS3Object"] == before_key
            assert digest["previousDigestHashAlgorithm"] == "SHA-256"
            assert digest["previousDigestHashValue"] == hashlib.sha256(
                gunzip_one(before_answer["raw"])).hexdigest()
            assert digest["previousDigestSignature"] == before_answer["Metadata"]["signature"]
            assert digest["digestStartTime"] == before_digest["digestEndTime"]
        before = (key, digest, answer)
    assert len(listed) == len(set(listed)), "a log file is in two digests"
    return len(chain)


class Validation:
    """The verdict of `aws cloudtrail validate-logs`."""

    def __init__(self, done: subprocess.CompletedProcess[str]):
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        self.counts = {kind: (int(valid), int(total)) for valid, total, kind in
                       re.findall(r"(\d+)/(\d+) (digest|log) files valid", done.stdout)}

    @property
    def all_valid(self) -> bool:
        return (self.code == 0 and "INVALID" not in self.text and "digest" in self.counts
                and all(valid == total for valid, total in self.counts.values()))

    def named(self, kind: str, bucket: str, key: str) -> str | None:
        """What it says of one object ("not found", ...), or None when it does not complain."""
        found = re.search(rf"^{kind} file\ts3://{re.escape(bucket)}/{re.escape(key)}\tINVALID: (.+)$",
                          self.text, re.M)
        return found and found[1]


def validate_logs(server: Server, trail_arn: str, region: str, since: datetime.datetime,
                  environment: dict[str, str] | None = None) -> Validation:
    command = [str(aws_tool()), "--region", region, "cloudtrail", "validate-logs",
               "--trail-arn", trail_arn, "--start-time", since.strftime("%Y-%m-%dT%H:%M:%SZ"),
               "--verbose"]
    return Validation(subprocess.run(command, env=server.command_environment(environment),
                                     capture_output=True, text=True, timeout=200,
                                     cwd=server.folder))


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)

"""Goal: whoever changes, removes or swaps delivered files is named by the stock validate-logs.

Method: a stopped trail whose files verify; then one change at a time, by S3 calls that the bucket
allows; each must be named, and nothing else; put back, everything verifies again.
"""
import gzip

import pytest

from harness import Server, request_id, wait_for
from trail_files import TrailFiles, Validation, make_bucket, make_trail, now, validate_logs

REGION = "us-east-1"
BUCKET = "opentrail-tampering"
DIGESTS_WANTED = 4
BATCHES = 3


class Evidence:
    """A trail with several log files and digests that will not change any more."""

    def __init__(self, server: Server):
        self.server = server
        self.since = now()
        self.s3 = server.client("s3", REGION)
        make_bucket(self.s3, BUCKET)
        self.arn = make_trail(server, "evidence", BUCKET, IsMultiRegionTrail=False)
        self.files = TrailFiles(self.s3, BUCKET)
        iam = server.client("iam")
        for number in range(BATCHES):
            answer = iam.create_user(UserName=f"witness-{number}")
            self.files.wait_delivered([request_id(answer)])
            self.files.wait_digested(REGION)
        wait_for("enough digests", lambda: len(self.files.digest_keys(REGION)) >= DIGESTS_WANTED)
        server.client("cloudtrail", REGION).stop_logging(Name="evidence")
        self.settle()
        self.logs = sorted(self.files.log_keys(REGION))
        self.digests = sorted(self.files.digest_keys(REGION))

    def settle(self) -> None:
        """The last log file and the last digest may follow StopLogging: until all is listed and two
        looks, one digest interval apart, agree."""
        last = self.server.records(REGION, LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": "StopLogging"}])[0]
        self.files.wait_delivered([last["requestID"]])
        self.files.wait_digested(REGION)
        looks = [(now(), set(self.files.objects()))]

        def unchanged() -> bool:
            seen = set(self.files.objects())
            if seen != looks[0][1]:
                looks[0] = (now(), seen)
            return (now() - looks[0][0]).total_seconds() > 4

        wait_for("the end of the chain", unchanged, 40, poll=0.5)

    def validate(self) -> Validation:
        return validate_logs(self.server, self.arn, REGION, self.since)

    def get(self, key: str) -> dict:
        answer = self.s3.get_object(Bucket=BUCKET, Key=key)
        return {"Body": answer["Body"].read(), "Metadata": answer["Metadata"],
                "ContentType": answer["ContentType"],
                "ContentEncoding": answer["ContentEncoding"]}

    def put(self, key: str, content: dict) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, **content)


@pytest.fixture(scope="module")
def evidence(server: Server) -> Evidence:
    made = Evidence(server)
    verdict = made.validate()
    assert verdict.all_valid, verdict.text
    assert verdict.counts == {"digest": (len(made.digests),) * 2, "log": (len(made.logs),) * 2}
    return made


def verify_again(evidence: Evidence) -> None:
    verdict = evidence.validate()
    assert verdict.all_valid, verdict.text


def test_one_byte_of_a_log_file(evidence):
    key = evidence.logs[1]
    original = evidence.get(key)
    text = gzip.decompress(original["Body"])
    changed = text.replace(b'"userName":"admin"', b'"userName":"admim"', 1)
    assert len(changed) == len(text) and changed != text
    evidence.put(key, original | {"Body": gzip.compress(changed)})
    verdict = evidence.validate()
    assert verdict.code == 1
    assert verdict.named("Log", BUCKET, key) == "hash value doesn't match"
    assert verdict.text.count("INVALID:") == 1, verdict.text
    evidence.put(key, original)
    verify_again(evidence)


def test_one_packed_byte_of_a_log_file(evidence):
    key = evidence.logs[0]
    original = evidence.get(key)
    body = bytearray(original["Body"])
    body[len(body) // 2] ^= 1
    evidence.put(key, original | {"Body": bytes(body)})
    verdict = evidence.validate()
    assert verdict.code == 1
    assert verdict.named("Log", BUCKET, key) in ("hash value doesn't match", "invalid format")
    assert verdict.text.count("INVALID:") == 1, verdict.text
    evidence.put(key, original)
    verify_again(evidence)


def test_a_deleted_log_file(evidence):
    key = evidence.logs[1]
    original = evidence.get(key)
    evidence.s3.delete_object(Bucket=BUCKET, Key=key)
    verdict = evidence.validate()
    assert verdict.code == 1
    assert verdict.named("Log", BUCKET, key) == "not found"
    assert verdict.text.count("INVALID:") == 1, verdict.text
    evidence.put(key, original)
    verify_again(evidence)


def test_a_deleted_digest(evidence):
    key = evidence.digests[-3]
    original = evidence.get(key)
    evidence.s3.delete_object(Bucket=BUCKET, Key=key)
    verdict = evidence.validate()
    assert verdict.code == 1
    assert verdict.named("Digest", BUCKET, key) == "not found"
    assert verdict.text.count("INVALID:") == 1, verdict.text
    evidence.put(key, original)
    verify_again(evidence)


def test_two_swapped_digests(evidence):
    first, second = evidence.digests[-3], evidence.digests[-2]
    contents = {first: evidence.get(first), second: evidence.get(second)}
    evidence.put(first, contents[second])
    evidence.put(second, contents[first])
    verdict = evidence.validate()
    assert verdict.code == 1
    for key in (first, second):
        assert verdict.named("Digest", BUCKET, key) == "has been moved from its original location"
    for key, content in contents.items():
        evidence.put(key, content)
    verify_again(evidence)


def test_a_signature_of_another_digest(evidence):
    first, second = evidence.digests[-3], evidence.digests[-2]
    original = evidence.get(second)
    evidence.put(second, original | {"Metadata": evidence.get(first)["Metadata"]})
    verdict = evidence.validate()
    assert verdict.code == 1
    assert verdict.named("Digest", BUCKET, second) == "signature verification failed"
    evidence.put(second, original)
    verify_again(evidence)

"""Goal: whatever comes in, the answer is the modelled error: never a 5xx, never a crash; and the call is
on the record where it names an account.

Method: a table of wrong requests over raw sockets; each row says the error and what the record of the
call must say. The server of this file must end with code 0 after all of it.
"""
import dataclasses
import json
import random

import pytest

from harness import ACCOUNT, Keys, Server, error_of, wait_for
from record_shape import check_record
from signing import (CLOUDTRAIL_TARGET, FORM_TYPE, JSON_TYPE, Answer, Signer, exchange, signer,
                     to_bytes, without_header)

JUNK_BYTES = 10 << 20
DEPTH = 100_000
MUTATIONS = 300
MISMATCH = "The request signature we calculated does not match the signature you provided."
UNKNOWN_TOKEN = "The security token included in the request is invalid"
STRANGER: Keys = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def ask(server: Server, request: bytes, end: bool = False) -> Answer:
    answer = exchange(server, request, end)
    assert answer is not None, "closed without an answer"
    return answer


def check_error(answer: Answer, status: int, code: str, text: str = "") -> None:
    assert answer.request_id
    found = answer.error()
    assert found[:2] == (status, code), found
    assert text in found[2], found


def record_of(server: Server, answer: Answer, region: str = "us-east-1") -> dict | None:
    """The record of a call, by the request id that the caller saw; read your writes holds."""
    found = [record for record in server.records(region)
             if record.get("requestID") == answer.request_id]
    assert len(found) <= 1
    for record in found:
        check_record(record)
    return found[0] if found else None


def check_refused_record(server: Server, answer: Answer, name: str, code: str,
                         proven: bool = False) -> None:
    """A call that names a known key is on the record. Without proof it has no ARN and no details."""
    record = record_of(server, answer)
    assert record is not None, "the call named an account, but there is no record of it"
    assert (record["eventName"], record["errorCode"]) == (name, code), record
    identity = record["userIdentity"]
    assert (identity["accountId"], identity["userName"]) == (ACCOUNT, "admin")
    assert ("arn" in identity) is proven
    if not proven:
        assert record["requestParameters"] is None and record["responseElements"] is None


def metric(server: Server, name: str) -> float:
    for line in server.get("/metrics").text.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return 0.0


@pytest.fixture
def sign(server: Server) -> Signer:
    return signer(server)


# ---- signatures ----------------------------------------------------------------------------------

def test_unsigned_calls(server, sign):
    before = metric(server, "opentrail_calls_unattributed_total")
    for request, status, code in (
            (sign.json("DescribeTrails", {}), 403, "MissingAuthenticationTokenException"),
            (sign.query(b"Action=ListUsers&Version=2010-05-08"), 403, "MissingAuthenticationToken"),
            (sign.s3("GET", "/"), 403, "AccessDenied")):
        answer = ask(server, without_header(request, "authorization"))
        found = answer.error()
        assert (found[0], found[1]) == (status, code), found
        assert record_of(server, answer) is None, "an unsigned call is on nobody's record"
    wait_for("the counter", lambda: metric(server, "opentrail_calls_unattributed_total") >= before + 3)


@pytest.mark.parametrize("service, code", [("cloudtrail", "UnrecognizedClientException"),
                                           ("iam", "InvalidClientTokenId"),
                                           ("s3", "InvalidAccessKeyId")])
def test_unknown_keys(server, service, code):
    sign = signer(server, STRANGER, service=service)
    request = {"cloudtrail": lambda: sign.json("DescribeTrails", {}),
               "iam": lambda: sign.query(b"Action=ListUsers&Version=2010-05-08"),
               "s3": lambda: sign.s3("GET", "/")}[service]()
    answer = ask(server, request)
    check_error(answer, 403, code, "" if service == "s3" else UNKNOWN_TOKEN)
    assert record_of(server, answer) is None


@pytest.mark.parametrize("service, code, name", [
    ("cloudtrail", "InvalidSignatureException", "DescribeTrails"),
    ("iam", "SignatureDoesNotMatch", "ListUsers"), ("s3", "SignatureDoesNotMatch", "ListBuckets")])
def test_wrong_secrets(server, service, code, name):
    keys = (server.credentials()[0], STRANGER[1])
    sign = signer(server, keys, service=service)
    request = {"cloudtrail": lambda: sign.json("DescribeTrails", {}),
               "iam": lambda: sign.query(b"Action=ListUsers&Version=2010-05-08"),
               "s3": lambda: sign.s3("GET", "/")}[service]()
    answer = ask(server, request)
    check_error(answer, 403, code, MISMATCH)
    check_refused_record(server, answer, name, code)


def test_a_body_that_was_changed_on_the_way(server, sign):
    request = sign.json("StopLogging", {"Name": "trail-one"}).replace(b"trail-one", b"trail-two")
    answer = ask(server, request)
    check_error(answer, 403, "InvalidSignatureException", MISMATCH)
    check_refused_record(server, answer, "StopLogging", "InvalidSignatureException")


@pytest.mark.parametrize("seconds, text", [(-600, "Signature expired: "),
                                           (600, "Signature not yet current: ")])
def test_expired_and_premature(server, sign, seconds, text):
    answer = ask(server, dataclasses.replace(sign, seconds_off=seconds).json("DescribeTrails", {}))
    check_error(answer, 403, "InvalidSignatureException", text)
    check_refused_record(server, answer, "DescribeTrails", "InvalidSignatureException")


def test_s3_forgives_a_quarter_of_an_hour(server, sign):
    late = dataclasses.replace(sign, service="s3", seconds_off=-600)
    assert ask(server, late.s3("GET", "/")).status == 200
    answer = ask(server, dataclasses.replace(late, seconds_off=-1200).s3("GET", "/"))
    check_error(answer, 403, "RequestTimeTooSkewed")
    check_refused_record(server, answer, "ListBuckets", "RequestTimeTooSkewed")


@pytest.mark.parametrize("old, new", [
    (b", Signature=", b", Sig="), (b"SignedHeaders=", b"Headers="), (b"Credential=", b"Cred="),
    (b"AWS4-HMAC-SHA256 ", b"AWS4-HMAC-SHA256"), (b"/aws4_request", b""),
    (b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA3")])
def test_headers_that_cannot_be_read(server, sign, old, new):
    answer = ask(server, sign.json("DescribeTrails", {}).replace(old, new, 1))
    status, code, _ = answer.error()
    assert status in (400, 403) and code.startswith(("IncompleteSignature", "InvalidSignature",
                                                     "MissingAuthenticationToken")), answer


def test_a_region_that_is_not_enabled(server, sign):
    answer = ask(server, dataclasses.replace(sign, region="ap-south-1").json("DescribeTrails", {}))
    check_error(answer, 403, "UnrecognizedClientException", UNKNOWN_TOKEN)
    check_refused_record(server, answer, "DescribeTrails", "UnrecognizedClientException", proven=True)


# ---- operations and services that are not there --------------------------------------------------

def test_unknown_operations(server, sign):
    answer = ask(server, sign.json("MakeCoffee", {}))
    status, code, _ = answer.error()
    assert status in (400, 404) and code == "UnknownOperationException"
    check_refused_record(server, answer, "MakeCoffee", "UnknownOperationException", proven=True)

    iam = dataclasses.replace(sign, service="iam")
    answer = ask(server, iam.query(b"Action=MakeCoffee&Version=2010-05-08"))
    check_error(answer, 400, "InvalidAction", "MakeCoffee")
    check_refused_record(server, answer, "MakeCoffee", "InvalidAction", proven=True)
    answer = ask(server, iam.query(b"Version=2010-05-08"))
    assert answer.error()[0] == 400
    assert record_of(server, answer) is not None


def test_unknown_services(server):
    for service, operation, wanted in (
            ("ec2", "describe_instances", ("InvalidAction", 400, "DescribeInstances")),
            ("dynamodb", "list_tables", ("UnknownOperationException", 404, "ListTables"))):
        client = server.client(service, "us-west-2")
        code, message, status = error_of(getattr(client, operation))
        assert (code, status) == wanted[:2] and service in message
        record = server.records("us-west-2", LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": wanted[2]}])[0]
        check_record(record)
        assert record["eventSource"] == f"{service}.amazonaws.com"
        assert record["errorCode"] == code


# ---- bodies --------------------------------------------------------------------------------------

DEEP = b'{"Name":' + b"[" * DEPTH + b"]" * DEPTH + b"}"


@pytest.mark.parametrize("body", [
    b"{", b"[]", b"null", b'"text"', b"{}{}", b'{"Name":', b"\xff\xfe\x00", b'{"Name":"\xc3\x28"}',
    b'{"Name":12}', b'{"Name":{"Name":"x"}}', b"\x00" * 100, DEEP, b"[" * DEPTH],
    ids=lambda body: repr(body[:12]))
def test_bodies_that_are_not_the_modelled_json(server, sign, body):
    answer = ask(server, sign.json("GetTrail", body))
    check_error(answer, 400, "SerializationException")
    check_refused_record(server, answer, "GetTrail", "SerializationException", proven=True)


def test_ten_megabytes_of_junk(server, sign):
    junk = random.Random(1).randbytes(JUNK_BYTES)
    answer = ask(server, sign.json("GetTrail", junk))
    check_error(answer, 413, "RequestEntityTooLarge")
    record = record_of(server, answer)
    assert record and record["errorCode"] == "RequestEntityTooLarge"
    answer = ask(server, dataclasses.replace(sign, service="iam").query(junk))
    check_error(answer, 413, "RequestEntityTooLarge")
    unsigned = to_bytes("POST", "/", {"host": sign.host, "content-type": JSON_TYPE,
                                      "x-amz-target": CLOUDTRAIL_TARGET + "GetTrail"}, junk)
    assert 400 <= ask(server, unsigned).status < 500
    # S3 takes ten megabytes for an object, but not as the settings of a bucket.
    answer = ask(server, dataclasses.replace(sign, service="s3").s3("PUT", "/junk-bucket", junk))
    assert answer.error()[1] in ("MalformedXML", "EntityTooLarge", "MaxMessageLengthExceeded")
    # Without HTTP around it, junk is not even a request.
    answer = exchange(server, junk, end=True)
    assert answer is None or 400 <= answer.status < 500


def test_a_body_that_ends_too_early(server, sign):
    body = b'{"Name":"a-trail-with-a-name"}'
    whole = sign.json("GetTrail", body)
    answer = ask(server, whole[:-10], end=True)
    check_error(answer, 400, "IncompleteBody")
    check_refused_record(server, answer, "GetTrail", "IncompleteBody")


def test_an_object_that_ends_too_early_is_not_there(server, sign):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="opentrail-torn")
    whole = dataclasses.replace(sign, service="s3").s3("PUT", "/opentrail-torn/key", b"x" * 100_000)
    answer = exchange(server, whole[:-50_000], end=True)
    assert answer is None or answer.error()[:2] == (400, "IncompleteBody")
    assert error_of(s3.get_object, Bucket="opentrail-torn", Key="key")[0] == "NoSuchKey"


def test_an_object_of_another_hash_is_not_there(server, sign):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="opentrail-changed")
    request = dataclasses.replace(sign, service="s3").s3("PUT", "/opentrail-changed/key", b"original")
    answer = ask(server, request.replace(b"original", b"0riginal"))
    check_error(answer, 400, "XAmzContentSHA256Mismatch")
    assert error_of(s3.get_object, Bucket="opentrail-changed", Key="key")[0] == "NoSuchKey"


def test_s3_documents_that_cannot_be_read(server, sign):
    s3_sign = dataclasses.replace(sign, service="s3")
    for number, body in enumerate((b"<", b"<a/>", b"not xml", b"<a>" * 10_000,
                                   b'<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>')):
        answer = ask(server, s3_sign.s3("PUT", f"/opentrail-bad-xml-{number}", body))
        check_error(answer, 400, "MalformedXML")
        record = record_of(server, answer)
        assert record and record["errorCode"] == "MalformedXML"


# ---- HTTP itself ---------------------------------------------------------------------------------

def test_truncated_requests(server, sign):
    """Cut anywhere: an error or a closed connection, and the server goes on."""
    whole = sign.json("GetTrail", {"Name": "nowhere"})
    for size in range(1, len(whole), 37):
        answer = exchange(server, whole[:size], end=True)
        assert answer is None or 400 <= answer.status < 500, answer
    assert server.get("/healthz").status_code == 200


@pytest.mark.parametrize("request_bytes", [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nbroken\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * (1 << 20) + b"\r\n\r\n",
    b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 50_000 + b"\r\n",
    b"GET /%zz/%00/..%2f HTTP/1.1\r\nhost: a\r\n\r\n"], ids=lambda request: repr(request[:24]))
def test_broken_http(server, request_bytes):
    answer = exchange(server, request_bytes, end=True)
    assert answer is None or 400 <= answer.status < 500, answer


def test_random_changes_of_good_requests(server, sign):
    """Bytes changed, doubled and dropped by chance (a fixed seed): no 5xx, no crash."""
    chance = random.Random(20_261)
    s3_sign = dataclasses.replace(sign, service="s3")
    originals = [
        sign.json("LookupEvents", {"LookupAttributes": [
            {"AttributeKey": "EventName", "AttributeValue": "CreateUser"}], "MaxResults": 5}),
        sign.json("GetTrail", {"Name": "nowhere"}),
        dataclasses.replace(sign, service="iam").query(b"Action=GetUser&Version=2010-05-08"),
        s3_sign.s3("GET", "/?list-type=2&prefix=a"), s3_sign.s3("PUT", "/bucket/key", b"body"),
        to_bytes("GET", "/healthz", {"host": sign.host, "content-type": FORM_TYPE})]
    for _ in range(MUTATIONS):
        request = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(request))
            match chance.randrange(3):
                case 0:
                    request[at] = chance.randrange(256)
                case 1:
                    del request[at:at + chance.randint(1, 8)]
                case _:
                    request[at:at] = request[at:at + chance.randint(1, 8)]
        answer = exchange(server, bytes(request), end=True)
        assert answer is None or answer.status < 500, (bytes(request), answer)
    assert server.get("/healthz").status_code == 200


def test_nothing_secret_was_said(server):
    """After all of it: no secret key and no signature is in the output of the server."""
    said = server.all_output()
    for profile in ("default", "root"):
        assert server.credentials(profile)[1].encode() not in said
    assert b"Signature=" not in said
    json.dumps(server.records())  # the history is still readable

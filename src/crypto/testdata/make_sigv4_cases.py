"""Writes sigv4_cases.json beside this file: requests and what botocore makes of them.

usage: python3 make_sigv4_cases.py        (needs botocore; made with 1.44.5)

The cases follow AWS's published Signature Version 4 test suite (same key, date and service) and the
examples of the S3 API Reference. Each stage is kept, so that a failing test names the stage.
"""
import datetime
import json
import pathlib

import botocore.auth
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SUITE_KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
S3_KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SUITE_TIME = "20150830T123600Z"
HOST = "example.amazonaws.com"


def fixed_clock(text):
    moment = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda *args, **kwargs: moment


def case(name, method="GET", path="/", query="", headers=(), body="", key=SUITE_KEY, token=None,
         service="service", region="us-east-1", time=SUITE_TIME, host=HOST, payload_hash=None):
    """One header-signed request. `headers` are beside Host and X-Amz-Date."""
    fixed_clock(time)
    wire = [("Host", host), *headers, ("X-Amz-Date", time)]
    if payload_hash:
        wire.append(("x-amz-content-sha256", payload_hash))
    if token:
        wire.append(("X-Amz-Security-Token", token))
    s3 = service == "s3"
    request = AWSRequest(method=method, url=f"https://{host}{path}" + (f"?{query}" if query else ""),
                         data=body.encode())
    for field, value in wire:
        request.headers.add_header(field, value)
    request.context["timestamp"] = time
    request.context["payload_signing_enabled"] = True
    auth = (S3SigV4Auth if s3 else SigV4Auth)(Credentials(*key, token), service, region)
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    signature = auth.signature(to_sign, request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    wire.append(("Authorization", f"AWS4-HMAC-SHA256 Credential={key[0]}/{auth.credential_scope(request)}"
                 f", SignedHeaders={names}, Signature={signature}"))
    return {"name": name, "method": method, "path": path, "query": query, "headers": wire,
            "payload_hash": payload_hash or auth.payload(request), "secret": key[1], "s3": s3,
            "canonical_request": canonical, "string_to_sign": to_sign, "signature": signature}


def presigned(name, s3, path, query="", key=S3_KEY, token=None, time="20130524T000000Z",
              expires=86400, host="examplebucket.s3.amazonaws.com", service="s3"):
    fixed_clock(time)
    kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
    stages = {}

    class Recording(kind):
        def string_to_sign(self, request, canonical):
            stages["canonical_request"] = canonical
            stages["string_to_sign"] = super().string_to_sign(request, canonical)
            return stages["string_to_sign"]

        def signature(self, text, request):
            stages["signature"] = super().signature(text, request)
            return stages["signature"]

    request = AWSRequest(method="GET", url=f"https://{host}{path}" + (f"?{query}" if query else ""))
    Recording(Credentials(*key, token), service, "us-east-1", expires=expires).add_auth(request)
    hashed = stages["canonical_request"].rsplit("\n", 1)[1]
    return {"name": name, "method": "GET", "path": path, "query": request.url.split("?", 1)[1],
            "headers": [("Host", host)], "payload_hash": hashed, "secret": key[1], "s3": s3, **stages}


S3_TIME = "20130524T000000Z"
S3_HOST = "examplebucket.s3.amazonaws.com"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def s3(name, **arguments):
    arguments.setdefault("payload_hash", EMPTY)
    arguments.setdefault("host", S3_HOST)
    return case(name, key=S3_KEY, service="s3", time=S3_TIME, **arguments)


CASES = [
    case("get-vanilla"),
    case("post-vanilla", method="POST"),
    case("get-vanilla-query-order-key", query="Param2=value2&Param1=value1"),
    case("get-vanilla-query-order-value", query="Param1=value2&Param1=value1"),
    case("get-vanilla-query-order-encoded", query="a-b=2&a=1&a%3Db=3&A=0"),
    case("get-vanilla-query-empty-value", query="Param1="),
    case("get-vanilla-query-unreserved",
         query="-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
               "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    case("get-vanilla-utf8-query", query="%E1%88%B4=bar"),
    case("get-header-value-trim", headers=[("My-Header1", " value1"), ("My-Header2", ' "a   b   c" ')]),
    case("get-header-value-folded", headers=[("My-Header1", "value1 value2     value3")]),
    case("get-header-key-duplicate",
         headers=[("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")]),
    case("get-header-value-order", headers=[("My-Header1", "value4"), ("My-Header1", "value1")]),
    case("post-header-key-case", method="POST", headers=[("MY-HEADER1", "VALUE1")]),
    case("get-unreserved-path", path="/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    case("get-space-encoded-twice", path="/example%20space/"),
    case("get-utf8-encoded-twice", path="/%E1%88%B4"),
    case("get-relative", path="/example/.."),
    case("get-relative-relative", path="/example1/example2/../.."),
    case("get-slash", path="//"),
    case("get-slash-dot-slash", path="/./"),
    case("get-slashes", path="//example//"),
    case("get-dot-dot-above-root", path="/../../a/./b"),
    case("post-sts-header", method="POST", token="AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j"),
    case("post-form", method="POST", body="Param1=value1",
         headers=[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]),
    case("cloudtrail-json", method="POST", service="cloudtrail", region="us-west-2",
         host="127.0.0.1:4747", body='{"trailNameList":["t"]}',
         headers=[("Content-Type", "application/x-amz-json-1.1"),
                  ("X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails")]),
    s3("s3-get-object", path="/test.txt", headers=[("Range", "bytes=0-9")]),
    s3("s3-put-object", method="PUT", path="/test%24file.text",
       headers=[("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
       payload_hash="44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    s3("s3-get-lifecycle", query="lifecycle="),
    s3("s3-list-objects", query="max-keys=2&prefix=J"),
    s3("s3-path-not-normalised", path="/a//b/../c%20d/./e%2Bf"),
    s3("s3-unsigned-payload", method="PUT", path="/k", payload_hash="UNSIGNED-PAYLOAD"),
    s3("s3-streaming-seed", method="PUT", path="/examplebucket/chunkObject.txt", host="s3.amazonaws.com",
       payload_hash="STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
       headers=[("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("Content-Encoding", "aws-chunked"),
                ("x-amz-decoded-content-length", "66560"), ("Content-Length", "66824")]),
    s3("s3-streaming-trailer-seed", method="PUT", path="/examplebucket/chunkObject.txt", host="s3.amazonaws.com",
       payload_hash="STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
       headers=[("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("Content-Encoding", "aws-chunked"),
                ("x-amz-decoded-content-length", "66560"), ("x-amz-trailer", "x-amz-checksum-crc32c")]),
    presigned("s3-presigned", True, "/test.txt"),
    presigned("s3-presigned-session-and-query", True, "/a%20b", query="response-content-type=text%2Fplain",
              token="AQoDYXdzEPT//////////wEXAMPLE+token=="),
    presigned("sts-presigned", False, "/", query="Action=GetCallerIdentity&Version=2011-06-15",
              key=SUITE_KEY, time=SUITE_TIME, expires=60, host="sts.amazonaws.com", service="sts"),
]

if __name__ == "__main__":
    text = json.dumps(CASES, indent=1, ensure_ascii=True)
    pathlib.Path(__file__).with_name("sigv4_cases.json").write_text(text + "\n")

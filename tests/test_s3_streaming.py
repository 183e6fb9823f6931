"""Goal: uploads that are signed chunk by chunk, as the Java, Go and C++ SDKs send them, are taken when
every signature holds, and leave nothing behind when one does not.

Method: requests built by hand after the S3 API reference, "Signature calculations for the Authorization
header: transferring payload in multiple chunks", with and without a trailing checksum.
"""
import base64
import dataclasses
import hashlib
import hmac
import random
import zlib

import pytest

from harness import Server, error_of
from signing import Answer, Signer, exchange, signer, to_bytes

BUCKET = "opentrail-streaming"
CHUNK_BYTES = 64 << 10
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@dataclasses.dataclass
class ChunkSigner:
    """The chain of signatures that begins with the one of the header."""
    sign: Signer
    stamp: str
    previous: str

    def _signature(self, kind: str, *lines: str) -> str:
        scope = f"{self.stamp[:8]}/{self.sign.region}/s3/aws4_request"
        key = b"AWS4" + self.sign.keys[1].encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = "\n".join([kind, self.stamp, scope, self.previous, *lines])
        self.previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return self.previous

    def chunk(self, data: bytes) -> str:
        return self._signature("AWS4-HMAC-SHA256-PAYLOAD", EMPTY_SHA256,
                               hashlib.sha256(data).hexdigest())

    def trailer(self, text: str) -> str:
        return self._signature("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode()).hexdigest())


def upload(server: Server, key: str, body: bytes, form: str, crc32: str = "",
           spoil: str = "") -> Answer:
    """Sends `body` as aws-chunked. `spoil`: "chunk" or "trailer" breaks that signature."""
    sign = signer(server, service="s3")
    headers = {"x-amz-content-sha256": form, "content-encoding": "aws-chunked",
               "x-amz-decoded-content-length": str(len(body))}
    if crc32:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    made = sign.headers("PUT", f"/{BUCKET}/{key}", headers, b"")
    chain = ChunkSigner(sign, made["x-amz-date"], made["authorization"].rpartition("=")[2])
    coded = b""
    pieces = [body[at:at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)] + [b""]
    for piece in pieces:
        suffix = "" if form == UNSIGNED_TRAILER else f";chunk-signature={chain.chunk(piece)}"
        if spoil == "chunk":
            suffix = suffix.replace("=", "=0", 1)[:len(suffix)]
        coded += f"{len(piece):x}{suffix}\r\n".encode() + piece + (b"\r\n" if piece else b"")
    if crc32:
        coded += f"x-amz-checksum-crc32:{crc32}\r\n".encode()
        if form == SIGNED_TRAILER:
            signature = chain.trailer(f"x-amz-checksum-crc32:{crc32}\n")
            signature = "0" * 64 if spoil == "trailer" else signature
            coded += f"x-amz-trailer-signature:{signature}\r\n".encode()
    answer = exchange(server, to_bytes("PUT", f"/{BUCKET}/{key}", made, coded + b"\r\n"))
    assert answer is not None
    return answer


def crc32_of(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


@pytest.fixture(scope="module")
def s3(server: Server):
    made = server.client("s3")
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
@pytest.mark.parametrize("size", [0, 10, CHUNK_BYTES, 3 * CHUNK_BYTES + 17])
def test_every_form(server, s3, form, size):
    body = random.Random(size).randbytes(size)
    crc32 = "" if form == SIGNED else crc32_of(body)
    answer = upload(server, f"{form}-{size}", body, form, crc32)
    assert answer.status == 200, answer
    got = s3.get_object(Bucket=BUCKET, Key=f"{form}-{size}")
    assert got["Body"].read() == body
    assert "aws-chunked" not in got.get("ContentEncoding", "")


@pytest.mark.parametrize("form, spoil", [(SIGNED, "chunk"), (SIGNED_TRAILER, "chunk"),
                                         (SIGNED_TRAILER, "trailer")])
def test_a_signature_that_does_not_hold(server, s3, form, spoil):
    body = b"a" * (CHUNK_BYTES + 1)
    crc32 = "" if form == SIGNED else crc32_of(body)
    answer = upload(server, "spoiled", body, form, crc32, spoil)
    assert answer.error()[:2] == (403, "SignatureDoesNotMatch")
    assert error_of(s3.get_object, Bucket=BUCKET, Key="spoiled")[0] == "NoSuchKey"


@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_checksum_that_does_not_hold(server, s3, form):
    answer = upload(server, "wrong-sum", b"the body", form, crc32_of(b"another body"))
    assert answer.error()[:2] == (400, "BadDigest")
    assert error_of(s3.get_object, Bucket=BUCKET, Key="wrong-sum")[0] == "NoSuchKey"

"""Requests as raw bytes, signed (rightly or wrongly) by a signer of the tests' own.

`Signer` follows the SigV4 description of the IAM User Guide for paths and headers that need no
encoding. `exchange` speaks over a plain socket, so that a request can be broken in any way.
"""
import contextlib
import dataclasses
import datetime
import hashlib
import hmac
import json
import re
import socket
import threading
import urllib.parse
import xml.etree.ElementTree

from harness import Keys, Server

CLOUDTRAIL_TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."
JSON_TYPE = "application/x-amz-json-1.1"
FORM_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
ANSWER_SECONDS_MAX = 30.0


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes

    @property
    def request_id(self) -> str:
        return self.headers.get("x-amz-request-id") or self.headers.get("x-amzn-requestid", "")

    def error(self) -> tuple[int, str, str]:
        """(status, code, message) of an error in any of the protocols."""
        if self.body.lstrip().startswith(b"<"):
            root = xml.etree.ElementTree.fromstring(self.body)
            plain = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}
            return self.status, plain["Code"], plain["Message"]
        found = json.loads(self.body)
        return self.status, found["__type"], found.get("Message") or found.get("message", "")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclasses.dataclass
class Signer:
    """Makes signed requests. What a test wants to be wrong it changes by `dataclasses.replace`."""
    keys: Keys
    host: str
    service: str = "cloudtrail"
    region: str = "us-east-1"
    seconds_off: float = 0.0  # added to the clock

    def headers(self, method: str, target: str, headers: dict[str, str],
                body: bytes) -> dict[str, str]:
        """`headers` with Host, X-Amz-Date and Authorization; all of them are signed."""
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.seconds_off)
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        made = {"host": self.host, "x-amz-date": stamp} | headers
        digest = made.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
        names = sorted(name.lower() for name in made)
        values = {name.lower(): " ".join(value.split()) for name, value in made.items()}
        path, _, query = target.partition("?")
        pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
        canonical = "\n".join([
            method, path, urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote),
            *(f"{name}:{values[name]}" for name in names), "", ";".join(names), digest])
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                             hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + self.keys[1].encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        made["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.keys[0]}/{scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={_hmac(key, to_sign).hex()}")
        return made

    def request(self, method: str, target: str, headers: dict[str, str],
                body: bytes = b"") -> bytes:
        return to_bytes(method, target, self.headers(method, target, headers, body), body)

    def json(self, operation: str, body: bytes | dict, target: str = CLOUDTRAIL_TARGET) -> bytes:
        """A call of AWS JSON 1.1."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", "/", {"content-type": JSON_TYPE,
                                          "x-amz-target": target + operation}, raw)

    def query(self, body: bytes) -> bytes:
        """A call of AWS Query."""
        return self.request("POST", "/", {"content-type": FORM_TYPE}, body)

    def s3(self, method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        digest = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        return self.request(method, target, digest | extra, body)


def signer(server: Server, keys: Keys | None = None, **members: object) -> Signer:
    return Signer(keys or server.credentials(), server.endpoint.split("://")[1], **members)


def to_bytes(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if not any(name.lower() in ("content-length", "transfer-encoding") for name in headers):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def without_header(request: bytes, name: str) -> bytes:
    """The request without one of its headers."""
    head, gap, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n")
             if not line.lower().startswith(name.lower().encode() + b":")]
    return b"\r\n".join(lines) + gap + body


def exchange(server: Server, request: bytes, end: bool = False) -> Answer | None:
    """Sends bytes and reads one answer; None when the server closes without one. `end`: the client
    closes its sending side behind the request, as one does that was cut off."""
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=ANSWER_SECONDS_MAX) as connection:
        sender = threading.Thread(target=_send, args=(connection, request, end), daemon=True)
        sender.start()
        received = b""
        with contextlib.suppress(ConnectionError):
            while not _parse(received):
                part = connection.recv(65536)
                if not part:
                    break
                received += part
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sender.join(ANSWER_SECONDS_MAX)
        return _parse(received)


def _send(connection: socket.socket, request: bytes, end: bool) -> None:
    with contextlib.suppress(OSError):  # a server that has answered need not read the rest
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)


def _parse(received: bytes) -> Answer | None:
    head, gap, body = received.partition(b"\r\n\r\n")
    if not gap:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    status = re.match(r"HTTP/1\.1 (\d{3}) ?", first)
    assert status, f"no status line: {first!r}"
    headers = {name.strip().lower(): value.strip()
               for name, _, value in (line.partition(":") for line in lines)}
    if int(status[1]) == 100:
        return _parse(body)
    length = int(headers.get("content-length", "0"))
    return Answer(int(status[1]), headers, body[:length]) if len(body) >= length else None

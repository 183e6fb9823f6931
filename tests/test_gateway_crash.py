"""Goal: a kill of the gateway or of its upstream at any moment loses no call that was answered and, with
strict recording, none that the upstream received.

Method: an upstream of the test's own that notes each call that it receives, several clients, and rounds
(OPENTRAIL_GATEWAY_CRASH_ROUNDS) in which gateway or upstream is killed in the middle of the load.
"""
import collections
import http.client
import json
import multiprocessing
import os
import random
import socket
import threading
import time

import pytest

from harness import Server, free_port, wait_for
from signing import Signer

ROUNDS = int(os.environ.get("OPENTRAIL_GATEWAY_CRASH_ROUNDS", "6"))
CLIENTS = 4
LOAD_SECONDS = (0.1, 0.4)
SEED = 1127


def serve_upstream(port: int, notes: str) -> None:
    """Answers TagResource calls; writes the resource of each to `notes` before it does."""
    out = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while lines.readline():
                length = 0
                while (line := lines.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                body = json.loads(lines.read(length))
                os.write(out, (body["KeyId"] + "\n").encode())
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
                                   b"Content-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


class Upstream:
    def __init__(self, folder):
        self.port = free_port()
        self.notes = folder / "received"
        self.process = None

    def start(self):
        self.process = multiprocessing.get_context("spawn").Process(
            target=serve_upstream, args=(self.port, str(self.notes)), daemon=True)
        self.process.start()

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for("the upstream", listens)
        return self

    def kill(self):
        self.process.kill()
        self.process.join()

    def received(self):
        return self.notes.read_text().split() if self.notes.exists() else []


class Client(threading.Thread):
    """Tags keys until it is told to stop; `answered` has those whose call was answered with 200."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.signer = Signer(server.credentials(), server.listen, "kms")
        self.address = ("127.0.0.1", server.port)
        self.name = name
        self.answered = []
        self.wanted = True

    def run(self):
        number = 0
        while self.wanted:
            connection = http.client.HTTPConnection(*self.address, timeout=10)
            try:
                while self.wanted:
                    number += 1
                    key = f"{self.name}-{number}"
                    body = json.dumps({"KeyId": key, "Tags": []}).encode()
                    headers = self.signer.headers(
                        "POST", "/", {"X-Amz-Target": "TrentService.TagResource",
                                      "Content-Type": "application/x-amz-json-1.1"}, body)
                    connection.request("POST", "/", body, headers)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.answered.append(key)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()


def recorded(server):
    """How often each key's call is on the record, and which of them without an outcome."""
    counts, unknown = collections.Counter(), set()
    for record in server.records(LookupAttributes=[{"AttributeKey": "EventName",
                                                    "AttributeValue": "TagResource"}]):
        key = record["requestParameters"]["keyId"]
        counts[key] += 1
        if record.get("errorCode") == "OutcomeUnknown":
            unknown.add(key)
    return counts, unknown


@pytest.mark.parametrize("mode", ["strict", "blocking"])
def test_kills(tmp_path, mode):
    chance = random.Random(SEED)
    upstream = Upstream(tmp_path).start()
    server = Server(tmp_path / "server", ["--upstream", f"http://127.0.0.1:{upstream.port}",
                                          "--upstream-recording", mode],
                    listen=f"127.0.0.1:{free_port()}").start()
    answered = []
    try:
        for number in range(ROUNDS):
            clients = [Client(server, f"{number}-{index}") for index in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(*LOAD_SECONDS))
            victim = chance.choice(["gateway", "upstream"])
            if victim == "gateway":
                server.kill()
            else:
                upstream.kill()
                time.sleep(0.05)
            for client in clients:
                client.wanted = False
            for client in clients:
                client.join(30)
                answered += client.answered
            server.start() if victim == "gateway" else upstream.start()
        counts, unknown = recorded(server)
        assert len(answered) > ROUNDS
        assert not set(answered) - set(counts), "answered, but not on the record"
        assert not unknown & set(answered), "answered, but recorded without an outcome"
        twice = {key for key, count in counts.items() if count > 1}
        assert not twice, "recorded twice"
        if mode == "strict":
            assert not set(upstream.received()) - set(counts), "received, but not on the record"
    finally:
        server.stop()
        upstream.kill()

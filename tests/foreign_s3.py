"""A foreign S3 and its bad days.

`MotoServer` is the foreign S3, `Proxy` stands in front of it and can be made to refuse, hang or answer
503: the S3 keeps its state meanwhile, and the port stays the same.
"""
import contextlib
import pathlib
import re
import socket
import subprocess
import sys
import threading
from typing import Any

import boto3
import botocore.config
import requests

from harness import free_port, plain_environment, wait_for


class MotoServer:
    """moto_server on a free port. Its state is in its memory: stopping it loses everything."""

    ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAFOREIGNEXAMPLE00",
                   "AWS_SECRET_ACCESS_KEY": "foreign-example-secret-key-0123456789abc"}

    def __init__(self, folder: str | pathlib.Path):
        self.folder = pathlib.Path(folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "MotoServer":
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        with open(self.folder / "moto.log", "wb") as log:
            self.process = subprocess.Popen(
                [str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1",
                 "-p", str(self.port)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=plain_environment(self.folder))

        def answers() -> bool:
            assert self.process.poll() is None, (self.folder / "moto.log").read_text()
            with contextlib.suppress(requests.RequestException):
                return requests.get(self.endpoint + "/moto-api/", timeout=5).status_code == 200
            return False

        wait_for("moto_server", answers, 60)
        return self

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def s3(self, region: str = "us-east-1") -> Any:
        return boto3.client(
            "s3", region_name=region, endpoint_url=self.endpoint,
            aws_access_key_id=self.ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(s3={"addressing_style": "path"}))


class Proxy:
    """A TCP proxy on a fixed port. mode: "pass", "refuse" (nobody listens), "hang" (accepts and says
    nothing), "503" (answers SlowDown). Changing the mode breaks the connections that are open."""

    SLOW_DOWN = (b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please '
                 b"reduce your request rate.</Message><RequestId>0123456789ABCDEF</RequestId></Error>")

    def __init__(self, target_port: int):
        self.target_port = target_port
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.mode = ""
        self.set_mode("pass")

    def set_mode(self, mode: str) -> None:
        with self._lock:
            self.mode = mode
            broken, self._open = self._open, set()
        for connection in broken:
            self._shut(connection)
        if mode == "refuse":
            self._close_listener()
        elif self._listener is None:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(64)
            self._listener = listener
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        self.set_mode("refuse")

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            self._shut(listener)

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                mode = self.mode
                self._open.add(connection)
            if mode != "hang":
                serve = self._pass if mode == "pass" else self._answer_503
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def _answer_503(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received:
                part = connection.recv(65536)
                if not part:
                    return self._shut(connection)
                received += part
            head, _, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)^content-length: *(\d+)", head, re.M)
            waiting = int(length[1]) - len(body) if length else 0
            if re.search(rb"(?i)^expect: *100-continue", head, re.M):
                waiting = 0
            while waiting > 0:
                part = connection.recv(65536)
                if not part:
                    break
                waiting -= len(part)
            connection.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\n"
                               b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                               % (len(self.SLOW_DOWN), self.SLOW_DOWN))
        self._shut(connection)

    def _pass(self, connection: socket.socket) -> None:
        try:
            upstream = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            return self._shut(connection)
        with self._lock:
            self._open.add(upstream)
        threading.Thread(target=self._pump, args=(upstream, connection), daemon=True).start()
        self._pump(connection, upstream)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._shut(source)
        self._shut(sink)
        with self._lock:
            self._open -= {source, sink}

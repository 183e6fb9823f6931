"""The servers that the end-to-end tests talk to, and the stock clients they talk with.

`Server` is one OpenTrail process with its data folder; it can be stopped, killed and started again on
the same port. `MotoServer` is a foreign S3, `Proxy` stands in front of it and can be made to refuse,
hang or answer 503. Nothing here sleeps to synchronise: `wait_for` polls until a deadline.
"""
import configparser
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import boto3
import botocore.config
import botocore.exceptions
import requests

TESTS = pathlib.Path(__file__).resolve().parent
ACCOUNT = "123456789012"
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.05


class Timeout(AssertionError):
    pass


def wait_for(what, condition, seconds=30.0, poll=POLL_SECONDS):
    """Returns the first true value of condition(); an AssertionError raised in it means "not yet"."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            if value := condition():
                return value
            last = value
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise Timeout(f"waited {seconds:.0f} s in vain for {what}; last seen: {last!r}")
        time.sleep(poll)


def binary():
    path = os.environ.get("OPENTRAIL_BIN")
    if not path or not os.access(path, os.X_OK):
        raise RuntimeError("OPENTRAIL_BIN must name the opentrail program; see tests/README.md")
    return path


def aws_tool():
    return pathlib.Path(sys.executable).parent / "aws"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def plain_environment(home):
    """An environment without any of the caller's AWS_* and OPENTRAIL_* settings."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "OPENTRAIL_"))}
    return kept | {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}


class Server:
    """One OpenTrail process. `options` are further options of `serve`, in the order given."""

    def __init__(self, folder, options=(), environment=None, listen="127.0.0.1:0"):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.options = [str(option) for option in options]
        self.environment = environment or {}
        self.listen = listen
        self.process = None
        self.endpoint = None
        self.start_seconds = None
        self.ca_bundle = None
        self._clients = {}
        self._starts = 0
        self.folder.mkdir(parents=True, exist_ok=True)

    # ---- life ------------------------------------------------------------------------------------

    def start(self, wait=True):
        assert self.process is None, "already running"
        self._starts += 1
        self.stdout_path = self.folder / f"stdout.{self._starts}"
        self.log_path = self.folder / f"stderr.{self._starts}"
        command = [binary(), "serve", "--data-dir", str(self.data), "--listen", self.listen,
                   *self.options]
        began = time.monotonic()
        with open(self.stdout_path, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=self.folder,
                env=plain_environment(self.folder) | self.environment)
        if wait:
            self.wait_ready()
            self.start_seconds = time.monotonic() - began
        return self

    def wait_ready(self):
        def endpoint():
            self.check_alive()
            found = re.search(r"^endpoint: (\S+)$", self.stdout(), re.M)
            return found and found[1]

        def ready():
            self.check_alive()
            with contextlib.suppress(requests.RequestException):
                return self.get("/readyz").status_code == 200

        self.endpoint = wait_for("the endpoint line", endpoint, START_SECONDS_MAX, poll=0.005)
        self.listen = self.endpoint.split("://")[1]
        wait_for("/readyz", ready, START_SECONDS_MAX, poll=0.005)

    def check_alive(self):
        code = self.process.poll()
        if code is not None:
            raise RuntimeError(f"the server ended with {code}:\n{self.stdout()}\n{self.log()}")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self):
        return self._end(signal.SIGKILL)

    def _end(self, number):
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server ignored signal {number} for {STOP_SECONDS_MAX} s:\n"
                                 + self.log()[-4000:]) from None

    def restart(self):
        code = self.stop()
        self.start()
        return code

    def stdout(self):
        return self.stdout_path.read_text(errors="replace")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def all_output(self):
        return b"".join(path.read_bytes() for pattern in ("stdout.*", "stderr.*")
                        for path in sorted(self.folder.glob(pattern)))

    @property
    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1])

    @property
    def pid(self):
        return self.process.pid

    # ---- clients ---------------------------------------------------------------------------------

    def get(self, path, **options):
        return requests.get(self.endpoint + path, timeout=10, verify=self.ca_bundle or True,
                            **options)

    @property
    def credentials_path(self):
        return self.data / "credentials"

    def credentials(self, profile="default"):
        """(access key id, secret access key) of a profile of <data-dir>/credentials."""
        parsed = configparser.ConfigParser()
        assert parsed.read(self.credentials_path), f"{self.credentials_path} cannot be read"
        section = parsed[profile]
        return section["aws_access_key_id"], section["aws_secret_access_key"]

    def client(self, service, region="us-east-1", profile="default", keys=None, **config):
        """A boto3 client that never retries. `keys`: (id, secret) instead of a profile."""
        keys = tuple(keys or self.credentials(profile))
        index = (service, region, keys, self.endpoint, json.dumps(config, sort_keys=True))
        if index not in self._clients:
            session = boto3.session.Session(aws_access_key_id=keys[0],
                                            aws_secret_access_key=keys[1], region_name=region)
            settings = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5,
                        "read_timeout": 60, "max_pool_connections": 16,
                        "s3": {"addressing_style": "path"}} | config
            self._clients[index] = session.client(
                service, endpoint_url=self.endpoint, verify=self.ca_bundle,
                config=botocore.config.Config(**settings))
        return self._clients[index]

    def new_user(self, name, policy=None):
        """Makes an IAM user with an access key; returns (id, secret)."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if policy:
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def command_environment(self, extra=None):
        made = plain_environment(self.folder) | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials_path),
        }
        if self.ca_bundle:
            made["AWS_CA_BUNDLE"] = str(self.ca_bundle)
        return made | (extra or {})

    def aws(self, *args, region="us-east-1", profile=None, check=True, environment=None, stdin=None):
        """Runs the stock AWS CLI; `check` asserts that it succeeded."""
        command = [str(aws_tool()), "--region", region, "--output", "json",
                   *(["--profile", profile] if profile else []), *(str(word) for word in args)]
        done = subprocess.run(command, env=self.command_environment(environment), text=True,
                              capture_output=True, timeout=120, cwd=self.folder, input=stdin)
        if check:
            assert done.returncode == 0, f"aws {' '.join(command[5:])}: {done.stdout}{done.stderr}"
        return done

    def aws_json(self, *args, **options):
        return json.loads(self.aws(*args, **options).stdout)

    def opentrail(self, *args, check=True, environment=None):
        """Runs another command of the program against this server."""
        done = subprocess.run([binary(), *(str(word) for word in args)], text=True,
                              env=self.command_environment(environment), capture_output=True,
                              timeout=300, cwd=self.folder, stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, f"opentrail {args}: {done.stdout}{done.stderr}"
        return done

    def lookup(self, region="us-east-1", profile="default", keys=None, **query):
        """Every event that LookupEvents gives for a query, newest first, over all pages."""
        client = self.client("cloudtrail", region, profile, keys)
        events, token = [], None
        while True:
            page = client.lookup_events(**query, **({"NextToken": token} if token else {}))
            events += page["Events"]
            token = page.get("NextToken")
            if not token:
                return events

    def records(self, region="us-east-1", **query):
        return [json.loads(event["CloudTrailEvent"]) for event in self.lookup(region, **query)]


def request_id(answer):
    """The request id of a boto3 answer or ClientError, as the caller saw it."""
    if isinstance(answer, botocore.exceptions.ClientError):
        answer = answer.response
    return answer["ResponseMetadata"]["RequestId"]


def call(function, **arguments):
    """Calls a boto3 function; an error answer is an answer: (answer, error code or None)."""
    try:
        return function(**arguments), None
    except botocore.exceptions.ClientError as error:
        return error.response, error.response["Error"]["Code"]


def error_of(function, **arguments):
    """(code, message, HTTP status) of a call that must fail."""
    try:
        answer = function(**arguments)
    except botocore.exceptions.ClientError as error:
        found = error.response
        return (found["Error"]["Code"], found["Error"].get("Message", ""),
                found["ResponseMetadata"]["HTTPStatusCode"])
    raise AssertionError(f"succeeded, but must be refused: {answer}")


# ---- a foreign S3 and its bad days ---------------------------------------------------------------

class MotoServer:
    """moto_server on a free port. Its state is in its memory: stopping it loses everything."""

    ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAFOREIGNEXAMPLE00",
                   "AWS_SECRET_ACCESS_KEY": "foreign-example-secret-key-0123456789abc"}

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None

    def start(self):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        with open(self.folder / "moto.log", "wb") as log:
            self.process = subprocess.Popen(
                [str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1",
                 "-p", str(self.port)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=plain_environment(self.folder))

        def answers():
            assert self.process.poll() is None, (self.folder / "moto.log").read_text()
            with contextlib.suppress(requests.RequestException):
                return requests.get(self.endpoint + "/moto-api/", timeout=5).status_code == 200

        wait_for("moto_server", answers, 60)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def s3(self, region="us-east-1"):
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

    def __init__(self, target_port):
        self.target_port = target_port
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._open = set()
        self._listener = None
        self.mode = None
        self.accepted = 0
        self.set_mode("pass")

    def set_mode(self, mode):
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

    def stop(self):
        self.set_mode("refuse")

    def _close_listener(self):
        listener, self._listener = self._listener, None
        if listener:
            self._shut(listener)

    @staticmethod
    def _shut(connection):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                mode = self.mode
                self._open.add(connection)
            if mode != "hang":
                serve = self._pass if mode == "pass" else self._answer_503
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def _answer_503(self, connection):
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

    def _pass(self, connection):
        try:
            upstream = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            return self._shut(connection)
        with self._lock:
            self._open.add(upstream)
        threading.Thread(target=self._pump, args=(upstream, connection), daemon=True).start()
        self._pump(connection, upstream)

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._shut(source)
        self._shut(sink)
        with self._lock:
            self._open -= {source, sink}

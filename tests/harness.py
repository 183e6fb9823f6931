"""The server that the end-to-end tests talk to, and the stock clients they talk with.

`Server` is one OpenTrail process with its data folder; it can be stopped, killed and started again on
the same port. Nothing here sleeps to synchronise: `wait_for` polls until a deadline.
"""
import configparser
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import requests

TESTS = pathlib.Path(__file__).resolve().parent
ACCOUNT = "123456789012"
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.05


Keys = tuple[str, str]  # access key id, secret access key
Done = subprocess.CompletedProcess[str]


class Timeout(AssertionError):
    pass


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 30.0,
             poll: float = POLL_SECONDS) -> Any:
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


def binary() -> str:
    path = os.environ.get("OPENTRAIL")
    if not path or not os.access(path, os.X_OK):
        raise RuntimeError("OPENTRAIL must name the opentrail program; see tests/README.md")
    return path


def aws_tool() -> pathlib.Path:
    return pathlib.Path(sys.executable).parent / "aws"


def free_port() -> int:
    """A port below those that the system gives to outgoing connections: nobody takes it by chance while
    its server is down."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def plain_environment(home: pathlib.Path) -> dict[str, str]:
    """An environment without any of the caller's AWS_* and OPENTRAIL_* settings."""
    kept = {name: value for name, value in os.environ.items()
            if name != "OPENTRAIL" and not name.startswith(("AWS_", "OPENTRAIL_"))}
    return kept | {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}


class Server:
    """One OpenTrail process. `options` are further options of `serve`, in the order given."""

    def __init__(self, folder: str | pathlib.Path, options: Iterable[object] = (),
                 environment: dict[str, str] | None = None, listen: str = "127.0.0.1:0"):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.options = [str(option) for option in options]
        self.environment = environment or {}
        self.listen = listen
        self.process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""
        self.ca_bundle: pathlib.Path | None = None
        self._clients: dict[tuple, Any] = {}
        self._starts = 0
        self.folder.mkdir(parents=True, exist_ok=True)

    # ---- life ------------------------------------------------------------------------------------

    def start(self, wait: bool = True) -> "Server":
        assert self.process is None, "already running"
        self._starts += 1
        self.stdout_path = self.folder / f"stdout.{self._starts}"
        self.log_path = self.folder / f"stderr.{self._starts}"
        command = [binary(), "serve", "--data-dir", str(self.data), "--listen", self.listen,
                   *self.options]
        with open(self.stdout_path, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=self.folder,
                env=plain_environment(self.folder) | self.environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
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

    def check_alive(self) -> None:
        code = self.process.poll()
        if code is not None:
            raise RuntimeError(f"the server ended with {code}:\n{self.stdout()}\n{self.log()}")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> int | None:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int | None:
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int | None:
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

    def restart(self) -> int | None:
        code = self.stop()
        self.start()
        return code

    def stdout(self) -> str:
        return self.stdout_path.read_text(errors="replace")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def all_output(self) -> bytes:
        return b"".join(path.read_bytes() for pattern in ("stdout.*", "stderr.*")
                        for path in sorted(self.folder.glob(pattern)))

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])

    # ---- clients ---------------------------------------------------------------------------------

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.endpoint + path, timeout=10, verify=self.ca_bundle or True,
                            **options)

    @property
    def credentials_path(self) -> pathlib.Path:
        return self.data / "credentials"

    def credentials(self, profile: str = "default") -> Keys:
        """(access key id, secret access key) of a profile of <data-dir>/credentials."""
        parsed = configparser.ConfigParser()
        assert parsed.read(self.credentials_path), f"{self.credentials_path} cannot be read"
        section = parsed[profile]
        return section["aws_access_key_id"], section["aws_secret_access_key"]

    def client(self, service: str, region: str = "us-east-1", profile: str = "default",
               keys: Keys | None = None, **config: Any) -> Any:
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

    def new_user(self, name: str, policy: str | None = None) -> Keys:
        """Makes an IAM user with an access key; returns (id, secret)."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if policy:
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def command_environment(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        made = plain_environment(self.folder) | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials_path),
        }
        if self.ca_bundle:
            made["AWS_CA_BUNDLE"] = str(self.ca_bundle)
        return made | (extra or {})

    def aws(self, *args: object, region: str = "us-east-1", profile: str | None = None,
            check: bool = True, environment: dict[str, str] | None = None) -> Done:
        """Runs the stock AWS CLI; `check` asserts that it succeeded."""
        command = [str(aws_tool()), "--region", region, "--output", "json",
                   *(["--profile", profile] if profile else []), *(str(word) for word in args)]
        done = subprocess.run(command, env=self.command_environment(environment), text=True,
                              capture_output=True, timeout=120, cwd=self.folder, stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, f"aws {' '.join(command[5:])}: {done.stdout}{done.stderr}"
        return done

    def aws_json(self, *args: object, **options: Any) -> Any:
        return json.loads(self.aws(*args, **options).stdout)

    def opentrail(self, *args: object, check: bool = True,
                  environment: dict[str, str] | None = None) -> Done:
        """Runs another command of the program against this server."""
        done = subprocess.run([binary(), *(str(word) for word in args)], text=True,
                              env=self.command_environment(environment), capture_output=True,
                              timeout=300, cwd=self.folder, stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, f"opentrail {args}: {done.stdout}{done.stderr}"
        return done

    def lookup(self, region: str = "us-east-1", profile: str = "default",
               keys: Keys | None = None, **query: Any) -> list[dict]:
        """Every event that LookupEvents gives for a query, newest first, over all pages."""
        client = self.client("cloudtrail", region, profile, keys)
        events, token = [], None
        while True:
            page = client.lookup_events(**query, **({"NextToken": token} if token else {}))
            events += page["Events"]
            token = page.get("NextToken")
            if not token:
                return events

    def records(self, region: str = "us-east-1", **query: Any) -> list[dict]:
        return [json.loads(event["CloudTrailEvent"]) for event in self.lookup(region, **query)]


def request_id(answer: Any) -> str:
    """The request id of a boto3 answer or ClientError, as the caller saw it."""
    if isinstance(answer, botocore.exceptions.ClientError):
        answer = answer.response
    return answer["ResponseMetadata"]["RequestId"]


def call(function: Callable, **arguments: Any) -> tuple[dict, str | None]:
    """Calls a boto3 function; an error answer is an answer: (answer, error code or None)."""
    try:
        return function(**arguments), None
    except botocore.exceptions.ClientError as error:
        return error.response, error.response["Error"]["Code"]


def error_of(function: Callable, **arguments: Any) -> tuple[str, str, int]:
    """(code, message, HTTP status) of a call that must fail."""
    try:
        answer = function(**arguments)
    except botocore.exceptions.ClientError as error:
        found = error.response
        return (found["Error"]["Code"], found["Error"].get("Message", ""),
                found["ResponseMetadata"]["HTTPStatusCode"])
    raise AssertionError(f"succeeded, but must be refused: {answer}")

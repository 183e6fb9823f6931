"""Fixtures: a server of one's own, one shared by a file, and a foreign S3."""
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest

from foreign_s3 import MotoServer
from harness import Server

# boto3 must see nothing of the person who runs the tests.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.devnull
os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

REGIONS = "us-east-1,us-west-2,eu-west-1"
QUICK = ("--regions", REGIONS, "--delivery-interval", 1, "--digest-interval", 3)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


_FAILED = pytest.StashKey[bool]()


class Folder:
    """A new folder, kept (and named) when the test that used it failed."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="opentrail-e2e-")

    def end(self, failed: bool) -> None:
        if failed or os.environ.get("OPENTRAIL_KEEP"):
            print(f"\nkept for a look: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)


@pytest.fixture
def new_server(request) -> Iterator[Callable[..., Server]]:
    """Starts servers: new_server(*options, environment=None, start=True)."""
    made, folders = [], []

    def make(*options: object, environment: dict[str, str] | None = None, start: bool = True,
             regions: str | None = REGIONS, listen: str = "127.0.0.1:0") -> Server:
        folders.append(Folder())
        chosen = ("--regions", regions) if regions else ()
        server = Server(folders[-1].path, (*chosen, *options), environment, listen)
        made.append(server)
        return server.start() if start else server

    yield make
    failed = request.node.stash.get(_FAILED, True)
    crashed = []
    for server in made:
        if server.process and not server.alive():
            failed = True
            crashed.append(server.process.returncode)
        if failed and server.process:
            print("end of the server's log:\n" + server.log()[-3000:])
        server.kill()
    for folder in folders:
        folder.end(failed)
    assert not crashed, f"servers had ended by themselves, with {crashed}"


@pytest.fixture(scope="module")
def server(request) -> Iterator[Server]:
    """One server for the tests of a file, three regions, quick delivery and digests."""
    folder = Folder()
    made = Server(folder.path, QUICK).start()
    before = request.session.testsfailed
    yield made
    failed = request.session.testsfailed > before
    if not made.alive():
        failed = True
    if failed:
        print("end of the server's log:\n" + made.log()[-3000:])
    crashed = made.process is not None and not made.alive()
    code = made.stop()
    folder.end(failed)
    assert not crashed and code in (0, None), f"the server ended with {code}"


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    folder = Folder()
    made = MotoServer(folder.path).start()
    yield made
    made.stop()
    folder.end(False)

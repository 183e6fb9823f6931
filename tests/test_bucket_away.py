"""Goal: a bucket that is away for a while costs no record and doubles none, and the trail says so.

Method: a trail that delivers to a foreign S3 (moto) through a proxy on a fixed port. While calls go on,
the proxy refuses connections, hangs, or answers 503 in S3's words; then it lets everything through
again. The promise is that of a bucket that was never away.
"""
import contextlib
from collections.abc import Iterator

import botocore.exceptions
import pytest

from foreign_s3 import MotoServer, Proxy
from harness import Server, call, free_port, request_id, wait_for
from record_shape import check_record
from trail_files import TrailFiles, check_chain, make_trail, now, validate_logs

HOME = "us-west-2"
REGIONS = ("us-east-1", HOME)
CALLS = 12
BACK_SECONDS_MAX = 120.0
OPTIONS = ("--delivery-interval", 1, "--digest-interval", 3, "--objects-region", "us-east-1")


class Scene:
    """A server whose trail delivers to `bucket` of the foreign S3."""

    def __init__(self, new_server, moto: MotoServer, proxy: Proxy, bucket: str):
        self.proxy = proxy
        self.moto = moto
        self.began = now()
        self.server: Server = new_server(*OPTIONS, "--objects-endpoint", proxy.endpoint,
                                         environment=MotoServer.ENVIRONMENT,
                                         listen=f"127.0.0.1:{free_port()}")
        s3 = moto.s3()
        s3.create_bucket(Bucket=bucket)
        self.files = TrailFiles(s3, bucket)
        self.arn = make_trail(self.server, "away", bucket, HOME)
        self.trails = self.server.client("cloudtrail", HOME)
        self.answered: list[str] = []

    def work(self, label: str) -> None:
        """Changing and reading calls in both regions, some refused."""
        iam = self.server.client("iam")
        for number in range(CALLS):
            for function, arguments in (
                    (iam.create_user, {"UserName": f"{label}-{number}"}),
                    (self.trails.get_trail, {"Name": f"{label}-{number}"}),
                    (self.trails.add_tags, {"ResourceId": self.arn, "TagsList": [
                        {"Key": label, "Value": str(number)}]})):
                self.answered.append(request_id(call(function, **arguments)[0]))

    def status(self) -> dict:
        return self.trails.get_trail_status(Name=self.arn)

    def wait_error(self) -> str:
        return wait_for("LatestDeliveryError",
                        lambda: self.status().get("LatestDeliveryError"), 120, poll=0.3)

    def check_promise(self) -> None:
        """Everything is in one file, digests verify, the status is clean again."""
        where = self.files.wait_delivered(self.answered, BACK_SECONDS_MAX)
        assert all(len(where[one]) == 1 for one in self.answered)
        for records in self.files.logs().values():
            for record in records:
                check_record(record)
        wait_for("an end of the error", lambda: "LatestDeliveryError" not in self.status(), 60)
        for region in REGIONS:
            logs = self.files.wait_digested(region, BACK_SECONDS_MAX)
            assert logs
            trails = self.server.client("cloudtrail", region)
            assert check_chain(self.files, trails, region, self.began) > 0
            verdict = validate_logs(self.server, self.arn, region, self.began,
                                    {"AWS_ENDPOINT_URL_S3": self.moto.endpoint})
            assert verdict.all_valid, verdict.text
            assert verdict.counts["log"][1] >= len(logs)


@pytest.fixture
def proxy(moto: MotoServer) -> Iterator[Proxy]:
    with contextlib.closing(Proxy(moto.port)) as made:
        yield made


@pytest.mark.parametrize("mode", ["refuse", "503", "hang"])
def test_away_and_back(new_server, moto, proxy, mode):
    scene = Scene(new_server, moto, proxy, f"opentrail-away-{mode}")
    scene.work("before")
    scene.files.wait_delivered(scene.answered)
    proxy.set_mode(mode)
    scene.work("during")
    error = scene.wait_error()  # of a bucket that hangs only when the server has lost patience
    assert error == "SlowDown" or mode != "503"
    assert scene.status()["IsLogging"] is True
    scene.work("later")
    proxy.set_mode("pass")
    scene.work("after")
    scene.check_promise()


def test_killed_while_the_bucket_is_away(new_server, moto, proxy):
    scene = Scene(new_server, moto, proxy, "opentrail-away-killed")
    scene.work("before")
    proxy.set_mode("refuse")
    scene.work("during")
    scene.wait_error()
    scene.server.kill()
    scene.server.start()
    scene.work("restarted")
    scene.wait_error()
    proxy.set_mode("pass")
    scene.check_promise()


def test_bucket_deleted_and_made_again(new_server, moto, proxy):
    scene = Scene(new_server, moto, proxy, "opentrail-away-deleted")
    s3 = moto.s3()
    scene.work("before")
    scene.files.wait_delivered(scene.answered)

    def removed() -> bool:
        """The server may deliver once more between the emptying and the removal."""
        for key in scene.files.objects():
            s3.delete_object(Bucket=scene.files.bucket, Key=key)
        with contextlib.suppress(botocore.exceptions.ClientError):
            s3.delete_bucket(Bucket=scene.files.bucket)
            return True
        return False

    wait_for("the removal", removed)
    scene.answered.clear()  # what was delivered is gone with the bucket
    scene.work("during")
    assert scene.wait_error() == "NoSuchBucket"
    s3.create_bucket(Bucket=scene.files.bucket)
    scene.files.wait_delivered(scene.answered, BACK_SECONDS_MAX)
    wait_for("an end of the error", lambda: "LatestDeliveryError" not in scene.status(), 60)

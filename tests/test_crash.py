"""Goal: a kill at any moment loses nothing that was answered, and doubles nothing.

Method: one data folder, 50 rounds (OPENTRAIL_CRASH_ROUNDS). In each the server is killed with SIGKILL
in the middle of a load of changing calls from several clients, and started again. Every call that was
answered must then be in the history once and in one log file; what the history has, answered or not,
must be in one file too; the digests of all rounds must be one chain that the stock tool accepts.
"""
import collections
import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions
import pytest

from harness import Server, call, free_port, request_id, wait_for
from record_shape import check_event
from trail_files import TrailFiles, check_chain, make_bucket, make_trail, now, validate_logs

ROUNDS = int(os.environ.get("OPENTRAIL_CRASH_ROUNDS", "50"))
HOME = "us-west-2"
BUCKET = "opentrail-crash"
SEED = 20_261
LOAD_SECONDS = (0.1, 0.6)
REGIONS_WITH_CALLS = ("us-east-1", HOME)

Step = tuple[Callable, dict[str, Any]]


def users(server: Server, client_name: str) -> Iterator[Step]:
    """Makes users and removes them again: records of us-east-1."""
    iam = server.client("iam", keys=server.credentials())
    number = 0
    while True:
        number += 1
        name = f"{client_name}-{number}"
        yield iam.create_user, {"UserName": name}
        yield iam.delete_user, {"UserName": name}


def tags(server: Server, client_name: str) -> Iterator[Step]:
    """Tags the trail: records of its home region."""
    trails = server.client("cloudtrail", HOME)
    arn = trails.list_trails()["Trails"][0]["TrailARN"]
    pair = [{"Key": client_name, "Value": "load"}]
    while True:
        yield trails.add_tags, {"ResourceId": arn, "TagsList": pair}
        yield trails.remove_tags, {"ResourceId": arn, "TagsList": pair}


def buckets(server: Server, client_name: str) -> Iterator[Step]:
    """Makes buckets and removes them again: S3's records have request ids of another form."""
    s3 = server.client("s3", HOME)
    where = {"LocationConstraint": HOME}
    number = 0
    while True:
        number += 1
        name = f"opentrail-crash-{client_name}-{number}"
        yield s3.create_bucket, {"Bucket": name, "CreateBucketConfiguration": where}
        yield s3.delete_bucket, {"Bucket": name}


class Client(threading.Thread):
    """Calls until it is told to stop or the server goes away; `answered` are the request ids."""

    def __init__(self, steps: Iterator[Step]):
        super().__init__(daemon=True)
        self.steps = steps
        self.answered: list[str] = []
        self.failed: list[str] = []
        self.wanted = True

    def run(self) -> None:
        while self.wanted:
            try:
                function, arguments = next(self.steps)
                answer, error = call(function, **arguments)
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
                return  # killed: this call has no answer, so nothing is promised of it
            self.answered.append(request_id(answer))
            if answer["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                self.failed.append(f"{function.__name__}: {error}")


def one_round(server: Server, number: int, seconds: float) -> list[str]:
    """Loads, kills, starts again; returns the request ids of the calls that were answered."""
    clients = [Client(kind(server, f"r{number}-{index}"))
               for index, kind in enumerate((users, users, tags, buckets))]
    for client in clients:
        client.start()
    wait_for("a first answer", lambda: any(client.answered for client in clients), poll=0.005)
    clients[0].join(seconds)  # the moment of the kill: clients go on calling until it comes
    server.kill()
    for client in clients:
        client.wanted = False
        client.join(70)
        assert not client.is_alive(), "a client still waits for a server that was killed"
        assert not client.failed, client.failed[:3]
    server.start()
    return [one for client in clients for one in client.answered]


def history(server: Server) -> dict[str, list[dict]]:
    """{request id: its records} of all changing calls of people, over the regions."""
    found: dict[str, list[dict]] = collections.defaultdict(list)
    seen = set()
    for region in REGIONS_WITH_CALLS:
        for event in server.lookup(region, LookupAttributes=[
                {"AttributeKey": "ReadOnly", "AttributeValue": "false"}]):
            assert event["EventId"] not in seen, "an event is in the history twice"
            seen.add(event["EventId"])
            record = check_event(event)
            if "requestID" in record:
                found[record["requestID"]].append(record)
    return found


def check_once(promised: list[str], found: dict[str, list[dict]]) -> None:
    lost = [one for one in promised if one not in found]
    assert not lost, f"{len(lost)} of {len(promised)} answered calls are in no record: {lost[:3]}"
    twice = [one for one, records in found.items() if len(records) != 1]
    assert not twice, f"{len(twice)} calls have more than one record: {twice[:3]}"


def check_files(files: TrailFiles, found: dict[str, list[dict]], started: str) -> None:
    """From StartLogging on, what is in the history is in one file, with the same content."""
    files.wait_delivered([one for one, (record,) in found.items() if record["eventTime"] > started],
                         seconds=60)
    delivered = collections.defaultdict(list)
    for records in files.logs().values():
        for record in records:
            delivered[record["eventID"]].append(record)
    twice = [one for one, records in delivered.items() if len(records) != 1]
    assert not twice, f"{len(twice)} records are in more than one place: {twice[:3]}"
    for record, in found.values():
        if record["eventTime"] > started:
            assert delivered[record["eventID"]] == [record]


@pytest.mark.timeout(600)
def test_kill_in_the_middle_of_a_load(new_server):
    server = new_server("--delivery-interval", 1, "--digest-interval", 3,
                        listen=f"127.0.0.1:{free_port()}")
    began = now()
    s3 = server.client("s3", HOME)
    make_bucket(s3, BUCKET, HOME)
    arn = make_trail(server, "crash", BUCKET, HOME)
    files = TrailFiles(s3, BUCKET)
    moments = random.Random(SEED)
    promised: list[str] = []
    for number in range(ROUNDS):
        promised += one_round(server, number, moments.uniform(*LOAD_SECONDS))
        if number % 10 == 0:
            files.logs()  # what is delivered now must stay as it is: fetch() compares
    assert len(promised) == len(set(promised)) and len(promised) > ROUNDS

    found = history(server)
    check_once(promised, found)
    start, = [record for record, in found.values() if record["eventName"] == "StartLogging"]
    check_files(files, found, start["eventTime"])
    print(f"{len(promised)} answered calls, {len(found)} recorded, {len(files.log_keys())} files")
    for region in REGIONS_WITH_CALLS:
        logs = files.wait_digested(region)
        assert check_chain(files, server.client("cloudtrail", region), region, began) > 0
        verdict = validate_logs(server, arn, region, began)
        assert verdict.all_valid, verdict.text
        assert verdict.counts["log"][1] >= len(logs)

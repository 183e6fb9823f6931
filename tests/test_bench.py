"""Goal: `opentrail bench` measures a server of its own from the first record to the restart, loses
nothing, and leaves nothing behind.

Method: one small run whose JSON is checked for its shape and for what must hold whatever the machine;
a second one against a server that runs already.
"""
import json
import pathlib
import subprocess

from harness import Server, binary, plain_environment

RECORDS = 2000
ATTRIBUTES = ["eventId", "eventName", "eventSource", "username", "accessKeyId", "readOnly", "resourceType",
              "resourceName"]
WRONG_USE = 2


def bench(folder: pathlib.Path, *arguments: object, code: int = 0) -> str:
    done = subprocess.run([binary(), "bench", *map(str, arguments)], capture_output=True, text=True,
                          env=plain_environment(folder) | {"TMPDIR": str(folder)}, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def check_latency(section: dict, prefix: str) -> None:
    values = [section[f"{prefix}{which}Micros"] for which in ("P50", "P90", "P99", "Max")]
    assert 0 < values[0] and values == sorted(values)


def test_a_whole_run(tmp_path: pathlib.Path) -> None:
    report = json.loads(bench(tmp_path, "--records", RECORDS, "--batch", 500, "--lookups", 20,
                              "--baseline", "parse,sqlite,gzip,zgrep", "--output", "json"))
    assert report["records"] == RECORDS and report["seed"] == 1 and report["lost"] == 0
    assert report["bytes"] > RECORDS * 1000
    phases = report["phases"]
    assert list(phases) == ["ingest", "memory", "disk", "lookup", "search", "scan", "start"]
    assert phases["ingest"]["added"] == RECORDS
    assert phases["ingest"]["probes"] == RECORDS / 500 and phases["ingest"]["probeMisses"] == 0
    assert phases["ingest"]["recordsPerSecond"] > 0
    check_latency(phases["ingest"], "ack")
    for attribute in ATTRIBUTES:
        check_latency(phases["lookup"], attribute)
    check_latency(phases["lookup"], "busy")
    assert phases["lookup"]["busyCallsPerSecond"] > 0
    assert 0 < phases["lookup"]["serverP50Micros"] <= phases["lookup"]["serverP99Micros"]
    assert phases["lookup"]["calls"] == 20 * len(ATTRIBUTES) and phases["lookup"]["misses"] == 0
    check_latency(phases["search"], "threeFilters")
    assert phases["search"]["calls"] == 20 and phases["search"]["misses"] == 0
    assert phases["search"]["textScanGigabytesPerSecond"] > 0
    assert phases["scan"]["events"] > 0
    assert phases["memory"]["residentBytesMax"] >= phases["memory"]["residentBytes"] > 0
    assert 0 < phases["disk"]["bytesPerRawByte"] < 1
    assert phases["start"]["startSeconds"] > 0
    for baseline in report["baselines"].values():
        assert baseline.get("records", RECORDS) == RECORDS
    assert not list(tmp_path.glob("opentrail-bench-*")), "the folder is still there"


def test_a_server_that_runs_already(server: Server, tmp_path: pathlib.Path) -> None:
    where = ["--endpoint", server.endpoint, "--credentials-file", server.data / "credentials",
             "--records", 500, "--seed", 77, "--lookups", 5, "--output", "json"]
    report = json.loads(bench(tmp_path, "--encoding", "gzip", *where))
    assert report["lost"] == 0 and report["phases"]["ingest"]["added"] == 500
    assert "note" in report["phases"]["memory"]
    again = json.loads(bench(tmp_path, "--phase", "lookup", *where))
    assert list(again["phases"]) == ["lookup"] and again["lost"] == 0


def test_wrong_use(tmp_path: pathlib.Path) -> None:
    assert "there is no phase 'lunch'" in bench(tmp_path, "--phase", "lunch", code=WRONG_USE)
    assert "add the phase ingest" in bench(tmp_path, "--phase", "lookup", code=WRONG_USE)

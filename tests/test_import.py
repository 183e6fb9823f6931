"""Goal: files of real CloudTrail go in once, whole and unchanged, and what does not go in is named.

Method: the import of folders of real files is compared with an independent count of the same folders
(import_count.py), then repeated; single records are looked up and compared byte for byte; files that
are broken on purpose must be named with their line, and cost only what is behind the break.
"""
import datetime
import gzip
import json
import pathlib
import re
import uuid

import pytest

from harness import ACCOUNT, TESTS, Server
from import_count import Count, Found, count, records_of
from signing import exchange, signer
from trail_files import TrailFiles, make_bucket, make_trail

SOURCES = [folder for folder in (TESTS / "data" / "aws", TESTS.parents[1] / "shared" / "data" / "aws")
           if folder.is_dir()]
LOG_FILE = (TESTS / "data" / "aws" / "invictus-ir-aws_dataset" /
            "218007301253_CloudTrail_us-east-1_20230710T1230Z_9JM8uKEITHqwJKXr.json")
REGION_NAME = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
FOREVER = ("--retention-days", 36500)
FINDINGS = 1  # exit code: something was broken or in conflict
NOTHING_FOUND = 1  # exit code of lookup
REFUSED = 2


def import_files(server: Server, *paths: object, code: int = 0) -> dict:
    done = server.opentrail("import", "aws", *paths, "--output", "json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def import_text(server: Server, *paths: object) -> tuple[str, str, int]:
    done = server.opentrail("import", "aws", *paths, "--endpoint", server.endpoint, check=False)
    return done.stdout, done.stderr, done.returncode


def look_up(server: Server, found: Found, output: str) -> str:
    return server.opentrail("lookup", "--account", found.account, "--region", found.region,
                            "--event-id", found.id, "--output", output).stdout


def account_events(server: Server, account: str, region: str) -> dict[str, str]:
    """{event id: the record's bytes} of another account, over LookupEvents itself."""
    client = server.client("cloudtrail", region, retries={"total_max_attempts": 2})

    def name_account(request, **_):
        request.headers["x-opentrail-account"] = account

    client.meta.events.register("before-sign.cloudtrail.LookupEvents", name_account)
    try:
        pages = client.get_paginator("lookup_events").paginate()
        return {event["EventId"]: event["CloudTrailEvent"]
                for page in pages for event in page["Events"]}
    finally:
        client.meta.events.unregister("before-sign.cloudtrail.LookupEvents", name_account)


def is_management(found: Found) -> bool:
    record = found.value
    if "eventCategory" in record:
        return record["eventCategory"] == "Management"
    return (record.get("managementEvent") is not False
            and record.get("eventType") not in ("AwsVpceEvent", "AwsCloudTrailInsight"))


def check_counts(report: dict, counted: Count) -> None:
    assert report["records"] == counted.records
    assert report["new"] == counted.new
    assert report["duplicate"] == counted.duplicate
    assert report["conflicting"] == counted.conflicting
    assert report["invalid"] == report["expired"] == report["filesBroken"] == 0
    assert report["interrupted"] is False
    named = [problem for problem in report["problems"] if problem["kind"] == "conflicting"]
    assert len(named) == counted.conflicting
    assert all(problem["file"] and problem["line"] > 0 for problem in named)


@pytest.mark.parametrize("source", SOURCES, ids=[f"source{n}" for n in range(len(SOURCES))])
def test_folders_of_real_files(new_server, source):
    counted = count(source)
    assert counted.new > 40
    regions = {found.region for found in counted.kept.values()
               if REGION_NAME.fullmatch(found.region)} | {"us-east-1"}
    server = new_server(*FOREVER, regions=",".join(sorted(regions)))
    code = FINDINGS if counted.conflicting else 0
    check_counts(import_files(server, source, code=code), counted)

    out, _, again = import_text(server, source)
    assert again == code
    already = counted.records - counted.conflicting
    assert out.startswith(f"{counted.records:,} records: 0 new, {already:,} already there"), out

    by_place: dict[tuple[str, str], dict[str, str]] = {}
    for found in counted.kept.values():
        if is_management(found) and found.region in regions and found.account not in ("", ACCOUNT):
            by_place.setdefault((found.account, found.region), {})[found.id] = found.text
    places = sorted(by_place, key=lambda place: -len(by_place[place]))
    for account, region in places[:4]:
        there = account_events(server, account, region)
        assert there.keys() == by_place[account, region].keys(), f"{account} {region}"
        for event_id, text in there.items():
            assert json.loads(text) == json.loads(by_place[account, region][event_id])


def test_a_known_record_has_its_bytes(new_server):
    server = new_server(*FOREVER)
    found = list(records_of(LOG_FILE))
    assert import_files(server, LOG_FILE)["new"] == len(found)
    server.restart()
    one = next(record for record in found if is_management(record) and "\n" not in record.text)
    assert look_up(server, one, "ndjson") == one.text + "\n"
    event, = json.loads(look_up(server, one, "json"))
    assert event["CloudTrailEvent"] == one.value
    assert event["EventId"] == one.value["eventID"]
    assert event["EventName"] == one.value["eventName"]
    assert account_events(server, one.account, one.region)[one.id] == one.text


def test_only_administrators_see_other_accounts(new_server):
    server = new_server(*FOREVER)
    one = next(records_of(LOG_FILE))
    import_files(server, LOG_FILE)
    reader = server.new_user("reader", "AWSCloudTrail_ReadOnlyAccess")
    keys = {"AWS_ACCESS_KEY_ID": reader[0], "AWS_SECRET_ACCESS_KEY": reader[1]}
    query = ("lookup", "--account", one.account, "--region", one.region)
    refused = server.opentrail(*query, check=False, environment=keys)
    assert refused.returncode == REFUSED
    assert "AccessDenied" in refused.stderr, refused.stderr
    uploads = server.opentrail("import", "aws", LOG_FILE, check=False, environment=keys)
    assert uploads.returncode == REFUSED and "AccessDenied" in uploads.stderr, uploads.stderr
    elsewhere = server.opentrail("lookup", "--account", one.account, "--region", "eu-west-1",
                                 check=False)
    assert elsewhere.returncode == NOTHING_FOUND


def fresh(name: str) -> dict:
    """A record of now, of another account."""
    return {"eventVersion": "1.08", "userIdentity": {"type": "Root", "accountId": "111122223333"},
            "eventTime": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
            "sourceIPAddress": "192.0.2.1", "requestParameters": None, "responseElements": None,
            "eventID": str(uuid.uuid4()), "eventType": "AwsApiCall",
            "recipientAccountId": "111122223333"}


def write_lines(path: pathlib.Path, *lines: object) -> pathlib.Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                            for line in lines))
    return path


def test_broken_files_are_named_and_the_rest_goes_in(new_server, tmp_path):
    server = new_server()
    write_lines(tmp_path / "a-good.json", {"Records": [fresh("RunInstances"), fresh("StopInstances")]})
    invalid = write_lines(tmp_path / "b-invalid.ndjson", fresh("CreateVolume"), '{"eventID": nonsense}',
                          fresh("DeleteVolume"))
    torn = write_lines(tmp_path / "c-torn.json", '{"Records":[', json.dumps(fresh("CreateVpc")) + ",",
                       '{"eventVersion":"1.08",', '"eventName":"Torn')
    packed = gzip.compress(json.dumps({"Records": [fresh("CreateTags")]}).encode())
    cut = tmp_path / "d-cut.json.gz"
    cut.write_bytes(packed[:len(packed) // 2])
    picture = tmp_path / "e-picture.json"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (tmp_path / "f-good.json.gz").write_bytes(gzip.compress(json.dumps([fresh("DeleteTags")]).encode()))
    write_lines(tmp_path / "readme.txt", "not a file of records")

    out, err, code = import_text(server, tmp_path)
    assert code == FINDINGS
    assert "6 new" in out, out
    assert f"problem: {invalid}:2: " in err, err
    # The string of line 4 is open at a line break; the object began on line 3.
    assert f"problem: {torn}:4: " in err or f"problem: {torn}:3: " in err, err
    assert f"problem: {cut}" in err and f"problem: {picture}:1: " in err, err
    assert f"note: {tmp_path}/readme.txt: " in err, err
    names = {json.loads(text)["eventName"]
             for text in account_events(server, "111122223333", "us-east-1").values()}
    assert names == {"RunInstances", "StopInstances", "CreateVolume", "DeleteVolume", "CreateVpc",
                     "DeleteTags"}

    report = import_files(server, tmp_path, code=FINDINGS)
    assert (report["new"], report["duplicate"], report["invalid"]) == (0, 6, 1)
    assert (report["filesBroken"], report["filesSkipped"]) == (3, 1)


def test_a_changed_record_is_a_conflict_and_the_first_stays(new_server, tmp_path):
    server = new_server()
    first = fresh("CreateUser")
    import_files(server, write_lines(tmp_path / "first.json", first))
    forged = write_lines(tmp_path / "forged.json", first | {"sourceIPAddress": "203.0.113.9"})
    report = import_files(server, forged, code=FINDINGS)
    assert (report["new"], report["conflicting"]) == (0, 1)
    problem, = report["problems"]
    assert (problem["kind"], problem["file"], problem["line"], problem["recordId"]) == (
        "conflicting", str(forged), 1, first["eventID"])
    there = account_events(server, "111122223333", "us-east-1")
    assert json.loads(there[first["eventID"]]) == first


def test_what_is_too_old_is_counted_and_told(new_server, tmp_path):
    server = new_server("--retention-days", 30)
    late = fresh("TerminateInstances")
    late["eventTime"] = (datetime.datetime.now(datetime.UTC)
                         - datetime.timedelta(days=29)).strftime("%Y-%m-%dT%H:%M:%SZ")
    young = write_lines(tmp_path / "young.json", fresh("RunInstances"), late)
    old = len(list(records_of(LOG_FILE)))
    out, _, code = import_text(server, young, LOG_FILE)
    assert code == 0
    assert f"2 new, 0 already there, {old} too old" in out, out
    assert f"{old} older than " in out and "--retention-days" in out, out
    assert import_files(server, LOG_FILE)["expired"] == old
    one = next(records_of(LOG_FILE))
    assert account_events(server, one.account, one.region) == {}
    assert len(account_events(server, "111122223333", "us-east-1")) == 2


def test_trails_do_not_deliver_what_was_imported(new_server):
    """Imported records were delivered where they arose; an own account's are no exception."""
    server = new_server("--delivery-interval", 1, "--digest-interval", 3, *FOREVER)
    s3 = server.client("s3")
    make_bucket(s3, "opentrail-import")
    make_trail(server, "all", "opentrail-import")
    report = import_files(server, LOG_FILE)
    marker = server.client("iam").create_user(UserName="after-the-import")
    files = TrailFiles(s3, "opentrail-import")
    files.wait_delivered([marker["ResponseMetadata"]["RequestId"]])
    imported = {record.id for record in records_of(LOG_FILE)}
    assert len(imported) == report["new"]
    for records in files.logs().values():
        assert not imported & {record["eventID"] for record in records}
        assert {record["recipientAccountId"] for record in records} == {ACCOUNT}


def test_the_import_endpoint_refuses_what_it_cannot_read(server):
    """The wire behind the command, with a stranger's mistakes."""
    sign = signer(server, service="opentrail")
    path = "/opentrail/v1/records"
    for headers, body, wanted in (
            ({}, b"not JSON", (400, "ValidationException")),
            ({"content-encoding": "gzip"}, b"not gzip", (400, "ValidationException")),
            ({"content-encoding": "br"}, b"{}", (415, "UnsupportedMediaTypeException"))):
        answer = exchange(server, sign.request("POST", path, headers, body))
        assert answer.error()[:2] == wanted
    missing = exchange(server, sign.request("GET", "/opentrail/v1/nothing", {}))
    assert missing.error()[:2] == (404, "UnknownOperationException")

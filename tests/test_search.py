"""Goal: the search of the event history finds exactly what an expression says, counts it, and pages
through it while more arrives; and `opentrail lookup` shows it in every form.

Method: real records are imported, and each expression is judged over the same records in plain Python;
requests are signed by the tests' own signer, the command runs as a person runs it.
"""
import collections
import csv
import io
import json

import pytest

from harness import ACCOUNT, TESTS, Keys, Server, wait_for
from import_count import Count, count
from signing import Answer, exchange, signer
from test_import import FOREVER, is_management

SOURCE = TESTS / "data" / "aws"
EVERYWHERE = {"Regions": ["*"], "Accounts": ["*"]}
ANYWHERE = ("--all-regions", "--all-accounts")
FOUND, NOTHING_FOUND, REFUSED = 0, 1, 2


def ask(server: Server, operation: str, keys: Keys | None = None, region: str = "us-east-1",
        raw: bytes | None = None, **body: object) -> Answer:
    signing = signer(server, keys, service="opentrail", region=region)
    answer = exchange(server, signing.request("POST", f"/opentrail/v1/{operation}", {},
                                              json.dumps(body).encode() if raw is None else raw))
    assert answer
    return answer


def answer_of(server: Server, operation: str, **body: object) -> dict:
    answer = ask(server, operation, **body)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def search(server: Server, page: int = 1000, **body: object) -> list[dict]:
    """All pages."""
    events: list[dict] = []
    token: dict[str, str] = {}
    while True:
        found = answer_of(server, "search", MaxResults=page, **body, **token)
        events += found["Events"]
        if not found.get("NextToken"):
            return events
        assert len(found["Events"]) == page
        token = {"NextToken": found["NextToken"]}


class Library:
    """The imported records, and the server that has them."""

    def __init__(self, server: Server):
        self.server = server
        self.counted: Count = count(SOURCE)
        self.records = {found.id: found.value for found in self.counted.kept.values()}
        self.management = {found.id: found.value for found in self.counted.kept.values()
                           if is_management(found)}
        server.opentrail("import", "aws", SOURCE, check=False)

    def ids(self, query: str, **body: object) -> set[str]:
        """Of the imported ones that the server finds."""
        found = [event["EventId"] for event in search(self.server, Query=query,
                                                      **{**EVERYWHERE, **body})]
        assert len(found) == len(set(found)), "each once"
        return set(found) & self.records.keys()


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    server = Server(tmp_path_factory.mktemp("search"), FOREVER).start()
    yield Library(server)
    assert server.stop() == 0


def at(record: dict, path: str) -> list:
    """The scalar values behind a path, arrays walked through."""
    values = [record]
    for step in path.split("."):
        values = [value[step] for value in flat(values) if isinstance(value, dict) and step in value]
    return [value for value in flat(values) if value is not None and not isinstance(value, dict)]


def flat(values: list) -> list:
    out = []
    for value in values:
        out += flat(value) if isinstance(value, list) else [value]
    return out


def text(record: dict, path: str) -> list[str]:
    return [value for value in at(record, path) if isinstance(value, str) and value]


EXPRESSIONS = {
    "": lambda r: True,
    "eventName = GetObject": lambda r: "GetObject" in text(r, "eventName"),
    "name = 'Describe*'": lambda r: any(v.startswith("Describe") for v in text(r, "eventName")),
    "name ^= Get and not source = s3.amazonaws.com":
        lambda r: any(v.startswith("Get") for v in text(r, "eventName"))
        and "s3.amazonaws.com" not in text(r, "eventSource"),
    "error exists": lambda r: bool(text(r, "errorCode")),
    "error != AccessDenied": lambda r: "AccessDenied" not in text(r, "errorCode"),
    "error ~ Denied or source $= 'm.amazonaws.com'":
        lambda r: any("Denied" in v for v in text(r, "errorCode"))
        or any(v.endswith("m.amazonaws.com") for v in text(r, "eventSource")),
    "region in (us-east-1, 'eu-*') and not (name = 'List*' or name = 'Get*')":
        lambda r: any(v == "us-east-1" or v.startswith("eu-") for v in text(r, "awsRegion"))
        and not any(v.startswith(("List", "Get")) for v in text(r, "eventName")),
    "userIdentity.type = AssumedRole agent ~* BOTO":
        lambda r: "AssumedRole" in text(r, "userIdentity.type")
        and any("boto" in v.lower() for v in text(r, "userAgent")),
    "arn ~ ':assumed-role/'": lambda r: any(":assumed-role/" in v
                                            for v in text(r, "userIdentity.arn")),
    "requestParameters.bucketName exists": lambda r: bool(at(r, "requestParameters.bucketName")),
    "requestParameters.instancesSet.items.instanceId ^= i-":
        lambda r: any(v.startswith("i-") for v in text(r, "requestParameters.instancesSet.items.instanceId")),
    "userIdentity.sessionContext.attributes.mfaAuthenticated = true":
        lambda r: any(v in ("true", True) for v in
                      at(r, "userIdentity.sessionContext.attributes.mfaAuthenticated")),
    "sourceIPAddress not exists": lambda r: not text(r, "sourceIPAddress"),
    "eventName = Nothing": lambda r: False,
}


@pytest.mark.parametrize("query", EXPRESSIONS, ids=lambda query: query[:40] or "all")
def test_finds_what_plain_python_finds(library, query):
    holds = EXPRESSIONS[query]
    expected = {id for id, record in library.management.items() if holds(record)}
    assert library.ids(query) == expected
    negated = library.management.keys() - expected
    if query:
        assert library.ids(f"not ({query})") == negated


def test_some_expressions_tell_records_apart(library):
    telling = [query for query, holds in EXPRESSIONS.items()
               if 0 < sum(map(holds, library.management.values())) < len(library.management)]
    assert len(telling) >= 10, telling


def test_text_is_the_record_as_it_stands(library):
    texts = {found.id: found.text for found in library.counted.kept.values()
             if found.id in library.management}
    for word in ("attacker", "10.0", "false"):
        assert library.ids(f'text ~ "{word}"') == {id for id, raw in texts.items() if word in raw}


def test_data_events_are_found_by_those_who_ask_for_them(library):
    data = {id for id, record in library.records.items() if record.get("eventCategory") == "Data"}
    assert library.ids("eventCategory = Data") >= data
    assert not library.ids("") & data


def test_regions_accounts_and_times(library):
    accounts = collections.Counter(found.account for found in library.counted.kept.values()
                                   if found.id in library.management and len(found.account) == 12)
    account = accounts.most_common(1)[0][0]
    mine = {found.id: found for found in library.counted.kept.values()
            if found.account == account and found.id in library.management}
    assert library.ids("", Accounts=[account]) == mine.keys()
    regions = collections.Counter(found.region for found in mine.values())
    region = regions.most_common(1)[0][0]
    there = {id for id, found in mine.items() if found.region == region}
    assert library.ids("", Accounts=[account], Regions=[region]) == there
    times = sorted(found.value["eventTime"] for found in mine.values())
    begin, end = times[len(times) // 4], times[3 * len(times) // 4]
    within = {id for id, found in mine.items() if begin <= found.value["eventTime"] <= end}
    assert library.ids("", Accounts=[account], StartTime=begin, EndTime=end) == within
    day = times[0][:10]
    assert library.ids("", Accounts=[account], StartTime=day, EndTime=day) == {
        id for id, found in mine.items() if found.value["eventTime"].startswith(day)}


def test_order(library):
    query = {"Query": "source != iam.amazonaws.com and source != opentrail.amazonaws.com",
             "EndTime": "2026-01-01", **EVERYWHERE}
    newest = search(library.server, **query)
    oldest = search(library.server, **query, page=7, Order="oldest")
    assert len(newest) > 10
    assert [event["EventTime"] for event in newest] == sorted(
        (event["EventTime"] for event in newest), reverse=True)
    assert [event["EventId"] for event in oldest] == [event["EventId"] for event in newest][::-1]


def test_events_are_shown_as_lookup_events_shows_them(library):
    server = library.server
    server.client("iam").create_user(UserName="shown")
    event, = search(server, Query="name = CreateUser and resource = shown", Regions=["us-east-1"])
    theirs = server.client("cloudtrail").lookup_events(LookupAttributes=[
        {"AttributeKey": "EventId", "AttributeValue": event["EventId"]}])["Events"][0]
    assert event.pop("AccountId") == ACCOUNT and event.pop("Region") == "us-east-1"
    assert event["EventTime"] == theirs["EventTime"].timestamp()
    assert {name: value for name, value in event.items() if name != "EventTime"} == {
        name: value for name, value in theirs.items() if name != "EventTime"}


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_while_more_arrives(library, order):
    server = library.server
    query = {"Query": "source = iam.amazonaws.com", "Regions": ["us-east-1"], "Order": order,
             "StartTime": "10000 days ago"}
    iam = server.client("iam")
    for number in range(12):
        iam.create_user(UserName=f"{order}-{number}")
    before = [event["EventId"] for event in search(server, **query)]
    seen: list[str] = []
    token: dict[str, str] = {}
    number = 0
    while True:
        page = answer_of(server, "search", MaxResults=5, **query, **token)
        seen += [event["EventId"] for event in page["Events"]]
        iam.create_user(UserName=f"{order}-later-{number}")
        number += 1
        if not page.get("NextToken"):
            break
        token = {"NextToken": page["NextToken"]}
        if number == 2:
            server.restart()
            iam = server.client("iam")
    assert number > 2 and seen == before, "no repeats, no losses, nothing that came later"
    changed = ask(server, "search", MaxResults=5, **(query | {"Query": "user = x"}),
                  **(token or {"NextToken": "AAAA"}))
    assert changed.error()[:2] == (400, "InvalidNextTokenException")


@pytest.mark.parametrize("by, path", [("name", "eventName"), ("source", "eventSource"),
                                      ("error", "errorCode"), ("region", "awsRegion"),
                                      ("ip", "sourceIPAddress")])
def test_counts_are_those_of_a_counter(library, by, path):
    first = min(record["eventTime"] for record in library.management.values()
                if record.get("eventTime", "").endswith("Z"))
    query = {"Query": "", "StartTime": first, "EndTime": "2026-01-01", **EVERYWHERE}
    records = [record for record in library.management.values()
               if str(record.get("eventTime", "9")) <= "2026-01-01T23:59:59Z"
               and str(record.get("eventTime", "")) >= first]
    expected = collections.Counter(value for record in records for value in set(text(record, path)))
    counts = answer_of(library.server, "count", By=by, Groups=10000, Bucket="1d", **query)
    assert counts["Total"] == len(records)
    assert counts["Values"] == len(expected)
    assert {group["Value"]: group["Count"] for group in counts["Groups"]} == dict(expected)
    assert [group["Count"] for group in counts["Groups"]] == sorted(expected.values(), reverse=True)
    days = collections.Counter(record["eventTime"][:10] for record in records)
    assert counts["BucketSeconds"] == 86400
    assert sorted(bucket["Count"] for bucket in counts["Buckets"]) == sorted(days.values())
    for group in counts["Groups"]:
        assert sum(bucket["Count"] for bucket in group["Buckets"]) == group["Count"]
    few = answer_of(library.server, "count", By=by, Groups=1, **query)
    assert few["Groups"] == [{"Value": counts["Groups"][0]["Value"],
                              "Count": counts["Groups"][0]["Count"]}]
    assert few["Values"] == len(expected)


def test_a_width_of_its_own_choice(library):
    counts = answer_of(library.server, "count", Bucket="auto", **EVERYWHERE)
    assert 0 < len(counts["Buckets"]) <= 60
    assert sum(bucket["Count"] for bucket in counts["Buckets"]) == counts["Total"]
    too_many = ask(library.server, "count", Bucket="1s", Query="", **EVERYWHERE)
    assert too_many.status in (200, 400)


@pytest.mark.parametrize("operation, body, code", [
    ("search", {"Query": "user ="}, "ValidationException"),
    ("search", {"Query": "evntName = x"}, "ValidationException"),
    ("search", {"Colour": "blue"}, "ValidationException"),
    ("search", {"StartTime": "soon"}, "ValidationException"),
    ("search", {"StartTime": 2, "EndTime": 1}, "InvalidTimeRangeException"),
    ("search", {"MaxResults": 1001}, "InvalidMaxResultsException"),
    ("search", {"NextToken": "nonsense"}, "InvalidNextTokenException"),
    ("search", {"Regions": "us-east-1"}, "SerializationException"),
    ("count", {"By": "requestParameters.x"}, "ValidationException"),
    ("count", {"Bucket": "soon"}, "ValidationException")], ids=lambda value: str(value)[:30])
def test_questions_that_are_none(library, operation, body, code):
    assert ask(library.server, operation, **body).error()[:2] == (400, code)


def test_bodies_that_are_none(library):
    assert ask(library.server, "search", raw=b"{").error()[:2] == (400, "SerializationException")
    large = ask(library.server, "search", raw=b'{"Query":"' + b"a" * (64 << 10) + b'"}')
    assert large.error()[:2] == (413, "RequestEntityTooLarge")
    assert ask(library.server, "serch").error()[:2] == (404, "UnknownOperationException")
    assert "at 7: expected" in ask(library.server, "search", Query="user =").error()[2]


def test_searches_are_recorded(library):
    search(library.server, Query="user = recorded-by-name", Regions=["us-east-1"])
    # The record of a search is there when the next commit is; the next search does not wait for it.
    own = 'name = SearchEvents requestParameters.query = "user = recorded-by-name"'
    event = wait_for("the search's own record", lambda: search(library.server, Query=own))[0]
    record = json.loads(event["CloudTrailEvent"])
    assert record["readOnly"] is True and record["eventSource"] == "opentrail"
    assert record["requestParameters"]["regions"] == ["us-east-1"]


def test_who_may_search(library):
    server = library.server
    nobody = server.new_user("nobody")
    reader = server.new_user("searcher", "AWSCloudTrail_ReadOnlyAccess")
    for operation in ("search", "count"):
        assert ask(server, operation, nobody).error()[1] == "AccessDeniedException"
        assert ask(server, operation, reader).status == 200
        assert ask(server, operation, reader, Accounts=[ACCOUNT]).status == 200
        for accounts in (["*"], ["999999999999"], [ACCOUNT, "999999999999"]):
            refused = ask(server, operation, reader, Accounts=accounts)
            assert refused.error()[1] == "AccessDeniedException", refused.body
    own = json.loads(ask(server, "search", reader, Regions=["*"], MaxResults=1000).body)["Events"]
    assert own and {event["AccountId"] for event in own} == {ACCOUNT}


# ---- the command -------------------------------------------------------------------------------------

def lookup(library: Library, *args: object, code: int = FOUND) -> str:
    done = library.server.opentrail("lookup", *args, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_every_output_parses(library):
    query = ("error exists", *ANYWHERE, "--all", "--until", "2026-01-01")
    expected = {id for id, record in library.management.items() if text(record, "errorCode")
                and str(record.get("eventTime", "9")) < "2026-01-02"}
    assert expected
    events = json.loads(lookup(library, *query, "--output", "json"))
    assert {event["EventId"] for event in events} == expected
    records = [json.loads(line) for line in
               lookup(library, *query, "--output", "ndjson").splitlines()]
    assert len(records) == len(expected) and all(record["errorCode"] for record in records)
    rows = list(csv.DictReader(io.StringIO(lookup(library, *query, "--output", "csv"), newline="")))
    assert {row["EventId"] for row in rows} == expected
    assert {row["ErrorCode"] for row in rows} == {record["errorCode"] for record in records}
    lines = lookup(library, *query, "--output", "text").splitlines()
    assert len(lines) == len(expected) and all(line.count("\t") == 7 for line in lines)
    table = lookup(library, *query).splitlines()
    assert table[0].split() == ["TIME", "(UTC)", "ACCOUNT", "REGION", "EVENT", "SOURCE", "USER",
                                "RESOURCES", "ERROR"]
    assert len(table) == len(expected) + 1 and "\x1b" not in "".join(table)
    chosen = list(csv.reader(io.StringIO(lookup(
        library, *query, "--output", "csv", "--fields", "id,error,userIdentity.type"), newline="")))
    assert chosen[0] == ["id", "error", "userIdentity.type"]
    assert {(row[0], row[1]) for row in chosen[1:]} == {
        (id, library.management[id]["errorCode"]) for id in expected}


def test_counts_in_every_output(library):
    query = ("--until", "2026-01-01", *ANYWHERE)
    total = int(lookup(library, *query, "--count"))
    names = collections.Counter(record["eventName"] for record in library.management.values()
                                if str(record.get("eventTime", "9")) < "2026-01-02"
                                and record.get("eventName"))
    rows = list(csv.DictReader(io.StringIO(lookup(
        library, *query, "--by", "name", "--all", "--output", "csv"), newline="")))
    assert {row["name"]: int(row["Count"]) for row in rows} == dict(names)
    whole = json.loads(lookup(library, *query, "--by", "name", "--histogram", "1d",
                              "--output", "json"))
    assert whole["Total"] == total
    assert sum(bucket["Count"] for bucket in whole["Buckets"]) == total
    by_line = [json.loads(line) for line in lookup(
        library, *query, "--histogram", "1d", "--output", "ndjson").splitlines()]
    assert sum(line["Count"] for line in by_line) == total
    assert lookup(library, *query, "--by", "name", "--histogram", "auto").startswith("name ")


def test_exit_codes(library):
    lookup(library, "name = CreateUser", "--limit", 1)
    lookup(library, "name = Nothing", code=NOTHING_FOUND)
    assert lookup(library, "name = Nothing", "--count", code=NOTHING_FOUND) == "0\n"
    done = library.server.opentrail("lookup", "user = admin and", "name =", check=False)
    assert done.returncode == REFUSED and done.stdout == ""
    assert "\n  user = admin and name =\n                         ^\n" in done.stderr
    for wrong in (("--by", "colour"), ("--histogram", "soon"), ("--fields", "usr"),
                  ("--since", "soon"), ("--limit", "many"), ("--account", "12"),
                  ("--region", "us-east-1", "--all-regions"), ("--colour",)):
        lookup(library, *wrong, code=REFUSED)
    nobody = library.server.new_user("no-command")
    refused = library.server.opentrail("lookup", check=False, environment={
        "AWS_ACCESS_KEY_ID": nobody[0], "AWS_SECRET_ACCESS_KEY": nobody[1]})
    assert refused.returncode == REFUSED and "AccessDenied" in refused.stderr


def test_flags_join_the_expression(library):
    server = library.server
    server.client("iam").create_user(UserName="joined")
    out = lookup(library, "resource = joined", "--event-name", "CreateUser", "--user-name", "admin",
                 "--attribute", "source=iam.amazonaws.com", "--last", "1h", "--output", "ndjson")
    assert json.loads(out)["requestParameters"]["userName"] == "joined"
    lookup(library, "resource = joined", "--event-name", "DeleteUser", code=NOTHING_FOUND)
    oldest = lookup(library, "--oldest-first", "--limit", 1, "--output", "ndjson")
    newest = lookup(library, "--limit", 1, "--output", "ndjson")
    assert json.loads(oldest)["eventTime"] <= json.loads(newest)["eventTime"]

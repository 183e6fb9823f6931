"""An independent count of the records in a folder of CloudTrail files.

Nothing of OpenTrail's splitter: Python's own JSON decoder finds where values end, and this module only
walks through what is wrapped around records.
"""
import collections
import dataclasses
import gzip
import hashlib
import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

RECORD_SUFFIXES = (".json", ".json.gz", ".ndjson", ".jsonl", ".cloudtrail", ".log", ".gz")
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclasses.dataclass(frozen=True)
class Found:
    """One record, where it stood."""
    file: pathlib.Path
    text: str

    @property
    def value(self) -> dict[str, Any]:
        return json.loads(self.text)

    @property
    def id(self) -> str:
        return self.value.get("eventID") or (
            "sha256:" + hashlib.sha256(self.text.encode()).hexdigest())

    @property
    def account(self) -> str:
        identity = self.value.get("userIdentity")
        inner = identity.get("accountId") if isinstance(identity, dict) else None
        return self.value.get("recipientAccountId") or inner or ""

    @property
    def region(self) -> str:
        return self.value.get("awsRegion") or ""


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()


def _elements(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each element of the list that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Name, and begin and end of the value, of each member of the object that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, end) + 1)
        end = _DECODER.raw_decode(text, at)[1]
        yield name, at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _unwrap(text: str, begin: int, end: int) -> Iterator[str]:
    """The records in one value: itself, those of its list, or the detail of an envelope."""
    if text[begin] == "[":
        for element_begin, element_end in _elements(text, begin):
            yield from _unwrap(text, element_begin, element_end)
        return
    members = {name: (value_begin, value_end)
               for name, value_begin, value_end in _members(text, begin)}
    if "Records" in members:
        yield from _unwrap(text, *members["Records"])
    elif "detail-type" in members and "detail" in members:
        value_begin, value_end = members["detail"]
        yield text[value_begin:value_end]
    elif "digestS3Object" not in members:
        yield text[begin:end]


def records_of(path: pathlib.Path) -> Iterator[Found]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    at = _skip(text, 0)
    while at < len(text):
        end = _DECODER.raw_decode(text, at)[1]
        for record in _unwrap(text, at, end):
            yield Found(path, record)
        at = _skip(text, end)


def files_of(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """In byte order of their names, folder by folder: the first of two equal ids is the one kept."""
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name.encode()):
        if path.is_dir():
            yield from files_of(path)
        elif path.name.lower().endswith(RECORD_SUFFIXES):
            yield path


@dataclasses.dataclass
class Count:
    """What an import of a folder must come to."""
    kept: dict[str, Found] = dataclasses.field(default_factory=collections.OrderedDict)
    records: int = 0
    duplicate: int = 0
    conflicting: int = 0

    @property
    def new(self) -> int:
        return len(self.kept)


def count(folder: pathlib.Path) -> Count:
    counted = Count()
    for path in files_of(folder):
        for found in records_of(path):
            counted.records += 1
            first = counted.kept.setdefault(found.id, found)
            if first is not found:
                same = first.text == found.text
                counted.duplicate += same
                counted.conflicting += not same
    return counted

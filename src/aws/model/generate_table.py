#!/usr/bin/env python3
"""Makes the table of AWS's services and operations from the models that botocore carries.

usage: generate_table.py OUTPUT

The table is one file of 32-bit little-endian words and a heap of strings, read in place by
service_table.cc, which says what each word means. What the models do not say - which calls only
read, how CloudTrail spells a name - comes from quirks.py beside this file.
"""

import struct
import sys

import botocore.session

import quirks

MAGIC = 0x4D53544F  # "OTSM"
VERSION = 1

PROTOCOLS = {
    "json": 1,
    "query": 2,
    "ec2": 4,
    "rest-json": 8,
    "rest-xml": 16,
    "smithy-rpc-v2-cbor": 32,
}
KINDS = {
    "string": 0,
    "character": 0,
    "boolean": 1,
    "integer": 2,
    "long": 2,
    "double": 3,
    "float": 3,
    "timestamp": 4,
    "blob": 5,
    "structure": 6,
    "list": 7,
    "map": 8,
}
SENSITIVE, FLATTENED, STREAMING, DOCUMENT, ATTRIBUTE = 1, 2, 4, 8, 16
LOCATIONS = {None: 0, "uri": 1, "querystring": 2, "header": 3, "headers": 4, "statusCode": 5}
READ_ONLY, DATA_EVENT = 1, 2  # of operations
RAW_NAMES = 1  # of services


class Strings:
    """A heap in which each text stands once: its length in two bytes, then its bytes."""

    def __init__(self):
        self.heap = bytearray()
        self.places = {}

    def place(self, text):
        if text not in self.places:
            data = text.encode()
            self.places[text] = len(self.heap)
            self.heap += struct.pack("<H", len(data)) + data
        return self.places[text]


class Shapes:
    """Words of all shapes. Equal shapes share their words, whichever services they are of; those
    that contain themselves do not."""

    def __init__(self, strings):
        self.strings = strings
        self.words = [0]  # place 0 says "no shape"
        self.known = {}

    def add(self, words):
        key = tuple(words)
        if key not in self.known:
            self.known[key] = len(self.words)
            self.words.extend(words)
        return self.known[key]


class ServiceShapes:
    """The shapes of one service."""

    def __init__(self, service, model, shapes):
        self.service = service
        self.model = model["shapes"]
        self.shapes = shapes
        self.places = {}
        self.cyclic = self.find_cyclic()

    def children(self, shape):
        if shape["type"] == "structure":
            return [member["shape"] for member in shape["members"].values()]
        if shape["type"] == "list":
            return [shape["member"]["shape"]]
        if shape["type"] == "map":
            return [shape["key"]["shape"], shape["value"]["shape"]]
        return []

    def find_cyclic(self):
        """Names of the shapes that contain themselves (Tarjan's components)."""
        index, low, stack, on_stack, found = {}, {}, [], set(), set()

        def visit(name):
            index[name] = low[name] = len(index)
            stack.append(name)
            on_stack.add(name)
            children = self.children(self.model[name])
            for child in children:
                if child not in index:
                    visit(child)
                    low[name] = min(low[name], low[child])
                elif child in on_stack:
                    low[name] = min(low[name], index[child])
            if low[name] == index[name]:
                component = []
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    component.append(member)
                    if member == name:
                        break
                if len(component) > 1 or name in children:
                    found.update(component)

        for name in self.model:
            if name not in index:
                visit(name)
        return found

    def place(self, name, sensitive=False):
        """Where the shape stands; `sensitive` marks it beyond what its own model says."""
        key = (name, sensitive)
        if key in self.places:
            return self.places[key]
        shape = self.model[name]
        if name not in self.cyclic:
            self.places[key] = self.shapes.add(self.words_of(shape, sensitive))
            return self.places[key]
        # Its place must be known before its content is.
        place = len(self.shapes.words)
        self.places[key] = place
        self.shapes.words.extend([0] * self.size_of(shape))
        words = self.words_of(shape, sensitive)
        self.shapes.words[place : place + len(words)] = words
        return place

    @staticmethod
    def size_of(shape):
        if shape["type"] == "structure":
            return 2 + 4 * len(shape["members"])
        return {"list": 3, "map": 5}.get(shape["type"], 1)

    def words_of(self, shape, sensitive):
        kind = shape["type"]
        flags = SENSITIVE if sensitive or shape.get("sensitive") else 0
        flags |= FLATTENED if shape.get("flattened") else 0
        flags |= STREAMING if shape.get("streaming") or shape.get("eventstream") else 0
        flags |= DOCUMENT if shape.get("document") else 0
        count = len(shape.get("members", ()))
        first = KINDS[kind] | flags << 8 | count << 16
        text = self.shapes.strings.place
        if kind == "structure":
            names = list(shape["members"])
            payload = names.index(shape["payload"]) + 1 if "payload" in shape else 0
            words = [first, payload]
            for name, member in shape["members"].items():
                words += self.member_words(name, member)
            return words
        if kind == "list":
            item = shape["member"]
            return [first, self.place(item["shape"]), text(item.get("locationName", "member"))]
        if kind == "map":
            key, value = shape["key"], shape["value"]
            return [
                first,
                self.place(key["shape"]),
                self.place(value["shape"]),
                text(key.get("locationName", "key")),
                text(value.get("locationName", "value")),
            ]
        return [first]

    def member_words(self, name, member):
        text = self.shapes.strings.place
        flags = FLATTENED if member.get("flattened") else 0
        flags |= STREAMING if member.get("streaming") else 0
        flags |= ATTRIBUTE if member.get("xmlAttribute") else 0
        sensitive = quirks.is_sensitive(self.service, name)
        return [
            text(name),
            text(member.get("queryName") or member.get("locationName") or name),
            self.place(member["shape"], sensitive),
            LOCATIONS[member.get("location")] | flags << 8,
        ]


def protocols_of(metadata):
    names = metadata.get("protocols") or [metadata["protocol"]]
    return sum(PROTOCOLS[name] for name in {*names, metadata["protocol"]})


def operation_words(service, operation, shapes, text):
    name = operation["name"]
    http = operation["http"]
    source = quirks.event_source(service.id, service.metadata)
    read_only = quirks.is_read_only(source, name)
    data_type = quirks.data_resource_type(source, name)
    flags = (READ_ONLY if read_only else 0) | (DATA_EVENT if data_type else 0)
    members = operation.get("input", {}), operation.get("output", {})
    input_place = shapes.place(members[0]["shape"]) if members[0] else 0
    wants_output = members[1] and quirks.has_response_elements(source, name, read_only)
    output_place = shapes.place(members[1]["shape"]) if wants_output else 0
    return [
        text(name),
        text(quirks.event_name(service.id, name, http["requestUri"])),
        text(http["method"]),
        text(http["requestUri"]),
        input_place,
        output_place,
        text(members[1].get("resultWrapper", "") if members[1] else ""),
        text(data_type or ""),
        flags,
    ]


class Service:
    def __init__(self, service_id, model):
        self.id = service_id
        self.model = model
        self.metadata = model["metadata"]


def build():
    loader = botocore.session.get_session().get_component("data_loader")
    strings = Strings()
    strings.place("")
    shapes = Shapes(strings)
    services, operations = [], []
    for service_id in sorted(loader.list_available_services("service-2")):
        service = Service(service_id, loader.load_service_model(service_id, "service-2"))
        metadata = service.metadata
        of_service = ServiceShapes(service_id, service.model, shapes)
        first = len(operations)
        for name in sorted(service.model["operations"]):
            operation = service.model["operations"][name]
            operations.append(operation_words(service, operation, of_service, strings.place))
        services.append(
            [
                strings.place(service_id),
                strings.place(quirks.signing_name(metadata)),
                strings.place(metadata["endpointPrefix"]),
                strings.place(quirks.event_source(service_id, metadata)),
                strings.place(metadata.get("targetPrefix", "")),
                strings.place(metadata["apiVersion"]),
                protocols_of(metadata),
                first,
                len(operations) - first,
                RAW_NAMES if service_id in quirks.RAW_NAMES else 0,
            ]
        )
    return services, operations, shapes.words, strings.heap


def write(path):
    services, operations, words, heap = build()
    flat = [word for row in services + operations for word in row]
    header = [MAGIC, VERSION, len(services), len(operations), len(words), len(heap)]
    with open(path, "wb") as out:
        out.write(struct.pack(f"<{len(header)}I", *header))
        out.write(struct.pack(f"<{len(flat)}I", *flat))
        out.write(struct.pack(f"<{len(words)}I", *words))
        out.write(heap)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.setrecursionlimit(10000)
    write(sys.argv[1])

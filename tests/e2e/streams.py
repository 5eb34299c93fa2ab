"""What a session's forms with numbers say, read by hand: events and lines."""

import json
import re

EVENTS, LINES, NDJSON = "text/event-stream", "application/x-tailrace-lines", "application/x-ndjson"

SKIPPED = re.compile(rb"Error L11 \(Tail buffer overflow\): (\d+) records skipped since \S+\.$")


class Item:
    """`position`: of a record or a heartbeat. `text`: of a record or a notice. `object`: in JSON."""

    def __init__(self, position=None, text=None, fields=None):
        self.position, self.text, self.object = position, text, fields

    def is_record(self):
        return self.position is not None and self.text is not None


def events(stream):
    items = []
    for block in stream.split(b"\n\n")[:-1]:
        position = fields = None
        for line in block.split(b"\n"):
            name, _, value = line.partition(b": ")
            if name == b"id":
                position = int(value)
            elif name == b"data":
                fields = json.loads(value)
            else:
                raise AssertionError(f"{line!r} in an event stream")
        items.append(Item(position, fields["message"].encode() if fields else None, fields))
    return items


def lines(stream):
    items, at = [], 0
    while (end := stream.find(b"\n", at)) >= 0:
        position, size = stream[at:end].split(b" ")
        text = stream[end + 1:end + 1 + int(size)]
        if len(text) < int(size):
            break
        at = end + 1 + int(size)
        if text and not text.endswith(b"\n"):
            raise AssertionError(f"{text!r} is no whole line")
        items.append(Item(None if position == b"-" else int(position), text[:-1] if text else None))
    return items


def ndjson(stream):
    return [Item(one.get("seq"), one["message"].encode(), one)
            for one in map(json.loads, stream.split(b"\n")[:-1])]


PARSERS = {EVENTS: events, LINES: lines, NDJSON: ndjson}


def message(item):
    """MSG, in either form."""
    return item.text if item.object is not None else item.text.split(b"]: ", 1)[1]


def records(items):
    return [item for item in items if item.is_record()]


def skipped(items):
    return sum(int(found[1]) for item in items if item.text and not item.is_record()
               if (found := SKIPPED.search(item.text)))


def last_position(items):
    return max(item.position for item in items if item.position is not None)

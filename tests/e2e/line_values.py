"""What lines say, read the slow and obvious way: docs/metrics.md once more, from its text, to compare the program with."""

import datetime
import math
import re

SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}
BYTES = {"B": 1, "byte": 1, "bytes": 1, **{prefix + end: 1024 ** power for prefixes, power in (("kK", 1), ("M", 2), ("G", 3), ("T", 4))
                                          for prefix in prefixes for end in ("B", "iB")}}
NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?) ?([^\d\s.,][^\d\s.,]*)?")
TIMINGS = ("service", "connect", "wait")


def pairs(message):
    """(name, value) of each token that begins `name=`; nothing behind a quote that never closes."""
    at, found = 0, []
    while at < len(message):
        if message[at] <= " ":
            at += 1
            continue
        head = re.compile(r'([^\x00-\x20="]*)(=?)').match(message, at)
        name, value_at = head[1], head.end()
        if head[2] and name and message[value_at:value_at + 1] == '"':
            closed = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S).match(message, value_at)
            if not closed:
                break
            found.append((name, closed[1]))
            at = closed.end()
            while at < len(message) and message[at] > " ":
                at += 1
            continue
        end = at
        while end < len(message) and message[end] > " ":
            end += 1
        if head[2] and name:
            found.append((name, message[value_at:end]))
        at = end
    return found


def quantity(text):
    """Value and unit, in seconds or bytes if it is such; None if it is none."""
    match = NUMBER.fullmatch(text)
    if not match or not math.isfinite(float(match[1])):
        return None
    unit = match[2] or ""
    if unit in SECONDS:
        return float(match[1]) * SECONDS[unit], "seconds"
    if unit in BYTES:
        return float(match[1]) * BYTES[unit], "bytes"
    return float(match[1]), unit


def router_line(message):
    """status, code, service, connect, wait, queue, bytes: those that are there."""
    first = {}
    for name, value in pairs(message):
        first.setdefault(name, value)
    found = {}
    for name in TIMINGS:
        if (got := quantity(first.get(name, ""))) and got[0] >= 0 and got[1] in ("seconds", ""):
            found[name] = got[0] if got[1] else got[0] / 1000
    for name in ("queue", "bytes"):
        if (got := quantity(first.get(name, ""))) and got[0] >= 0 and got[1] in ("", "bytes"):
            found[name] = got[0]
    if re.fullmatch(r"[1-5]\d\d", first.get("status", "")):
        found["status"] = first["status"]
    code = re.fullmatch(r"[HRL]\d\d", first.get("code", "")) or re.match(r"Error ([HRL]\d\d)\b", message)
    if code:
        found["code"] = code[code.lastindex or 0]
    return found


def sample_line(message):
    """The source, and (kind, name, value, unit) of each of l2met's pairs; a negative count# is none."""
    source, found = "", []
    for name, text in pairs(message):
        if name == "source" and not source:
            source = text
        match = re.fullmatch(r"(measure|count|sample)#(.+)|measure\.(.+)", name)
        got = quantity(text) if match else None
        if got and not (match[1] == "count" and got[0] < 0):
            found.append((match[1] or "measure", match[2] or match[3], *got))
    return source, found


def line_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def families_of(channel, records):
    """What /metrics must show of (app, procid, time, message) in their order: value by name and labels, but for buckets and
    for what moves with time."""
    found, latest = {}, {}
    base = ("channel", channel)

    def add(family, value, /, **labels):
        key = (family, *sorted([base, *labels.items()]))
        found[key] = found.get(key, 0) + value

    def last(family, value, time, /, **labels):
        key = (family, *sorted([base, *labels.items()]))
        if key not in latest or time >= latest[key]:
            latest[key] = time
            found[key] = value
    for app, procid, time, message in records:
        add("tailrace_channel_records_total", 1)
        if app == "heroku" and procid == "router":
            line = router_line(message)
            add("tailrace_router_requests_total", 1, status=line.get("status", "none"))
            if "code" in line:
                kind = "router" if line["code"][0] == "H" else "platform"
                add(f"tailrace_{kind}_errors_total", 1, code=line["code"])
            for timing in TIMINGS:
                if timing in line:
                    for family in (f"tailrace_router_{timing}_seconds", f"tailrace_router_{timing}_quantile_seconds"):
                        add(family + "_sum", line[timing])
                        add(family + "_count", 1)
            if "queue" in line:
                add("tailrace_router_queue_depth_sum", line["queue"])
                add("tailrace_router_queue_depth_count", 1)
            if "bytes" in line:
                add("tailrace_router_response_bytes_total", line["bytes"])
            continue
        source, values = sample_line(message)
        for kind, name, value, unit in values:
            memory = re.fullmatch("memory_(total|rss|cache|swap|quota)", name)
            load = re.fullmatch("load_avg_(1m|5m|15m)", name)
            labels = {"name": name, "source": source, "unit": unit}
            if app == "heroku" and kind == "sample" and memory and unit == "bytes":
                last("tailrace_dyno_memory_bytes", value, line_time(time), dyno=procid, kind=memory[1])
            elif app == "heroku" and kind == "sample" and load:
                last("tailrace_dyno_load", value, line_time(time), dyno=procid, window=load[1])
            elif kind == "sample":
                last("tailrace_sample", value, line_time(time), **labels)
            elif kind == "count":
                add("tailrace_count_total", value, **labels)
            else:
                add("tailrace_measure_sum", value, **labels)
                add("tailrace_measure_count", 1, **labels)
        if app == "heroku" and (code := re.match(r"Error ([HRL]\d\d)\b", message)):
            add("tailrace_platform_errors_total", 1, code=code[1])
    return found

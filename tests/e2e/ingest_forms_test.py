"""POST /logs in each of its content types: what becomes one record, under which name, and in which pieces."""

import datetime
import gzip
import json
import unittest

from harness import AUTH, HttpFarEnd, RawHttp, TIME, counted, record
from ingest_case import IngestCase, RFC3339, UNKNOWN, chunked

LINES, NDJSON = "text/plain", "application/x-ndjson"


def objects(*values):
    """ndjson: bytes stand as they are."""
    return b"".join((v if isinstance(v, bytes) else json.dumps(v).encode()) + b"\n" for v in values)


def pieces_of(message, size=10_000):
    """The slow way to split: back from the limit to where a UTF-8 sequence begins."""
    pieces = []
    while len(message) > size:
        end = size
        while end > size - 3 and message[end] & 0xC0 == 0x80:
            end -= 1
        end = size if message[end] & 0xC0 == 0x80 else end
        pieces.append(message[:end])
        message = message[end:]
    return pieces + [message]


class IngestForms(IngestCase):
    def shown_now(self, line, message, app=b"app", procid=b"-"):
        """A record with the time of its arrival."""
        self.assertRegex(line, b"^" + RFC3339 + b" " + app + rb"\[" + procid + rb"\]: ")
        self.assertEqual(line.split(b"]: ", 1)[1], message)
        time = datetime.datetime.fromisoformat(line.split(b" ")[0].decode())
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs(now - time), datetime.timedelta(minutes=10))

    def drained(self, count):
        """A drain from now on; gives the frames once they are there."""
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)

        def frames():
            far_end.wait_for(count)
            return far_end.frames()
        return frames

    # ---- logplex-1

    def test_types_with_parameters_and_in_any_case(self):
        frame, line, obj = counted(record(self.app, "f")), b"l\n", objects({"message": "o"})
        for body, kinds in ((frame, ("application/logplex-1", "application/x-logplex-1")), (line, (LINES,)), (obj, (NDJSON,))):
            for kind in kinds:
                for form in (kind, kind.upper(), kind + ";charset=utf-8", kind.title() + " ; charset=UTF-8; x=\"a;b\""):
                    with self.subTest(type=form):
                        self.accepts(body, 1, kind=form)
        for kind in ("text/html", "text/plainer", "text", "application/ndjson", "application/json", "text/plain, text/plain",
                     "application/x-ndjson-seq", "application/octet-stream", "multipart/form-data", "*/*"):
            with self.subTest(type=kind):
                self.assertEqual(self.post(line, 1, kind=kind).status, 415)

    def test_example_of_logplex_readme(self):
        # "Bytes after the last whole frame are one rejected record": its frame says 116 and has 118 bytes.
        frame = b"<134>1 2012-12-10T03:00:48.123456Z erlang " + self.app.encode() + b" console.1 - - Logsplat test message 1"
        self.assertEqual(len(frame), 118)
        self.rejects(b"116 " + frame, 200, accepted=1, malformed=1)
        self.assertEqual(self.lines(), [b"2012-12-10T03:00:48.123456Z app[console.1]: Logsplat test message"])

    def test_headers_that_senders_add_or_leave_out(self):
        body = counted(record(self.app, "x", sd=None))
        for headers in ({"Logplex-Drain-Token": "d.1", "Logplex-Msg-Count": "1"}, {"Logplex-Msg-Count": "("},
                        {"Logplex-Msg-Count": "7"}, {"User-Agent": "excon/0.71.0", "Connection": "close"}, {}):
            with self.subTest(headers=headers):
                self.accepts(body, 1, headers=headers)

    def test_count_of_the_header_is_counted_where_it_disagrees(self):
        name = "tailrace_ingest_count_mismatches_total"
        before = self.router.metric(name)
        for body, records in ((counted(record(self.app, "a"), record(self.app, "b")), 2), (b"a\n\nb\n", 2),
                              (objects({"message": "a"}, {"message": "b"}), 2)):
            kind = "application/logplex-1" if body[:1].isdigit() else NDJSON if body[:1] == b"{" else LINES
            self.accepts(body, records, kind=kind, headers={"Logplex-Msg-Count": "2"})
            self.assertEqual(self.router.metric(name), before)
            self.accepts(body, records, kind=kind, headers={"Logplex-Msg-Count": "3"})
            before += 1
            self.assertEqual(self.router.metric(name), before)

    def test_bytes_are_counted_as_sent_without_framing(self):
        sizes = lambda: {p: self.router.metric("tailrace_ingest_bytes_total", protocol=p) for p in ("http", "tcp")}  # noqa: E731
        before = sizes()
        frames = [record(self.app, "one"), record(self.heroku, "two\n", sd=None), b"raw \0\xff", record(self.app, "x" * 25_000)]
        lines = [record(self.app, "three"), b"raw too"]
        size = sum(map(len, frames)) + sum(map(len, lines))
        self.rejects(counted(*frames) + b"garbage", 200, accepted=4, malformed=1)
        self.accepts(b"\r\n\n".join(lines), 2, kind=LINES)
        self.assertEqual(sizes()["http"] - before["http"], size)
        packed = gzip.compress(counted(*frames))
        self.accepts(packed, 4, headers={"Content-Encoding": "gzip"})
        self.assertEqual(sizes()["http"] - before["http"], size + sum(map(len, frames)))
        self.send(counted(frames[0], frames[1]) + lines[0] + b"\r\n" + counted(record(UNKNOWN, "no")), accepted=3,
                  unknown_token=1)
        self.balance()
        self.assertEqual(sizes()["tcp"] - before["tcp"], sum(map(len, (frames[0], frames[1], lines[0]))))

    def test_frames_of_addons_without_newline(self):
        # The next frame begins on the same text line.
        frames = [record("app", "source=DATABASE sample#tables=13", "heroku-postgres", 134, sd=None),
                  record("app", "source=REDIS sample#hit-rate=1", "heroku-redis", 134, sd=None),
                  record("heroku", "State changed from starting to up\n", "web.1", 45, sd=None),
                  record("heroku", "Error L10 (output buffer overflow): 1 messages dropped since " + TIME, "logplex", 172,
                         sd=None)]
        self.accepts(counted(*frames), 4)
        self.assertEqual([line.split(b"]")[0].split(b" ")[1] for line in self.lines()],
                         [b"app[heroku-postgres", b"app[heroku-redis", b"heroku[web.1", b"heroku[logplex"])

    def test_empty_message_with_and_without_its_blank(self):
        frames = [record(self.app, ""), record(self.app, "")[:-1], record(self.app, "", sd=None)[:-1], record(self.app, "\n")]
        self.accepts(counted(*frames), 4)
        self.assertEqual(self.lines(), [TIME.encode() + b" app[web.1]: "] * 4)

    def test_every_byte_passes_unchanged(self):
        messages = [b"nul \0 inside \0", b"\xff\xfe \xc3\x28 \xe2\x82", bytes(range(256)), b"one\ntwo\r\nthree\n",
                    "schön 漢字 \U0001f600".encode(), b"tab\t two  blanks  ", b"\x1b[2J", b"<13>1 in <13>1", b"\r"]
        frames = self.drained(len(messages))
        self.accepts(counted(*[record(self.app, m) for m in messages]), len(messages))
        self.assertEqual([frame.split(b" ", 6)[6] for frame in frames()], messages)
        shown = self.router.history(self.channel)
        self.assertEqual(shown, b"".join(
            TIME.encode() + b" app[web.1]: " + m + (b"" if m.endswith(b"\n") else b"\n") for m in messages))

    # ---- text/plain

    def test_one_record_per_line(self):
        body = b"first\nsecond\r\n\n\r\n  third \n\xff\0 fourth\rgoes on\n{\"message\":\"x\"}\n11 hello world\nlast"
        self.accepts(body, 7, kind=LINES)
        wanted = [b"first", b"second", b"  third ", b"\xff\0 fourth\rgoes on", b'{"message":"x"}', b"11 hello world", b"last"]
        lines = self.lines()
        self.assertEqual(len(lines), len(wanted))
        for line, message in zip(lines, wanted):
            self.shown_now(line, message)

    def test_empty_lines_are_no_records(self):
        for body in (b"\n", b"\r\n\n\r\n", b""):
            with self.subTest(body=body):
                self.accepts(body, 0, kind=LINES)
                self.accepts(body, 0, kind=NDJSON)
        self.assertEqual(self.lines(), [])

    def test_lines_that_are_syslog(self):
        self.accepts(b"\n".join([record("nginx", "a", "77"), record(self.heroku, "b", "router", sd=None),
                                 record(self.app, "c") + b"\r",
                                 b"<34>Oct 11 22:14:15 mymachine su[12]: d", b"<192>1 - - - - - - e"]), 5, kind=LINES)
        lines = self.lines()
        time = TIME.encode()
        self.assertEqual(lines[:3], [time + b" nginx[77]: a", time + b" heroku[router]: b", time + b" app[web.1]: c"])
        self.assertRegex(lines[3], rb"^\d{4}-10-11T22:14:15\S* su\[12\]: d$")
        self.shown_now(lines[4], b"<192>1 - - - - - - e")

    def test_lines_of_a_credential_go_where_their_app_name_says(self):
        second, tokens = self.router.channel("blog", ["web"])
        body = b"\n".join([record(self.app, "to shop"), record(tokens["web"], "to blog"), b"to nobody",
                           record(UNKNOWN, "to nobody"),
                           b"<13>Oct 11 22:14:15 host " + tokens["web"].encode() + b": to blog too"])
        self.rejects(body, 200, accepted=3, unknown_token=2, options={"kind": LINES, "auth": AUTH})
        self.assertEqual(self.messages(), [b"to shop"])
        self.assertEqual(self.messages(second), [b"to blog", b"to blog too"])
        self.assertRegex(self.lines(second)[1], rb" web\[-\]: ")
        self.rejects(b"one\ntwo", 400, unknown_token=2, options={"kind": LINES, "auth": AUTH})

    # ---- ndjson

    def test_ndjson_fields(self):
        frames = self.drained(3)
        self.accepts(objects({"message": "all of it", "time": "2026-01-02T03:04:05.6+01:00", "procid": "worker.2",
                              "severity": "warning", "host": "db1", "msgid": "ID47"},
                             {"message": "only that"}, {"message": "", "procid": 77, "severity": 3}), 3, kind=NDJSON)
        lines = self.lines()
        self.assertEqual(lines[0], b"2026-01-02T03:04:05.6+01:00 app[worker.2]: all of it")
        self.shown_now(lines[1], b"only that")
        self.shown_now(lines[2], b"", procid=b"77")
        severities = [int(frame[1:frame.index(b">")]) % 8 for frame in frames()]
        self.assertEqual((severities[0], severities[2]), (4, 3))

    def test_severity_by_name_and_number(self):
        names = [("emerg", 0), ("emergency", 0), ("alert", 1), ("crit", 2), ("critical", 2), ("err", 3), ("error", 3),
                 ("warning", 4), ("warn", 4), ("notice", 5), ("info", 6), ("informational", 6), ("debug", 7), ("ERROR", 3),
                 (0, 0), (7, 7), ("5", 5)]
        frames = self.drained(len(names))
        self.accepts(objects(*[{"message": str(name), "severity": name} for name, _ in names]), len(names), kind=NDJSON)
        self.assertEqual([int(frame[1:frame.index(b">")]) % 8 for frame in frames()], [value for _, value in names])

    def test_ndjson_strings(self):
        cases = [(rb'{"message":"a\nb"}', b"a\nb"), (rb'{"message":"\u0000"}', b"\0"), 
                 (rb'{"message":"\"\\\/\b\f\r\t"}', b'"\\/\b\f\r\t'),
                 (rb'{"message":"\u6f22\ud83d\ude00"}', "漢\U0001f600".encode()), (rb'{"message":"\ud800x"}', "\ufffdx".encode()),
                 (b'{"message":"\xff raw \xc3\x28"}', b"\xff raw \xc3\x28"), ('{"message":"漢"}'.encode(), "漢".encode()),
                 (b' \t{ "x" : [1, {"message":"no"}, null, -1.5e3] , "message" : "yes" } \r', b"yes"),
                 (b'{"message":"first","message":"last"}', b"last"), (rb'{"\u006dessage":"escaped key"}', b"escaped key"),
                 (b'{"message":"0","time":"yesterday","procid":[],"severity":"loud","host":{},"msgid":null}', b"0")]
        frames = self.drained(len(cases))
        self.accepts(objects(*[line for line, _ in cases]), len(cases), kind=NDJSON)
        self.assertEqual([frame.split(b" ", 6)[6] for frame in frames()], [message for _, message in cases])

    def test_ndjson_fields_cannot_forge_others(self):
        # They become fields of a header: no blank, no control character, nothing empty.
        self.accepts(objects({"message": "m", "time": TIME, "procid": "web 1] x", "msgid": "a\nb", "host": "h\0"},
                             {"message": "m", "time": TIME, "procid": "", "host": "", "msgid": ""},
                             {"message": "m", "time": "2026-01-02 03:04:05Z x", "procid": "a\u007fb\u0085"}), 3, kind=NDJSON)
        lines = self.lines()
        self.assertEqual(lines[:2], [TIME.encode() + b" app[web_1]_x]: m", TIME.encode() + b" app[-]: m"])
        self.assertRegex(lines[2], b"^" + RFC3339 + rb" app\[a_b\S*\]: m$")

    def test_fields_beyond_a_header_are_too_long(self):
        # A message may be as long as it likes; what goes into a header may not.
        wide = [{key: "w" * 20_000} for key in ("procid", "msgid", "host")] + [{"procid": "w" * 9_000, "host": "h" * 9_000}]
        body = objects(*[{"message": "m", "time": TIME, **fields} for fields in wide],
                       {"message": "m", "x": "y" * 100_000, "time": TIME})
        self.rejects(body, 200, accepted=1, too_long=len(wide), options={"kind": NDJSON})
        self.assertEqual(self.lines(), [TIME.encode() + b" app[-]: m"])

    def test_bad_lines_of_ndjson_are_rejected_one_by_one(self):
        good = b'{"message":"good"}'
        bad = [b"{}", b"null", b"[]", b'"message"', b"7", b"x", b"{", b'{"message"}', b'{"message":}', b'{"message":7}',
               b'{"message":null}',
               b'{"message":["a"]}', b'{"Message":"case"}', b'{"message":"a"', b'{"message":"a}', b'{"message":"a"}}',
               b'{"message":"a"},',
               b'{"message":"a",}', b'{"message":"a"} {"message":"b"}', b"{'message':'a'}", b'{"message":"\traw tab"}',
               b'{"message":"\0"}',
               rb'{"message":"\x41"}', rb'{"message":"\u12"}', rb'{"message":"\"}', b'{"message":"a","x":01}',
               b'{"message":"a","x":+1}',
               b'{"message":"a","x":.5}', b'{"message":"a","x":NaN}', b'{"message":"a","x":tru}', b"\xef\xbb\xbf" + good,
               b'{"message":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"x":' * 100_000, b"\0", b"\xff"]
        body = good + b"\n" + b"".join(line + b"\n" + good + b"\n" for line in bad)
        self.rejects(body, 200, accepted=len(bad) + 1, malformed=len(bad), options={"kind": NDJSON})
        self.assertEqual(self.messages(), [b"good"] * (len(bad) + 1))
        for line in bad:  # and each alone
            with self.subTest(line=line[:40]):
                self.rejects(line, 400, malformed=1, options={"kind": NDJSON})

    def test_every_prefix_of_a_line_of_ndjson(self):
        line = rb'{"message":"a \u6f22 \ud83d\ude00","time":"2026-01-02T03:04:05Z","x":[1.5e3,true,{"y":null}],"severity":4}'
        prefixes = [line[:at] for at in range(1, len(line))]
        self.rejects(b"\n".join(prefixes), 400, malformed=len(prefixes), options={"kind": NDJSON})

    def test_app_of_ndjson_routes_a_credential_and_nobody_else(self):
        second, tokens = self.router.channel("blog", ["web"])
        body = objects({"message": "to shop", "app": self.app}, {"message": "to blog", "app": tokens["web"]},
                       {"message": "to nobody", "app": UNKNOWN}, {"message": "to nobody", "app": "app"}, {"message": "to nobody"})
        self.rejects(body, 200, accepted=2, unknown_token=3, options={"kind": NDJSON, "auth": AUTH})
        self.assertEqual(self.messages(), [b"to shop"])
        self.shown_now(self.lines(second)[0], b"to blog", app=b"web")
        self.accepts(objects({"message": "mine", "app": "router"}, {"message": "mine", "app": tokens["web"]}), 2, kind=NDJSON)
        self.assertEqual([line.split(b" ")[1] for line in self.lines()], [b"app[-]:"] * 3)
        self.assertEqual(len(self.lines(second)), 1)

    # ---- names

    def test_names_that_readers_see(self):
        # "APP-NAME stays as sent, a token id in it becomes the token's name."
        other = self.router.channel("blog", ["web"])[1]["web"]
        frames = [record(app, "x") for app in ("heroku", "anything", self.heroku, self.app, other, UNKNOWN, "-")]
        self.accepts(counted(*frames), len(frames))
        self.accepts(b"\n".join(frames), len(frames), kind=LINES)
        names = [line.split(b" ")[1].split(b"[")[0] for line in self.lines()]
        self.assertEqual(names, [b"heroku", b"anything", b"heroku", b"app", b"app", b"app", b"-"] * 2)

    def test_strict_token_always_shows_its_own_name(self):
        strict = self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "web", "strict": True})["token"]
        frames = [record(app, "x") for app in ("heroku", strict, self.heroku, "-")]
        self.accepts(counted(*frames), 4, auth=strict)
        self.accepts(b"\n".join(frames) + b"\nraw", 5, kind=LINES, auth=strict)
        self.accepts(objects({"message": "x", "app": "heroku"}), 1, kind=NDJSON, auth=strict)
        self.accepts(counted(record(strict, "x")), 1, auth=AUTH)
        self.send(counted(record(strict, "x")), accepted=1)
        self.balance()
        self.assertEqual([line.split(b" ")[1].split(b"[")[0] for line in self.lines()], [b"web"] * 12)
        for wrong in ("yes", 1, [], {}):
            answer = self.router.api("POST", f"/v2/channels/{self.channel}/tokens", {"name": "x", "strict": wrong})
            self.assertEqual(answer.status, 422, answer)

    def test_tokens_in_structured_data_route_and_are_never_shown(self):
        second, tokens = self.router.channel("blog", ["web"])
        web = tokens["web"]
        kept = '[a@1 b="c"]'
        forms = [f'[tailrace@32473 token="{web}"]', f"[{web}@32473]", f'{kept}[tailrace@32473 token="{web}"]',
                 f'[{web}@32473 x="y"]{kept}', f'[tailrace@32473 x="1" token="{web}" y="2"]',
                 f'[tailrace@32473 token="{web}"][{web}@1]']
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(second, far_end.url)
        frames = [record("nginx", f"{i}", sd=sd) for i, sd in enumerate(forms)]
        self.accepts(counted(*frames), len(forms), auth=AUTH)
        self.accepts(b"\n".join(frames), len(forms), auth=AUTH, kind=LINES)
        self.send(counted(*frames) + b"".join(frame + b"\n" for frame in frames), accepted=2 * len(forms))
        self.balance()
        shown = self.router.history(second)
        self.assertEqual(shown.count(b"\n"), 4 * len(forms))
        self.assertNotIn(web.encode(), shown)
        self.assertEqual({line.split(b" ")[1] for line in shown.splitlines()}, {b"nginx[web.1]:"})
        far_end.wait_for(4 * len(forms))
        self.assertNotIn(web.encode(), b"".join(request.body for request in far_end.requests))
        unknown = [record("nginx", "x", sd=sd) for sd in (f'[tailrace@32473 token="{UNKNOWN}"]', f"[{UNKNOWN}@1]", kept,
                                                          '[tailrace@32473 token=""]', f'[other@1 token="{web}"]')]
        self.rejects(counted(*unknown), 400, unknown_token=5, options={"auth": AUTH})

    # ---- pieces

    def test_long_messages_are_split_on_utf8_boundaries_and_count_once(self):
        messages = [b"a" * 10_000, b"b" * 10_001, ("漢" * 7000).encode(), ("\U0001f600" * 5001).encode(), b"\x80" * 10_050,
                    b"x" + ("é" * 10_000).encode(), b"a" * 9_999 + "漢".encode(), b"a" * 9_997 + "\U0001f600".encode() + b"z"]
        wanted = [piece for message in messages for piece in pieces_of(message)]
        self.assertEqual(b"".join(wanted), b"".join(messages))
        frames = self.drained(3 * len(wanted))
        self.accepts(counted(*[record(self.app, m) for m in messages]), len(messages))
        self.accepts(b"\n".join(messages), len(messages), kind=LINES)
        self.accepts(b"\n".join(b'{"message":"%s"}' % m for m in messages), len(messages), kind=NDJSON)
        self.assertEqual([frame.split(b" ", 6)[6] for frame in frames()], wanted * 3)
        self.assertEqual(len(self.lines()), 3 * len(wanted))

    def test_a_newline_at_the_end_of_a_message_costs_no_piece(self):
        frames = self.drained(1)
        self.accepts(counted(record(self.app, b"a" * 10_000 + b"\n")), 1)
        self.assertEqual([frame.split(b" ", 6)[6] for frame in frames()], [b"a" * 10_000 + b"\n"])

    def test_a_line_of_megabytes_is_one_record(self):
        size = 3 << 20
        self.accepts(b"y" * size + b"\nnext", 2, kind=LINES)
        self.assertEqual(b"".join(self.messages()), b"y" * size + b"next")

    def test_body_of_exactly_8_mib(self):
        limit = 8 << 20
        line = b"z" * 9_999 + b"\n"
        body = line * (limit // len(line))
        self.accepts(body + b"e" * (limit - len(body)), body.count(b"\n") + 1, kind=LINES)
        self.assertEqual(self.post(b"e" * (limit + 1), 0, kind=LINES).status, 413)
        with RawHttp(self.router.public) as connection:
            head = self.head(None, "Transfer-Encoding: chunked", kind=LINES)
            connection.send(head + chunked(body + b"e" * (limit - len(body)), 65_536))
            self.enter_answer(connection.answer(), body.count(b"\n") + 1)
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(None, "Transfer-Encoding: chunked", kind=LINES) + chunked(b"e" * (limit + 1), 65_536))
            self.assertEqual(connection.answer().status, 413)

    # ---- on one connection

    def test_pipelined_posts_of_every_type(self):
        requests = [("application/logplex-1", counted(record(self.app, "1")), 1), (LINES, b"2\n3", 2),
                    (NDJSON, objects({"message": "4"}), 1),
                    ("application/logplex-1", b"garbage", 1), (NDJSON, b"\n\n", 0),
                    (LINES, b"5\r\n", 1), (NDJSON, b"x\n" + objects({"message": "6"}), 2), ("application/logplex-1", b"", 0)]
        data = b"".join(self.head(len(body), kind=kind) + body if i % 2 else
                        self.head(None, "Transfer-Encoding: chunked", kind=kind) + chunked(body, 3)
                        for i, (kind, body, _) in enumerate(requests))
        for size in (len(data), 1000, 7):
            with self.subTest(size=size), RawHttp(self.router.public) as connection:
                for at in range(0, len(data), size):
                    connection.send(data[at:at + size])
                statuses = []
                for _, _, records in requests:
                    answer = connection.answer()
                    statuses.append(answer.status)
                    self.enter_answer(answer, records)
                self.assertEqual(statuses, [204, 204, 204, 400, 204, 204, 200, 204])
        self.assertEqual(self.messages(), [b"1", b"2", b"3", b"4", b"5", b"6"] * 3)

    def test_trailing_slash_and_odd_case(self):
        body = counted(record(self.app, "x"))
        data = self.head(len(body), path="/logs/?a=b") + body
        for name in (b"Content-Type", b"Content-Length", b"Authorization", b"Host"):
            data = data.replace(name, name.swapcase())
        with RawHttp(self.router.public) as connection:
            connection.send(data)
            self.enter_answer(connection.answer(), 1)
        self.assertEqual(self.messages(), [b"x"])


if __name__ == "__main__":
    unittest.main()

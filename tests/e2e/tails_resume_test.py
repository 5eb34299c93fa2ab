"""Tails with positions: every form shows the same records, and who comes back goes on where he was, or is told."""

import datetime
import tempfile
import unittest

from far_ends import Sender
from harness import EndToEnd, TIME, counted, record, split_frames, wait_until
from streams import EVENTS, LINES, NDJSON, PARSERS, last_position, message, records, skipped


class Resuming(EndToEnd):
    def set_up(self, *flags):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]
        self.next = 0

    def send(self, *made):
        before = self.router.accepted("tcp")
        self.router.send(counted(*made))
        wait_until(lambda: self.router.accepted("tcp") == before + len(made), "all accepted")

    def send_numbered(self, count, padding=b"", procid="web.1"):
        for first in range(self.next, self.next + count, 500):
            self.send(*[record(self.app, b"%d %s" % (n, padding), procid=procid)
                        for n in range(first, min(first + 500, self.next + count))])
        self.next += count

    def open(self, url, form, after=None, **options):
        fields = {"Accept": form}
        if after is not None:
            fields["Last-Event-ID"] = str(after)
        return self.tail(url, headers=fields, **options)

    def items(self, tail, form):
        return PARSERS[form](tail.text())

    def numbers(self, items):
        return [int(message(item).split(b" ")[0]) for item in records(items)]

    def read_to(self, tail, form, number):
        """The items, once the record with this number of ours is there."""
        wait_until(lambda: (got := self.numbers(self.items(tail, form))) and got[-1] >= number,
                   lambda: f"record {number}; the end is {tail.text()[-200:]!r}")
        return self.items(tail, form)

    def read_whole(self, form, url=None, back_to=None, **query):
        tail = self.open(url or self.router.session(self.channel, **query), form, back_to)
        tail.wait_for_end()
        self.assertTrue(tail.whole)
        return self.items(tail, form)

    # ---- forms ----

    def test_each_form_shows_the_same(self):
        self.set_up()
        self.send(record(self.app, b"plain", procid="web.1", pri=190, msgid="M1", host="h1"),
                  record(self.heroku, b"bad \xff\xc3( \x00 end\n", procid="router", pri=11),
                  record(self.app, "tab\t\"quote\" \\ und größer 🙂\nsecond line", procid="web.2", pri=0))
        wanted = [
            {"time": TIME, "app": "app", "procid": "web.1", "msgid": "M1", "host": "h1", "severity": "info",
             "facility": "local7", "message": "plain"},
            {"time": TIME, "app": "heroku", "procid": "router", "msgid": "-", "host": "host", "severity": "err",
             "facility": "user", "message": "bad \ufffd\ufffd( \x00 end"},
            {"time": TIME, "app": "app", "procid": "web.2", "msgid": "-", "host": "host", "severity": "emerg",
             "facility": "kern", "message": "tab\t\"quote\" \\ und größer 🙂\nsecond line"}]
        by_form = {form: self.read_whole(form) for form in (EVENTS, LINES, NDJSON)}
        for form in (EVENTS, NDJSON):
            with self.subTest(form=form):
                found = records(by_form[form])
                self.assertEqual([{k: v for k, v in item.object.items() if k != "seq"} for item in found], wanted)
                self.assertEqual([item.object["seq"] for item in found], [item.position for item in found])
        texts = self.router.history(self.channel).split(b"\n" + TIME.encode())
        self.assertEqual(b"\n".join(item.text for item in records(by_form[LINES])) + b"\n",
                         self.router.history(self.channel))
        self.assertEqual(len(texts), 3)
        self.assertIn(b"bad \xff\xc3( \x00 end", texts[1])
        positions = [[item.position for item in records(items)] for items in by_form.values()]
        self.assertEqual(positions[0], positions[1])
        self.assertEqual(positions[0], positions[2])
        self.assertEqual(positions[0], sorted(set(positions[0])))
        for form in (EVENTS, LINES):  # behind the history: how far this is
            self.assertEqual(by_form[form][-1].position, positions[0][-1])
            self.assertFalse(by_form[form][-1].is_record())
        url = self.router.session(self.channel)
        for accept, kind in ((EVENTS, EVENTS), (NDJSON, NDJSON), ("text/html, */*", "text/plain; charset=utf-8"),
                             ("text/x-unknown, Application/X-NDJSON;q=0.1", NDJSON), ("", "text/plain; charset=utf-8")):
            with self.subTest(accept=accept):
                answer = self.router.api("GET", url[url.index("/sessions"):], auth=None, headers={"Accept": accept})
                self.assertEqual(answer.header("Content-Type"), kind)
                self.assertEqual(answer.header("X-Accel-Buffering"), "no")

    def test_notices_have_no_number(self):
        self.set_up("--drain-allow", "127.0.0.0/8")
        tails = {form: self.open(self.router.session(self.channel, tail="1"), form) for form in (EVENTS, LINES, NDJSON)}
        drain = self.router.drain(self.channel, "http://127.0.0.1:9/")
        self.send(record(self.app, b"one"))
        for form, tail in tails.items():
            with self.subTest(form=form):
                tail.wait_for("failing since")
                notice = next(item for item in self.items(tail, form) if item.text and b"failing since" in item.text)
                self.assertIsNone(notice.position)
                self.assertIn(drain["token"].encode(), notice.text)
                if form != LINES:
                    self.assertEqual((notice.object["app"], notice.object["procid"]), ("heroku", "logplex"))
                    self.assertEqual(set(notice.object), {"time", "app", "procid", "msgid", "host", "severity", "facility",
                                                          "message"})

    # ---- filters ----

    def test_filters_of_the_server(self):
        self.set_up()
        kinds = [(self.heroku, "router", 158, "at=info method=GET path=/a service=18ms status=200"),
                 (self.heroku, "router", 158, "at=error code=H12 path=/b service=30000ms status=503"),
                 (self.app, "web.1", 187, "Error: no such user"), (self.app, "worker.1", 191, "debug user=7")]
        self.send(*[record(token, f"{text} n={i}", procid=procid, pri=pri)
                    for i in range(50) for token, procid, pri, text in kinds])

        def shown(**query):
            return [message(item).decode() for item in records(self.read_whole(NDJSON, **query))]
        every = [f"{text} n={i}" for i in range(50) for _, _, _, text in kinds]
        for query, keep in (
                ({"grep": "user"}, lambda m: "user" in m), ({"grep": "no such|H12"}, lambda m: "no such" in m or "H12" in m),
                ({"grep": ["user", "Error"]}, lambda m: "user" in m and "Error" in m),
                ({"exclude": "at=info"}, lambda m: "at=info" not in m),
                ({"exclude": ["at=", "debug"]}, lambda m: "at=" not in m and "debug" not in m),
                ({"filter": "status>=500"}, lambda m: "status=503" in m),
                ({"filter": "status>=500 service>1s"}, lambda m: "status=503" in m),
                ({"filter": "service>1s", "exclude": "H12"}, lambda m: False),
                ({"severity": "warning"}, lambda m: m.startswith("Error")), ({"severity": "3"}, lambda m: m.startswith("Error")),
                ({"severity": "info"}, lambda m: not m.startswith("debug")),
                ({"ps": "worker", "source": "app"}, lambda m: m.startswith("debug")), ({"grep": "^$"}, lambda m: False)):
            with self.subTest(query=query):
                wanted = [m for m in every if keep(m)]
                self.assertEqual(shown(**query), wanted[-100:])
                self.assertEqual(shown(num="7", **query), wanted[-7:])

    def test_what_is_wrong_is_named(self):
        self.set_up()
        for fields, named in (({"num": "x"}, "num"), ({"num": -1}, "num"), ({"num": 1.5}, "num"), ({"num": ["1"]}, "num"),
                              ({"after": "x"}, "after"), ({"since": "yesterday"}, "since"), ({"since": 7.5}, "since"),
                              ({"ps": 1.5}, "ps"), ({"source": []}, "source"),
                              ({"severity": "loud"}, "severity"), ({"grep": "("}, "grep"), ({"grep": [1]}, "grep"),
                              ({"exclude": {}}, "exclude"), ({"exclude": "a{1000}{1000}"}, "exclude"),
                              ({"filter": "status>="}, "filter"), ({"grep": "x" * 5000}, "grep")):
            for path in ("/v2/sessions", "/v3/sessions", "/sessions", "/v2/canary-sessions"):
                with self.subTest(fields=str(fields)[:60], path=path):
                    answer = self.router.api("POST", path, {"channel_id": self.channel, **fields})
                    self.assertEqual(answer.status, 422)
                    self.assertTrue(answer.json()["error"].startswith(named + ":"), answer.json())
        url = self.router.session(self.channel)
        for bad in ("x", "-1", "1.5", "99999999999999999999"):
            answer = self.router.api("GET", url[url.index("/sessions"):], auth=None, headers={"Last-Event-ID": bad})
            self.assertEqual(answer.status, 400)

    # ---- versions of the API ----

    def test_sessions_of_each_version(self):
        self.set_up()
        self.send_numbered(3)
        answer = self.router.api("POST", "/v3/sessions", {"channel_id": self.channel})
        self.assertEqual((answer.status, answer.header("Location")), (201, answer.json()["url"]))
        self.assertEqual(self.router.api("POST", "/v3/sessions", {"channel_id": "nope"}).status, 422)
        self.assertEqual(self.router.api("POST", "/v2/sessions", {"channel_id": "nope"}).status, 404)
        answer = self.router.api("POST", "/sessions", {"channel_id": self.channel})
        self.assertEqual(answer.status, 201)
        self.assertRegex(answer.body.decode(), r"^http://127\.0\.0\.1:\d+/sessions/[0-9a-f-]{36}$")
        answer = self.router.api("POST", "/v2/canary-sessions", {"channel_id": self.channel, "tail": "1"})
        self.assertRegex(answer.json()["url"], r"^/v2/canary-fetch/[0-9a-f-]{36}$")
        fetched = self.router.api("GET", answer.json()["url"], auth=None)
        self.assertEqual((fetched.status, len(fetched.body.splitlines())), (200, 3))

    def test_history_in_one_answer(self):
        self.set_up()
        self.send(*[record(self.app if i % 2 else self.heroku, f"m{i}" + ("\n" if i % 3 == 0 else ""), pri=13, msgid="M",
                           sd="[a b=\"c\"]") for i in range(300)])
        path = f"/v3/channels/{self.channel}/logs"
        answer = self.router.api("GET", path)
        self.assertEqual((answer.status, answer.header("Content-Type"), answer.header("Logplex-Msg-Count")),
                         (200, "application/logplex-1", "100"))
        frames, rest = split_frames(answer.body)
        self.assertEqual(rest, b"")
        self.assertEqual(frames, [f"<13>1 {TIME} host {'app' if i % 2 else 'heroku'} web.1 - m{i}\n".encode()
                                  for i in range(200, 300)])
        for num in (0, 1, 250, 300, 10**9):
            answer = self.router.api("GET", f"{path}?num={num}&source=app", headers={"Accept": "text/plain"})
            self.assertEqual(int(answer.header("Logplex-Msg-Count")), min(num, 150))
            self.assertEqual(answer.body.splitlines(),
                             [f"{TIME} app[web.1]: m{i}".encode() for i in range(300) if i % 2][150 - min(num, 150):])
        answer = self.router.api("GET", path + "?grep=m29[0-4]&exclude=m291&exclude=m293", headers={"Accept": NDJSON})
        self.assertEqual([message(i) for i in PARSERS[NDJSON](answer.body)], [b"m290", b"m292", b"m294"])
        for query, status in (("num=x", 422), ("since=x", 422), ("grep=%28", 422)):
            self.assertEqual(self.router.api("GET", f"{path}?{query}").status, status)
        self.assertEqual(self.router.api("GET", "/v3/channels/999/logs").status, 404)

    def test_since(self):
        self.set_up()
        self.send_numbered(5)
        then = datetime.datetime.now(datetime.timezone.utc)
        self.send_numbered(5)
        for since, wanted in ((then.isoformat(), range(5, 10)), ("1h", range(10)), ("oldest", range(10)),
                              ("2099-01-01T00:00:00Z", [])):
            with self.subTest(since=since):
                self.assertEqual(self.numbers(self.read_whole(LINES, since=since)), list(wanted))
                self.assertEqual(self.numbers(self.read_whole(LINES, since=since, num="2")), list(wanted)[-2:])
        positions = [item.position for item in records(self.read_whole(LINES))]
        for after, wanted in ((positions[7], range(8, 10)), (positions[1], range(5, 10)), (positions[9], []), (0, range(5, 10))):
            self.assertEqual(self.numbers(self.read_whole(LINES, since=then.isoformat(), after=after)), list(wanted))
        tail = self.open(self.router.session(self.channel, since=then.isoformat(), tail="1"), LINES)
        self.send_numbered(5)
        self.assertEqual(self.numbers(self.read_to(tail, LINES, 14)), list(range(5, 15)))

    # ---- coming back ----

    def test_who_comes_back_goes_on_though_more_came_than_history_holds(self):
        self.set_up("--channel-records", "100", "--channel-bytes", "32M")
        for form in (EVENTS, LINES):
            with self.subTest(form=form):
                url = self.router.session(self.channel, tail="1", num="0")
                tail = self.open(url, form)
                begin = self.next
                self.send_numbered(50)
                position = last_position(self.read_to(tail, form, self.next - 1)) - 20  # he has not got the last ones
                tail.close()
                wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 0, "the end of the tail")
                self.send_numbered(5000, b"x" * 100)
                tail = self.open(url, form, after=position)
                self.send_numbered(50)
                items = self.read_to(tail, form, self.next - 1)
                self.assertEqual(skipped(items), 0)
                self.assertEqual(self.numbers(items), list(range(begin + 30, self.next)))
                self.assertEqual(len({item.position for item in records(items)}), self.next - begin - 30)
                tail.close()
                wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 0, "the end of the tail")

    def test_after_in_a_new_session_and_in_the_query(self):
        self.set_up()
        self.send_numbered(40)
        positions = [item.position for item in records(self.read_whole(LINES))]
        for form in (EVENTS, LINES, NDJSON):
            self.assertEqual(self.numbers(self.read_whole(form, after=positions[9])), list(range(10, 40)))
            self.assertEqual(self.numbers(self.read_whole(form, after=str(positions[39]))), [])
            self.assertEqual(self.numbers(self.read_whole(form, after=0)), list(range(40)))
            self.assertEqual(self.numbers(self.read_whole(form, back_to=positions[9], num="5")), list(range(10, 40)))
            self.assertEqual(self.numbers(self.read_whole(form, after=positions[9], num="5", grep="[02468] $")),
                             [30, 32, 34, 36, 38])
        url = self.router.session(self.channel, num="1")
        self.assertEqual(self.numbers(self.read_whole(LINES, url=f"{url}?after={positions[4]}")), list(range(5, 40)))

    def test_what_is_gone_is_told_with_its_count(self):
        self.set_up("--channel-records", "10", "--channel-bytes", "256K")
        url = self.router.session(self.channel, tail="1", num="0")
        tail = self.open(url, EVENTS)
        self.send_numbered(20)
        position = last_position(self.read_to(tail, EVENTS, 19))
        tail.close()
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 0, "the end of the tail")
        self.send_numbered(3000, b"x" * 500)
        items = self.items_after(url, position)
        self.assertGreater(skipped(items), 0)
        self.assertEqual(len(records(items)) + skipped(items), 3000)
        self.assertEqual(self.numbers(items), list(range(self.next - len(records(items)), self.next)))

    def items_after(self, url, position):
        tail = self.open(url, EVENTS, after=position)
        items = self.read_to(tail, EVENTS, self.next - 1)
        tail.close()
        return items

    def test_a_router_that_was_killed_goes_on_with_the_numbers_of_its_data_dir(self):
        with tempfile.TemporaryDirectory(prefix="tailrace-e2e-") as directory:
            self.set_up("--data-dir", directory + "/data")
            self.send_numbered(60)
            wait_until(lambda: len(records(self.read_whole(LINES))) == 60, "all on disk")
            positions = [item.position for item in records(self.read_whole(LINES))]
            self.router.kill()
            self.router = self.node("--data-dir", directory + "/data")
            self.send_numbered(20)
            wait_until(lambda: len(records(self.read_whole(LINES))) == 80, "all on disk")
            items = self.read_whole(EVENTS, after=positions[29])
            self.assertEqual(self.numbers(items), list(range(30, 80)))
            self.assertEqual(skipped(items), 0)
            self.assertNotIn(b"L11", b"".join(item.text or b"" for item in items))

    def test_a_number_of_another_log_is_told(self):
        self.set_up()
        self.send_numbered(10)
        known = records(self.read_whole(LINES))
        for number in (7, known[0].position - 2, known[-1].position + 5, 2**53 - 1):
            with self.subTest(number=number):
                items = self.read_whole(EVENTS, back_to=number)
                self.assertEqual(self.numbers(items), list(range(10)))
                told = b"\n".join(item.text for item in items if item.text and not item.is_record())
                self.assertRegex(told, rb"Error L11 \(Tail buffer overflow\): 0 records skipped since \S+\.")
                self.assertIn(b"begun anew", told)

    # ---- under load ----

    def test_history_then_follow_under_load_has_no_hole_and_no_repeat(self):
        self.set_up("--channel-bytes", "64M")
        sender = Sender("tcp", f"{self.router.syslog}:{self.app}")
        self.addCleanup(sender.close)
        sender.phase("load", 20_000, 100)
        wait_until(lambda: self.router.accepted("tcp") > 3000, "some history")
        readers = []
        for number in range(12):  # they come while records do
            form = (EVENTS, LINES, NDJSON)[number % 3]
            query = ({"num": "1500"}, {"num": "10", "ps": "web"}, {"grep": "7 [0-9]+ x"}, {"after": 0})[number // 3]
            readers.append((form, query, self.open(self.router.session(self.channel, tail="1", **query), form)))
            accepted = self.router.accepted("tcp")
            wait_until(lambda: self.router.accepted("tcp") > accepted + 5000, "more of them")
        total = sender.stop()[0]
        self.assertGreater(total, 60_000)
        for form, query, tail in readers:
            with self.subTest(form=form, query=query):
                step = 10 if "grep" in query else 1
                last = (total - 1 if step == 1 else (total - 8) // 10 * 10 + 7)
                found = lambda: [int(message(i).split(b" ")[1]) for i in records(self.items(tail, form))]
                wait_until(lambda: f"load {last} ".encode() in tail.text()[-50_000:], f"record {last}")
                numbers = found()
                self.assertEqual(numbers, list(range(numbers[0], last + 1, step)))
                self.assertEqual(skipped(self.items(tail, form)), 0)

    # ---- flags ----

    def test_flags_of_a_channel(self):
        self.set_up()
        self.send_numbered(3)
        path = f"/v3/channels/{self.channel}"
        tokens = {"tokens": ["app", "heroku"]}
        self.router.good("PUT", path, {**tokens, "flags": {"no_tail": True}})
        tail = self.open(self.router.session(self.channel, tail="1"), LINES)
        tail.wait_for_end()
        items = self.items(tail, LINES)
        self.assertEqual(self.numbers(items), [0, 1, 2])
        self.assertRegex(items[-1].text, rb"^\S+ tailrace\[tail\]: Error L20 \(Tail sessions forbidden\): ")
        self.router.good("PUT", path, {**tokens, "flags": {"no_tail": False, "no_history": True}})
        url = self.router.session(self.channel)
        answer = self.router.api("GET", url[url.index("/sessions"):], auth=None)
        self.assertEqual(answer.body, b"")
        self.assertIn("no history", answer.header("X-Heroku-Warning"))
        answer = self.router.api("GET", path + "/logs")
        self.assertEqual((answer.body, answer.header("Logplex-Msg-Count")), (b"", "0"))
        self.assertEqual(self.numbers(self.read_whole(LINES, after=0)), [])
        url = self.router.session(self.channel)
        self.send_numbered(2)
        for number in (1, 99):
            self.assertEqual(self.numbers(self.read_whole(LINES, url=url, back_to=number)), [3, 4])


if __name__ == "__main__":
    unittest.main()

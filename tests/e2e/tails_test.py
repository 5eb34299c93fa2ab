"""Sessions and tails: exactly the lines that were asked for, and then every one that comes."""

import re
import unittest

from harness import EndToEnd, RawHttp, TIME, counted, record, wait_until


class Tails(EndToEnd):
    def set_up(self, *flags):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def sent(self, *records):
        """Sends, and waits until all of it has been judged."""
        before = self.router.accepted("tcp")
        self.router.send(counted(*records))
        wait_until(lambda: self.router.accepted("tcp") == before + len(records), "all accepted")

    def shown(self, **query):
        return re.findall(rb"^\S+ (\w+\[[^\]]+\]: [^\n]*)\n", self.router.history(self.channel, **query), re.M)

    def test_line_is_time_app_procid_message(self):
        self.set_up()
        self.sent(record(self.app, "one", time="2012-12-10T03:00:48Z", host="h", msgid="M", sd="[a@1 b=\"c\"]"),
                  record(self.heroku, "two\n", procid="router"))
        self.assertEqual(self.router.history(self.channel),
                         b"2012-12-10T03:00:48Z app[web.1]: one\n" + TIME.encode() + b" heroku[router]: two\n")

    def test_num_is_exact(self):
        self.set_up()
        self.sent(*[record(self.app, f"r{i}") for i in range(250)])
        lines = [b"app[web.1]: r%d" % i for i in range(250)]
        for num in (0, 1, 2, 99, 100, 249, 250, 251, 10**6, 2**64 - 1):
            with self.subTest(num=num):
                self.assertEqual(self.shown(num=num), lines[max(0, 250 - num):])
        # 100 if it is not said.
        url = self.router.session(self.channel)
        answer = self.router.api("GET", url[url.index("/sessions"):], auth=None)
        self.assertEqual(len(answer.body.splitlines()), 100)
        self.assertTrue(answer.header("Content-Type").startswith("text/plain"))

    def test_num_counts_what_the_filters_leave(self):
        self.set_up()
        kinds = [(self.app, "web.1"), (self.app, "web.2"), (self.app, "webhook.1"), (self.app, "web"),
                 (self.heroku, "router"), (self.heroku, "web.1"), (self.app, "worker.1")]
        self.sent(*[record(kinds[i % 7][0], f"r{i}", procid=kinds[i % 7][1]) for i in range(1400)])

        def expected(keep, num):
            names = {self.app: b"app", self.heroku: b"heroku"}
            lines = [b"%s[%s]: r%d" % (names[kinds[i % 7][0]], kinds[i % 7][1].encode(), i)
                     for i in range(1400) if keep(*kinds[i % 7])]
            return lines[-num:]
        web = ("web", "web.1", "web.2")
        for num in (1, 50, 150, 1000):
            with self.subTest(num=num):
                self.assertEqual(self.shown(num=num, ps="web"), expected(lambda app, ps: ps in web, num))
                self.assertEqual(self.shown(num=num, ps="web.1"), expected(lambda app, ps: ps == "web.1", num))
                self.assertEqual(self.shown(num=num, source="heroku"), expected(lambda app, ps: app == self.heroku, num))
                self.assertEqual(self.shown(num=num, source="app", ps="web"),
                                 expected(lambda app, ps: app == self.app and ps in web, num))
                self.assertEqual(self.shown(num=num, source="ap"), [])
                self.assertEqual(self.shown(num=num, ps="we"), [])

    def test_history_keeps_what_readers_may_ask_for(self):
        self.set_up("--channel-records", "20")
        self.sent(*[record(self.app, f"r{i}") for i in range(70)])
        self.assertEqual(self.shown(num=1000), [b"app[web.1]: r%d" % i for i in range(50, 70)])

    def test_tail_false_in_all_its_spellings(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        for tail in (False, "0", None):
            with self.subTest(tail=tail):
                reader = self.tail(self.router.session(self.channel, tail=tail))
                self.assertTrue(reader.wait_for_end().endswith(b"one\n"))
                self.assertTrue(reader.whole)

    def test_follow_without_hole_or_repeat(self):
        self.set_up("--channel-bytes", "64M", "--channel-records", "30000")
        total, step = 20_000, 250
        tails = []
        for first in range(0, total, step):
            self.router.send(counted(*[record(self.app, f"{i}") for i in range(first, first + step)]))
            if first % 2000 == 0:
                # They come while records flow: one with all history, one with some, one filtered.
                tails.append((self.tail(self.router.session(self.channel, tail="1", num="30000")), 0))
                tails.append((self.tail(self.router.session(self.channel, tail="1", num="10", ps="web")), None))
        for tail, begin in tails:
            tail.wait_for(rf"\]: {total - 1}\n")
            numbers = [int(m) for m in tail.messages()]
            self.assertEqual(numbers, list(range(numbers[0], total)))
            if begin is not None:
                self.assertEqual(numbers[0], begin)

    def test_from_the_head_of_the_answer_on_every_record_shows(self):
        # Who sees the answer begin knows that the tail is there; what is sent then must not be missed.
        self.set_up()
        for i in range(100):
            tail = self.tail(self.router.session(self.channel, tail="1", num="0"))
            self.router.send(counted(record(self.app, f"round {i}")))
            tail.wait_for(f"round {i}\n", 20)
            self.assertEqual(tail.messages(), [b"round %d" % i])
            tail.close()

    def test_many_tails_get_the_same(self):
        self.set_up()
        tails = [self.tail(self.router.session(self.channel, tail="1", num="5")) for _ in range(60)]
        self.assertEqual(self.router.metric("tailrace_tail_sessions"), 60)
        self.router.send(counted(*[record(self.app, f"{i}") for i in range(300)]))
        for tail in tails:
            tail.wait_for(r"\]: 299\n")
            self.assertEqual(tail.messages(), [b"%d" % i for i in range(300)])
        for tail in tails:
            tail.close()
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 0, "the end of all tails")

    def test_slow_reader_is_told_exactly_what_it_missed(self):
        self.set_up("--channel-bytes", "256K")
        quick = self.tail(self.router.session(self.channel, tail="1", num="0"))
        slow = self.tail(self.router.session(self.channel, tail="1", num="0"), held=True, receive_buffer=4096)
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 2, "both tails")
        total, step = 30_000, 200
        for first in range(0, total, step):  # in steps that the quick reader keeps up with
            self.router.send(counted(*[record(self.app, b"%d " % i + b"x" * 500) for i in range(first, first + step)]))
            quick.wait_for(rf"\]: {first + step - 1} ")
        slow.release()
        slow.wait_for(rf"\]: {total - 1} x+\n")
        told = re.findall(rb"(?m)^\S+ tailrace\[tail\]: Error L11 \(Tail buffer overflow\): (\d+) records skipped since "
                          rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00\.$", slow.text())
        numbers = [int(n) for n in re.findall(rb"(?m)^\S+ app\[web\.1\]: (\d+) x{500}$", slow.text())]
        skipped = sum(map(int, told))
        self.assertGreater(skipped, 0)
        self.assertEqual(len(numbers) + skipped, total)
        self.assertEqual(len(slow.lines()), len(numbers) + len(told))
        self.assertEqual(numbers, sorted(set(numbers)))
        # In place: each gap in the numbers is one line of that size.
        expected, at = 0, 0
        for line in slow.lines():
            if match := re.search(rb"\((?:Tail buffer overflow)\): (\d+) records", line):
                expected += int(match[1])
            else:
                at = int(re.search(rb"\]: (\d+) ", line)[1])
                self.assertEqual(at, expected)
                expected += 1
        self.assertEqual([int(m.split(b" ")[0]) for m in quick.messages()], list(range(total)))
        self.assertEqual(self.router.metric("tailrace_tail_skipped_records_total"), skipped)

    def test_what_does_not_parse_never_ends_a_tail(self):
        self.set_up()
        filtered = self.tail(self.router.session(self.channel, tail="1", ps="web"))
        plain = self.tail(self.router.session(self.channel, tail="1"))
        self.sent(record(self.app, "before"))
        self.assertEqual(self.router.post(b"11 hello world", token=self.app).status, 204)
        self.assertEqual(self.router.post(b"3 \xff\0\x8015 <13>1 half of a", token=self.app).status, 204)
        self.sent(record(self.app, "after"))
        filtered.wait_for("after\n")
        plain.wait_for("after\n")
        self.assertEqual(filtered.messages(), [b"before", b"after"])
        self.assertEqual(plain.messages(), [b"before", b"hello world", b"\xff\0\x80", b"<13>1 half of a", b"after"])
        self.assertRegex(plain.text(), rb"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 app\[-\]: hello world$")

    def test_url_works_on_both_listeners_and_needs_no_credential(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        url = self.router.session(self.channel)
        self.assertEqual(url[:-36], f"http://127.0.0.1:{self.router.public}/sessions/")
        path = url[url.index("/sessions"):]
        answers = [self.router.api("GET", path, auth=auth, port=port)
                   for port in (self.router.public, self.router.admin) for auth in (None, "local:password", "who:ever")]
        for answer in answers * 2:  # and more than once
            self.assertEqual((answer.status, answer.body), (200, TIME.encode() + b" app[web.1]: one\n"))

    def test_old_readers_and_heads(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        path = self.router.session(self.channel, tail="1").split("/", 3)[3]
        with RawHttp(self.router.public) as reader:  # HTTP/1.0 knows no chunks
            reader.send(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
            status, headers = reader.head()
            self.assertEqual((status, "transfer-encoding" in [name.lower() for name, _ in headers]), (200, False))
            self.assertEqual(reader.file.readline(), TIME.encode() + b" app[web.1]: one\n")
            self.sent(record(self.app, "two"))
            self.assertEqual(reader.file.readline(), TIME.encode() + b" app[web.1]: two\n")
        with RawHttp(self.router.public) as reader:  # a HEAD has no body, and no end to wait for
            reader.send(f"HEAD /{path} HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.assertIn(reader.answer("HEAD").status, (200, 405))
            self.assertEqual(reader.answer().body, b"ok\n")

    def test_url_names_the_host_that_the_request_came_in_by(self):
        self.set_up()
        made = self.router.api("POST", "/v2/sessions", {"channel_id": self.channel}, headers={"Host": "logs.example.com:99"})
        self.assertTrue(made.json()["url"].startswith(f"http://logs.example.com:{self.router.public}/sessions/"))
        other = self.node("--public-url", "https://logs.example.com/base/")
        channel, _ = other.channel()
        self.assertTrue(other.session(channel).startswith("https://logs.example.com/base/sessions/"))

    def test_unknown_sessions_and_channels(self):
        self.set_up()
        for path in ("/sessions/9d53bf70-7964-4429-a589-aaa4df86fead", "/sessions/x", "/sessions/%2e%2e", "/sessions/" + "a" * 4000,
                     "/sessions/"):
            for port in (self.router.public, self.router.admin):
                with self.subTest(path=path[:40]):
                    self.assertIn(self.router.api("GET", path, auth=None, port=port).status, (404, 405))
        create = lambda body, **more: self.router.api("POST", "/v2/sessions", body, **more).status
        self.assertEqual(create({"channel_id": "999"}), 404)
        self.assertEqual(create({}), 400)
        self.assertEqual(create(b"{"), 400)
        self.assertEqual(create(b""), 400)
        self.assertEqual(create({"channel_id": self.channel}, auth=None), 401)
        self.assertEqual(create({"channel_id": self.channel}, auth="local:wrong"), 401)
        for wrong in ({"num": "ten"}, {"num": "-1"}, {"num": [1]}, {"ps": ["web"]}, {"source": {}}, {"num": "99999999999999999999"}):
            with self.subTest(wrong=wrong):
                self.assertIn(create({"channel_id": self.channel, **wrong}), (400, 422))
        # Only the admin listener makes sessions.
        self.assertEqual(create({"channel_id": self.channel}, port=self.router.public), 404)

    def test_tail_ends_with_its_channel(self):
        self.set_up()
        url = self.router.session(self.channel, tail="1")
        tail = self.tail(url)
        self.sent(record(self.app, "the last"))
        tail.wait_for("the last")
        self.router.good("DELETE", f"/v2/channels/{self.channel}")
        tail.wait_for_end()
        self.assertTrue(tail.whole)
        self.assertEqual(self.router.api("GET", url[url.index("/sessions"):], auth=None).status, 404)

    def test_sigterm_ends_tails_properly(self):
        self.set_up()
        tail = self.tail(self.router.session(self.channel, tail="1"))
        self.sent(record(self.app, "the last"))
        tail.wait_for("the last")
        self.router.stop()
        tail.wait_for_end()
        self.assertTrue(tail.whole)

    def test_a_reader_that_leaves_is_noticed_without_a_record(self):
        self.set_up()
        with RawHttp(self.router.public) as reader:
            url = self.router.session(self.channel, tail="1")
            reader.send(f"GET {url[url.index('/sessions'):]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.assertEqual(reader.head()[0], 200)
            self.assertEqual(self.router.metric("tailrace_tail_sessions"), 1)
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 0, "the end of the tail")


if __name__ == "__main__":
    unittest.main()

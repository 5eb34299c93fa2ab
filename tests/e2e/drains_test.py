"""Drains: the bytes on the wire, and what happens to everybody else while one of them is in trouble."""

import re
import unittest

from harness import EndToEnd, HttpFarEnd, SyslogFarEnd, TIME, counted, free_port, record, split_frames, wait_until

SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
MICROS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


class Drains(EndToEnd):
    def set_up(self, *flags):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def send(self, first, past, size=0):
        self.router.send(counted(*[record(self.app, b"%d %s" % (i, b"x" * size)) for i in range(first, past)]))

    def numbers(self, far_end):
        return [int(message.split(b" ")[0]) for message in far_end.messages()]

    def follow(self):
        """A tail that is known to follow."""
        tail = self.tail(self.router.session(self.channel, tail="1", num="1500"))
        self.router.send(counted(record(self.heroku, "marker", procid="test")))
        tail.wait_for("marker")
        return tail

    # ---- bytes

    def test_http_request_is_logplex_own_byte_for_byte(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        url = f"http://user:p%40ss%3A%2F@127.0.0.1:{far_end.port}/in/put?x=1&y=%20#fragment"
        drain = self.router.drain(self.channel, url)
        self.router.send(counted(record(self.app, "hello one", host="elsewhere", msgid="ID7", sd='[a@1 b="c"]', pri=134),
                                 record(self.heroku, "hello two\n", procid="router", sd=None)))
        far_end.wait_for(2)
        request = far_end.taken()[0]
        body = (f"66 <134>1 {TIME} host app web.1 - hello one".encode(),
                f"71 <190>1 {TIME} host heroku router - hello two\n".encode())
        self.assertEqual(b"".join(r.body for r in far_end.taken()), b"".join(
            counted(frame.split(b" ", 1)[1]) for frame in body))
        count = len(split_frames(request.body)[0])
        frame_id = re.search(rb"Logplex-Frame-Id: ([0-9A-F]{32})\r\n", request.head)
        agent = re.search(rb"User-Agent: (Logplex/[!-~]+)\r\n", request.head)
        self.assertTrue(frame_id and agent, request.head)
        self.assertEqual(request.head, (
            b"POST /in/put?x=1&y=%%20 HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\n"
            b"Authorization: Basic dXNlcjpwQHNzOi8=\r\n"
            b"Content-Type: application/logplex-1\r\n"
            b"Logplex-Msg-Count: %d\r\n"
            b"Logplex-Frame-Id: %s\r\n"
            b"Logplex-Drain-Token: %s\r\n"
            b"User-Agent: %s\r\n"
            b"Content-Length: %d\r\n\r\n") % (far_end.port, count, frame_id[1], drain["token"].encode(), agent[1],
                                              len(request.body)))

    def test_http_without_path_and_user(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, f"http://127.0.0.1:{far_end.port}")
        self.send(0, 1)
        far_end.wait_for(1)
        head = far_end.taken()[0].head
        self.assertTrue(head.startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: " % far_end.port), head)

    def test_syslog_frames(self):
        self.set_up()
        far_end = self.far_end(SyslogFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        token = drain["token"]
        self.router.send(counted(record(self.app, "hello one", host="elsewhere", msgid="ID7", sd='[a@1 b="c"]', pri=134),
                                 record(self.heroku, "hello two\n", procid="router", sd=None)))
        far_end.wait_for(2)
        self.assertEqual(bytes(far_end.streams[0]), counted(
            f"<134>1 {TIME} {token} app web.1 - - hello one\n".encode(),
            f"<190>1 {TIME} {token} heroku router - - hello two\n".encode()))

    def test_batches_hold_together_and_repeat_their_id(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        far_end.set_mode(503)
        drain = self.router.drain(self.channel, far_end.url)
        self.send(0, 1)
        wait_until(lambda: far_end.requests, "a first try")
        self.send(1, 3000, size=300)
        wait_until(lambda: len(far_end.requests) >= 2, "a second try")
        far_end.set_mode(200)
        self.router.wait_for_drain(self.channel, drain, delivered=3000)
        self.assertEqual(self.numbers(far_end), list(range(3000)))
        tries = [(r.head, r.body) for r in far_end.requests]
        self.assertEqual(tries[0], tries[1])  # frozen from the first try
        ids = [re.search(rb"Logplex-Frame-Id: (\w+)", r.head)[1] for r in far_end.taken()]
        self.assertEqual(len(set(ids)), len(ids))
        for request in far_end.requests:
            frames, rest = split_frames(request.body)
            self.assertEqual(rest, b"")
            self.assertIn(b"Logplex-Msg-Count: %d\r\n" % len(frames), request.head)
            self.assertLessEqual(len(request.body), (1 << 20) + 10_300)

    # ---- trouble

    def one_in_trouble(self, trouble, cause, kind=HttpFarEnd, size=0):
        """One drain fails, the other gets everything; the tail says which, why and since when; then all is well."""
        self.set_up()
        steady, flaky = self.far_end(HttpFarEnd), self.far_end(kind)
        good = self.router.drain(self.channel, steady.url)
        bad = self.router.drain(self.channel, flaky.url)
        tail = self.follow()
        for far_end in (steady, flaky):
            wait_until(lambda e=far_end: b"marker" in b"".join(e.messages()), "the marker everywhere")
        flaky.set_mode(trouble)
        self.send(0, 500, size)
        wait_until(lambda: len(steady.messages()) == 501, "all of it at the other drain")
        since = tail.wait_for(f"{MICROS} heroku\\[logplex\\]: drain '{bad['token']}' failing since ({MICROS}): ({cause})\n")
        self.assertLessEqual(since[1], since[0].split(b" ")[0])
        self.router.wait_for_drain(self.channel, good, accepted=501, delivered=501, buffered=0)
        account = self.router.account(self.channel, bad)
        self.assertEqual((account["accepted"], account["dropped"]), (501, {}))
        self.assertGreater(account["buffered"], 0)
        self.send(500, 1000, size)
        wait_until(lambda: len(steady.messages()) == 1001, "all of it at the other drain")
        flaky.set_mode(200)
        recovered = tail.wait_for(
            f"heroku\\[logplex\\]: drain '{bad['token']}' recovered after \\S+: (\\d+) dropped, (\\d+) delivered late\n")
        self.router.wait_for_drain(self.channel, bad, accepted=1001, delivered=1001, buffered=0)
        self.assertEqual(self.numbers_without_marker(steady), list(range(1000)))
        self.assertEqual(recovered[1], b"0")
        self.assertEqual(tail.text().count(b"failing since"), 1)
        self.assertEqual(tail.text().count(b"recovered after"), 1)
        self.assertNotIn(good["token"].encode(), tail.text())
        # The router's own lines count nowhere, and go to no drain.
        self.assertEqual(steady.notices() + flaky.notices(), [])
        self.assertEqual(self.router.ledger(self.channel)["accepted"], 1001)
        self.assertIn(b"failing since", self.router.history(self.channel))
        return flaky, int(recovered[2])

    def numbers_without_marker(self, far_end):
        return [int(m.split(b" ")[0]) for m in far_end.messages() if not m.startswith(b"marker")]

    def test_http_far_end_refuses(self):
        flaky, late = self.one_in_trouble("refuse", "connect[^\n]*refused[^\n]*")
        self.assertEqual(self.numbers_without_marker(flaky), list(range(1000)))
        self.assertEqual(late, 1000)

    def test_http_far_end_answers_503(self):
        flaky, late = self.one_in_trouble(503, "answered 503")
        self.assertEqual(self.numbers_without_marker(flaky), list(range(1000)))
        self.assertEqual(late, 1000)

    def test_syslog_far_end_refuses(self):
        # The end of the connection is the first that shows.
        flaky, _ = self.one_in_trouble("refuse", "closed by the far end|connect[^\n]*refused[^\n]*", kind=SyslogFarEnd)
        # What a broken connection had not acknowledged comes again: repeats are possible, gaps are not.
        self.assertEqual(sorted(set(self.numbers_without_marker(flaky))), list(range(1000)))

    def test_far_ends_that_hang(self):
        # An HTTP request's deadline is 15 s in total; so long a syslog far end may acknowledge nothing.
        self.set_up("--channel-bytes", "64M")
        steady, http, syslog = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd), self.far_end(SyslogFarEnd)
        good = self.router.drain(self.channel, steady.url)
        bad = {far_end: self.router.drain(self.channel, far_end.url) for far_end in (http, syslog)}
        tail = self.follow()
        for far_end in (steady, http, syslog):
            far_end.wait_for(1)
        http.set_mode("hang")
        syslog.set_mode("hang")
        total = 1500
        self.send(0, total, size=9000)  # more than the buffers of a socket hold
        steady.wait_for(total + 1)
        self.router.wait_for_drain(self.channel, good, accepted=total + 1, delivered=total + 1)
        for drain in bad.values():
            tail.wait_for(f"drain '{drain['token']}' failing since {MICROS}: [^\n]+")
        for far_end, drain in bad.items():
            far_end.set_mode(200)
            self.router.wait_for_drain(self.channel, drain, accepted=total + 1, delivered=total + 1, buffered=0)
            tail.wait_for(f"drain '{drain['token']}' recovered after \\S+: 0 dropped, ")
            wait_until(lambda e=far_end: set(self.numbers_without_marker(e)) == set(range(total)), "every number")
        self.assertEqual(self.numbers_without_marker(http), list(range(total)))

    def test_answers_of_any_form(self):
        # 2xx delivers however it is dressed; each answer ends its connection, so the next needs a new one.
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        answers = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"HTTP/1.0 201 Created\r\n\r\n",
                   b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                   b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"]
        for i, answer in enumerate(answers):
            with self.subTest(answer=answer):
                far_end.answer = answer
                self.send(i, i + 1)
                self.router.wait_for_drain(self.channel, drain, accepted=i + 1, delivered=i + 1, buffered=0)
        self.assertEqual(self.numbers(far_end), list(range(len(answers))))

    def test_answers_that_are_none(self):
        for answer in (b"", b"220 smtp.example.com ESMTP\r\n", b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
                       b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n"):
            with self.subTest(answer=answer[:40]):
                self.set_up()
                far_end = self.far_end(HttpFarEnd)
                drain = self.router.drain(self.channel, far_end.url)
                tail = self.follow()
                far_end.wait_for(1)
                far_end.answer = answer
                before = len(far_end.requests)
                self.send(0, 1)
                tail.wait_for(f"drain '{drain['token']}' failing since {MICROS}: [^\n]+")
                self.router.wait_for_drain(self.channel, drain, accepted=2, delivered=1, buffered=1)
                far_end.answer = None
                self.router.wait_for_drain(self.channel, drain, accepted=2, delivered=2, buffered=0)
                bodies = {(r.head, r.body) for r in far_end.requests[before:]}
                self.assertEqual(len(bodies), 1)  # the same request each time
                self.router.stop()

    def test_ledger_adds_up_at_every_moment(self):
        self.set_up("--channel-bytes", "256K")
        far_ends = [self.far_end(HttpFarEnd), self.far_end(SyslogFarEnd), self.far_end(HttpFarEnd)]
        drains = [self.router.drain(self.channel, far_end.url) for far_end in far_ends]
        sent = 0
        for mode in ("refuse", 200, "refuse", 200):
            far_ends[1].set_mode(mode)
            far_ends[2].set_mode(503 if mode == "refuse" else 200)
            for _ in range(20):
                self.send(sent, sent + 100, size=300)
                sent += 100
                self.router.ledger()
        for drain in drains:
            account = self.router.wait_for_drain(self.channel, drain, accepted=sent, buffered=0)
            self.assertEqual(account["delivered"] + sum(account["dropped"].values()), sent)
        for far_end, drain in zip(far_ends, drains):
            got = self.router.account(self.channel, drain)["delivered"]
            wait_until(lambda e=far_end, n=got: len(set(self.numbers(e))) >= n, "what was delivered")
        http = self.router.account(self.channel, drains[2])
        self.assertEqual(len(far_ends[2].messages()), http["delivered"])

    def test_refused_credential_pauses_and_says_so(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        far_end.set_mode(401)
        drain = self.router.drain(self.channel, far_end.url)
        tail = self.follow()
        tail.wait_for(f"drain '{drain['token']}' paused since {MICROS}: answered 401\n")
        self.router.wait_for_drain(self.channel, drain, accepted=1, delivered=0, buffered=1)

    def test_a_record_refused_for_good_is_one_drop(self):
        self.set_up()
        far_end, other = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        self.router.drain(self.channel, other.url)
        tail = self.follow()
        far_end.wait_for(1)
        far_end.refuses = b" - 57 "
        self.send(0, 100)  # in batches, which are halved until the bad record is alone
        tail.wait_for(f"heroku\\[logplex\\]: Error L10 \\(output buffer overflow\\): drain '{drain['token']}' dropped 1 "
                      f"messages since {MICROS} \\(\\w[^\n]*\\)\\.\n")
        account = self.router.wait_for_drain(self.channel, drain, accepted=101, delivered=100, buffered=0)
        self.assertEqual(sum(account["dropped"].values()), 1)
        self.assertEqual(self.numbers_without_marker(far_end), [i for i in range(100) if i != 57])
        self.send(100, 101)
        wait_until(lambda: far_end.notices(), "the loss told to the drain")
        self.assertEqual([b"): 1 messages dropped since " in notice for notice in far_end.notices()], [True])
        self.assertEqual(other.notices(), [])
        self.assertEqual(self.numbers_without_marker(other)[:100], list(range(100)))

    # ---- overflow

    def test_overflow_is_counted_to_the_record_and_told_to_both(self):
        self.set_up("--channel-bytes", "256K")
        steady, flaky = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        good = self.router.drain(self.channel, steady.url)
        bad = self.router.drain(self.channel, flaky.url)
        tail = self.follow()
        flaky.wait_for(1)
        flaky.set_mode(503)
        total = 4000
        for first in range(0, total, 100):  # in steps, so that the healthy drain and the tail keep up
            self.send(first, first + 100, size=1000)
            steady.wait_for(first + 101)
        self.router.wait_for_drain(self.channel, good, accepted=total + 1, delivered=total + 1, buffered=0)
        self.assertGreater(sum(self.router.account(self.channel, bad)["dropped"].values()), 0)
        flaky.set_mode(200)
        account = self.router.wait_for_drain(self.channel, bad, accepted=total + 1, buffered=0)
        dropped = sum(account["dropped"].values())
        self.assertEqual(account["dropped"], {"overflow": dropped})
        self.assertEqual(account["delivered"], len(flaky.messages()))
        self.assertEqual(dropped, total + 1 - len(flaky.messages()))
        numbers = self.numbers_without_marker(flaky)
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-1], total - 1)

        # The drain is told in its own stream, in frames of Logplex's form. The last one may be still to come.
        told = rb"^<172>1 " + SECONDS.encode() + rb" host heroku logplex - " \
               rb"Error L10 \(output buffer overflow\): (\d+) messages dropped since " + SECONDS.encode() + rb"\.$"

        def sum_of_notices():
            return sum(int(re.match(told, notice)[1]) for notice in flaky.notices())
        following = iter(range(total, total + 100_000))

        def told_with_a_next_record():
            number = next(following)
            self.send(number, number + 1)
            return sum_of_notices() == dropped
        wait_until(told_with_a_next_record, lambda: f"{dropped} told to the drain; it is {sum_of_notices()}")
        lines = (rf"(?m)^{MICROS} heroku\[logplex\]: Error L10 \(output buffer overflow\): drain '{bad['token']}' "
                 rf"dropped (\d+) messages since {MICROS} \([^\n]+\)\.$").encode()

        def sum_of_lines():
            return sum(int(n) for n in re.findall(lines, tail.text()))
        wait_until(lambda: sum_of_lines() == dropped, lambda: f"{dropped} told in the tail; it is {sum_of_lines()}")
        recovered = tail.wait_for(f"drain '{bad['token']}' recovered after \\S+: (\\d+) dropped, ")
        self.assertEqual(int(recovered[1]), dropped)
        self.assertEqual(steady.notices(), [])
        self.assertEqual(self.router.metric("tailrace_drain_dropped_records_total", drain=bad["token"],
                                            reason="overflow"), dropped)

    def test_overflow_of_a_syslog_drain(self):
        self.set_up("--channel-bytes", "128K")
        far_end = self.far_end(SyslogFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        token = drain["token"].encode()
        self.send(0, 1)
        far_end.wait_for(1)
        far_end.set_mode("refuse")
        self.send(1, 1001, size=1000)
        wait_until(lambda: self.router.account(self.channel, drain)["dropped"], "a loss")
        far_end.set_mode(200)
        account = self.router.wait_for_drain(self.channel, drain, accepted=1001, buffered=0)
        dropped = account["dropped"]["overflow"]
        far_end.wait_for(1001 - dropped)
        self.assertEqual(len(set(self.numbers(far_end))), 1001 - dropped)
        told = rb"^<172>1 " + SECONDS.encode() + rb" " + token + rb" heroku logplex - - " \
               rb"Error L10 \(output buffer overflow\): (\d+) messages dropped since " + SECONDS.encode() + rb"\.\n$"
        wait_until(lambda: sum(int(re.match(told, n)[1]) for n in far_end.notices()) == dropped, "the exact count")

    # ---- the API

    def test_limit_duplicate_denied_and_unknown(self):
        self.set_up()
        add = f"/v2/channels/{self.channel}/drains"
        urls = [f"http://127.0.0.1:{free_port()}/{i}" for i in range(7)]
        drains = [self.router.drain(self.channel, url) for url in urls[:5]]
        again = self.router.api("POST", add, {"url": urls[0]})
        self.assertEqual((again.status, again.json()), (409, {"error": "Already exists"}))
        reserved = self.router.api("POST", f"/channels/{self.channel}/drains/tokens")
        self.assertEqual(reserved.status, 201)
        full = self.router.api("POST", add, {"url": urls[5]})
        self.assertEqual((full.status, full.json()),
                         (422, {"error": "You have already added the maximum number of drains allowed"}))
        filled = self.router.api("POST", f"{add}/{reserved.json()['id']}", {"url": urls[5]})
        self.assertEqual((filled.status, filled.json()["url"]), (201, urls[5]))
        self.assertEqual(self.router.api("DELETE", f"{add}/{drains[0]['id']}").status, 200)
        self.assertEqual(self.router.api("DELETE", f"{add}/{drains[1]['token']}").status, 200)
        self.assertEqual(self.router.api("DELETE", f"{add}/{drains[0]['id']}").status, 404)
        self.router.drain(self.channel, urls[6])
        other, _ = self.router.channel("other")
        foreign = self.router.api("DELETE", f"/v2/channels/{other}/drains/{drains[2]['id']}")
        self.assertEqual(foreign.status, 404)
        self.assertEqual(self.router.api("POST", "/v2/channels/999/drains", {"url": urls[0]}).status, 404)
        shown = self.router.good("GET", f"/v2/channels/{self.channel}")
        self.assertEqual({d["url"] for d in shown["drains"]}, set(urls[2:7]))

    def test_urls_that_are_none(self):
        self.set_up()
        for url in ("ftp://example.com/", "nonsense", "http://", "http://exa mple.com/", "syslog://host:99999", "http://[::1",
                    "http://host/\r\nX-Evil: 1", "syslog://host/path", "", 7, None, ["http://example.com/"]):
            with self.subTest(url=url):
                answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": url})
                self.assertEqual(answer.status, 422, answer)
                self.assertIn("error", answer.json())
        for body in (b"", b"{", b"[]", b"7", b"\xff", b'{"url":"http://example.com/",' + b'"a":[' * 100_000):
            with self.subTest(body=body[:20]):
                answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", body)
                self.assertIn(answer.status, (400, 422), answer)
        self.assertEqual(self.router.ledger(self.channel)["drains"], [])

    def test_inner_addresses_are_refused_at_creation(self):
        router = self.node("--drain-allow", "192.0.2.1")
        channel, _ = router.channel("shop")
        hosts = ["127.0.0.1", "127.1", "0", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",
                 "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "10.1.2.3",
                 "172.16.0.1", "192.168.1.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]"]
        for scheme in ("http", "syslog"):
            for host in hosts:
                with self.subTest(host=host, scheme=scheme):
                    answer = router.api("POST", f"/v2/channels/{channel}/drains", {"url": f"{scheme}://{host}:8080"})
                    self.assertEqual(answer.status, 422, answer)

    def test_a_name_that_means_loopback_is_refused_at_the_connect(self):
        router = self.node("--drain-allow", "192.0.2.1")
        channel, tokens = router.channel("shop")
        far_end = self.far_end(HttpFarEnd)
        answer = router.api("POST", f"/v2/channels/{channel}/drains", {"url": f"http://localhost:{far_end.port}/"})
        if answer.status != 422:  # at creation is as good
            tail = self.tail(router.session(channel, tail="1"))
            router.send(counted(record(tokens["app"], "kept at home")))
            tail.wait_for("failing since [^\n]*address not allowed")
        self.assertEqual(far_end.connections, 0)

    def test_secrets_in_urls_are_never_shown(self):
        self.set_up()
        url = f"http://user:hunter2@127.0.0.1:{free_port()}/in?key=swordfish"
        answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": url})
        shown = self.router.api("GET", f"/v2/channels/{self.channel}")
        tail = self.follow()
        tail.wait_for("failing since")
        for text in (answer.body, shown.body, tail.text(), self.router.log().encode(),
                     self.router.api("GET", "/metrics").body, self.router.api("GET", "/v3/ledger").body):
            self.assertNotIn(b"hunter2", text)
            self.assertNotIn(b"swordfish", text)
        self.assertIn(b"***", shown.body)

    def test_a_removed_drain_gets_nothing_more(self):
        self.set_up()
        gone, stays = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, gone.url)
        self.router.drain(self.channel, stays.url)
        self.send(0, 10)
        gone.wait_for(10)
        self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")
        self.send(10, 20)
        stays.wait_for(20)
        self.assertEqual(len(gone.messages()), 10)
        self.assertEqual(len(self.router.ledger(self.channel)["drains"]), 1)

    def test_a_drain_in_trouble_can_be_removed(self):
        self.set_up("--grace", "5s")
        steady = self.far_end(HttpFarEnd)
        good = self.router.drain(self.channel, steady.url)
        tail = self.follow()
        for kind in (HttpFarEnd, SyslogFarEnd):
            for trouble in (503, "refuse", "hang"):
                if kind is SyslogFarEnd and trouble == 503:
                    continue
                with self.subTest(kind=kind, trouble=trouble):
                    far_end = self.far_end(kind)
                    far_end.set_mode(trouble)
                    drain = self.router.drain(self.channel, far_end.url)
                    self.send(0, 10)
                    if trouble == "hang":
                        wait_until(lambda e=far_end: e.connections, "a connection")
                    else:
                        tail.wait_for(f"drain '{drain['token']}' failing since ")
                    self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")
                    self.assertEqual([d["id"] for d in self.router.ledger(self.channel)["drains"]], [str(good["id"])])
        self.router.wait_for_drain(self.channel, good, accepted=51, delivered=51)
        self.assertEqual(self.numbers_without_marker(steady), list(range(10)) * 5)

    def test_a_drain_begins_where_the_channel_stands(self):
        self.set_up()
        self.send(0, 10)
        wait_until(lambda: self.router.accepted("tcp") == 10, "the records before")
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        self.send(10, 20)
        far_end.wait_for(10)
        self.router.wait_for_drain(self.channel, drain, accepted=10, delivered=10)
        self.assertEqual(self.numbers(far_end), list(range(10, 20)))
        self.assertEqual(self.router.ledger(self.channel)["accepted"], 20)

    def test_sigterm_flushes(self):
        self.set_up("--grace", "30s")
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.send(0, 5000, size=200)
        wait_until(lambda: self.router.accepted("tcp") == 5000, "all accepted")
        self.router.stop()
        self.assertEqual(self.numbers(far_end), list(range(5000)))

    def test_six_drains_of_six_speeds_agree_with_the_ledger(self):
        self.set_up()
        far_ends = [self.far_end(kind) for kind in (HttpFarEnd, SyslogFarEnd) * 3]
        drains = [self.router.drain(self.channel, far_end.url) for far_end in far_ends]
        far_ends[2].set_mode(503)
        far_ends[3].set_mode("refuse")
        self.send(0, 20_000, size=100)
        for i in (0, 1, 4, 5):
            far_ends[i].wait_for(20_000)
        far_ends[2].set_mode(200)
        far_ends[3].set_mode(200)
        for drain, far_end in zip(drains, far_ends):
            self.router.wait_for_drain(self.channel, drain, accepted=20_000, delivered=20_000)
            far_end.wait_for(20_000)
            self.assertEqual(self.numbers(far_end), list(range(20_000)))


if __name__ == "__main__":
    unittest.main()

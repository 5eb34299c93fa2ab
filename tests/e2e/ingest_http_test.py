"""POST /logs: every outcome the contract names, what HTTP can be made to look like, and that good records arrive."""

import base64
import json
import unittest

from harness import AUTH, EndToEnd, HttpFarEnd, RawHttp, TIME, basic, counted, record

UNKNOWN = "t.11111111-2222-4333-8444-555555555555"


class IngestHttp(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def head(self, length=None, *fields, method="POST", path="/logs", auth=None):
        """A request's head; `fields` are lines of it."""
        lines = [f"{method} {path} HTTP/1.1", "Host: tailrace", "Authorization: " + basic(auth or f"token:{self.app}"),
                 "Content-Type: application/logplex-1", *fields]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def raw(self, data, half_close=False):
        """What comes back for these bytes on a connection of their own: the first answer, and whether it was closed."""
        with RawHttp(self.router.public) as connection:
            connection.send(data)
            if half_close:
                connection.half_close()
            answer = connection.answer()
            rest = connection.ended() if answer is None or answer.header("Connection") == "close" else None
            return answer, rest

    def verdict(self, answer, status, accepted, **reasons):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header("Content-Type"), "application/json")
        self.assertEqual(answer.json(), {"accepted": accepted, "rejected": sum(reasons.values()), "reasons": reasons})

    def messages(self):
        return [line.split(b"]: ", 1)[1] for line in self.router.history(self.channel).split(b"\n")[:-1]]

    # ---- outcomes

    def test_every_record_accepted(self):
        body = counted(record(self.app, "one"), record(self.heroku, "two", sd=None), record("other", "three\n"))
        answer = self.router.post(body, token=self.app)
        self.assertEqual((answer.status, answer.body, answer.header("Tailrace-Accepted")), (204, b"", "3"))
        self.assertEqual(answer.header("Content-Length") or "0", "0")
        self.assertEqual(self.messages(), [b"one", b"two", b"three"])
        self.assertEqual(self.router.accepted("http"), 3)
        # APP-NAME stays as sent; a token's id becomes its name.
        self.assertEqual([line.split(b" ")[1].split(b"[")[0] for line in
                          self.router.history(self.channel).splitlines()], [b"app", b"heroku", b"other"])

    def test_empty_body(self):
        answer = self.router.post(b"", token=self.app)
        self.assertEqual((answer.status, answer.header("Tailrace-Accepted")), (204, "0"))

    def test_some_rejected_good_ones_arrive(self):
        good = record(self.app, "good")
        frame = counted(good)
        cases = [
            (frame + b"trailing", 1, {"malformed": 1}),
            (frame + b"garbage\n" + frame, 2, {"malformed": 1}),
            (frame + b"12x garbage\n" + frame, 2, {"malformed": 1}),
            (frame + b"one\ntwo\n" + frame, 2, {"malformed": 2}),
            (frame + b"1000 <13>1 cut", 1, {"truncated": 1}),
            (frame + b"10", 1, {"truncated": 1}),
            (frame + b"99999999999999999999 <13>1 x\n" + frame, 2, {"too_long": 1}),
            (frame + b"0 \n" + frame, 2, {"malformed": 1}),
            (frame + b"-5 x\n" + frame, 2, {"malformed": 1}),
        ]
        accepted, by_reason = 0, {}
        for body, good_ones, reasons in cases:
            with self.subTest(body=body[-40:]):
                answer = self.router.post(body, token=self.app)
                self.verdict(answer, 200, good_ones, **reasons)
                self.assertEqual(answer.header("Tailrace-Accepted"), str(good_ones))
            accepted += good_ones
            for reason, n in reasons.items():
                by_reason[reason] = by_reason.get(reason, 0) + n
        self.assertEqual(self.router.accepted("http"), accepted)
        self.assertEqual(self.router.rejected("http"), by_reason)
        self.assertEqual(self.messages(), [b"good"] * accepted)

    def test_none_acceptable(self):
        for body, reasons in ((b"garbage", {"malformed": 1}), (b"\n", {"malformed": 1}), (b"100 <13>1 cut", {"truncated": 1}),
                              (b"7", {"truncated": 1}), (b"a\nb\nc", {"malformed": 3}), (b"\0" * 100, {"malformed": 1}),
                              (b"4294967296 <13>1 x", {"too_long": 1})):
            with self.subTest(body=body[:20]):
                self.verdict(self.router.post(body, token=self.app), 400, 0, **reasons)
        self.assertEqual(self.messages(), [])

    def test_frames_that_are_no_syslog_are_raw_records(self):
        answer = self.router.post(b"11 hello world3 \0\xff\n6 <13>1 ", token=self.app)
        self.assertEqual((answer.status, answer.header("Tailrace-Accepted")), (204, "3"))
        self.assertEqual(self.router.history(self.channel).count(b" app[-]: "), 3)

    def test_authorization(self):
        body = counted(record(self.app, "one"))
        wrong = [None, "", "Basic", "Basic ", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(),
                 basic(f"token:{UNKNOWN}"), basic("token:"), basic("local:wrong"), basic("local:"), basic(f"{self.app}:"),
                 basic(f"token:{self.app}x"), basic(f"token:{self.app[:-1]}"), basic(f"token:{self.app.upper()}"),
                 "Bearer", "Bearer " + UNKNOWN, "Bearer local:password", "Digest " + self.app, self.app,
                 "Basic " + "A" * 12_000, basic("token:\0" + self.app)]
        for value in wrong:
            with self.subTest(authorization=value and value[:60]):
                fields = {"Content-Type": "application/logplex-1", **({} if value is None else {"Authorization": value})}
                answer = self.router.api("POST", "/logs", body, None, self.router.public, fields)
                self.assertEqual(answer.status, 401, answer)
                self.assertTrue((answer.header("WWW-Authenticate") or "").startswith("Basic realm="), answer.headers)
                self.assertNotIn(self.app.encode(), answer.body)
        right = [basic(f"token:{self.app}"), "basic " + basic(f"token:{self.app}")[6:], f"Bearer {self.app}",
                 f"bearer {self.app}", basic(AUTH)]
        for value in right:
            with self.subTest(authorization=value[:10]):
                fields = {"Content-Type": "application/logplex-1", "Authorization": value}
                for port in (self.router.public, self.router.admin):
                    self.assertEqual(self.router.api("POST", "/logs", body, None, port, fields).status, 204)
        self.assertEqual(len(self.messages()), 2 * len(right))

    def test_credential_routes_each_record_by_its_token(self):
        second, tokens = self.router.channel("blog", ["web"])
        body = counted(record(self.app, "to shop"), record(tokens["web"], "to blog"), record(UNKNOWN, "to nobody"),
                       record("app", "no token"), b"hello", record(self.heroku, "to shop too"))
        self.verdict(self.router.post(body, auth=AUTH), 200, 3, unknown_token=3)
        self.assertEqual(self.messages(), [b"to shop", b"to shop too"])
        self.assertEqual(self.router.history(second), TIME.encode() + b" web[web.1]: to blog\n")
        self.verdict(self.router.post(counted(record("app", "x")), auth=AUTH), 400, 0, unknown_token=1)

    def test_token_of_another_channel_in_app_name(self):
        second, tokens = self.router.channel("blog", ["web"])
        answer = self.router.post(counted(record(tokens["web"], "mine anyway")), token=self.app)
        self.assertEqual(answer.status, 204)
        self.assertEqual(self.router.history(second), b"")
        self.assertEqual(self.messages(), [b"mine anyway"])
        self.assertNotIn(tokens["web"].encode(), self.router.history(self.channel))

    def test_method_and_path(self):
        for method in ("GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"):
            with self.subTest(method=method):
                answer = self.router.api(method, "/logs", auth=f"token:{self.app}", port=self.router.public)
                self.assertEqual(answer.status, 405)
                self.assertIn("POST", answer.header("Allow"))
        for path in ("/nothing", "/logs/more", "/", "//logs", "/logs%00", "/LOGS", "/../logs"):
            with self.subTest(path=path):
                self.assertEqual(self.router.api("POST", path, b"", None, self.router.public).status, 404)
        # The API is on the admin listener alone.
        self.assertEqual(self.router.api("POST", "/channels", {}, port=self.router.public).status, 404)
        self.assertEqual(self.router.api("GET", "/metrics", port=self.router.public).status, 404)
        self.assertEqual(self.router.post(b"", token=self.app, headers={}).status, 204)
        query = self.router.api("POST", "/logs?srv=1", counted(record(self.app, "q")), f"token:{self.app}", self.router.public,
                                {"Content-Type": "application/logplex-1"})
        self.assertEqual(query.status, 204)

    def test_content_type(self):
        body = counted(record(self.app, "one"))
        for good in ("application/logplex-1", "application/x-logplex-1", "Application/LOGPLEX-1",
                     "application/logplex-1; charset=utf-8", "application/logplex-1;charset=utf-8", "application/logplex-1 ; a=b"):
            with self.subTest(type=good):
                self.assertEqual(self.router.post(body, self.app, headers={"Content-Type": good}).status, 204)
        for bad in ("", "application/json", "application/logplex-12", "application/logplex", "x-application/logplex-1",
                    "application/x-www-form-urlencoded", ";application/logplex-1"):
            with self.subTest(type=bad):
                self.assertEqual(self.router.post(body, self.app, headers={"Content-Type": bad}).status, 415)
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body)).replace(b"Content-Type: application/logplex-1\r\n", b"") + body)
            self.assertEqual(connection.answer().status, 415)

    def test_foreign_origin(self):
        body = counted(record(self.app, "one"))
        for fields in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            with self.subTest(fields=fields):
                self.assertEqual(self.router.post(body, self.app, headers=fields).status, 403)
                self.assertEqual(self.router.api("POST", "/channels", {}, headers=fields).status, 403)
        self.assertEqual(self.messages(), [])

    def test_size(self):
        limit = 8 << 20
        frame = counted(record(self.app, "x" * 9_000))
        body = frame * (limit // len(frame))
        self.assertEqual(self.router.post(body, token=self.app).status, 204)
        for length in (limit + 1, 1 << 31, 1 << 63, (1 << 64) - 1):
            with self.subTest(length=length):
                answer, rest = self.raw(self.head(length))
                self.assertEqual((answer.status, rest), (413, b""))
        # Chunked, where no length is said beforehand.
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(None, "Transfer-Encoding: chunked"))
            chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
            for _ in range(9):
                if not connection.send(chunk):
                    break
            self.assertEqual(connection.answer().status, 413)
        answer, _ = self.raw(self.head(None, "Transfer-Encoding: chunked") + b"7FFFFFFFFFFFFFFF\r\n")
        self.assertEqual(answer.status, 413)
        self.assertLess(self.router.rss(), 700 << 20)  # sanitizers take their share

    def test_head_too_large(self):
        long_path = f"POST /{'a' * 17_000} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        cases = {"one field": self.head(0, "X-Long: " + "a" * 16_500), "many bytes": self.head(0, *["X-A: " + "b" * 900] * 20),
                 "101 fields": self.head(0, *["X: y"] * 97), "100,000 fields": self.head(0, *["X: y"] * 100_000)}
        for name, data in cases.items():
            with self.subTest(name):
                answer, rest = self.raw(data)
                self.assertEqual((answer.status, rest), (431, b""))
        self.assertIn(self.raw(long_path)[0].status, (414, 431))
        answer, _ = self.raw(self.head(0, *["X: y"] * 95))  # 100 with its own five
        self.assertEqual(answer.status, 204)

    # ---- HTTP

    def test_expect_100_continue(self):
        body = counted(record(self.app, "patient"))
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body), "Expect: 100-continue"))
            self.assertEqual(connection.answer().status, 100)
            connection.send(body)
            self.assertEqual(connection.answer().status, 204)
        # What is refused is refused before a byte of the body.
        for refused, status in ((self.head(len(body), "Expect: 100-continue", auth=f"token:{UNKNOWN}"), 401),
                                (self.head(9 << 20, "Expect: 100-continue"), 413),
                                (self.head(5, "Expect: 100-continue").replace(b"logplex-1", b"json"), 415),
                                (self.head(5, "Expect: the-impossible"), 417)):
            with self.subTest(status=status):
                self.assertEqual(self.raw(refused)[0].status, status)
        self.assertEqual(self.messages(), [b"patient"])

    def test_chunked_at_every_byte(self):
        body = counted(record(self.app, "in pieces"))
        chunked = b"".join(b"%X\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
        data = self.head(None, "Transfer-Encoding: chunked") + chunked + b"0\r\nX-Trailer: ignored\r\n\r\n"
        with RawHttp(self.router.public) as connection:
            for at in range(1, len(data), 3):
                connection.send(data[:at])
                connection.send(data[at:])
                self.assertEqual(connection.answer().status, 204)
        self.assertEqual(self.router.accepted("http"), len(range(1, len(data), 3)))

    def test_pipelining_and_more_than_100_requests(self):
        bodies = [counted(record(self.app, f"{i}")) for i in range(300)]
        with RawHttp(self.router.public) as connection:
            connection.send(b"".join(self.head(len(body)) + body for body in bodies))
            for _ in bodies:
                answer = connection.answer()
                self.assertEqual((answer.status, answer.header("Tailrace-Accepted")), (204, "1"))
            for i in range(300, 500):
                body = counted(record(self.app, f"{i}"))
                connection.send(self.head(len(body)) + body)
                self.assertEqual(connection.answer().status, 204)
        self.assertEqual(self.messages(), [b"%d" % i for i in range(500)])

    def test_answers_in_order_when_some_are_refused(self):
        body = counted(record(self.app, "x"))
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body)) + body + self.head(len(body), auth=f"token:{UNKNOWN}") + body +
                            self.head(7) + b"garbage" + self.head(None, method="GET", path="/healthz") +
                            self.head(len(body)) + body)
            self.assertEqual([connection.answer().status for _ in range(5)], [204, 401, 400, 200, 204])
        self.assertEqual(self.messages(), [b"x", b"x"])

    def test_body_of_a_get_is_no_request(self):
        inner = self.head(0)
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(inner), method="GET", path="/healthz") + inner +
                            self.head(None, method="GET", path="/readyz"))
            first, second = connection.answer(), connection.answer()
            self.assertEqual((first.status, first.body), (200, b"ok\n"))
            self.assertEqual((second.status, second.json()["ready"]), (200, True))
            connection.half_close()
            self.assertEqual(connection.ended(), b"")
        with RawHttp(self.router.public) as connection:  # the body comes later than the head
            connection.send(self.head(len(inner), method="GET", path="/healthz"))
            connection.send(inner[:10])
            connection.send(inner[10:])
            connection.half_close()
            self.assertEqual(connection.answer().status, 200)
            self.assertEqual(connection.ended(), b"")

    def test_http_1_0_and_connection_close(self):
        body = counted(record(self.app, "x"))
        old = self.head(len(body)).replace(b"HTTP/1.1", b"HTTP/1.0") + body
        with RawHttp(self.router.public) as connection:
            connection.send(old)
            self.assertEqual(connection.answer().status, 204)
            self.assertEqual(connection.ended(), b"")
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body), "Connection: close") + body)
            self.assertEqual(connection.answer().status, 204)
            self.assertEqual(connection.ended(), b"")

    def test_smuggling_is_400_and_closed(self):
        body = counted(record(self.app, "smuggled"))
        n = len(body)
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (n, body)
        te = "Transfer-Encoding: "
        heads = {
            "two lengths": self.head(n, "Content-Length: 0"),
            "two equal lengths": self.head(n, f"Content-Length: {n}"),
            "a list of lengths": self.head(f"{n}, {n}"),
            "length and chunked": self.head(n, te + "chunked"),
            "chunked and length": self.head(n).replace(b"Host:", b"Transfer-Encoding: chunked\r\nHost:"),
            "xchunked": self.head(None, te + "xchunked"),
            "chunked, identity": self.head(None, te + "chunked, identity"),
            "identity, chunked": self.head(None, te + "identity, chunked"),
            "gzip, chunked": self.head(None, te + "gzip, chunked"),
            "chunked twice": self.head(None, te + "chunked", te + "chunked"),
            "chunked in HTTP/1.0": self.head(None, te + "chunked").replace(b"HTTP/1.1", b"HTTP/1.0"),
            "blank before the colon": self.head(None, f"Content-Length : {n}"),
            "blank before the name": self.head(None, f" Content-Length: {n}"),
            "plus": self.head(f"+{n}"),
            "minus": self.head(f"-{n}"),
            "hexadecimal": self.head(f"0x{n:x}"),
            "with a tail": self.head(f"{n}abc"),
            "no digits": self.head(""),
            "beyond 64 bits": self.head("18446744073709551616"),
            "quoted": self.head(f'"{n}"'),
            "bare LF": self.head(n).replace(b"\r\n", b"\n"),
            "one bare LF": self.head(n).replace(b"tailrace\r\n", b"tailrace\n"),
            "bare CR": self.head(n, "X: a\rContent-Length: 0"),
            "folded": self.head(n, "X: a\r\n b"),
            "NUL": self.head(n, "X: a\0b"),
            "no name": self.head(n, ": x"),
            "no colon": self.head(n, "nonsense"),
            "blank in a name": self.head(n, "X Y: z"),
            "two hosts": self.head(n, "Host: other"),
            "no host": self.head(n).replace(b"Host: tailrace\r\n", b""),
            "host that is none": self.head(n).replace(b"Host: tailrace", b"Host: a b/c"),
            "no version": self.head(n).replace(b" HTTP/1.1", b""),
            "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
            "syslog": counted(record(self.app, "wrong port")) + b"\r\n\r\n",
        }
        for name, head in heads.items():
            with self.subTest(name):
                answer, rest = self.raw(head + (chunked if b"hunked" in head else body), half_close=True)
                self.assertEqual((answer.status, rest), (400, b""), answer)
        bodies = {
            "chunk size beyond 64 bits": b"FFFFFFFFFFFFFFFFF\r\n",
            "negative chunk size": b"-1\r\nx\r\n0\r\n\r\n",
            "0x chunk size": b"0x5\r\nhello\r\n0\r\n\r\n",
            "no chunk size": b"\r\nhello\r\n0\r\n\r\n",
            "chunk without its end": b"5\r\nhelloX\r\n0\r\n\r\n",
            "bare LF after a chunk size": b"5\nhello\r\n0\r\n\r\n",
            "huge chunk extension": b"5;" + b"x" * (1 << 20) + b"\r\nhello\r\n0\r\n\r\n",
            "many chunk extensions": b"".join(b"1;%s\r\nx\r\n" % (b"e" * 250) for _ in range(200)) + b"0\r\n\r\n",
            "bare CR in a chunk extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        }
        for name, data in bodies.items():
            with self.subTest(name):
                answer, rest = self.raw(self.head(None, te + "chunked") + data, half_close=True)
                self.assertIn(answer.status, (400, 413), answer)
                self.assertEqual((answer.status, rest), (400, b""), answer)
        self.assertEqual(self.messages(), [])
        self.assertEqual(self.router.post(body, token=self.app).status, 204)

    def test_heads_in_pieces_and_unfinished_ones_disturb_nobody(self):
        body = counted(record(self.app, "slow"))
        data = self.head(len(body)) + body
        slow = [RawHttp(self.router.public) for _ in range(100)]
        try:
            for i, connection in enumerate(slow):
                connection.send(data[:1 + i * 2 % (len(data) - 1)])
            self.assertEqual(self.router.post(counted(record(self.app, "quick")), token=self.app).status, 204)
            self.assertEqual(self.messages(), [b"quick"])  # nothing of a POST before its body is whole
            for i, connection in enumerate(slow):
                connection.send(data[1 + i * 2 % (len(data) - 1):])
                self.assertEqual(connection.answer().status, 204)
        finally:
            for connection in slow:
                connection.close()
        self.assertEqual(self.messages().count(b"slow"), 100)

    def test_posts_cut_off_leave_nothing(self):
        body = counted(record(self.app, "cut"), record(self.app, "off"))
        data = self.head(len(body)) + body
        for at in range(1, len(data), 5):
            with RawHttp(self.router.public) as connection:
                connection.send(data[:at])
                connection.half_close()
                answer = connection.answer()
                self.assertTrue(answer is None or answer.status in (400, 408), answer)
        self.assertEqual(self.messages(), [])
        self.assertEqual(self.router.accepted("http"), 0)

    # ---- the rest

    def test_msg_count_that_disagrees_is_not_fatal(self):
        body = counted(record(self.app, "one"))
        for count in ("1", "2", "0", "-1", "x", "", "9" * 30):
            with self.subTest(count=count):
                self.assertEqual(self.router.post(body, self.app, headers={"Logplex-Msg-Count": count}).status, 204)
        self.assertEqual(len(self.messages()), 7)

    def test_long_message_counts_once(self):
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        answer = self.router.post(counted(record(self.app, "y" * 25_000)), token=self.app)
        self.assertEqual((answer.status, answer.header("Tailrace-Accepted")), (204, "1"))
        self.assertEqual(far_end.wait_for(3), [b"y" * 10_000, b"y" * 10_000, b"y" * 5_000])

    def test_every_json_route_withstands_any_body(self):
        paths = [("POST", "/channels"), ("POST", f"/v2/channels/{self.channel}/tokens"), ("POST", "/v2/sessions"),
                 ("POST", f"/v2/channels/{self.channel}/drains"), ("POST", f"/v2/channels/{self.channel}/drains/1"),
                 ("POST", f"/channels/{self.channel}/drains/tokens")]
        bodies = [b"", b"{", b"null", b"7", b"[]", b'"x"', b"\xff\xfe", b"1e999", b'{"name":1e999}', b'{"name":{}}',
                  b'{"name":["a"]}', b'{"name":"a\\u0000b"}', b'{"name":"\\ud800"}', b'{"tokens":7}', b'{"tokens":[[]]}',
                  b'{"tokens":["a","a"]}', b'{"url":{}}', b'{"channel_id":{}}', b'{"channel_id":"../1"}', b"[" * 100_000,
                  b'{"a":' * 50_000, b'{"name":"' + b"n" * 1_000_000 + b'"}', b'{"name":"a","name":7}', b'{"name":"a b\\r\\nc"}']
        for method, path in paths:
            for body in bodies:
                with self.subTest(path=path, body=body[:30]):
                    answer = self.router.api(method, path, body)
                    self.assertLess(answer.status, 500, answer)
                    if answer.status >= 400:
                        self.assertIsInstance(answer.json()["error"], str)
        for path in ("/v2/channels/" + "9" * 400, "/v2/channels/%00", "/v2/channels/-1", "/v2/channels/a%2fb", "/v2/channels/",
                     "/v2/channels/1%", "/v2/channels/%zz", "/v3/channels?after=%ff", "/v3/channels?name=" + "%41" * 3000):
            with self.subTest(path=path[:40]):
                self.assertIn(self.router.api("GET", path).status, (200, 400, 404))

    def test_api_wants_the_admin_credential(self):
        for method, path in (("GET", "/healthcheck"), ("POST", "/channels"), ("GET", f"/v2/channels/{self.channel}"),
                             ("GET", "/v3/ledger"), ("DELETE", f"/v2/channels/{self.channel}"), ("GET", "/v3/channels"),
                             ("GET", "/v2/channels/999"), ("POST", "/v2/channels/999/drains")):
            for auth in (None, "local:wrong", "admin:password", f"token:{self.app}", "local:password ", "Local:password"):
                with self.subTest(path=path, auth=auth):
                    answer = self.router.api(method, path, b"{}", auth)
                    self.assertEqual(answer.status, 401, answer)
                    self.assertEqual(list(json.loads(answer.body)), ["error"])
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(self.router.api("GET", path, auth=None).status, 200)


if __name__ == "__main__":
    unittest.main()

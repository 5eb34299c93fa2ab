"""Options of drains: what they do to requests, in the URL and in JSON, and that their secrets show nowhere."""

import base64
import ctypes
import hashlib
import hmac
import json
import os
import tempfile
import time
import unittest
import urllib.parse
import zlib

from harness import EndToEnd, HttpFarEnd, SyslogFarEnd, counted, record, split_frames, wait_until
from ingest_case import LIBZSTD

SECRET = "s3cret-that-shows-nowhere"


def unzstd(body):
    size = LIBZSTD.ZSTD_getFrameContentSize
    size.restype, size.argtypes = ctypes.c_ulonglong, (ctypes.c_char_p, ctypes.c_size_t)
    room = size(body, len(body))
    out = ctypes.create_string_buffer(room)
    inflate = LIBZSTD.ZSTD_decompress
    inflate.restype = ctypes.c_size_t
    inflate.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
    if inflate(out, room, body, len(body)) != room:
        raise AssertionError("no whole zstd frame")
    return out.raw


def gunzip(body):
    whole = zlib.decompressobj(wbits=31)
    out = whole.decompress(body)
    if not whole.eof or whole.unused_data:
        raise AssertionError("no whole gzip member, or something behind it")
    return out


def fields(head):
    """The request line and its fields, names in lower case."""
    first, *rest = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    return first, {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in rest}


class PackingFarEnd(HttpFarEnd):
    """Inflates what its encoding says before it counts."""

    def frames(self):
        out = []
        for request in self.taken():
            encoding = fields(request.head)[1].get("content-encoding")
            inflate = {None: bytes, "gzip": gunzip, "zstd": unzstd}[encoding]
            out += split_frames(inflate(request.body))[0]
        return out


class DrainsOptions(EndToEnd):
    def set_up(self, *flags):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def add(self, url, **options):
        return self.router.good("POST", f"/v2/channels/{self.channel}/drains", {"url": url, **options})

    def refused(self, url, **options):
        answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": url, **options})
        self.assertEqual(answer.status, 422, answer.body)
        return answer.json()["error"].removeprefix("Invalid drain destination: ")

    def send(self, *messages, **kinds):
        self.router.send(counted(*[record(self.app, message, **kinds) for message in messages]))

    def settled(self, drain, **counts):
        self.router.wait_for_drain(self.channel, drain, buffered=0, **counts)

    # ---- the path

    def test_options_never_reach_the_far_end(self):
        self.set_up()
        far_end = self.far_end()
        options = "gzip=0&batch_bytes=2M&filter=a&headers=X-Team:shop&batch_delay=0s&format=logplex&zstd=0"
        self.add(f"http://127.0.0.1:{far_end.port}/in/%41?b=1&{options}&b=%20%2B+c&&d")
        self.send(b"a")
        far_end.wait_for(1)
        first, its = fields(far_end.taken()[0].head)
        self.assertEqual(first, "POST /in/%41?b=1&b=%20%2B+c&&d HTTP/1.1")
        self.assertEqual(its["x-team"], "shop")
        alone = self.far_end()
        self.add(f"http://127.0.0.1:{alone.port}?gzip=0")
        self.send(b"a")
        alone.wait_for(1)
        self.assertEqual(fields(alone.taken()[0].head)[0], "POST / HTTP/1.1")

    # ---- filters

    def test_a_filter_in_the_url_and_in_json_and_the_ledger(self):
        self.set_up()
        messages = [b"path=/%d status=%d service=%dms" % (i, 500 if i % 5 == 0 else 200, i * 10) for i in range(1000)]
        wanted = "status>=500 service>1s -path=/200"
        expected = [m for i, m in enumerate(messages) if i % 5 == 0 and i > 100 and i != 200]
        in_url, in_json, by_syslog = self.far_end(), self.far_end(), self.far_end(SyslogFarEnd)
        drains = [self.add(in_url.url + "?filter=" + urllib.parse.quote(wanted)), self.add(in_json.url, filter=wanted),
                  self.add(by_syslog.url, filter=wanted)]
        for first in range(0, 1000, 100):
            self.send(*messages[first:first + 100])
        for drain in drains:
            self.settled(drain, accepted=1000, delivered=len(expected), filtered=1000 - len(expected), dropped={})
        for far_end in (in_url, in_json, by_syslog):
            self.assertEqual([message.rstrip(b"\n") for message in far_end.messages()], expected)
        self.assertEqual(self.router.metric("tailrace_drain_filtered_records_total", drain=drains[0]["token"]),
                         1000 - len(expected))

    def test_a_filter_of_fields(self):
        self.set_up()
        far_end = self.far_end()
        drain = self.add(far_end.url, filter="@app=heroku @procid=router or @severity<=err /BOOM/i")
        self.router.send(counted(
            record(self.heroku, "one", procid="router"), record(self.heroku, "two", procid="web.1"),
            record(self.app, "three", procid="router"), record(self.app, "a boom", pri=11),
            record(self.app, "a boom", pri=14)))
        self.settled(drain, delivered=2, filtered=3)
        self.assertEqual(far_end.messages(), [b"one", b"a boom"])

    def test_a_filter_that_wants_nothing_leaves_nothing_behind(self):
        self.set_up()
        far_end = self.far_end()
        drain = self.add(far_end.url, filter="never-said")
        for _ in range(20):
            self.send(*[b"m"] * 500)
        self.settled(drain, accepted=10_000, delivered=0, filtered=10_000)
        self.assertEqual(far_end.requests, [])
        health = self.router.good("GET", f"/v3/channels/{self.channel}/drains/{drain['id']}/health")
        self.assertEqual(health["lag_records"], 0)

    # ---- compression

    def one_encoding(self, encoding, inflate):
        self.set_up()
        plain, packed = self.far_end(), self.far_end(PackingFarEnd)
        self.add(plain.url)
        self.add(packed.url + f"?{encoding}=1")
        messages = [b"%d %s" % (i, b"the same words again and again " * 8) for i in range(8000)]
        for first in range(0, 8000, 400):
            self.send(*messages[first:first + 400])
        self.assertEqual(packed.wait_for(8000), messages)
        plain.wait_for(8000)
        self.assertEqual(b"".join(counted(f) for f in packed.frames()), b"".join(r.body for r in plain.taken()))
        for request in packed.taken():
            its = fields(request.head)[1]
            self.assertEqual(its["content-encoding"], encoding)
            self.assertEqual(int(its["content-length"]), len(request.body))
            self.assertEqual(int(its["logplex-msg-count"]), len(split_frames(inflate(request.body))[0]))
        self.assertLess(sum(len(r.body) for r in packed.taken()) * 4, sum(len(r.body) for r in plain.taken()))
        self.assertNotIn("content-encoding", fields(plain.taken()[0].head)[1])

    def test_gzip(self):
        self.one_encoding("gzip", gunzip)

    @unittest.skipUnless(LIBZSTD, "libzstd is not installed")
    def test_zstd(self):
        self.one_encoding("zstd", unzstd)

    def test_a_compressed_batch_is_the_same_at_every_try(self):
        self.set_up()
        far_end = self.far_end(PackingFarEnd)
        far_end.set_mode(503)
        drain = self.add(far_end.url, gzip=True, signing_secret=SECRET)
        self.send(b"one", b"two")
        wait_until(lambda: len(far_end.requests) >= 2, "a second try")
        far_end.set_mode(200)
        self.settled(drain, delivered=2)
        self.assertEqual(len({request.body for request in far_end.requests}), 1)
        self.assertEqual(len({fields(request.head)[1]["webhook-id"] for request in far_end.requests}), 1)
        for request in far_end.requests:
            self.verify(request, SECRET.encode())

    # ---- headers and signatures

    def verify(self, request, key):
        its = fields(request.head)[1]
        self.assertEqual(its["webhook-id"], its["logplex-frame-id"])
        self.assertLess(abs(int(its["webhook-timestamp"]) - time.time()), 300)
        said = f"{its['webhook-id']}.{its['webhook-timestamp']}.".encode() + request.body
        expected = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        self.assertEqual(its["webhook-signature"], "v1," + expected)

    def test_signatures_verify(self):
        self.set_up()
        raw = os.urandom(24)
        whsec = "whsec_" + base64.b64encode(raw).decode()
        plain, packed, encoded = self.far_end(), self.far_end(PackingFarEnd), self.far_end()
        self.add(plain.url, signing_secret=SECRET)
        self.add(packed.url, signing_secret=SECRET, gzip=True)
        self.add(encoded.url, signing_secret=whsec)
        for i in range(20):
            self.send(b"%d %s" % (i, b"x" * 5000))
        for far_end, key in ((plain, SECRET.encode()), (packed, SECRET.encode()), (encoded, raw)):
            far_end.wait_for(20)
            for request in far_end.taken():
                self.verify(request, key)

    def test_headers_arrive_once_and_as_given(self):
        self.set_up()
        in_url, in_json = self.far_end(), self.far_end()
        self.add(in_url.url + "?headers=X-Team:%20shop%20one&headers=X-Key:a%3Ab%26c")
        self.add(in_json.url, headers={"Authorization": "Bearer abc", "X-Team": "shop"})
        self.send(b"m")
        in_url.wait_for(1), in_json.wait_for(1)
        head = in_url.taken()[0].head
        self.assertIn(b"\r\nX-Team: shop one\r\nX-Key: a:b&c\r\n", head)
        self.assertIn(b"\r\nAuthorization: Bearer abc\r\n", in_json.taken()[0].head)
        self.assertEqual(in_json.taken()[0].head.lower().count(b"\r\nauthorization:"), 1)
        self.assertEqual(head.lower().count(b"\r\nhost:"), 1)

    # ---- rfc5424, batches

    def test_the_whole_record(self):
        self.set_up()
        http, syslog = self.far_end(), self.far_end(SyslogFarEnd)
        self.add(http.url + "?format=rfc5424")
        self.add(syslog.url + "?format=rfc5424")
        self.router.send(counted(record(self.app, "m", host="elsewhere", msgid="ID7", sd='[a@1 b="c"]')))
        for far_end in (http, syslog):
            wait_until(far_end.frames, "a frame")
            self.assertRegex(far_end.frames()[0], rb'^<190>1 \S+ elsewhere app web\.1 ID7 \[a@1 b="c"\] m\n?$')

    def test_batch_bytes_bounds_a_body(self):
        self.set_up()
        far_end = self.far_end()
        far_end.set_mode(503)
        drain = self.add(far_end.url, batch_bytes="4K")
        for i in range(100):
            self.send(b"%d %s" % (i, b"x" * 400))
        far_end.set_mode(200)
        self.settled(drain, delivered=100)
        self.assertEqual([int(m.split(b" ")[0]) for m in far_end.messages()], list(range(100)))
        # The record that fills it goes along.
        self.assertLessEqual(max(len(r.body) for r in far_end.requests), 4096 + 500)

    # ---- what is refused, and what is shown

    def test_what_is_refused(self):
        self.set_up()
        url = "http://127.0.0.1:1/"
        self.assertEqual(self.refused(url + "?batch_bytes=1"), "batch_bytes: takes 1K to 8M")
        self.assertEqual(self.refused(url, batch_bytes="9M"), "batch_bytes: takes 1K to 8M")
        self.assertEqual(self.refused(url, filter="status>="), "filter: status>=: a number is missing (at 9)")
        self.assertEqual(self.refused("syslog://127.0.0.1:1", gzip=True), "gzip: takes a drain of http or https")
        self.assertEqual(self.refused(url + "?gzip=1&zstd=1"), "gzip, zstd: one of them")
        for name, value in (("Content-Length", SECRET), ("X-A", SECRET + "\r\nX: y"), (SECRET + " ", "x")):
            self.assertNotIn(SECRET, self.refused(url, headers={name: value}))
        self.assertNotIn(SECRET, self.refused(url + "?headers=" + SECRET))
        self.assertNotIn(SECRET, self.refused(url + "?signing_secret=" + SECRET))
        self.assertNotIn(SECRET, self.refused(url, signing_secret="whsec_" + SECRET))
        self.assertNotIn(SECRET, self.refused("https://127.0.0.1:1", tls_key=SECRET, tls_cert=SECRET))
        self.assertEqual(self.router.ledger(self.channel)["drains"], [])

    def test_secrets_show_nowhere_and_are_kept(self):
        with tempfile.TemporaryDirectory() as data:
            self.set_up("--data-dir", data)
            self.secrets()
            self.router.stop()
            again = self.node("--data-dir", data)
            self.router = again
            again.send(counted(record(self.app, b"shown-in-full again")))
            self.far.wait_for(2)
            request = self.far.taken()[-1]
            self.verify(request, (SECRET + "-too").encode())
            self.assertIn(b"\r\nX-Key: %s\r\n" % SECRET.encode(), request.head)
            self.assertNotIn(SECRET, again.log())
            again.stop()

    def secrets(self):
        far_end, dead = self.far_end(), self.far_end()
        tail = self.tail(self.router.session(self.channel, tail="1"))
        self.far = far_end
        given = {"headers": {"X-Key": SECRET}, "signing_secret": SECRET + "-too", "filter": "shown-in-full"}
        drain = self.add(far_end.url, **given)
        bad = self.add(dead.url + f"?headers=X-Key:{SECRET}&key={SECRET}")
        dead.set_mode(401)
        self.send(b"shown-in-full")
        far_end.wait_for(1)
        tail.wait_for("paused since")
        shown = [json.dumps(drain), json.dumps(bad), tail.text().decode(), self.router.log()]
        for path in ("/v3/channels/{c}/drains", "/v2/channels/{c}", "/v3/channels", "/metrics",
                     "/v3/ledger", "/v3/channels/{c}/drains/{d}/health", "/v3/channels/{c}/drains/{b}/health",
                     "/v3/channels/{c}/drains/{b}/dead_letters"):
            answer = self.router.api("GET", path.format(c=self.channel, d=drain["id"], b=bad["id"]))
            self.assertEqual(answer.status, 200, path)
            shown.append(answer.body.decode())
        for text in shown:
            self.assertNotIn(SECRET, text)
        self.assertIn("shown-in-full", "".join(shown))
        self.assertIn('"X-Key":"***"', "".join(shown).replace(": ", ":"))
        self.assertIn("headers=***", "".join(shown))


if __name__ == "__main__":
    unittest.main()

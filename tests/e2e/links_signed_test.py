"""Links to one live query: what they show, to whom, and what ends them."""

import base64
import csv
import datetime
import hashlib
import hmac
import io
import pathlib
import re
import sqlite3
import tempfile
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

from harness import AUTH, EndToEnd, counted, record, wait_until

SVG = "{http://www.w3.org/2000/svg}"
PASSWORD = "long enough to be one"


def text_of(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- a link's form, written a second time

def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def text(value):
    return varint(len(value.encode())) + value.encode()


def texts(values):
    return varint(len(values)) + b"".join(text(v) for v in values)


def sign(password_key, password, channel, index, credential, expires, names=(), show=()):
    said = b"\x01" + varint(index) + text(channel) + text(credential) + varint(expires) + text("2h") + text("") + text("") \
        + texts(names) + texts([]) + texts(show)
    mac = lambda key, what: hmac.new(key, what, hashlib.sha256).digest()
    hashed = mac(password_key, password.encode())
    code = mac(mac(password_key, b"links"), varint(len(said)) + said + varint(len(hashed)) + hashed)
    return base64.urlsafe_b64encode(said + code).decode().rstrip("=")


class Links(EndToEnd):
    def set_up(self, *flags, name="shop"):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel(name, ["app", "heroku"])
        self.tokens = tokens
        self.fill()

    def fill(self):
        now = time.time()
        lines = [record(self.tokens["heroku"], f'at=info method=GET path="/" host=a dyno=web.1 connect=1ms service={ms}ms status=200 bytes=5 '
                        'request_id=a fwd=b', procid="router", time=text_of(now - 60 * ago)) for ago, ms in ((0, 20), (10, 30), (11, 40))]
        lines.append(record(self.tokens["app"], "measure#secret.time=5ms count#jobs=3", time=text_of(now)))
        lines.append(record(self.tokens["app"], "Deploy 4fe2 by someone@example.com", procid="api", time=text_of(now)))
        self.assertEqual(self.router.post(counted(*lines), self.tokens["app"]).status, 204)

    def make(self, expires="24h", auth=AUTH, channel=None, headers=None, **query):
        return self.router.api("POST", f"/v3/channels/{channel or self.channel}/links", {"query": query, "expires": expires}, auth, headers=headers)

    def path(self, **query):
        answer = self.make(**query)
        self.assertEqual(answer.status, 201, answer)
        url = answer.json()["url"]
        self.assertTrue(url.startswith(self.router.url + "/links/"), url)
        return url[len(self.router.url):]

    def open(self, path, query="", headers=None, router=None):
        """Without any credential."""
        answer = (router or self.router).api("GET", path + query, auth=None, headers=headers)
        self.assertEqual(answer.header("Cache-Control"), "no-store", answer)
        self.assertEqual(answer.header("Referrer-Policy"), "no-referrer")
        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
        return answer

    def ended(self, path, router=None):
        return self.open(path, router=router).status == 404

    def test_json_csv_and_svg_of_that_query_alone(self):
        self.set_up()
        path = self.path(name=["router.service"], **{"from": "2h"}, to="0s", step="1m", show=["median", "p95"])
        answer = self.open(path)
        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "application/json"))
        shown = answer.json()
        self.assertEqual([s["name"] for s in shown["series"]], ["router.service"])
        self.assertEqual(sum(p["count"] for p in shown["series"][0]["points"]), 3)
        self.assertEqual(shown["events"], [])
        self.assertNotIn(b"secret", answer.body)
        self.assertNotIn(b"example.com", answer.body)
        for query in ("?name=secret.time", "?name=", "?from=7d&source=x&step=1h", "?show=count"):
            self.assertEqual(self.open(path, query).json()["series"], shown["series"], query)

        rows = list(csv.DictReader(io.StringIO(self.open(path, "?format=csv").body.decode())))
        self.assertEqual({row["name"] for row in rows}, {"router.service"})
        self.assertEqual(sum(int(row["count"]) for row in rows), 3)
        self.assertTrue(self.open(path, headers={"Accept": "text/csv"}).header("Content-Type").startswith("text/csv"))
        self.assertEqual(self.open(path, "?format=pdf").status, 422)
        self.assertEqual(self.router.api("POST", path, b"").status, 405)

        answer = self.open(path, "?format=svg")
        self.inert(answer)
        lines = [p for p in ElementTree.fromstring(answer.body).iter(SVG + "path") if p.get("class", "").startswith("line") and p.find(SVG + "title") is not None]
        self.assertEqual([p.find(SVG + "title").text for p in lines], ["router.service, median", "router.service, p95"])
        self.assertEqual(lines[0].get("d").count("M"), 2, "a gap is a gap")

    def inert(self, answer):
        """Well-formed, and nothing in it runs or loads anything."""
        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "image/svg+xml"), answer)
        policy = answer.header("Content-Security-Policy")
        self.assertIn("default-src 'none'", policy)
        self.assertIn("sandbox", policy)
        self.assertNotIn("script", policy)
        for element in ElementTree.fromstring(answer.body).iter():
            self.assertIn(element.tag.removeprefix(SVG), ("svg", "title", "desc", "style", "rect", "path", "text"))
            for name, value in element.attrib.items():
                self.assertIn(name, ("viewBox", "width", "height", "role", "class", "x", "y", "d", "text-anchor"))
                self.assertNotIn("url", value)
            if element.tag == SVG + "style":
                self.assertNotRegex(element.text, r"url|import|expression|http")

    def test_hostile_names_draw_nothing_but_text(self):
        hostile = '</text><script>alert(1)</script><image href="http://x/"/>&"\''
        self.set_up(name=hostile)
        self.router.send(counted(record(self.tokens["app"], 'measure#<script>alert(2)</script>=5 source=]]><b>', time=text_of(time.time()))))
        self.router.send(counted(record(self.tokens["app"], "measure#a&b=5<img> source=onload=alert(3)", time=text_of(time.time()))))
        metrics = f"/v3/channels/{self.channel}/metrics?format=svg&name="

        def odd():
            series = {s["name"] for s in self.router.good("GET", f"/v3/channels/{self.channel}/metrics?from=30d&step=1h")["series"]}
            return [name for name in series if not re.fullmatch(r"[\w.]+", name)]

        self.assertGreaterEqual(len(wait_until(odd, "series with odd names")), 1)
        for name in odd() + ["router.service", hostile]:
            answer = self.router.api("GET", metrics + urllib.parse.quote(name))
            self.inert(answer)
            told = ElementTree.fromstring(answer.body).find(SVG + "title").text
            self.assertTrue(told.startswith(hostile + ": "), told)
            self.inert(self.open(self.path(name=[name]), "?format=svg"))

    def test_several_names_and_figures_in_every_form(self):
        self.set_up()
        metrics = f"/v3/channels/{self.channel}/metrics?name=router.service&name=jobs&from=2h"
        self.assertEqual({s["name"] for s in self.router.good("GET", metrics)["series"]}, {"router.service", "jobs"})
        rows = list(csv.DictReader(io.StringIO(self.router.api("GET", metrics + "&format=csv").body.decode())))
        self.assertEqual({row["name"] for row in rows}, {"router.service", "jobs"})
        for query, accept in (("&format=svg", "*/*"), ("", "image/svg+xml")):
            for show, lines in (("", 4), ("&show=max", 2), ("&show=max,min", 4), ("&show=max&show=min&show=max", 4)):
                answer = self.router.api("GET", metrics + query + show, headers={"Accept": accept})
                self.inert(answer)
                drawn = [t.text for t in ElementTree.fromstring(answer.body).iter(SVG + "title")][1:]
                self.assertEqual(len(drawn), lines, drawn)
        self.assertTrue(self.router.api("GET", metrics + "&show=p50&format=svg").json()["error"].startswith("show: "))

    def test_from_counts_back_from_the_opening(self):
        self.set_up()
        path = self.path(name=["router.service"], **{"from": "90m"}, to="30m")
        before = time.time()
        shown = self.open(path).json()
        for name, ago in (("from", 90), ("to", 30)):
            told = datetime.datetime.fromisoformat(shown[name]).timestamp()
            self.assertLess(abs(told - (before - 60 * ago)), 125)
        fixed = self.path(**{"from": "2026-01-02T03:00:00Z"}, to=1767326400)
        self.assertEqual(self.open(fixed).json()["from"], "2026-01-02T03:00:00.000Z")

    def test_any_other_text_opens_nothing(self):
        self.set_up()
        path = self.path(name=["router.service"])
        self.assertEqual(self.open(path).status, 200)
        link = path.rsplit("/", 1)[1]
        for at in range(0, len(link), 3):
            other = "A" if link[at] != "A" else "B"
            self.assertTrue(self.ended("/links/" + link[:at] + other + link[at + 1:]), at)
        for wrong in (link[:-1], link + "A", link + "=", link[1:], "x", "%00", "A" * 4000):
            self.assertTrue(self.ended("/links/" + wrong), wrong)

    def test_a_credential_ends_its_links(self):
        self.set_up()
        other, _ = self.router.channel("other")

        def credential(password, channel):
            self.router.api("DELETE", "/v3/credentials/ops")
            self.router.good("POST", "/v3/credentials", {"id": "ops", "password": password, "permissions": [f"read:{channel}"]})

        credential(PASSWORD, self.channel)
        ops = "ops:" + PASSWORD
        self.assertEqual(self.make(auth=ops, channel=other).status, 403)
        self.assertEqual(self.make(auth=None).status, 401)
        self.assertEqual(self.make(auth=ops, headers={"Origin": "http://evil.example"}).status, 403)
        path = self.path(auth=ops, name=["router.service"])
        self.assertEqual(self.open(path).status, 200)
        self.router.good("DELETE", "/v3/credentials/ops")
        self.assertTrue(self.ended(path))
        credential("another password", self.channel)
        self.assertTrue(self.ended(path), "another who has that name")
        credential(PASSWORD, other)
        self.assertTrue(self.ended(path), "who may not read the channel any more")
        admins = self.path(name=["router.service"])
        self.assertEqual(self.open(admins).status, 200)

    def test_by_cookie_it_is_the_credential_of_who_signed_in(self):
        self.set_up()
        self.router.good("POST", "/v3/credentials", {"id": "ops", "password": PASSWORD, "permissions": [f"read:{self.channel}"]})
        answer = self.router.api("POST", "/v3/login", {"user": "ops", "password": PASSWORD}, auth=None)
        cookie = {"Cookie": answer.header("Set-Cookie").split(";")[0], "Origin": self.router.url}
        path = self.path(auth=None, headers=cookie, name=["router.service"])
        self.assertEqual(self.open(path).status, 200)
        self.router.good("DELETE", "/v3/credentials/ops")
        self.assertTrue(self.ended(path))

    def test_a_channel_that_is_made_anew_is_another(self):
        self.set_up()
        self.router.good("PUT", "/v3/channels/mine", {"tokens": ["app"]})
        path = self.path(channel="mine", name=["x"])
        self.assertEqual(self.open(path).status, 200)
        self.router.good("DELETE", "/v3/channels/mine")
        self.assertTrue(self.ended(path))
        self.router.good("PUT", "/v3/channels/mine", {"tokens": ["app"]})
        self.assertTrue(self.ended(path))

    def test_a_restart_keeps_links_with_a_data_dir_and_none_without(self):
        for kept in (True, False):
            with self.subTest(data_dir=kept), tempfile.TemporaryDirectory() as directory:
                flags = ("--data-dir", directory + "/data") if kept else ()
                self.set_up(*flags)
                path = self.path(name=["router.service"])
                self.assertEqual(self.open(path).status, 200)
                self.router.stop()
                again = self.node(*flags)
                if not kept:
                    again.channel("shop")
                self.assertEqual(self.ended(path, again), not kept)
                if kept:
                    self.assertEqual(self.open(path, router=again).json()["series"][0]["name"], "router.service")
                again.stop()

    def test_one_that_is_over_says_so_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as directory:
            data = pathlib.Path(directory, "data")
            self.set_up("--data-dir", str(data))
            self.router.stop()
            with sqlite3.connect(data / "catalog.db") as catalog:
                key = bytes(catalog.execute("SELECT value FROM meta WHERE key = 'password_key'").fetchone()[0])
                index = catalog.execute("SELECT idx FROM channels WHERE id = ?", (self.channel,)).fetchone()[0]
            catalog.close()
            self.router = self.node("--data-dir", str(data))
            now = int(time.time())
            user, password = AUTH.split(":")

            def opened(expires, **other):
                fields = {"password": password, "channel": self.channel, "index": index, "credential": user, **other}
                return self.open("/links/" + sign(key, expires=expires, names=["router.service"], show=["p95"], **fields))

            self.assertEqual(opened(now + 3600).json()["series"][0]["name"], "router.service")
            for ago in (0, 1, 3600):
                answer = opened(now - ago)
                self.assertEqual((answer.status, answer.json()), (410, {"error": "this link has ended"}))
            self.assertEqual(opened(now + 3600, index=index + 1).status, 404)
            self.assertEqual(opened(now + 3600, password="x").status, 404)
            self.assertEqual(opened(now - 3600, password="x").status, 404)
            self.assertEqual(opened(now + 3600, credential="x").status, 404)

    def test_ends_when_it_says(self):
        self.set_up()
        for expires, seconds in (("1m", 60), ("24h", 86400), ("30d", 30 * 86400), (None, 86400)):
            body = {"query": {}} | ({"expires": expires} if expires else {})
            answer = self.router.good("POST", f"/v3/channels/{self.channel}/links", body)
            told = datetime.datetime.fromisoformat(answer["expires"]).timestamp()
            self.assertLess(abs(told - time.time() - seconds), 30, expires)
        for expires in ("59s", "31d", "0s", "soon", "", 60, "-1h"):
            answer = self.make(expires=expires)
            self.assertEqual(answer.status, 422, answer)
            self.assertTrue(answer.json()["error"].startswith("expires: "), answer)
        for query in ({"from": "x"}, {"step": "90s"}, {"show": ["p50"]}, {"name": [1]}, {"name": ["x" * 255] * 9}, {"to": "x"}):
            answer = self.make(**query)
            self.assertEqual(answer.status, 422, answer)
            self.assertTrue(answer.json()["error"].startswith("query: "), answer)
        self.assertEqual(self.router.api("POST", f"/v3/channels/{self.channel}/links", {"query": []}).status, 422)
        self.assertEqual(self.make(channel="none").status, 404)


if __name__ == "__main__":
    unittest.main()

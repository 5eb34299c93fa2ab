"""Who may do what: further credentials and their permissions on every route, and the states of the API."""

import base64
import signal
import tempfile
import unittest
import urllib.parse

from harness import AUTH, EndToEnd, counted, record, wait_until
from openapi import document_of

PASSWORD = "long enough to be one"


class Credentials(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.far = self.far_end()

    def credential(self, id_, *permissions):
        self.router.good("POST", "/v3/credentials", {"id": id_, "password": PASSWORD, "permissions": list(permissions)})
        return f"{id_}:{PASSWORD}"

    def refused(self, field, **body):
        answer = self.router.api("POST", "/v3/credentials", body)
        self.assertEqual(answer.status, 422, answer)
        self.assertTrue(answer.json()["error"].startswith(field + ": "), answer)
        self.assertNotIn(str(body.get("password") or "no password"), answer.body.decode())

    def test_made_listed_and_removed(self):
        made = self.router.api("POST", "/v3/credentials", {"name": "A reader", "permissions": ["read:9", "any_channel", "read:9"]})
        self.assertEqual(made.status, 201, made)
        credential = made.json()
        password = credential.pop("password")
        self.assertGreaterEqual(len(password), 32)
        self.assertEqual(credential, {"id": credential["id"], "name": "A reader", "permissions": ["any_channel", "read:9"]})
        self.assertEqual(made.header("Location"), f"/v3/credentials/{urllib.parse.quote(credential['id'])}")
        self.assertEqual(credential["id"], "A reader")  # its name, since it said no id
        namesake = self.router.good("POST", "/v3/credentials", {"name": "A reader", "permissions": ["read:9"]})
        self.assertRegex(namesake["id"], "^[0-9a-f]{16}$")
        self.router.good("DELETE", f"/v3/credentials/{namesake['id']}")
        self.assertEqual(self.router.good("GET", made.header("Location")), credential)
        given = self.router.good("POST", "/v3/credentials", {"id": "b ü/?", "password": PASSWORD, "permissions": ["full_api"]})
        self.assertNotIn("password", given)
        listed = self.router.good("GET", "/v3/credentials")
        self.assertEqual(listed, {"credentials": sorted([credential, given], key=lambda one: one["id"].encode()), "next": None})
        auth = f"{credential['id']}:{password}"
        self.assertEqual(self.router.api("GET", "/v3/channels", auth=auth).status, 200)
        self.assertEqual(self.router.api("GET", "/v3/channels", auth=auth + "x").status, 401)
        self.assertEqual(self.router.api("DELETE", made.header("Location")).status, 204)
        self.assertEqual(self.router.api("DELETE", made.header("Location")).status, 404)
        self.assertEqual(self.router.api("GET", made.header("Location")).status, 404)
        self.assertEqual(self.router.api("GET", "/v3/channels", auth=auth).status, 401)
        self.assertEqual(self.router.api("DELETE", "/v3/credentials/b%20%C3%BC%2F%3F").status, 204)
        self.assertEqual(self.router.good("GET", "/v3/credentials")["credentials"], [])
        self.assertNotIn(password, self.router.log())

    def test_the_admin_is_not_among_them(self):
        self.assertEqual(self.router.good("GET", "/v3/credentials")["credentials"], [])
        self.assertEqual(self.router.api("GET", "/v3/credentials/local").status, 404)
        self.assertEqual(self.router.api("DELETE", "/v3/credentials/local").status, 404)
        taken = self.router.api("POST", "/v3/credentials", {"id": "local", "permissions": ["read:1"]})
        self.assertEqual((taken.status, taken.json()), (409, {"error": "Already exists"}))
        self.assertEqual(self.router.api("GET", "/v3/credentials").status, 200)

    def test_what_is_refused(self):
        for permissions in (None, [], "full_api", ["root"], ["read:"], ["read:a\0b"], ["FULL_API"], [7], ["full_api", None],
                            ["read:" + "x" * 256], ["full_api"] * 1001):
            with self.subTest(permissions=permissions):
                self.refused("permissions", permissions=permissions)
        for password in ("", "eleven char", "x" * 256, "twelve\nchars", 7, ["x"]):
            with self.subTest(password=password):
                self.refused("password", password=password, permissions=["full_api"])
        for id_ in ("", "a:b", "token", "a\nb", " a", "x" * 256, 7, "..", {}):
            with self.subTest(id=id_):
                self.refused("id", id=id_, permissions=["full_api"])
        self.refused("name", name=7, permissions=["full_api"])
        self.refused("name", name="a\tb", permissions=["full_api"])
        self.credential("twice", "full_api")
        again = self.router.api("POST", "/v3/credentials", {"id": "twice", "permissions": ["read:1"]})
        self.assertEqual((again.status, again.json()), (409, {"error": "Already exists"}))
        self.assertEqual(self.router.api("GET", "/healthcheck", auth=f"twice:{PASSWORD}").status, 200)

    def test_pages(self):
        ids = sorted(f"c{i}" for i in range(7))
        for id_ in ids:
            self.credential(id_, "full_api")
        found, after = [], ""
        while after is not None:
            page = self.router.good("GET", f"/v3/credentials?limit=3&after={after}")
            found += [one["id"] for one in page["credentials"]]
            self.assertLess(len(found), 20)
            after = page["next"]
            if after:
                self.router.good("DELETE", f"/v3/credentials/{after}")  # the next page begins behind it all the same
        self.assertEqual(found, ids)
        for limit in ("0", "1001", "-1", "x", "1.5"):
            answer = self.router.api("GET", f"/v3/credentials?limit={limit}")
            self.assertEqual((answer.status, answer.json()["error"].split(":")[0]), (422, "limit"))

    def test_each_permission_on_every_route(self):
        """What the document says of who may, of every route and every kind of credential."""
        document = document_of(self.router)
        channel, tokens = self.router.channel("mine")
        other, _ = self.router.channel("other")
        drain = self.router.drain(channel, self.far.url)
        theirs = self.router.drain(other, self.far.url)
        for auth in (self.credential("full", "full_api"), self.credential("writer", "any_channel"),
                     self.credential("reader", f"read:{channel}", "read:app-missing"), "reader:wrong password", "nobody:x", None,
                     f"token:{tokens['app']}"):
            who = (auth or "").split(":")[0]
            known = who in ("full", "writer", "reader") and "wrong" not in auth
            for operation in document.operations.values():
                if operation.permission == "none" or (who == "full" and operation.method != "GET"):
                    continue
                for c, d in ((channel, drain["id"]), (other, theirs["id"]), ("999", "1"), ("app-missing", "1")):
                    if "c" not in operation.names and c != channel:
                        continue
                    scraped = operation.path.endswith("/prometheus")
                    if operation.permission == "any_channel":
                        expected = None if who in ("full", "writer", "token") else 401 if not known else 403
                    elif scraped and who == "token":
                        expected = None if c == channel else 403
                    elif not known:
                        expected = 401
                    elif who == "full":
                        expected = None
                    elif operation.permission == "read:{c}":
                        expected = None if who == "reader" and c in (channel, "app-missing") else 403
                    elif operation.permission == "read":
                        expected = None if who == "reader" else 403
                    else:
                        expected = 403
                    with self.subTest(auth=who, operation=operation.id, channel=c):
                        values = {"c": c, "d": str(d), "t": "x", "id": "x"}
                        body = None if operation.method == "GET" else {"channel_id": c}
                        answer = self.router.api(operation.method, operation.url(values), body, auth,
                                                 headers={"Content-Type": "application/logplex-1"})
                        if expected:
                            self.assertEqual(answer.status, expected, answer)
                            self.assertEqual(list(answer.json()), ["error"])
                        else:
                            self.assertNotIn(answer.status, (401, 403), answer)
                        if expected == 401:
                            self.assertRegex(answer.header("WWW-Authenticate"), "^Basic ")

    def test_a_channel_that_is_not_there_looks_like_one_that_may_not_be_read(self):
        channel, _ = self.router.channel("mine")
        other, _ = self.router.channel("other")
        drain = self.router.drain(other, self.far.url)
        auth = self.credential("reader", f"read:{channel}")
        paths = ["", "/drains", f"/drains/{drain['id']}", f"/drains/{drain['token']}/health", "/metrics", "/series", "/prometheus", "/logs"]
        for path in paths:
            with self.subTest(path=path):
                there, missing = (self.router.api("GET", f"/v3/channels/{c}{path}", auth=auth) for c in (other, "12345"))
                self.assertEqual((there.status, there.body), (403, missing.body))
                self.assertEqual(missing.status, 403)
        for version in ("v2", "v3"):
            there, missing = (self.router.api("POST", f"/{version}/sessions", {"channel_id": c}, auth) for c in (other, "12345"))
            self.assertEqual((there.status, missing.status, there.body), (403, 403, missing.body))
        self.assertEqual(self.router.api("GET", f"/v3/channels/{channel}/drains/{drain['id']}", auth=auth).status, 404)
        listed = self.router.api("GET", "/v3/channels", auth=auth).json()
        self.assertEqual([one["channel"] for one in listed["channels"]], [channel])
        self.assertEqual(self.router.api("GET", "/v3/channels?name=other", auth=auth).json()["channels"], [])

    def test_a_reader_sees_no_token(self):
        channel, tokens = self.router.channel("mine", ["app", "heroku"])
        self.router.drain(channel, self.far.url.replace("://", "://user:pass-word@") + "?x=secret1", headers={"X-Key": "secret2"},
                          signing_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        self.router.post(counted(record(tokens["app"], "hello", procid="web.1")), tokens["app"])
        auth = self.credential("reader", f"read:{channel}")
        url = self.router.api("POST", "/v2/sessions", {"channel_id": channel}, auth).json()["url"]
        seen = self.router.api("GET", url[url.index("/sessions"):], auth=None).body
        self.assertIn(b"hello", seen)
        own = self.router.api("GET", f"/v3/channels/{channel}", auth=auth)
        self.assertEqual(own.json()["tokens"], {"app": "***", "heroku": "***"})
        self.assertEqual(self.router.good("GET", f"/v3/channels/{channel}")["tokens"], tokens)
        seen += own.body
        drain = self.router.good("GET", f"/v3/channels/{channel}/drains")["drains"][0]["id"]
        for path in ("/drains", f"/drains/{drain}", f"/drains/{drain}/health", f"/drains/{drain}/dead_letters", "/metrics", "/series",
                     "/logs", "/prometheus"):
            answer = self.router.api("GET", f"/v3/channels/{channel}{path}", auth=auth)
            self.assertEqual(answer.status, 200, answer)
            seen += answer.body
        for secret in (*tokens.values(), "pass-word", "secret1", "secret2", "whsec_"):
            self.assertNotIn(secret.encode(), seen)

    def test_credentials_outlive_the_process(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.router = self.node("--data-dir", directory + "/data")
        reader, full = self.credential("reader", "read:1", "read:app-1"), self.credential("full", "full_api")
        self.credential("gone", "full_api")
        self.router.good("DELETE", "/v3/credentials/gone")
        listed = self.router.good("GET", "/v3/credentials")
        self.router.kill()
        self.router = self.node("--data-dir", directory + "/data", "--auth", "full:a new admin of that name")
        self.assertEqual(self.router.api("GET", "/v3/credentials", auth="full:a new admin of that name").json(), listed)
        self.assertEqual(self.router.api("GET", "/v3/channels", auth=reader).status, 200)
        self.assertEqual(self.router.api("GET", "/v3/channels", auth=full).status, 401)  # the start's goes first
        self.assertEqual(self.router.api("GET", "/v3/channels", auth=f"gone:{PASSWORD}").status, 401)
        with open(directory + "/data/catalog.db", "rb") as file:
            self.assertNotIn(PASSWORD.encode(), file.read())

    def test_authorization_that_is_none(self):
        self.credential("reader", "read:1")
        for text in ("", "Basic", "Basic ", "Basic !!!", "Basic " + base64.b64encode(b"reader").decode(), "Bearer x", "Digest x", "Basic\x80",
                     "Basic " + base64.b64encode(b"reader:").decode(), "Basic " + base64.b64encode(b"\x00:\xff").decode(),
                     "Basic " + base64.b64encode(b"x" * 8000 + b":y").decode()):
            with self.subTest(text=text[:40]):
                answer = self.router.api("GET", "/v3/channels", auth=None, headers={"Authorization": text})
                self.assertEqual(answer.status, 401, answer)


class States(EndToEnd):
    READ_ONLY, DISABLED = "API temporarily in read-only mode", "API temporarily disabled"

    def set_state(self, state):
        with open(self.limits.name, "w", encoding="ascii") as file:
            file.write(f"TAILRACE_API_STATE={state}\n")
        told = self.node_.log().count('msg="limits read again"')
        self.node_.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.node_.log().count('msg="limits read again"') > told, "the limits to be read")

    def test_each_state_on_every_route(self):
        self.limits = tempfile.NamedTemporaryFile("w", suffix=".limits")
        self.addCleanup(self.limits.close)
        node = self.node_ = self.node("--limits-file", self.limits.name)
        document = document_of(node)
        channel, tokens = node.channel("shop")
        drain = node.drain(channel, self.far_end().url)
        session = node.good("POST", "/v2/sessions", {"channel_id": channel})["url"].rsplit("/", 1)[1]
        link = node.good("POST", f"/v3/channels/{channel}/links", {"query": {}})["url"].rsplit("/", 1)[1]
        values = {"c": channel, "d": str(drain["id"]), "t": "nothing", "id": session, "link": link}
        reading = {"post_sessions", "post_v2_sessions", "post_v2_canary_sessions", "post_v3_sessions", "post_v3_channels_c_links"}
        self.assertLessEqual(reading, set(document.operations))
        for state in ("read_only", "disabled", "normal"):
            self.set_state(state)
            refused = 0
            for operation in document.operations.values():
                with self.subTest(state=state, operation=operation.id):
                    change = operation.method != "GET" and operation.id not in reading
                    if state == "normal" and change:
                        continue
                    body = {"channel_id": channel, "query": {"name": ["router.service"]}} if operation.id in reading else b"[]" if change else None
                    answer = node.api(operation.method, operation.url(values), body)
                    if operation.is_api and (state == "disabled" or (state == "read_only" and change)):
                        refused += 1
                        error = self.DISABLED if state == "disabled" else self.READ_ONLY
                        self.assertEqual((answer.status, answer.json()), (503, {"error": error}))
                        self.assertEqual(answer.header("Retry-After"), "30")
                        anyone = node.api(operation.method, operation.url(values), body, auth=None)
                        self.assertIn(anyone.status, (401, 503))
                    else:
                        self.assertNotEqual(answer.status, 503, answer)
            self.assertGreater(refused, {"read_only": 15, "disabled": 35, "normal": -1}[state])
            if state != "disabled":
                self.assertEqual(node.good("GET", "/healthcheck"), {"status": state})
            self.assertEqual(node.post(counted(record(tokens["app"], state, procid="web.1")), tokens["app"]).status, 204)
            page = node.api("GET", f"/sessions/{session}", auth=None)
            self.assertEqual(page.status, 200)
            self.assertIn(state.encode(), page.body)
            self.assertEqual(node.api("GET", f"/links/{link}", auth=None).status, 200)
        self.assertEqual(node.api("POST", "/channels", {}, AUTH).status, 201)

    def test_a_tail_goes_on_and_the_state_of_the_start_counts(self):
        node = self.node("--api-state", "read_only")
        self.assertEqual(node.api("POST", "/channels", {}).json(), {"error": self.READ_ONLY})
        self.assertEqual(node.api("GET", "/v3/channels").status, 200)
        self.limits = tempfile.NamedTemporaryFile("w", suffix=".limits")
        self.addCleanup(self.limits.close)
        node = self.node_ = self.node("--limits-file", self.limits.name)
        channel, tokens = node.channel("shop")
        tail = self.tail(node.good("POST", "/v2/sessions", {"channel_id": channel, "tail": "1"})["url"])
        self.set_state("disabled")
        node.post(counted(record(tokens["app"], "still there")), tokens["app"])
        tail.wait_for("still there")
        self.set_state("nonsense")
        self.assertEqual(node.api("GET", "/v3/channels").status, 503)
        self.assertIn("TAILRACE_API_STATE=nonsense: takes normal, read_only or disabled; disabled is kept", node.log())


if __name__ == "__main__":
    unittest.main()

"""Logplex's API, v1 to v3: channels, tokens and drains as its clients know them, flags, and lists in pages."""

import http.client
import re
import tempfile
import unittest

from harness import AUTH, EndToEnd, basic, counted, free_port, record, wait_until

TOKEN = r"t\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class ApiCase(EndToEnd):
    def setUp(self):
        self.router = self.node()

    def api(self, method, path, body=None, **options):
        return self.router.api(method, path, body, **options)

    def put(self, channel, body, status=200):
        answer = self.api("PUT", f"/v3/channels/{channel}", body)
        self.assertEqual(answer.status, status, answer)
        return answer.json()

    def refused(self, method, path, body, status, error):
        answer = self.api(method, path, body)
        self.assertEqual((answer.status, answer.json()), (status, {"error": error}))

    def names(self, channel):
        return sorted(self.router.good("GET", f"/v3/channels/{channel}").get("tokens", {}))


class Channels(ApiCase):
    def test_put_is_declarative(self):
        made = self.put("app-1", {"tokens": ["app", "heroku"]}, 201)
        self.assertEqual(sorted(made), ["channel", "tokens"])
        self.assertEqual((made["channel"], sorted(made["tokens"])), ("app-1", ["app", "heroku"]))
        for token in made["tokens"].values():
            self.assertRegex(token, f"^{TOKEN}$")
        again = self.put("app-1", {"tokens": ["heroku", "new", "new"]})
        self.assertEqual(sorted(again["tokens"]), ["heroku", "new"])
        self.assertEqual(again["tokens"]["heroku"], made["tokens"]["heroku"])  # kept names keep their tokens
        self.assertEqual(self.router.post(counted(record("x", "a")), made["tokens"]["app"]).status, 401)
        self.assertEqual(self.router.post(counted(record("x", "a")), again["tokens"]["new"]).status, 204)
        self.assertEqual(self.put("app-1", {"name": "shop", "unknown": 1})["tokens"], again["tokens"])
        self.assertEqual(self.put("app-1", {"flags": {}})["tokens"], again["tokens"])
        self.assertEqual(self.put("app-1", {}), {"channel": "app-1", "name": "shop"})  # as Logplex does
        self.assertEqual(self.router.post(counted(record("x", "a")), again["tokens"]["new"]).status, 401)

    def test_put_refuses_as_a_whole(self):
        self.put("app-1", {"tokens": ["app"], "name": "shop", "flags": {"no_tail": True}}, 201)
        before = self.router.good("GET", "/v3/channels/app-1")
        for body in (b"", b"{", b"[]", b"null", b"7", b'"x"'):
            self.refused("PUT", "/v3/channels/app-1", body, 400, "invalid payload")
        for field, value in (("tokens", None), ("tokens", "app"), ("tokens", ["a b"]), ("tokens", [""]), ("tokens", [7]), ("tokens", {"a": 1}),
                             ("tokens", ["x" * 49]), ("tokens", [f"t{i}" for i in range(1001)]), ("name", 7), ("name", "a\nb"), ("name", " a"),
                             ("name", "x" * 256), ("flags", []), ("flags", {"no_tail": 1}), ("flags", {"no_redis": True}), ("flags", None),
                             ("no_tail", True), ("no_history", False)):
            with self.subTest(field=field, value=value):
                answer = self.api("PUT", "/v3/channels/app-1", {"tokens": [], "name": "other", **{field: value}})
                self.assertEqual(answer.status, 422, answer)
                self.assertTrue(answer.json()["error"].startswith(field + ": "), answer)
                self.assertEqual(self.router.good("GET", "/v3/channels/app-1"), before)
                self.assertEqual(self.api("PUT", "/v3/channels/app-2", {field: value}).status, 422)
        self.assertEqual(self.api("GET", "/v3/channels/app-2").status, 404)

    def test_name_and_flags(self):
        self.assertEqual(self.put("app-1", {"name": "shop", "flags": {"no_tail": True}}, 201),
                         {"channel": "app-1", "name": "shop", "flags": {"no_tail": True}})
        self.assertEqual(self.put("app-1", {"flags": {"no_history": True}}),  # what is not said stays
                         {"channel": "app-1", "name": "shop", "flags": {"no_tail": True, "no_history": True}})
        self.assertEqual(self.put("app-1", {"flags": {"no_tail": False}})["flags"], {"no_history": True})
        self.assertEqual(self.router.good("GET", "/v2/channels/app-1"),
                         {"channel_id": "app-1", "name": "shop", "tokens": [], "drains": [], "flags": {"no_history": True}})
        self.assertEqual(self.router.good("GET", "/v3/channels?name=shop")["channels"],
                         [{"channel": "app-1", "name": "shop", "flags": {"no_history": True}}])
        self.assertEqual(self.put("app-1", {"name": "", "flags": {"no_history": False}}), {"channel": "app-1"})
        self.assertNotIn("flags", self.router.good("GET", "/v2/channels/app-1"))
        number, _ = self.router.channel("counted")
        self.assertEqual(self.put(number, {"tokens": ["app"], "name": "renamed"})["name"], "renamed")
        self.assertEqual(self.router.good("GET", f"/v2/channels/{number}")["name"], "renamed")

    def test_flags_hold_for_readers_at_once(self):
        channel = self.put("app-1", {"tokens": ["app"]}, 201)
        self.router.post(counted(record("x", "one")), channel["tokens"]["app"])
        self.put("app-1", {"tokens": ["app"], "flags": {"no_history": True}})
        url = self.router.good("POST", "/v2/sessions", {"channel_id": "app-1"})["url"]
        answer = self.api("GET", url[url.index("/sessions"):], auth=None)
        self.assertNotIn(b"one", answer.body)
        self.assertIsNotNone(answer.header("X-Heroku-Warning"))
        self.put("app-1", {"tokens": ["app"], "flags": {"no_history": False, "no_tail": True}})
        tail = self.tail(self.router.good("POST", "/v2/sessions", {"channel_id": "app-1", "tail": "1"})["url"])
        self.assertRegex(tail.wait_for_end(), b"one\n.*Error L20")

    def test_chosen_ids_and_counted_ones_never_meet(self):
        first, _ = self.router.channel()
        for id_ in (first, "2", "3", "007", "99999999999999999999999999"):
            with self.subTest(id=id_):
                answer = self.api("PUT", f"/v3/channels/{id_}", {})
                self.assertEqual(answer.status, 200 if id_ == first else 422, answer)
        self.put("app-1", {}, 201)
        self.assertEqual(self.router.channel()[0], "3")
        self.assertEqual(self.router.good("DELETE", "/v3/channels/3"), None)
        self.assertEqual(self.api("PUT", "/v3/channels/3", {}).status, 422)  # a number is given once
        for id_, text in (("%20a", " a"), ("a%00b", ""), ("%ff", ""), ("x" * 256, ""), ("%2e%2e", "..")):
            with self.subTest(id=id_):
                answer = self.api("PUT", f"/v3/channels/{id_}", {})
                self.assertEqual((answer.status, answer.json()["error"].split(":")[0]), (422, "channel"), text)
        for id_ in ("x" * 255, "a%2Fb", "%C3%BC", "a%20b", "app-8f0c3a6e-98c4-4b51-8a87-0c9b54e2a5d1", "-1", "1a", "1.0", "+1", "%2525"):
            with self.subTest(id=id_):
                self.put(id_, {"tokens": ["app"]}, 201)
                self.put(id_, {"tokens": ["app"]}, 200)
                self.assertEqual(self.api("GET", f"/v3/channels/{id_}").status, 200)
                target = [t for t in self.router.good("GET", "/v3/prometheus/targets")
                          if t["labels"]["__metrics_path__"] == f"/v3/channels/{id_}/prometheus".replace("+", "%2B")]
                self.assertEqual(len(target), 1)
                self.assertEqual(self.api("GET", target[0]["labels"]["__metrics_path__"]).status, 200)
                self.assertEqual(self.api("DELETE", f"/v3/channels/{id_}").status, 204)
                self.assertEqual(self.api("DELETE", f"/v3/channels/{id_}").status, 404)
                self.assertEqual(self.api("GET", f"/v3/channels/{id_}").status, 404)

    def test_a_channel_that_is_made_again_is_a_new_one(self):
        token = self.put("app-1", {"tokens": ["app"]}, 201)["tokens"]["app"]
        self.router.post(counted(record("x", "old")), token)
        self.assertEqual(self.api("DELETE", "/v3/channels/app-1").status, 204)
        new = self.put("app-1", {"tokens": ["app"]}, 201)["tokens"]["app"]
        self.assertNotEqual(token, new)
        self.assertEqual(self.router.post(counted(record("x", "more")), token).status, 401)
        self.assertEqual(self.api("GET", "/v3/channels/app-1/logs").body, b"")

    def test_pages(self):
        numbers = [self.router.channel(f"shop {i % 3}")[0] for i in range(12)]
        chosen = [f"app-{i}" for i in (10, 2, 33)]
        for id_ in chosen:
            self.put(id_, {"name": "shop 0"}, 201)
        every = numbers + sorted(chosen)
        for limit in (1, 4, 5, 15, 1000):
            found, after, pages = [], "", 0
            while after is not None:
                page = self.router.good("GET", f"/v3/channels?limit={limit}&after={after}")
                self.assertLessEqual(len(page["channels"]), limit)
                found += [one["channel"] for one in page["channels"]]
                after, pages = page["next"], pages + 1
                self.assertTrue(after is None or after == found[-1])
            self.assertEqual((found, pages), (every, -(-len(every) // limit)))
        named = self.router.good("GET", "/v3/channels?name=shop%200&limit=3")
        self.assertEqual([one["channel"] for one in named["channels"]], numbers[0:9:3])
        named = self.router.good("GET", f"/v3/channels?name=shop%200&after={named['next']}")
        self.assertEqual([one["channel"] for one in named["channels"]], [numbers[9], *sorted(chosen)])
        # The page's last one goes before the next page is asked for, wherever it stands.
        for limit in (3, 12, 13):
            page = self.router.good("GET", f"/v3/channels?limit={limit}")
            before = self.router.good("GET", "/v3/channels")["channels"]
            self.router.good("DELETE", f"/v3/channels/{page['next']}")
            rest = self.router.good("GET", f"/v3/channels?after={page['next']}")["channels"]
            self.assertEqual(page["channels"] + rest, before)
            if page["next"] in chosen:
                self.put(page["next"], {}, 201)
        for limit in ("0", "1001", "x", "-1", "1e3", "99999999999999999999"):
            self.refused("GET", f"/v3/channels?limit={limit}", None, 422, "limit: takes a number from 1 to 1000")

    def test_request_id(self):
        for method, path, auth in (("GET", "/v3/channels", AUTH), ("GET", "/v3/channels", None), ("GET", "/v3/channels/999", AUTH),
                                   ("PUT", "/v3/channels/a", AUTH), ("PATCH", "/v3/channels", AUTH), ("GET", "/v3/nothing", AUTH),
                                   ("GET", "/v3/healthcheck", None), ("GET", "/v3/channels/a/logs", AUTH), ("GET", "/v3/ledger", AUTH)):
            with self.subTest(method=method, path=path):
                seen = {self.api(method, path, auth=auth).header("request-id") for _ in range(3)}
                self.assertEqual(len(seen), 3)
                for id_ in seen:
                    self.assertRegex(id_, r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
                for sent in ("mine", "8F!~{}", "x" * 128):
                    self.assertEqual(self.api(method, path, auth=auth, headers={"Request-Id": sent}).header("Request-Id"), sent)
                for sent in ("", "a b", "x" * 129, "\xe4", "a\tb"):
                    self.assertNotEqual(self.api(method, path, auth=auth, headers={"Request-Id": sent}).header("Request-Id"), sent)
        self.assertIsNone(self.api("GET", "/v2/channels/1").header("Request-Id"))
        self.assertIsNone(self.api("GET", "/healthz").header("Request-Id"))

    def test_first_version(self):
        channel = self.router.good("POST", "/channels", {"tokens": ["app"]})
        id_, token = channel["channel_id"], channel["tokens"]["app"]
        made = self.api("POST", f"/channels/{id_}/token", {"name": "heroku"})
        self.assertEqual(made.status, 201)
        self.assertRegex(made.body.decode(), f"^{TOKEN}$")
        self.refused("POST", f"/channels/{id_}/token", {}, 400, "'name' post param missing")
        self.router.drain(id_, f"http://u:secret@127.0.0.1:{free_port()}/a")
        self.router.good("POST", f"/channels/{id_}/drains/tokens")
        info = self.router.good("GET", f"/channels/{id_}/info")
        self.assertEqual((info["channel_id"], info["tokens"]), (id_, {"app": token, "heroku": made.body.decode()}))
        self.assertRegex(info["drains"][0], r"^http://u:\*\*\*@127\.0\.0\.1:\d+/a$")
        self.assertEqual(len(info["drains"]), 1)
        gone = self.api("DELETE", f"/channels/{id_}")
        self.assertEqual((gone.status, gone.body), (200, b"OK"))
        self.refused("DELETE", f"/channels/{id_}", None, 404, "Not found")
        self.refused("GET", f"/channels/{id_}/info", None, 404, "Not found")
        self.refused("POST", "/channels", {"name": 7}, 400, "Channel name must be a string.")
        self.refused("POST", f"/v2/channels/{id_}/drains", {"url": "http://1.1.1.1/"}, 404, "No such channel")

    def test_what_stays_over_a_restart(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.router = self.node("--data-dir", directory + "/data")
        self.router.channel("counted")
        self.put("app-1", {"tokens": ["app", "heroku"], "name": "old", "flags": {"no_tail": True, "no_history": True}}, 201)
        self.put("app-1", {"tokens": ["app"], "name": "new", "flags": {"no_history": False}})
        self.put("app-2", {"tokens": ["app"]}, 201)
        extra = self.router.good("POST", "/v3/channels/app-2/tokens", {"name": "two", "strict": True})["token"]
        self.router.good("DELETE", "/v3/channels/app-2/tokens/app")
        url = f"http://127.0.0.1:{free_port()}/"
        drain = self.router.good("POST", "/v3/channels/app-2/drains", {"url": url + "a"})["id"]
        self.router.good("PUT", f"/v3/channels/app-2/drains/{drain}", {"url": url + "b", "format": "rfc5424"})
        paths = ["/v3/channels", "/v3/channels/app-1", "/v3/channels/app-2", "/v3/channels/app-2/tokens", "/v2/channels/1",
                 "/v2/channels/app-1"]
        before = [self.router.good("GET", path) for path in paths]
        self.router.kill()
        self.router = self.node("--data-dir", directory + "/data")
        self.assertEqual([self.router.good("GET", path) for path in paths], before)
        self.assertEqual(before[3], {"tokens": [{"name": "two", "token": extra, "strict": True}]})
        self.assertEqual(before[2]["drains"][0]["url"], url + "b")
        self.assertEqual(self.router.channel()[0], "4")


class Tokens(ApiCase):
    def test_added_listed_and_removed(self):
        self.put("app-1", {"tokens": ["app"]}, 201)
        self.put("app-2", {"tokens": ["app"]}, 201)
        answer = self.api("POST", "/v3/channels/app-1/tokens", {"name": "two"})
        self.assertEqual(answer.status, 200)  # as Logplex
        self.assertEqual(sorted(answer.json()), ["name", "token"])
        two = answer.json()["token"]
        listed = self.router.good("GET", "/v3/channels/app-1/tokens")["tokens"]
        self.assertEqual([(one["name"]) for one in listed], ["app", "two"])
        for token in (two, "two"):  # of another channel
            self.assertEqual(self.api("DELETE", f"/v3/channels/app-2/tokens/{token}").status, 404)
        self.assertEqual(self.api("DELETE", f"/v3/channels/app-1/tokens/{two}").status, 204)
        self.assertEqual(self.router.post(counted(record("x", "a")), two).status, 401)
        self.assertEqual(self.api("DELETE", f"/v3/channels/app-1/tokens/{two}").status, 404)
        self.assertEqual(self.names("app-1"), ["app"])
        again = self.api("POST", "/v3/channels/app-1/tokens", {"name": "two", "token": two})  # one that a source has already
        self.assertEqual(again.json()["token"], two)
        self.refused("POST", "/v3/channels/app-2/tokens", {"name": "x", "token": two}, 409, "Already exists")
        self.refused("POST", "/v3/channels/none/tokens", {"name": "x"}, 404, "Not Found")
        for field, body in (("name", {}), ("name", {"name": ""}), ("name", {"name": "a b"}), ("name", {"name": 7}),
                            ("token", {"name": "a", "token": "x"}), ("token", {"name": "a", "token": 7}), ("strict", {"name": "a", "strict": 1})):
            answer = self.api("POST", "/v3/channels/app-1/tokens", body)
            self.assertEqual((answer.status, answer.json()["error"].split(":")[0]), (422, field))

    def test_a_name_that_several_have(self):
        first = self.put("app-1", {"tokens": ["app"]}, 201)["tokens"]["app"]
        second = self.router.good("POST", "/v3/channels/app-1/tokens", {"name": "app"})["token"]
        self.refused("DELETE", "/v3/channels/app-1/tokens/app", None, 409, "several tokens have this name; take an id")
        for token in (first, second):
            self.assertEqual(self.router.post(counted(record("x", "a")), token).status, 204)
        self.assertEqual(self.put("app-1", {"tokens": ["app"]})["tokens"], {"app": first})
        self.assertEqual(self.router.post(counted(record("x", "a")), second).status, 204)  # a kept name keeps all of its tokens
        self.assertEqual(self.api("DELETE", f"/v3/channels/app-1/tokens/{first}").status, 204)
        self.assertEqual(self.api("DELETE", "/v3/channels/app-1/tokens/app").status, 204)
        self.assertEqual(self.names("app-1"), [])

    def test_a_connection_that_was_open_notices(self):
        token = self.put("app-1", {"tokens": ["app"]}, 201)["tokens"]["app"]
        connection = http.client.HTTPConnection("127.0.0.1", self.router.public, timeout=60)
        self.addCleanup(connection.close)

        def post():
            connection.request("POST", "/logs", counted(record("x", "a")),
                               {"Authorization": basic(f"token:{token}"), "Content-Type": "application/logplex-1"})
            response = connection.getresponse()
            response.read()
            return response.status

        self.assertEqual(post(), 204)
        self.put("app-1", {"tokens": []})
        self.assertEqual(post(), 401)


class Drains(ApiCase):
    def setUp(self):
        super().setUp()
        self.token = self.put("app-1", {"tokens": ["app"]}, 201)["tokens"]["app"]
        self.put("app-2", {}, 201)
        self.url = f"http://127.0.0.1:{free_port()}/"

    def test_made_shown_and_removed(self):
        made = self.api("POST", "/v3/channels/app-1/drains", {"url": self.url})
        self.assertEqual(made.status, 201)
        drain = made.json()
        self.assertEqual(sorted(drain), ["id", "token", "url"])
        self.assertEqual(made.header("Location"), f"/v3/channels/app-1/drains/{drain['id']}")
        for name in (drain["id"], drain["token"]):
            shown = self.router.good("GET", f"/v3/channels/app-1/drains/{name}")
            self.assertEqual({key: shown[key] for key in drain}, drain)
            self.assertEqual((shown["paused"], shown["state"]), (False, "pending"))
            for method, body in (("GET", None), ("PUT", {"url": self.url + "x"}), ("DELETE", None), ("POST", None)):
                path = f"/v3/channels/app-2/drains/{name}" + ("/pause" if method == "POST" else "")
                self.assertEqual(self.api(method, path, body).status, 404, method)  # another channel's
        self.refused("POST", "/v3/channels/app-1/drains", {"url": self.url}, 409, "Already exists")
        self.assertEqual(self.api("POST", "/v3/channels/app-2/drains", {"url": self.url}).status, 201)  # unique per channel
        self.assertEqual(self.router.good("GET", "/v3/channels/app-1")["drains"], [drain])
        self.assertEqual(self.api("DELETE", made.header("Location")).status, 204)
        self.assertEqual(self.api("DELETE", made.header("Location")).status, 404)
        self.assertEqual(self.router.good("GET", "/v3/channels/app-1/drains"), {"drains": []})

    def test_what_is_refused(self):
        for url, reason in (("ftp://a/", "unknown_scheme: ftp"), ("http://10.0.0.1/", "address not allowed"), ("", "missing_url_param"),
                            (7, None), ({}, "missing_url_param"), (None, "missing_url_param"), ("x" * 100_000, None)):
            for method, path in (("POST", "/v3/channels/app-1/drains"), ("PUT", None)):
                with self.subTest(url=str(url)[:40], method=method):
                    path = path or f"/v3/channels/app-1/drains/{self.router.good('POST', '/v3/channels/app-1/drains', {})['id']}"
                    answer = self.api(method, path, {"url": url})
                    self.assertEqual(answer.status, 422, answer)
                    self.assertRegex(answer.json()["error"], "^Invalid drain destination: " + (re.escape(reason) + "$" if reason else ""))
                    if method == "PUT":
                        self.router.good("DELETE", path)
        self.refused("PUT", "/v3/channels/app-1/drains/77", {"url": self.url}, 404, "Not Found")
        self.refused("POST", "/v3/channels/none/drains", {"url": self.url}, 404, "Not Found")
        for _ in range(6):
            self.router.good("POST", "/v3/channels/app-1/drains", {})
        self.refused("POST", "/v3/channels/app-1/drains", {"url": self.url}, 422, "maximum number of drains reached")
        self.refused("POST", "/v2/channels/app-1/drains", {"url": self.url}, 422,
                     "You have already added the maximum number of drains allowed")

    def test_reserved_and_given_a_url(self):
        far_end = self.far_end()
        reserved = self.router.good("POST", "/v3/channels/app-1/drains", {})
        self.assertEqual(sorted(reserved), ["id", "token"])
        path = f"/v3/channels/app-1/drains/{reserved['id']}"
        self.assertNotIn("state", self.router.good("GET", path))
        self.assertEqual(self.router.good("PUT", path, {"url": far_end.url}), {**reserved, "url": far_end.url})
        self.router.post(counted(record("x", "hello")), self.token)
        self.assertEqual(far_end.wait_for(1), [b"hello"])
        other = self.router.good("POST", "/v3/channels/app-1/drains", {"url": self.url})
        self.refused("PUT", f"/v3/channels/app-1/drains/{other['id']}", {"url": far_end.url}, 409, "Already exists")
        self.assertEqual(self.router.good("PUT", path, {"url": far_end.url})["url"], far_end.url)  # nothing new
        self.refused("PUT", path, {"url": self.url + "x", "since": "oldest"}, 422, "since: this drain runs already; replay puts it back")

    def test_another_url_goes_on_where_the_first_was(self):
        """Under load, to and fro between two far ends: every record reaches one of them, in order, and the books balance."""
        first, second = self.far_end(), self.far_end()
        drain = self.router.good("POST", "/v3/channels/app-1/drains", {"url": first.url})
        path = f"/v3/channels/app-1/drains/{drain['id']}"
        sent = 0
        for turn in range(8):
            for _ in range(20):
                self.router.post(counted(*[record("x", f"m{sent + i}") for i in range(10)]), self.token)
                sent += 10
            self.router.good("PUT", path, {"url": (second if turn % 2 == 0 else first).url})
        self.router.wait_for_drain("app-1", drain, buffered=0)
        account = self.router.account("app-1", drain)
        self.assertEqual((account["accepted"], account["delivered"]), (sent, sent))
        got = [[int(m[1:]) for m in far_end.messages()] for far_end in (first, second)]
        self.assertEqual(set(got[0]) | set(got[1]), set(range(sent)))
        for numbers in got:
            firsts = list(dict.fromkeys(numbers))  # what was in flight at a change comes again
            self.assertEqual(firsts, sorted(firsts))
            self.assertTrue(firsts)
        shown = self.router.good("GET", path)
        self.assertEqual((shown["id"], shown["token"], shown["url"]), (drain["id"], drain["token"], first.url))

    def test_another_url_for_one_that_fails_or_is_paused(self):
        far_end = self.far_end()
        drain = self.router.good("POST", "/v3/channels/app-1/drains", {"url": self.url})  # nobody is there
        path = f"/v3/channels/app-1/drains/{drain['id']}"
        self.router.post(counted(*[record("x", f"m{i}") for i in range(50)]), self.token)
        wait_until(lambda: self.router.good("GET", path)["state"] == "failing", "a drain that fails")
        self.router.good("PUT", path, {"url": far_end.url, "headers": {"X-Key": "a"}})
        self.assertEqual(far_end.wait_for(50), [b"m%d" % i for i in range(50)])
        wait_until(lambda: self.router.good("GET", path)["state"] == "ok", "a drain that works")
        self.router.good("POST", path + "/pause")
        self.router.post(counted(record("x", "later")), self.token)
        self.router.good("PUT", path, {"url": far_end.url + "2"})
        wait_until(lambda: self.router.good("GET", path)["state"] == "paused", "a drain that rests still")
        self.assertEqual(self.router.account("app-1", drain)["buffered"], 1)
        self.router.good("POST", path + "/resume")
        self.assertEqual(far_end.wait_for(51)[-1], b"later")
        self.assertEqual(self.router.account("app-1", drain)["dropped"], {})


if __name__ == "__main__":
    unittest.main()

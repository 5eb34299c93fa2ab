"""Signing in: the cookie, what it opens and for how long, and what it does not."""

import http.client
import http.cookies
import json
import tempfile
import unittest

from harness import AUTH, PATIENCE, Answer, EndToEnd, basic, counted, record
from openapi import document_of

PASSWORD = "long enough to be one"
ADMIN, ADMIN_PASSWORD = AUTH.split(":", 1)
NOBODY = {"user": None, "permissions": [], "by": None}


class Login(EndToEnd):
    def setUp(self):
        self.router = self.node()

    def tearDown(self):
        self.assertNotRegex(self.router.log(), "[0-9a-f]{64}")  # no cookie's value

    # ---- what a browser does

    def ask(self, method, path, body=None, cookie=None, auth=None, headers=None, port=None, address="127.0.0.1", own=True):
        """As a page of the listener's own origin would, unless `own` is off."""
        fields = dict(headers or {})
        port = port or self.router.admin
        if cookie:
            fields["Cookie"] = cookie if "=" in cookie else f"tailrace_session_{port}={cookie}"
        if auth:
            fields["Authorization"] = basic(auth)
        if own and method != "GET" and "Origin" not in fields:
            fields["Origin"] = f"http://127.0.0.1:{port}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=(address, 0))
        try:
            connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, fields)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def name(self):
        return f"tailrace_session_{self.router.admin}"

    def try_in(self, user, password, **more):
        return self.ask("POST", "/v3/login", {"user": user, "password": password}, **more)

    def value_of(self, answer):
        """Of the cookie that an answer sets, which looks as it must."""
        cookie = http.cookies.SimpleCookie(answer.header("Set-Cookie"))
        (name,) = cookie
        self.assertRegex(name, r"^tailrace_session_\d+$")
        one = cookie[name]
        self.assertEqual((one["path"], one["httponly"], one["samesite"], one["domain"], one["max-age"]),
                         ("/", True, "Strict", "", str(7 * 24 * 3600)))
        self.assertRegex(one.value, "^[0-9a-f]{64}$")
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        self.assertNotIn(one.value.encode(), answer.body)
        return one.value

    def sign_in(self, user=ADMIN, password=ADMIN_PASSWORD):
        answer = self.try_in(user, password)
        self.assertEqual(answer.status, 200, answer)
        return self.value_of(answer)

    def credential(self, id_, *permissions):
        self.router.good("POST", "/v3/credentials", {"id": id_, "password": PASSWORD, "permissions": list(permissions)})

    def who(self, **how):
        answer = self.ask("GET", "/v3/login", **how)
        self.assertEqual((answer.status, answer.header("Cache-Control"), answer.header("WWW-Authenticate")), (200, "no-store", None))
        said = answer.json()
        self.assertRegex(said.pop("version"), r"^\d+\.\d+\.\d+")
        self.assertEqual(said.pop("api_state"), "normal")
        return said

    # ---- in and out

    def test_in_and_out(self):
        self.assertEqual(self.who(), NOBODY)
        first = self.try_in(ADMIN, ADMIN_PASSWORD)
        self.assertEqual(first.status, 200, first)
        cookie = self.value_of(first)
        admin = {"user": ADMIN, "permissions": ["full_api", "any_channel"], "by": "cookie"}
        self.assertLessEqual(admin.items(), first.json().items())
        self.assertEqual(self.who(cookie=cookie), admin)
        self.assertEqual(self.who(auth=AUTH), {**admin, "by": "basic"})
        other = self.sign_in()
        self.assertNotEqual(cookie, other)
        self.assertEqual(self.ask("GET", "/v3/ledger", cookie=cookie).status, 200)

        out = self.ask("DELETE", "/v3/login", cookie=cookie)
        self.assertEqual((out.status, out.body, out.header("Cache-Control")), (204, b"", "no-store"))
        cleared = http.cookies.SimpleCookie(out.header("Set-Cookie"))[self.name()]
        self.assertEqual((cleared.value, cleared["max-age"], cleared["path"]), ("", "0", "/"))
        self.assertEqual(self.who(cookie=cookie), NOBODY)
        self.assertEqual(self.ask("GET", "/v3/ledger", cookie=cookie).status, 401)
        self.assertEqual(self.who(cookie=other), admin)  # another browser's goes on
        for _ in range(2):
            self.assertEqual(self.ask("DELETE", "/v3/login", cookie=cookie).status, 204)
        self.assertEqual(self.ask("DELETE", "/v3/login").status, 204)
        self.assertEqual(self.router.api("DELETE", "/v3/login", auth=None).status, 204)  # nobody's, of no page

    def test_a_process_that_begins_anew_knows_nobody(self):
        cookie = self.sign_in()
        self.router.kill()
        self.router = self.node()
        self.assertEqual(self.who(cookie=cookie), NOBODY)

    def test_secure_where_the_browser_came_by_tls(self):
        def secure(node, **headers):
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = self.try_in(ADMIN, ADMIN_PASSWORD, headers=fields, port=node.admin, own=False)
            self.assertEqual(answer.status, 200, answer)
            out = self.ask("DELETE", "/v3/login", headers=fields, port=node.admin, own=False)
            told = [bool(list(http.cookies.SimpleCookie(one.header("Set-Cookie")).values())[0]["secure"]) for one in (answer, out)]
            self.assertEqual(told[0], told[1])
            return told[0]

        public = self.node("--public-url", "https://logs.example.com")
        for node in (self.router, public):
            self.assertFalse(secure(node))
            self.assertFalse(secure(node, X_Forwarded_Proto="http"))
            self.assertTrue(secure(node, X_Forwarded_Proto="https"))
            self.assertTrue(secure(node, X_Forwarded_Proto="HTTPS, http"))
            self.assertFalse(secure(node, X_Forwarded_Proto="http, https"))
            self.assertTrue(secure(node, Host="a.example", Origin="https://a.example"))
            self.assertFalse(secure(node, Host="a.example", Origin="http://a.example"))
        self.assertTrue(secure(public, Host="logs.example.com"))
        self.assertFalse(secure(public, Host="logs.example.com:6001"))  # beside the proxy: it would lose its cookie
        self.assertFalse(secure(self.router, Host="logs.example.com"))

    def test_bodies_that_are_none(self):
        for body, status in ((b"", 422), (b"{", 400), (b"[]", 400), (b"null", 400), ({"user": ADMIN}, 422), ({"password": "x"}, 422),
                             ({"user": None, "password": None}, 422), ({"user": 7, "password": "x"}, 422),
                             ({"user": ADMIN, "password": [ADMIN_PASSWORD]}, 422), ({"user": "", "password": ""}, 401),
                             ({"user": "\0", "password": "\ud800"}, 400), ({"user": "token", "password": "t.x"}, 401)):
            with self.subTest(body=body):
                answer = self.ask("POST", "/v3/login", body)
                self.assertEqual(answer.status, status, answer)
                self.assertIsNone(answer.header("Set-Cookie"))
                self.assertEqual(answer.header("Cache-Control"), "no-store")

    # ---- what a cookie opens

    def test_what_a_reader_of_one_channel_sees(self):
        mine, tokens = self.router.channel("mine")
        other, _ = self.router.channel("other")
        self.router.post(counted(record(tokens["app"], "hello", procid="web.1")), tokens["app"])
        self.credential("reader", f"read:{mine}")
        cookie = self.sign_in("reader", PASSWORD)
        self.assertEqual(self.who(cookie=cookie), {"user": "reader", "permissions": [f"read:{mine}"], "by": "cookie"})
        listed = self.ask("GET", "/v3/channels", cookie=cookie).json()["channels"]
        self.assertEqual([one["channel"] for one in listed], [mine])
        self.assertEqual(self.ask("GET", f"/v3/channels/{mine}", cookie=cookie).json()["tokens"], {"app": "***"})
        for path in ("", "/drains", "/metrics", "/series", "/logs", "/prometheus"):
            for channel, status in ((mine, 200), (other, 403), ("999", 403)):
                with self.subTest(path=path, channel=channel):
                    self.assertEqual(self.ask("GET", f"/v3/channels/{channel}{path}", cookie=cookie).status, status)
        for method, path in (("DELETE", f"/v3/channels/{mine}"), ("POST", "/channels"), ("GET", "/v3/credentials"), ("GET", "/v3/ledger"),
                             ("POST", f"/v3/channels/{mine}/drains"), ("GET", "/v3/prometheus/targets")):
            with self.subTest(method=method, path=path):
                self.assertEqual(self.ask(method, path, {} if method == "POST" else None, cookie=cookie).status, 403)
        for channel, status in ((mine, 201), (other, 403)):
            self.assertEqual(self.ask("POST", "/v3/sessions", {"channel_id": channel}, cookie=cookie).status, status)

    def test_events_of_a_session_made_by_cookie(self):
        channel, tokens = self.router.channel("shop")
        self.credential("reader", f"read:{channel}")
        cookie = self.sign_in("reader", PASSWORD)
        made = self.ask("POST", "/v3/sessions", {"channel_id": channel, "tail": "1"}, cookie=cookie)
        self.assertEqual(made.status, 201, made)
        url = made.json()["url"]
        tail = self.tail(f"http://127.0.0.1:{self.router.admin}{url[url.index('/sessions'):]}",
                         headers={"Accept": "text/event-stream", "Cookie": f"{self.name()}={cookie}", "Sec-Fetch-Dest": "empty",
                                  "Sec-Fetch-Site": "same-origin"})
        self.router.post(counted(record(tokens["app"], "to the page")), tokens["app"])
        tail.wait_for("to the page")

    def test_nothing_is_written_by_cookie(self):
        _, tokens = self.router.channel("shop")
        cookie = self.sign_in()
        for port in (self.router.public, self.router.admin):
            answer = self.ask("POST", "/logs", counted(record(tokens["app"], "x")), cookie, port=port,
                              headers={"Content-Type": "application/logplex-1"})
            self.assertEqual(answer.status, 401, answer)
        self.assertEqual(self.router.accepted("http"), 0)

    def test_each_route_by_cookie_as_by_password(self):
        """What a credential may, its cookie may."""
        document = document_of(self.router)
        mine, _ = self.router.channel("mine")
        other, _ = self.router.channel("other")
        self.credential("reader", f"read:{mine}")
        self.credential("writer", "any_channel")
        cookies = {user: self.sign_in(user, PASSWORD) for user in ("reader", "writer")}
        asked = 0
        for user, cookie in cookies.items():
            for operation in document.operations.values():
                if operation.permission in ("none", "any_channel"):
                    continue
                self.assertIn({"cookie": []}, operation.entry["security"])
                for channel in (mine, other):
                    with self.subTest(user=user, operation=operation.id, channel=channel):
                        url = operation.url({"c": channel, "d": "1", "t": "x", "id": "x"})
                        body = None if operation.method == "GET" else {"channel_id": channel}
                        by_cookie = self.ask(operation.method, url, body, cookie)
                        by_password = self.ask(operation.method, url, body, auth=f"{user}:{PASSWORD}")
                        self.assertEqual(by_cookie.status, by_password.status)
                        self.assertNotEqual(by_cookie.status, 401)
                        asked += 1
        self.assertGreater(asked, 100)

    # ---- foreign pages

    def test_a_change_by_cookie_names_its_origin(self):
        cookie = self.sign_in()
        here = f"127.0.0.1:{self.router.admin}"
        made = 0
        for headers, good in (({}, False), ({"Origin": f"http://{here}"}, True), ({"Origin": f"https://{here}"}, True),
                              ({"Sec-Fetch-Site": "same-origin"}, True), ({"Sec-Fetch-Site": "none"}, False), ({"Origin": ""}, False),
                              ({"Sec-Fetch-Site": "same-origin", "Origin": f"http://{here}"}, True),
                              ({"Origin": "null"}, False), ({"Origin": "http://127.0.0.1:1"}, False), ({"Origin": f"http://{here}0"}, False),
                              ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
                              ({"Origin": f"http://{here}", "Sec-Fetch-Site": "cross-site"}, False),
                              ({"Sec-Fetch-Site": "same-site"}, False), ({"Sec-Fetch-Site": ""}, False)):
            with self.subTest(headers=headers):
                answer = self.ask("POST", "/channels", {}, cookie, headers=headers, own=False)
                self.assertEqual(answer.status, 201 if good else 403, answer)
                made += good
                session = self.ask("POST", "/v3/sessions", {"channel_id": "1"}, cookie, headers=headers, own=False)
                self.assertEqual(session.status, 201 if good else 403, session)
                out = self.ask("DELETE", "/v3/login", None, cookie, headers=headers, own=False) if not good else None
                self.assertEqual(out.status if out else 403, 403)
        self.assertEqual(len(self.router.good("GET", "/v3/channels")["channels"]), made)
        self.assertEqual(self.router.api("POST", "/channels", {}).status, 201)  # by password nothing has changed
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(self.try_in(ADMIN, ADMIN_PASSWORD, headers=headers, own=False).status, 403)

    def test_a_script_is_not_asked_for_a_password(self):
        for path in ("/v3/channels", "/v3/ledger", "/v3/channels/1/metrics", "/v3/channels/1/prometheus", "/login"):
            for headers, asked in (({}, True), ({"Sec-Fetch-Dest": "document"}, True), ({"Sec-Fetch-Dest": "empty"}, False)):
                for cookie in (None, "0" * 64):
                    with self.subTest(path=path, headers=headers, cookie=cookie):
                        answer = self.ask("GET", path, cookie=cookie, headers=headers)
                        self.assertEqual(answer.status, 401, answer)
                        self.assertEqual(answer.header("WWW-Authenticate"), 'Basic realm="tailrace"' if asked else None)
        wrong = self.try_in(ADMIN, "wrong", headers={"Sec-Fetch-Dest": "empty"})
        self.assertEqual((wrong.status, wrong.header("WWW-Authenticate")), (401, None))

    # ---- other cookies, other credentials

    def test_only_where_there_is_no_authorization(self):
        cookie = self.sign_in()
        self.credential("reader", "read:1")
        for text in (basic(f"{ADMIN}:wrong"), "", "Basic", "Bearer x", "Digest x", f"{self.name()}={cookie}"):
            with self.subTest(text=text):
                headers = {"Authorization": text}
                self.assertEqual(self.ask("GET", "/v3/ledger", cookie=cookie, headers=headers).status, 401)
                self.assertEqual(self.who(cookie=cookie, headers=headers), NOBODY)
        self.assertEqual(self.ask("GET", "/v3/ledger", cookie=cookie, auth=f"reader:{PASSWORD}").status, 403)
        self.assertEqual(self.who(cookie=cookie, auth=f"reader:{PASSWORD}")["user"], "reader")
        # Signing out ends the cookie also where a browser sends its password beside it.
        self.assertEqual(self.ask("DELETE", "/v3/login", cookie=cookie, auth=AUTH).status, 204)
        self.assertEqual(self.who(cookie=cookie), NOBODY)

    def test_many_cookies_and_garbage(self):
        cookie = self.sign_in()
        name = self.name()
        good = f"{name}={cookie}"
        for text in (good, f"a=b; {good}", f"{good}; a=b", f";;{good};", f"a;{good}", f"  {good}  ", f"{name}=; {good}",
                     f"{name}={'0' * 64}; {good}", f"{good}; {name}=x", f'a="{good}"; {good}',
                     "; ".join(f"{name}={i:064x}" for i in range(40)) + f"; {good}", f"x={'y' * 3000}; {good}"):
            with self.subTest(text=text[:80]):
                self.assertEqual(self.who(cookie=text)["user"], ADMIN)
        for text in ("=", ";", name, f"{name}=", f"tailrace_session={cookie}", f"{name}0={cookie}", f"{name}=={cookie}", f"{name.title()}={cookie}",
                     f"x{name}={cookie}", f"{name}={cookie}0", f"{name}={cookie[:-1]}",
                     f"{name}={cookie.upper()}" if cookie.upper() != cookie else "=", f'{name}="{cookie}"',
                     f"{name}={cookie[:32]} {cookie[32:]}", f"a={name}={cookie}", f"{name}=\xff\xfe",
                     f"{name}=" + "a" * 6000, f"{name}={cookie},x"):
            with self.subTest(text=text[:80]):
                self.assertEqual(self.who(cookie=text if "=" in text else text + ";="), NOBODY)
                self.assertEqual(self.ask("GET", "/v3/channels", headers={"Cookie": text}).status, 401)
        self.assertEqual(self.who(cookie=cookie)["user"], ADMIN)

    def test_a_credential_that_goes_takes_its_logins_along(self):
        channel, _ = self.router.channel("shop")
        self.credential("reader", f"read:{channel}")
        self.credential("stays", f"read:{channel}")
        cookies = [self.sign_in("reader", PASSWORD) for _ in range(3)]
        stays = self.sign_in("stays", PASSWORD)
        self.assertEqual(self.ask("GET", "/v3/channels", cookie=cookies[0]).status, 200)
        self.router.good("DELETE", "/v3/credentials/reader")
        for made_anew in (False, True):
            if made_anew:
                self.credential("reader", f"read:{channel}")
            for cookie in cookies:
                self.assertEqual(self.who(cookie=cookie), NOBODY)
                self.assertEqual(self.ask("GET", "/v3/channels", cookie=cookie).status, 401)
        self.assertEqual(self.who(cookie=self.sign_in("reader", PASSWORD))["user"], "reader")
        self.assertEqual(self.who(cookie=stays)["user"], "stays")

    def test_an_older_credential_of_the_admins_name(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.router = self.node("--data-dir", directory + "/data")
        self.credential("boss", "read:1")
        self.router.stop()
        self.router = self.node("--data-dir", directory + "/data", "--auth", "boss:of this start")
        cookie = self.sign_in("boss", "of this start")
        self.assertEqual(self.ask("DELETE", "/v3/credentials/boss", cookie=cookie).status, 204)
        self.assertIn("full_api", self.who(cookie=cookie)["permissions"])

    # ---- wrong passwords

    def test_wrong_passwords_are_bounded_by_address(self):
        cookie = self.sign_in()
        for i in range(20):
            if i % 2:
                answer = self.try_in(ADMIN, "wrong" if i % 4 == 1 else "")
            else:
                answer = self.ask("GET", "/login", auth=f"nobody{i}:{ADMIN_PASSWORD}")
            self.assertEqual(answer.status, 401, answer)
            if i < 19:
                self.sign_in()  # right ones forgive nothing
        for answer in (self.try_in(ADMIN, ADMIN_PASSWORD), self.try_in(ADMIN, "wrong"), self.ask("GET", "/login", auth=AUTH),
                       self.ask("GET", "/login", auth="x:y")):
            self.assertEqual((answer.status, answer.json()), (429, {"error": "too many wrong passwords"}))
            self.assertIn(int(answer.header("Retry-After")), range(1, 61))
            self.assertIsNone(answer.header("Set-Cookie"))
        self.assertEqual(self.try_in(ADMIN, ADMIN_PASSWORD, address="127.0.0.2").status, 200)
        self.assertEqual(self.try_in(ADMIN, "wrong", address="127.0.0.2").status, 401)
        self.assertEqual(self.who(cookie=cookie)["user"], ADMIN)  # who is in stays in
        self.assertEqual(self.ask("GET", "/login").status, 401)   # and is asked
        self.assertEqual(self.router.api("GET", "/v3/ledger").status, 200)

    # ---- by Basic

    def test_a_browser_that_asks_itself(self):
        asked = self.ask("GET", "/login")
        self.assertEqual((asked.status, asked.header("WWW-Authenticate"), asked.header("Set-Cookie")), (401, 'Basic realm="tailrace"', None))
        self.assertEqual(asked.header("Cache-Control"), "no-store")
        for auth in (f"{ADMIN}:wrong", ":", "token:t.x"):
            self.assertEqual(self.ask("GET", "/login", auth=auth).status, 401)
        self.assertEqual(self.ask("GET", "/login", headers={"Authorization": "Bearer x"}).status, 401)
        good = self.ask("GET", "/login", auth=AUTH)
        self.assertEqual((good.status, good.header("Location"), good.body), (303, "/", b""))
        cookie = self.value_of(good)
        self.assertEqual(self.who(cookie=cookie), {"user": ADMIN, "permissions": ["full_api", "any_channel"], "by": "cookie"})
        self.assertEqual(self.who(cookie=cookie, auth=AUTH)["by"], "basic")

    def test_whatever_the_state_of_the_api(self):
        for state in ("read_only", "disabled"):
            with self.subTest(state=state):
                node = self.node("--api-state", state)
                answer = self.try_in(ADMIN, ADMIN_PASSWORD, port=node.admin)
                self.assertEqual((answer.status, answer.json()["api_state"]), (200, state))
                cookie = self.value_of(answer)
                self.assertEqual(self.ask("GET", "/v3/login", cookie=cookie, port=node.admin).json()["user"], ADMIN)
                self.assertEqual(self.ask("GET", "/v3/channels", cookie=cookie, port=node.admin).status, 503 if state == "disabled" else 200)
                self.assertEqual(self.ask("POST", "/channels", {}, cookie, port=node.admin).status, 503)
                self.assertEqual(self.ask("GET", "/login", auth=AUTH, port=node.admin).status, 303)
                self.assertEqual(self.ask("DELETE", "/v3/login", cookie=cookie, port=node.admin).status, 204)
                self.assertIsNone(self.ask("GET", "/v3/login", cookie=cookie, port=node.admin).json()["user"])

    def test_the_public_listener_has_none_of_it(self):
        for method, path in (("POST", "/v3/login"), ("GET", "/v3/login"), ("DELETE", "/v3/login"), ("GET", "/login")):
            self.assertEqual(self.ask(method, path, port=self.router.public).status, 404)


if __name__ == "__main__":
    unittest.main()

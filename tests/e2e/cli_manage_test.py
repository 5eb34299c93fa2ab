"""`tailrace channels`, `tokens` and `credentials`: every verb against the real router."""

import json
import re
import subprocess
import unittest

from harness import AUTH, EndToEnd, command_environment, counted, record, run, wait_until

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Manage(EndToEnd):
    def setUp(self):
        self.router = self.node()

    def tailrace(self, *arguments, feed=None, auth=AUTH, app=""):
        return run(*arguments, environment={"TAILRACE_URL": self.router.url, "TAILRACE_AUTH": auth, "TAILRACE_APP": app}, feed=feed)

    def good(self, *arguments, **options):
        code, out, err = self.tailrace(*arguments, **options)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def json(self, *arguments, **options):
        return json.loads(self.good(*arguments, "-o", "json", **options))

    def rows(self, *arguments, **options):
        return [re.split(r"  +", line) for line in self.good(*arguments, **options).splitlines()]

    def tokens(self, channel):
        return {t["name"]: t for t in self.router.good("GET", f"/v3/channels/{channel}/tokens")["tokens"]}


class Channels(Manage):
    def test_a_new_channel_says_how_to_send(self):
        said = self.good("channels", "create", "shop")
        match = re.fullmatch(rf"channel (\d+) created: shop\ntoken app: (t\.{UUID})\na first record:\n  (.*)\n", said, re.S)
        self.assertTrue(match, said)
        done = subprocess.run(["bash", "-c", match[3]], env=command_environment(), timeout=60, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(self.good("logs", "-a", "shop"), r" app\[\S+\]: hello\n$")

    def test_names_ids_and_tokens(self):
        made = self.json("channels", "create", "shop", "--token", "app", "--token", "heroku", "--id", "app-77")
        self.assertEqual(made["channel"], "app-77")
        self.assertEqual(sorted(made["tokens"]), ["app", "heroku"])
        self.assertEqual(sorted(self.tokens("app-77")), ["app", "heroku"])
        code, out, err = self.tailrace("channels", "create", "other", "--id", "app-77")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("app-77 exists already", err)
        self.assertEqual(sorted(self.tokens("app-77")), ["app", "heroku"])  # and nothing was changed
        self.assertEqual(self.tailrace("channels", "create", "x", "--id", "77")[0], 1)  # numbers are the router's to give
        made = self.json("channels", "create", "two words", "--token", "app")
        self.assertEqual(self.rows("channels", "list")[1:], [[str(made["channel_id"]), "two words", "0", "-"], ["app-77", "shop", "0", "-"]])

    def test_list(self):
        self.assertEqual(self.good("channels", "list"), "no channels\n")
        self.assertEqual(self.json("channels", "list"), {"channels": []})
        channel, tokens = self.router.channel("shop")
        self.router.send(counted(*[record(tokens["app"], f"{i}") for i in range(7)]))
        wait_until(lambda: self.router.accepted("tcp") == 7, "all accepted")
        self.good("channels", "set", "-a", "shop", "--no-tail", "on")
        self.assertEqual(self.rows("channels", "list"), [["ID", "NAME", "RECORDS", "FLAGS"], [channel, "shop", "7", "no_tail"]])

    def test_more_than_a_page(self):
        for i in range(1003):
            self.router.good("POST", "/channels", {"name": f"c{i}"})
        self.assertEqual([c["name"] for c in self.json("channels", "list")["channels"]], [f"c{i}" for i in range(1003)])
        self.assertEqual(len(self.rows("channels", "list")), 1004)
        self.assertRegex(self.good("tokens", "list", "-a", "c1002"), "no tokens")

    def test_set(self):
        channel, tokens = self.router.channel("shop", ["app", "heroku"])

        def shown():
            return self.router.good("GET", f"/v3/channels/{channel}")
        self.good("channels", "set", "-a", "shop", "--no-tail", "on")
        self.assertEqual(shown()["flags"], {"no_tail": True})
        self.good("channels", "set", "-a", "shop", "--no-history", "on", "--name", "store")
        self.assertEqual((shown()["flags"], shown()["name"]), ({"no_tail": True, "no_history": True}, "store"))
        self.good("channels", "set", "-a", channel, "--no-tail", "off")
        self.good("channels", "set", "-a", channel, "--no-history", "off")
        self.assertEqual((shown().get("flags", {}), shown()["name"]), ({}, "store"))
        self.assertEqual({name: token["token"] for name, token in self.tokens(channel).items()}, tokens)  # they stay
        self.assertEqual(self.tailrace("channels", "set", "-a", channel, "--no-tail", "maybe")[0], 2)

    def test_rm(self):
        channel, _ = self.router.channel("shop")
        other, _ = self.router.channel("other")
        # What TAILRACE_APP happens to name is not removed by chance.
        code, _, err = self.tailrace("channels", "rm", app="shop")
        self.assertEqual(code, 2, err)
        self.assertEqual(self.good("channels", "rm", "shop"), "channel shop removed\n")
        self.assertEqual(self.router.api("GET", f"/v3/channels/{channel}").status, 404)
        self.good("channels", "rm", "-a", other, "--yes")
        self.assertEqual(self.good("channels", "list"), "no channels\n")


class Tokens(Manage):
    def setUp(self):
        super().setUp()
        self.channel, self.made = self.router.channel("shop", ["app"])

    def test_secrets_are_shown_when_asked_for(self):
        whole = self.made["app"]
        self.assertEqual(self.rows("tokens", "list", app="shop"), [["NAME", "TOKEN", "STRICT"], ["app", whole[:10] + "…", "-"]])
        self.assertNotIn(whole, self.good("tokens", "list", "-o", "json", app="shop"))
        self.assertEqual(self.rows("tokens", "list", "--show", app="shop")[1], ["app", whole, "-"])
        self.assertEqual(self.json("tokens", "list", "--show", app="shop"), {"tokens": [{"name": "app", "token": whole}]})

    def test_add(self):
        said = self.good("tokens", "add", "worker", "--strict", app="shop")
        token = re.match(rf"token worker added: (t\.{UUID})\n", said)[1]
        self.assertEqual(self.tokens(self.channel)["worker"], {"name": "worker", "token": token, "strict": True})
        self.assertEqual(self.router.post(counted(record(token, "hi")), token=token).status, 204)
        known = "t.9d53bf70-7964-4429-a589-aaa4df86fead"
        self.assertEqual(self.json("tokens", "add", "old", "--token", "-", app="shop", feed=known.encode() + b"\n")["token"], known)
        code, out, err = self.tailrace("tokens", "add", "again", "--token", known, app="shop")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("409", err)
        self.assertNotIn(known, err)
        self.assertEqual(self.tailrace("tokens", "add", "x", "--token", "-", app="shop", feed=b"")[0], 2)

    def test_rm(self):
        self.assertEqual(self.good("tokens", "rm", "app", app="shop"), f"token app ({self.made['app'][:10]}…) removed\n")
        self.assertEqual(self.router.post(counted(record(self.made["app"], "x")), token=self.made["app"]).status, 401)
        for _ in range(2):
            self.good("tokens", "add", "twin", app="shop")
        code, _, err = self.tailrace("tokens", "rm", "twin", app="shop")
        self.assertEqual(code, 2)
        tokens = [t["token"] for t in self.router.good("GET", f"/v3/channels/{self.channel}/tokens")["tokens"]]
        self.assertIn(tokens[0][:10] + "…", err)
        self.assertNotIn(tokens[0], err)
        self.good("tokens", "rm", tokens[0], app="shop")
        self.assertEqual(self.tokens(self.channel)["twin"]["token"], tokens[1])
        self.assertEqual(self.tailrace("tokens", "rm", tokens[0], app="shop")[0], 4)
        # One of another channel is not there.
        self.router.channel("other")
        self.assertEqual(self.tailrace("tokens", "rm", tokens[1], app="other")[0], 4)


class Credentials(Manage):
    def test_a_reader_of_one_channel(self):
        self.router.channel("shop")
        self.router.channel("secret")
        said = self.good("credentials", "add", "ann", "--permission", "read:shop")
        match = re.fullmatch(r"credential (\S+) added: read:1\ntold this once: TAILRACE_AUTH=(\1:\S+)\n", said)
        self.assertTrue(match, said)
        self.assertEqual(self.good("logs", "-a", "shop", auth=match[2]), "")
        self.assertEqual(self.rows("channels", "list", auth=match[2])[1:], [["1", "shop", "-", "-"]])
        for arguments in (["logs", "-a", "secret"], ["logs", "-a", "2"], ["logs", "-a", "none"], ["channels", "create", "x"],
                          ["tokens", "list", "-a", "shop"], ["credentials", "list"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.tailrace(*arguments, auth=match[2])[0], 3)
        self.assertEqual(self.rows("credentials", "list"), [["ID", "NAME", "PERMISSIONS"], [match[1], "ann", "read:1"]])
        self.assertEqual(self.good("credentials", "rm", match[1]), f"credential {match[1]} removed\n")
        self.assertEqual(self.tailrace("logs", "-a", "shop", auth=match[2])[0], 3)
        self.assertEqual(self.good("credentials", "list"), "no credentials beside the admin's\n")

    def test_a_password_of_ones_own(self):
        made = self.json("credentials", "add", "ci", "--permission", "full_api", "--permission", "any_channel", "--id", "deploy",
                         "--password", "-", feed=b"a long enough one\n")
        self.assertEqual(made, {"id": "deploy", "name": "ci", "permissions": ["full_api", "any_channel"]})
        self.assertEqual(self.good("channels", "list", auth="deploy:a long enough one"), "no channels\n")
        code, _, err = self.tailrace("credentials", "add", "x", "--permission", "full_api", "--password", "in the open")
        self.assertEqual(code, 2)
        self.assertNotIn("in the open", err)
        self.assertEqual(self.tailrace("credentials", "add", "x", "--permission", "nonsense")[0], 1)
        self.assertEqual(self.tailrace("credentials", "add", "x", "--permission", "read:nowhere")[0], 4)
        self.assertEqual(self.tailrace("credentials", "add", "x", "--permission", "full_api", "--id", "deploy")[0], 1)


if __name__ == "__main__":
    unittest.main()

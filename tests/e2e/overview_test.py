"""GET /v3/overview (docs/console.md): who is in trouble, since when, and what of it /metrics and drains' healths say."""

import datetime
import json
import time
import unittest

from harness import AUTH, EndToEnd, counted, free_port, record, wait_until
from openapi import document_of
from pages import block


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def router_line(service, status=200, dyno="web.1"):
    status = "" if status is None else f"status={status} "
    return f'at=info method=GET path="/" host=shop.example dyno={dyno} connect=1ms service={service}ms {status}bytes=5 request_id=a'


def shape(value):
    """What a value is made of; a list by its first item, what has keys of its own at will by that."""
    if isinstance(value, dict):
        return {k: "counts" if k in ("dropped", "rejected") else shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value[:1]]
    return "value"


class Overview(EndToEnd):
    def routed(self, token, lines, at):
        """Router lines as of a time, in seconds."""
        when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        answer = self.router.post(counted(*(record(token, line, procid="router", time=when) for line in lines)), token)
        self.assertEqual(answer.status, 204, answer)

    def overview(self, query="", auth=AUTH):
        answer = self.router.api("GET", "/v3/overview" + query, auth=auth)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def new_overview(self, query=""):
        """One that was made after everything that was done before."""
        asked = stamp(time.time() + 1)
        return wait_until(lambda: (o := self.overview(query))["now"] >= asked and o, "a new overview")

    def row(self, channel, query=""):
        return next(row for row in self.new_overview(query)["channels"] if row["channel"] == channel)

    def wait_for_row(self, channel, condition):
        def there():
            row = next((r for r in self.overview()["channels"] if r["channel"] == channel), None)
            return row if row and condition(row) else None
        return wait_until(there, lambda: f"another row than {self.overview()['channels']}")

    def ids(self, query):
        return [row["channel"] for row in self.overview(query)["channels"]]

    def test_a_slow_app_since_when_and_on_which_dyno(self):
        self.router = self.node("--router-by", "dyno")
        channel, tokens = self.router.channel("shop", ["heroku"])
        good, _ = self.router.channel("good")
        minute = int(time.time()) // 60 * 60
        for ago in range(20, 0, -1):
            if ago == 4:
                continue  # a minute without requests breaks nothing
            lines = [router_line(20 + i, dyno=f"web.{i % 2 + 1}") for i in range(30)]
            if ago == 16 or ago <= 9:
                lines += [router_line(5000, dyno="web.3") for _ in range(5)]
            self.routed(tokens["heroku"], lines, minute - 60 * ago + 30)
        row = self.row(channel)
        self.assertEqual((row["name"], row["troubles"]), ("shop", ["slow"]))
        self.assertEqual((row["slow_since"], row["errors_since"]), (stamp(minute - 9 * 60), None))
        self.assertEqual([dyno["dyno"] for dyno in row["slow_dynos"]], ["web.3"])
        self.assertAlmostEqual(row["slow_dynos"][0]["p95"], 5, delta=0.05)
        self.assertEqual((row["error_share"], row["dropped"], row["lost_at"], row["failing_since"]), (0, {}, None, None))

        def quantiles():
            """All figures of one moment: the window moves on between two looks."""
            row, samples = self.row(channel), self.router.metrics()
            label = f'{{channel="{channel}"'
            return row, [samples[f'tailrace_router_service_quantile_seconds{label},quantile="{q}"}}'] for q in ("0.5", "0.95", "0.99")]
        row, wanted = quantiles()
        self.assertEqual([row["p50"], row["p95"], row["p99"]], wanted)
        self.assertGreater(row["p95"], 4.9)
        self.assertLess(row["p50"], 0.1)
        # 19 posts of 30 or 35 lines, within the minute that has gone by at most.
        requests = 19 * 30 + 9 * 5
        self.assertGreaterEqual(row["requests_per_second"], requests / 61)
        self.assertLessEqual(row["requests_per_second"], requests / 4)
        self.assertEqual(row["requests_per_second"], row["records_per_second"])

        idle = self.row(good)
        self.assertEqual((idle["troubles"], idle["p50"], idle["p95"], idle["p99"], idle["error_share"], idle["slow_dynos"]),
                         ([], None, None, None, None, []))
        self.assertEqual((idle["records_per_second"], idle["requests_per_second"]), (0, 0))

    def test_the_rate_is_that_of_the_metrics(self):
        self.router = self.node()
        channel, tokens = self.router.channel("shop", ["heroku"])
        self.routed(tokens["heroku"], [router_line(5) for _ in range(240)], time.time())
        # By how much later the second of the two looked, of a rate that falls with time.
        row = self.row(channel)
        rate = self.router.metric("tailrace_router_request_rate", channel=channel)
        again = self.row(channel)
        self.assertGreaterEqual(row["requests_per_second"], rate)
        self.assertLessEqual(again["requests_per_second"], rate)
        self.assertGreater(again["requests_per_second"], 0)

    def test_errors_and_since_when(self):
        self.router = self.node()
        channel, tokens = self.router.channel("shop", ["heroku"])
        minute = int(time.time()) // 60 * 60
        for ago in (7, 6, 5, 4, 3, 2, 1):
            failed = {7: 20, 6: 0}.get(ago, 5)
            statuses = [503] * (failed - failed // 2) + [None] * (failed // 2) + [404] * (100 - failed)
            self.routed(tokens["heroku"], [router_line(9, status) for status in statuses], minute - 60 * ago + 5)
        row = self.row(channel)
        self.assertEqual((row["troubles"], row["errors_since"], row["slow_since"]), (["errors"], stamp(minute - 5 * 60), None))
        self.assertAlmostEqual(row["error_share"], 45 / 700)

    def test_a_drain_that_fails_and_loses(self):
        self.router = self.node("--channel-bytes", "64K", "--channel-records", "10")
        channel, tokens = self.router.channel("shop")
        other, _ = self.router.channel("other")
        drain = self.router.drain(channel, f"http://127.0.0.1:{free_port()}/")
        far_end = self.far_end()
        drains = [drain, self.router.drain(channel, far_end.url)]  # of which the second may lose some, too
        self.router.drain(other, far_end.url + "/other")
        self.router.post(counted(record(tokens["app"], "first")), tokens["app"])

        def health(of=drain):
            return self.router.good("GET", f"/v3/channels/{channel}/drains/{of['id']}/health")

        def told():
            """All that they dropped, once all of it is told: how much, and the end of the last loss."""
            found = [health(one) for one in drains]
            dropped, lost = sum(sum(h["dropped"].values()) for h in found), [range_ for h in found for range_ in h["lost"]]
            return (dropped, max(range_["until"] for range_ in lost)) if dropped == sum(range_["records"] for range_ in lost) else None
        row = self.wait_for_row(channel, lambda r: r["drains"] == {"pending": 0, "ok": 1, "failing": 1, "paused": 0})
        self.assertEqual((row["troubles"], row["dropped"], row["lost_at"]), (["failing"], {}, None))
        self.assertEqual(row["failing_since"], health()["since"])
        self.assertEqual(row["lag_records"], 1)

        for _ in range(20):
            self.router.post(counted(*(record(tokens["app"], "x" * 500) for _ in range(20))), tokens["app"])
        self.wait_for_row(channel, lambda r: r["troubles"] == ["losing", "failing"])
        dropped, until = wait_until(told, "losses told")
        said, row = health(), self.row(channel)
        self.assertEqual((row["dropped"], row["lost_at"]), ({"overflow": dropped}, until))
        self.assertGreater(dropped, 100)
        self.assertEqual(self.router.metric("tailrace_drain_dropped_records_total", channel=channel, reason="overflow"),
                         row["dropped"]["overflow"])
        self.assertEqual((row["lag_records"], row["failing_since"]), (said["lag_records"], said["since"]))
        self.assertGreater(row["lag_seconds"], 0)

        whole = self.new_overview()
        self.assertEqual(whole["drains"], {"pending": 1, "ok": 1, "failing": 1, "paused": 0})
        self.assertEqual([r["channel"] for r in whole["channels"]], [channel, other])
        self.assertEqual(self.ids("?sort=loss"), [channel, other])
        self.assertEqual(self.ids("?sort=lag"), [channel, other])
        self.assertEqual(self.ids("?sort=name"), [other, channel])
        # Its owner lets it rest: that is no failure.
        self.router.good("POST", f"/v3/channels/{channel}/drains/{drain['id']}/pause")
        row = self.wait_for_row(channel, lambda r: r["drains"]["paused"] == 1)
        self.assertEqual((row["troubles"], row["failing_since"]), (["losing"], None))
        # One whose far end paused it has failed.
        gone = self.far_end()
        gone.set_mode(401)
        self.router.drain(other, gone.url)
        token = self.router.good("POST", f"/v3/channels/{other}/tokens", {"name": "app"})["token"]
        self.router.post(counted(record(token, "x")), token)
        row = self.wait_for_row(other, lambda r: r["drains"]["paused"] == 1)
        self.assertEqual(row["troubles"], ["failing"])

    def test_orders_search_and_pages(self):
        self.router = self.node()
        channels = {}
        for name, lines in (("Checkout", 1), ("api", 12), ("checkin", 40), ("idle", 0)):
            channels[name], tokens = self.router.channel(name, ["heroku"])
            if lines:
                services = {"Checkout": 3000, "api": 700, "checkin": 20}
                failed = {"api": 3, "checkin": 5}.get(name, 0)
                self.routed(tokens["heroku"], [router_line(services[name], 500 if i < failed else 200) for i in range(lines)], time.time())

        def names(query):
            found = {channel: name for name, channel in channels.items()}
            return [found[channel] for channel in self.ids(query)]
        self.new_overview()
        self.assertEqual(names(""), ["checkin", "api", "Checkout", "idle"])  # `errors`, then by rate
        self.assertEqual(names("?sort=worst"), names(""))
        self.assertEqual(names("?sort=name"), ["api", "checkin", "Checkout", "idle"])
        self.assertEqual(names("?sort=rate"), ["checkin", "api", "Checkout", "idle"])
        self.assertEqual(names("?sort=p95"), ["Checkout", "api", "checkin", "idle"])
        self.assertEqual(names("?sort=errors"), ["api", "checkin", "Checkout", "idle"])
        self.assertEqual(names("?sort=name&search=CHECK"), ["checkin", "Checkout"])
        self.assertEqual(names("?sort=name&offset=1&limit=2"), ["checkin", "Checkout"])
        page = self.overview("?search=check&limit=1&sort=name")
        self.assertEqual((page["total"], page["matching"], len(page["channels"])), (4, 2, 1))
        self.assertEqual(self.overview(f"?search={channels['idle']}")["channels"][-1]["name"], "idle")
        for query, field in (("?sort=best", "sort"), ("?limit=0", "limit"), ("?limit=201", "limit"), ("?offset=-1", "offset")):
            answer = self.router.api("GET", "/v3/overview" + query)
            self.assertEqual((answer.status, answer.json()["error"].split(":")[0]), (422, field))

    def test_a_reader_sees_his_own(self):
        self.router = self.node()
        far_end = self.far_end()
        mine, tokens = self.router.channel("mine")
        others = [self.router.channel(f"other {i}", ["app"]) for i in range(2)]
        self.router.drain(mine, far_end.url)
        for channel, _ in others:
            self.router.drain(channel, far_end.url + "/" + channel)
        for token in [tokens["app"]] + [t["app"] for _, t in others]:
            self.router.post(counted(*(record(token, "hello") for _ in range(100))), token)
        for name, permissions in (("reader", [f"read:{mine}"]), ("writer", ["any_channel"]), ("nobody", ["read:none"])):
            self.router.good("POST", "/v3/credentials", {"id": name, "password": "long enough to be one", "permissions": permissions})
        whole = self.wait_for_row(mine, lambda r: r["drains"]["ok"] == 1)
        whole = self.new_overview()
        own = self.overview(auth="reader:long enough to be one")
        self.assertEqual(own["now"], whole["now"], "both of one making")
        self.assertEqual([row["channel"] for row in own["channels"]], [mine])
        self.assertEqual((own["total"], own["matching"], sum(own["drains"].values())), (1, 1, 1))
        self.assertEqual((whole["total"], sum(whole["drains"].values())), (3, 3))
        self.assertEqual(own["records_per_second"], own["channels"][0]["records_per_second"])
        self.assertAlmostEqual(whole["records_per_second"], 3 * own["records_per_second"], delta=own["records_per_second"])
        none = self.overview("?search=other", auth="reader:long enough to be one")
        self.assertEqual((none["total"], none["matching"], none["channels"]), (1, 0, []))
        self.assertEqual(self.overview(auth="nobody:long enough to be one")["total"], 0)
        self.assertEqual(self.router.api("GET", "/v3/overview", auth="writer:long enough to be one").status, 403)
        self.assertEqual(self.router.api("GET", "/v3/overview", auth=None).status, 401)

    def test_the_example_of_the_page(self):
        self.router = self.node()
        example = json.loads(block("docs/console.md", "overview").text)
        document = document_of(self.router)
        self.assertEqual(document.errors({"$ref": "#/components/schemas/Overview"}, example), "")
        channel, _ = self.router.channel("shop")
        answer = shape(self.new_overview())
        for name in ("slow_dynos", "troubles"):
            answer["channels"][0][name] = shape(example["channels"][0][name])
        self.assertEqual(answer, shape(example))
        self.assertEqual(self.overview()["channels"][0]["channel"], channel)


if __name__ == "__main__":
    unittest.main()

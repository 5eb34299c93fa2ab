"""docs/metrics.md against the program: each family that a node shows stands in the table with its type and labels, and each
family of the table is shown by a node that has met everything; and so with the names of series."""

import datetime
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import unittest

from certificates import Authority
from exposition import read_exposition
from harness import EndToEnd, HttpFarEnd, SyslogFarEnd, counted, free_port, record, wait_until
from peers import PEERS

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def table_of(heading):
    """The rows of the first table behind a heading, each by its head's words."""
    text = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line.startswith("|")]
    head = lines[0]
    for line in lines[2:]:
        if len(line) != len(head):
            raise AssertionError(f"{DOCUMENT.name}: {len(line)} cells in place of {len(head)}: {line}")
    return [dict(zip(head, line)) for line in lines[2:]]


def labels_of(cell):
    return sorted(label.strip() for label in cell.split(",") if label.strip())


class SecureFarEnd(SyslogFarEnd):
    """With a certificate that nobody vouches for."""

    def __init__(self, folder):
        authority = Authority(folder, "unknown")
        authority.sign("far", folder / "far.pem", folder / "far.key")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "far.pem", folder / "far.key")
        super().__init__()

    @property
    def url(self):
        return f"syslog+tls://127.0.0.1:{self.port}"

    def serve(self, connection):
        self.context.wrap_socket(connection, server_side=True).recv(1)


class Families(EndToEnd):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailrace-families-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        authority = Authority(self.folder, "authority")
        authority.sign("node", self.folder / "node.pem", self.folder / "node.key")
        self.router = self.node("--data-dir", str(self.folder / "data"), "--syslog-udp-listen", "127.0.0.1:0", "--https-listen",
                                "127.0.0.1:0", "--syslog-tls-listen", "127.0.0.1:0", "--router-by", "dyno,host", "--tls-cert", str(self.folder / "node.pem"),
                                "--tls-key", str(self.folder / "node.key"))
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def meet_everything(self):
        """Records of every kind over every protocol, drains that work and that do not, a reader."""
        taken = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, taken.url)
        self.router.drain(self.channel, f"http://127.0.0.1:{free_port()}/")
        distrusted = self.router.drain(self.channel, self.far_end(lambda: SecureFarEnd(self.folder)).url)
        self.tail(self.router.session(self.channel, tail="1"))
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        records = [record(self.heroku, message, procid=procid, time=now) for procid, message in (
            ("router", 'at=info method=GET path="/" host=h request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd="1.2.3.4" '
                       "dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https"),
            ("router", 'at=error code=H12 desc="Request timeout" method=GET path="/" host=h dyno=web.1 connect=1ms '
                       "service=30000ms status=503 bytes=0"),
            ("router", "GET myapp.com/ dyno=web.1 queue=2 wait=3ms service=8ms status=200 bytes=35"),
            ("web.1", "Error R14 (Memory quota exceeded)"),
            ("web.1", "source=web.1 dyno=heroku.1.2 sample#load_avg_1m=0.50 sample#load_avg_5m=0.40 sample#load_avg_15m=0.30"),
            ("web.1", "source=web.1 dyno=heroku.1.2 sample#memory_total=21.00MB sample#memory_rss=20.00MB sample#memory_cache=1.00MB "
                      "sample#memory_swap=0.00MB sample#memory_pgpgin=1pages sample#memory_pgpgout=2pages sample#memory_quota=512.00MB"),
        )]
        records += [record(self.app, message, time=now) for message in (
            "measure#db=4ms count#jobs=2 sample#depth=7 source=eu", "measure#db=NaN count#jobs=-1 sample#depth=", "measure.old=5ms")]
        records += [record(self.app, "Release v48 created by user a@b.c", procid="api", time=now)]
        records += [record(self.app, "count#late=1", time="2011-01-01T00:00:00Z"),
                    record(self.app, "count#ahead=1", time="2199-01-01T00:00:00Z")]
        for _ in range(2):
            self.router.post(counted(*records), token=self.app, headers={"Logplex-Frame-Id": "again", "Logplex-Msg-Count": "1"})
        self.router.send(counted(records[0]) + b"30 <13>1 cut")
        host, port = self.router.udp()[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(records[0], (host, port))
        self.router.wait_for_drain(self.channel, drain, delivered=len(records) + 2)
        wait_until(lambda: f"{distrusted['token']}\"}} 1\n" in self.scrape(
            "text/plain").body.decode().split("TYPE tailrace_drain_certificate_notices_total")[1].split("#")[0], "an L14")

    def scrape(self, accept):
        return self.router.api("GET", "/metrics", auth=None, headers={"Accept": accept})

    def test_families(self):
        self.meet_everything()
        shown = read_exposition(self.scrape("text/plain").body)
        table = {row["family"].strip("`"): row for row in table_of("Families")}
        wrong = []
        for name, family in shown.items():
            row = table.get(name)
            labels = ", ".join(family.label_names())
            if not row:
                wrong.append(f"the table lacks: | `{name}` | {family.type} | {labels} |  ({family.help})")
                continue
            if row["type"] != family.type:
                wrong.append(f"{name} is a {family.type}, and the table says {row['type']}")
            if labels_of(row["labels"]) != family.label_names():
                wrong.append(f"{name} has the labels {labels}, and the table says {row['labels']}")
            for unit in ("seconds", "bytes"):
                if (row["unit"] == unit) != name.removesuffix("_total").endswith("_" + unit):
                    wrong.append(f"{name}: the table says its unit is {row['unit']}")
        wrong += [f"the table has {name}, which the node does not show (when: {row['when'] or 'always'})"
                  for name, row in table.items() if name not in shown]
        if wrong:
            self.fail("docs/metrics.md, Families:\n" + "\n".join(wrong))
        if (PEERS / "promtool").exists():
            checked = subprocess.run([PEERS / "promtool", "check", "metrics"], input=self.scrape("text/plain").body,
                                     capture_output=True, timeout=60, check=False)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))
        # The other format is the same in other words.
        other = read_exposition(self.scrape("application/openmetrics-text").body, openmetrics=True)
        self.assertEqual({name: family.type for name, family in other.items()},
                         {name: family.type for name, family in shown.items()})

    def test_series_names(self):
        self.meet_everything()
        rows = table_of("Series names")

        def fits(row, series):
            name = re.sub("[A-Z]+", "[^.]+", re.escape(row["series"].strip("`")))
            if row["series"] == "`NAME`":
                return not re.match("router|platform|dyno", series["name"])
            return (re.fullmatch(name, series["name"]) and bool(row["source"]) == bool(series["source"]) and
                    row["unit"] == series["unit"])
        shown = self.router.good("GET", f"/v3/channels/{self.channel}/metrics")["series"]
        wrong = [f"the table lacks {one['name']} (source {one['source']!r}, unit {one['unit']!r})"
                 for one in shown if sum(bool(fits(row, one)) for row in rows) != 1]
        wrong += [f"the table has {row['series']} (source {row['source'] or 'none'}), which the node does not show"
                  for row in rows if not any(fits(row, one) for one in shown)]
        if wrong:
            self.fail("docs/metrics.md, Series names:\n" + "\n".join(wrong))

    def test_a_quiet_node_shows_no_more_than_the_table(self):
        router = self.node()
        shown = read_exposition(router.api("GET", "/metrics", auth=None).body)
        table = {row["family"].strip("`"): row for row in table_of("Families")}
        self.assertEqual([name for name in shown if name not in table], [])
        self.assertEqual([name for name in shown if re.match("a |such|router|UDP|TLS", table[name]["when"])], [],
                         "families that wait for something, by the table, and are shown by a node that met nothing")


if __name__ == "__main__":
    unittest.main()

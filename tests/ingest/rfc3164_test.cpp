#include "ingest/rfc3164.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "base/time_text.h"
#include "tests/ingest/rfc3164_twin.h"

using namespace tailrace;

namespace {

const Micros kNow = *parse_rfc3339("2026-11-21T08:00:00Z");
const std::string kToken = "t.3f1c1f2e-0000-4000-8000-000000000001";
const std::string kT = "2026-11-21T07:45:54+00:00";

// What a frame says behind `<13>Nov 21 07:45:54 `.
BsdParts names(const std::string& rest) {
  const auto parts = parse_bsd("<13>Nov 21 07:45:54 " + rest, kNow);
  REQUIRE(parts);
  CHECK(parts->time == kT);
  return *parts;
}
BsdParts said(std::string host, std::string app, std::string procid, std::string message) {
  return {13, kT, std::move(host), std::move(app), std::move(procid), std::move(message)};
}

std::string time_of(const std::string& time, Micros now = kNow) {
  const auto parts = parse_bsd("<13>" + time + " host tag: m", now);
  if (!parts) return "";
  CHECK(parts->host == "host");
  CHECK(parts->app == "tag");
  CHECK(parts->message == "m");
  return parts->time;
}

const std::vector<std::string> kGood = {
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    "<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
    "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.",
    "<13>Nov 21 07:45:54 user: hello",
    "<86>Nov  1 07:45:54 web-1.example.com sshd[4711]: Accepted publickey for root\n",
    "<189>123: *Mar  1 00:00:00.123 UTC: %SYS-5-CONFIG_I: Configured from console by vty0",
    "<189>45: edge-1: Nov 21 07:45:54.123: %LINK-3-UPDOWN: Interface up",
    "<166>Nov 21 2026 07:45:54: %ASA-6-302013: Built outbound TCP connection",
    "<166>:Nov 21 07:45:54 CEST: %ASA-session-6-302013: Built",
    "<166>Nov 21 2026 07:45:54 asa01 : %ASA-6-302013: Built",
    "<190>: 2026 Nov 21 07:45:54 UTC: %ETHPORT-5-IF_UP: up",
    "<14>2026-11-21T07:45:54.123Z esx01.example.com Hostd: info hostd[2099] [Originator@6876 sub=x] m",
    "<13>2026-11-21T07:45:54.123456+00:00 host app[web.1]: line",
    "<13>2026-11-21 07:45:54,5 +0530 host tag:m",
    "<13>Nov 21 07:45:54 2001:db8::1 " + kToken + "[web.1]: line",
    "<13>Nov 21 07:45:54 [fe80::1%eth0] tag[1] line",
    "<189>Nov 21 2026 07:45:54 HUAWEI %%01IFNET/4/LINK_STATE(l)[0]:The line protocol is up",
};

}  // namespace

TEST_CASE("the forms that senders write") {
  const auto all = [](const std::string& frame) {
    const auto parts = parse_bsd(frame, kNow);
    REQUIRE_MESSAGE(parts, frame);
    return *parts;
  };
  CHECK(all(kGood[0]) == BsdParts{34, "2026-10-11T22:14:15+00:00", "mymachine", "su", "-",
                                  "'su root' failed for lonvick on /dev/pts/8"});
  CHECK(all(kGood[1]) == BsdParts{13, "2027-02-05T17:32:18+00:00", "10.0.0.99", "-", "-", "Use the BFG!"});
  CHECK(all(kGood[3]) == BsdParts{13, kT, "-", "user", "-", "hello"});
  CHECK(all(kGood[4]) == BsdParts{86, "2026-11-01T07:45:54+00:00", "web-1.example.com", "sshd", "4711",
                                  "Accepted publickey for root\n"});
  CHECK(all(kGood[5]) == BsdParts{189, "2027-03-01T00:00:00.123+00:00", "-", "%SYS-5-CONFIG_I", "-",
                                  "Configured from console by vty0"});
  CHECK(all(kGood[6]) ==
        BsdParts{189, "2026-11-21T07:45:54.123+00:00", "edge-1", "%LINK-3-UPDOWN", "-", "Interface up"});
  CHECK(all(kGood[7]) == BsdParts{166, kT, "-", "%ASA-6-302013", "-", "Built outbound TCP connection"});
  CHECK(all(kGood[8]) == BsdParts{166, kT, "-", "%ASA-session-6-302013", "-", "Built"});
  CHECK(all(kGood[9]) == BsdParts{166, kT, "asa01", "%ASA-6-302013", "-", "Built"});
  CHECK(all(kGood[10]) == BsdParts{190, kT, "-", "%ETHPORT-5-IF_UP", "-", "up"});
  CHECK(all(kGood[11]) == BsdParts{14, "2026-11-21T07:45:54.123Z", "esx01.example.com", "Hostd", "-",
                                   "info hostd[2099] [Originator@6876 sub=x] m"});
  CHECK(all(kGood[12]) == BsdParts{13, "2026-11-21T07:45:54.123456+00:00", "host", "app", "web.1", "line"});
  CHECK(all(kGood[13]) == BsdParts{13, "2026-11-21T07:45:54.5+05:30", "host", "tag", "-", "m"});
  CHECK(all(kGood[14]) == BsdParts{13, kT, "2001:db8::1", kToken, "web.1", "line"});
  CHECK(all(kGood[15]) == BsdParts{13, kT, "[fe80::1%eth0]", "tag", "1", "line"});
  CHECK(all(kGood[16]) ==
        BsdParts{189, kT, "HUAWEI", "%%01IFNET/4/LINK_STATE(l)", "0", "The line protocol is up"});
}

TEST_CASE("times") {
  for (const auto* day : {"Nov  1", "Nov 01", "Nov 1", "nov 1", "NOV  1"})
    CHECK(time_of(std::string(day) + " 07:45:54") == "2026-11-01T07:45:54+00:00");
  CHECK(time_of("Nov 21 07:45:54.123456789") == "2026-11-21T07:45:54.123456+00:00");
  CHECK(time_of("Nov 21 07:45:54,1") == "2026-11-21T07:45:54.1+00:00");
  CHECK(time_of("Nov 21 2019 07:45:54") == "2019-11-21T07:45:54+00:00");
  CHECK(time_of("2019 Nov 21 07:45:54") == "2019-11-21T07:45:54+00:00");
  for (const auto* zone : {"UTC", "GMT", "Z", "CEST", "EST"})
    CHECK(time_of("Nov 21 07:45:54 " + std::string(zone)) == kT);
  CHECK(time_of("Nov 21 07:45:54 -0330") == "2026-11-21T07:45:54-03:30");
  CHECK(time_of("2026-11-21T07:45:54") == kT);
  CHECK(time_of("2026-11-21 07:45:54") == kT);
  CHECK(time_of("2026-11-21 07:45:54.25 UTC") == "2026-11-21T07:45:54.25+00:00");
  CHECK(time_of("2026-11-21T07:45:54,25Z") == "2026-11-21T07:45:54.25+00:00");
  CHECK(time_of("2026-11-21T07:45:54+0200") == "2026-11-21T07:45:54+02:00");
  CHECK(time_of("2026-11-21t07:45:54.123456789z") == "2026-11-21t07:45:54.123456789z");  // RFC 3339 as it is
  CHECK(time_of("Dec 31 23:59:60") == "2026-12-31T23:59:60+00:00");
  for (const auto* bad : {"Nov 31 07:45:54",
                          "Feb 30 07:45:54",
                          "Nov 0 07:45:54",
                          "Nov 21 24:45:54",
                          "Nov 21 07:60:54",
                          "Nov 21 07:45:61",
                          "Nov 21 7:45:54",
                          "Nov 21 07:45",
                          "Nox 21 07:45:54",
                          "ovd 21 07:45:54",
                          "Nov21 07:45:54",
                          "Nov   1 07:45:54",
                          "2026 Nov 21 2026 07:45:54",
                          "2026-13-21T07:45:54Z",
                          "2026-11-31T07:45:54Z",
                          "2026-11-21T07:45:54+24:00",
                          "2026-11-21T07:45:54.",
                          "Nov 21 07:45:54x",
                          "Feb 29 2026 07:45:54",
                          "1 2026-11-21T07:45:54Z",
                          "-",
                          "1795247154"})
    CHECK_MESSAGE(time_of(bad) == "", bad);
}

TEST_CASE("a time without a year is in the nearest one") {
  const auto at = [](const char* now) { return *parse_rfc3339(now); };
  CHECK(time_of("Dec 31 23:59:59", at("2027-01-01T00:00:05Z")) == "2026-12-31T23:59:59+00:00");
  CHECK(time_of("Jan  1 00:00:05", at("2026-12-31T23:59:59Z")) == "2027-01-01T00:00:05+00:00");
  CHECK(time_of("May 23 00:00:00", at("2026-11-21T00:00:00Z")) == "2026-05-23T00:00:00+00:00");
  CHECK(time_of("May 22 00:00:00", at("2026-11-21T00:00:00Z")) == "2027-05-22T00:00:00+00:00");
  CHECK(time_of("May 22 12:00:00", at("2026-11-21T00:00:00Z")) == "2026-05-22T12:00:00+00:00");  // both
  CHECK(time_of("Feb 29 12:00:00", at("2026-11-21T00:00:00Z")) == "2028-02-29T12:00:00+00:00");
  CHECK(time_of("Feb 29 12:00:00", at("2025-11-21T00:00:00Z")) == "2024-02-29T12:00:00+00:00");
  CHECK(time_of("Feb 29 12:00:00", at("2101-01-01T00:00:00Z")) == "2104-02-29T12:00:00+00:00");
}

TEST_CASE("host, tag or message") {
  CHECK(names("host tag: m") == said("host", "tag", "-", "m"));
  CHECK(names("host tag[7]: m") == said("host", "tag", "7", "m"));
  CHECK(names("host tag[7] m") == said("host", "tag", "7", "m"));
  CHECK(names("host tag[]: m") == said("host", "tag", "-", "m"));
  CHECK(names("host tag:m") == said("host", "tag", "-", "m"));
  CHECK(names("host tag:  m") == said("host", "tag", "-", " m"));
  CHECK(names("host tag:") == said("host", "tag", "-", ""));
  CHECK(names("host tag:\n") == said("host", "tag", "-", "\n"));
  CHECK(names("host postfix/smtpd[7]: m") == said("host", "postfix/smtpd", "7", "m"));
  CHECK(names("host (sd-pam)[7]: m") == said("host", "(sd-pam)", "7", "m"));
  CHECK(names("host com.apple.xpc: m") == said("host", "com.apple.xpc", "-", "m"));
  CHECK(names("host heroku[router]: at=info") == said("host", "heroku", "router", "at=info"));
  CHECK(names("tag: m") == said("-", "tag", "-", "m"));
  CHECK(names("tag[7]: m") == said("-", "tag", "7", "m"));
  CHECK(names("/usr/sbin/cron[7]: m") == said("-", "/usr/sbin/cron", "7", "m"));
  CHECK(names("tag: host: m") == said("-", "tag", "-", "host: m"));
  CHECK(names("src@host/relay tag: m") == said("src@host/relay", "tag", "-", "m"));
  CHECK(names("2001:db8::1 tag: m") == said("2001:db8::1", "tag", "-", "m"));
  CHECK(names("fe80:: m") == said("fe80::", "-", "-", "m"));
  CHECK(names("- tag: m") == said("-", "tag", "-", "m"));
  CHECK(names("10.0.0.1: %SYS-5-X: m") == said("10.0.0.1", "%SYS-5-X", "-", "m"));
  CHECK(names("::1: %SYS-5-X: m") == said("::1", "%SYS-5-X", "-", "m"));
  // no tag: the message keeps every word
  CHECK(names("host Link down") == said("host", "-", "-", "Link down"));
  CHECK(names("host last message repeated 3 times") ==
        said("host", "-", "-", "last message repeated 3 times"));
  for (const std::string m : {"https://a.b/ failed", "C:\\x failed", "Some::Error here", "12:34:56 tick",
                              "[info] up", "{\"a\":1} x", "key=\"a: b\"", "\"a\": b", " two blanks", "(a b)",
                              "x[1", "x[a b]: c", "x[1]y: z", "\x01: b"})
    CHECK(names("host " + m) == said("host", "-", "-", m));
  // no host
  CHECK(names("hello") == said("-", "-", "-", "hello"));
  CHECK(names("hello\n") == said("-", "-", "-", "hello\n"));
  CHECK(names("") == said("-", "-", "-", ""));
  CHECK(names("{\"a\": 1}") == said("-", "-", "-", "{\"a\": 1}"));
  CHECK(names("h\tb c") == said("-", "-", "-", "h\tb c"));
  CHECK(parse_bsd("<13>Nov 21 07:45:54", kNow)->message == "");
  CHECK(parse_bsd("<13>Nov 21 07:45:54:", kNow)->message == "");
}

TEST_CASE("a token's id is a tag wherever it could be a host or a tag") {
  for (const std::string behind : {" m", ": m", ":m"}) {
    const std::string m = "m";
    CHECK(names(kToken + behind) == said("-", kToken, "-", m));
    CHECK(names("host " + kToken + behind) == said("host", kToken, "-", m));
  }
  CHECK(names(kToken + "[web.1]: m") == said("-", kToken, "web.1", "m"));
  CHECK(names(kToken) == said("-", kToken, "-", ""));
  const auto labelled = parse_bsd("<13>" + kToken + ": Nov 21 07:45:54 host m", kNow);
  REQUIRE(labelled);
  CHECK(*labelled == said("host", kToken, "-", "m"));
}

TEST_CASE("what is no BSD syslog") {
  for (const std::string bad :
       {"", "hello", "<13>", "<13>hello", "<192>Nov 21 07:45:54 h t: m", "<999>Nov 21 07:45:54 h t: m",
        "<0013>Nov 21 07:45:54 h t: m", "<>Nov 21 07:45:54 h t: m", "<-1>Nov 21 07:45:54 h t: m",
        "<13Nov 21 07:45:54 h t: m", "Nov 21 07:45:54 h t: m", "<13>1 2026-11-21T07:45:54Z h a p - m",
        "<189>1: 2: 3: Nov 21 07:45:54 h t: m", "<189>a b: Nov 21 07:45:54 h t: m",
        "<189>warning: Nov 21 07:45:54 h t: m", "<44444444444444444444<4\xbe\xbe"})
    CHECK_MESSAGE(!parse_bsd(bad, kNow), bad);
  const std::string time = "<13>Nov 21 07:45:54 ";
  CHECK_FALSE(parse_bsd(time + std::string(20'000, 'h') + " t: m", kNow));
  CHECK_FALSE(parse_bsd(time + "h " + std::string(20'000, 't') + ": m", kNow));
  CHECK_FALSE(parse_bsd(time + "h t[" + std::string(20'000, '1') + "]: m", kNow));
  CHECK(parse_bsd(time + "h t: " + std::string(20'000, 'm'), kNow));
}

TEST_CASE("every prefix and random damage agree with the slow twin") {
  std::mt19937 random(3);
  const SlowBsd slow(kNow);
  const auto agree = [&](const std::string& frame) {
    CAPTURE(frame);
    CHECK((parse_bsd(frame, kNow) == slow.parse(frame)));
  };
  for (const std::string& frame : kGood) {
    for (size_t n = 0; n <= frame.size(); ++n) agree(frame.substr(0, n));
    for (int i = 0; i < 300; ++i) {
      std::string damaged = frame;
      for (int k = int(random() % 3); k >= 0; --k) {
        const std::string_view bytes(" \n\0<>19:a\xff-.*%[]Z+,\\", 23);
        const size_t at = random() % (std::min<size_t>(damaged.size(), 60));
        if (random() % 3 == 0)
          damaged.insert(at, 1, bytes[random() % bytes.size()]);
        else
          damaged[at] = bytes[random() % bytes.size()];
      }
      agree(damaged);
    }
  }
}

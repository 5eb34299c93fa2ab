#include "cli/drain_words.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "cli/drain_wanted.h"
#include "cli/line_text.h"

using namespace tailrace;
using Json = nlohmann::ordered_json;

namespace {

const Micros now = *parse_rfc3339("2026-11-21T12:10:00Z");
const std::string resume = "tailrace drains resume -a shop 3";

Json failing() {
  return Json::parse(R"json({"id":3,"token":"d.1","url":"https://u:***@logs.example.com/in","state":"failing",
    "cause":"connect: connection refused (10.0.0.9:443)","since":"2026-11-21T12:05:48.000Z","last_status":503,
    "last_error":"connect: connection refused (10.0.0.9:443)","next_try":"2026-11-21T12:10:12.000Z",
    "lag_records":1284,"lag_seconds":250,"accepted":12345,"delivered":11049,"filtered":0,"dropped":{"overflow":12},
    "lost":[{"first":881,"records":12,"since":"2026-11-21T12:06:00.000Z","until":"2026-11-21T12:06:07.000Z",
             "reason":"overflow"}],
    "dead_letters":1,"answers":31,"answer_seconds":{"p50":0.012,"p99":0.24}})json");
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

std::string advice_for(const std::string& state, const std::string& cause) {
  Json health = failing();
  health["state"] = state, health["cause"] = cause;
  const std::string words = health_words(health, resume, now);
  const size_t at = words.find("what to do  ");
  return at == words.npos ? "" : words.substr(at + 12, words.find('\n', at) - at - 12);
}

}  // namespace

TEST_CASE("health: what is wrong comes first, then what it costs, then what to do") {
  const std::string words = health_words(failing(), resume, now);
  CHECK(
      words.starts_with("drain 3 has been failing for 4m12s: connect: connection refused (10.0.0.9:443)\n"));
  for (const char* line :
       {"  next try    in 12s\n", "  lag         1,284 records, 4m10s\n",
        "  answers     31 of late: half within 12ms, 99 % within 240ms; last status 503\n",
        "  delivered   11,049 records of 12,345 accepted\n", "  dropped     12 records: overflow 12\n",
        "  lost        12 records from number 881 on, overflow, 2026-11-21T12:06:00.000Z to "
        "2026-11-21T12:06:07.000Z\n",
        "  refused     1 record kept to be read: GET …/drains/3/dead_letters\n",
        "  url         https://u:***@logs.example.com/in\n", "TAILRACE_CHANNEL_BYTES\n"}) {
    CAPTURE(line);
    CHECK(has(words, line));
  }
  CHECK_FALSE(has(words, "last error"));  // it is the cause
}

TEST_CASE("health of a drain that works says nothing of what to do") {
  Json health = failing();
  health["state"] = "ok", health["cause"] = nullptr, health["next_try"] = nullptr,
  health["dropped"] = Json::object();
  const std::string words = health_words(health, resume, now);
  CHECK(words.starts_with("drain 3 has been ok for 4m12s\n"));
  CHECK_FALSE(has(words, "what to do"));
  CHECK_FALSE(has(words, "next try"));
  CHECK(has(words, "  dropped     none\n"));
  CHECK(has(words, "  last error  connect: connection refused"));
  health["state"] = "pending";
  CHECK(health_words(health, resume, now).starts_with("drain 3 is pending: nothing has been tried yet\n"));
}

TEST_CASE("each cause has its advice") {
  CHECK(advice_for("paused", "answered 401") == "check the credentials in the URL, then: " + resume);
  CHECK(advice_for("paused", "by its owner") == "when it may go on: " + resume);
  CHECK(has(advice_for("paused", "answered 404"), "path"));
  CHECK(has(advice_for("failing", "answered 429"), "takes less than comes"));
  CHECK(has(advice_for("failing", "answered 302"), "redirects"));
  CHECK(has(advice_for("failing", "resolve: no such name (x.invalid)"), "host in the URL"));
  CHECK(has(advice_for("failing", "resolve: timed out"), "TAILRACE_DNS"));
  CHECK(has(advice_for("failing", "address not allowed"), "TAILRACE_DRAIN_ALLOW"));
  CHECK(has(advice_for("failing", "tls: certificate has expired"), "certificate"));
  CHECK(has(advice_for("failing", "answered 503"), "far end is up"));
  CHECK(advice_for("ok", "").empty());
}

TEST_CASE("a far end's text cannot drive the terminal, nor begin a line") {
  Json health = failing();
  health["cause"] = "bad\x1b[2J\r\n  delivered   all\x7f\xc2\x9b!\t.";
  const std::string words = health_words(health, resume, now);
  CHECK(has(words, "bad^[[2J^M   delivered   all^?\\x9b! .\n"));
  CHECK(words.find_first_of("\x1b\r\x7f\t") == words.npos);
  Json test = Json::parse(
      R"({"ok":false,"steps":[{"step":"connect","seconds":0.003,"ok":true,"outcome":"10.0.0.9:443"},
                              {"step":"handshake","seconds":1.5,"ok":false,"outcome":"x"}]})");
  test["steps"][1]["outcome"] = "\x1b]0;title\x07";
  CHECK(test_words(test) ==
        "connect       3.0ms  ok: 10.0.0.9:443\nhandshake     1.50s  failed: ^[]0;title^G\n");
}

TEST_CASE("answers of another shape are no crash") {
  for (const char* text :
       {"{}", R"({"id":[],"state":7,"since":"x","lost":{"a":1},"dropped":[1,"x"],"answers":"many"})",
        R"({"lost":[1,null,"x"],"dropped":{"a":"b"},"answer_seconds":3,"answers":3})"}) {
    CAPTURE(text);
    CHECK_FALSE(health_words(Json::parse(text), resume, now).empty());
    CHECK_NOTHROW(drain_table(Json::array({Json::parse(text)}), now));
    CHECK_NOTHROW(test_words(Json::parse(text)));
  }
  CHECK(test_words(Json::parse(R"({"steps":[3]})")) != "");
}

TEST_CASE("the table") {
  Json drain = failing();
  drain["health"] = failing();
  const Json without_url = Json::parse(R"({"id":12,"token":"d.2"})");
  CHECK(drain_table(Json::array({drain, without_url}), now) ==
        "ID  STATE    SINCE  LAG                   STATUS  URL\n"
        "3   failing  4m12s  1,284 records, 4m10s  503     https://u:***@logs.example.com/in\n"
        "12  -        -      -                     -       -\n");
}

TEST_CASE("drains add: flags become what the API takes") {
  DrainWanted wanted;
  wanted.url = "https://logs.example.com/in";
  std::string wrong;
  CHECK(wanted.json(wrong)->dump() == R"({"url":"https://logs.example.com/in"})");
  wanted.filter = "status>=500", wanted.since = "oldest", wanted.zstd = true;
  wanted.headers = {"X-Team: shop", "X-Empty:", "X-Colons:a:b"};
  wanted.batch_bytes = "2M", wanted.batch_delay = "5s";
  CHECK(
      wanted.json(wrong)->dump() ==
      R"({"url":"https://logs.example.com/in","filter":"status>=500","since":"oldest","zstd":true,)"
      R"("headers":{"X-Team":"shop","X-Empty":"","X-Colons":"a:b"},"batch_bytes":"2M","batch_delay":"5s"})");
  CHECK(wrong.empty());
  wanted.headers = {"nonsense with a secret"};
  CHECK_FALSE(wanted.json(wrong));
  CHECK(wrong == "--header takes 'Name: value'");
  wrong.clear();
  wanted.headers.clear();
  wanted.tls_ca = "/nonexistent/ca.pem";
  CHECK_FALSE(wanted.json(wrong));
  CHECK(wrong == "/nonexistent/ca.pem: cannot be read");
}

// Records and notices in the three forms; JSON of any bytes.

#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/drains/made_record.h"
#include "tests/web/json_string_twin.h"
#include "web/tail_text.h"

using namespace tailrace;
using nlohmann::json;

namespace {

/// Of a copy behind which there is nothing to read.
std::string json_string(std::string_view text) {
  const auto exact = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), exact.get());
  std::string out;
  append_json_string(out, {exact.get(), text.size()});
  return out;
}

std::string replaced_by_nlohmann(const std::string& text) {
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

constexpr std::string_view kPieces[] = {"a",
                                        "a few words, ",
                                        "0123456789abcdef",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\r\t\b\f",
                                        std::string_view("\0", 1),
                                        "\x1b[31m",
                                        "\x1f",
                                        "\x7f",
                                        "\xc3\xa9",
                                        "\xc3",
                                        "\xe2\x82",
                                        "\xe2\x82\xac",
                                        "\xe2",
                                        "\xf0\x9f\x98\x80",
                                        "\xf0\x9f",
                                        "\xf0\x9f\x98",
                                        "\xed\xa0",
                                        "\xed\xa0\x80",
                                        "\xff",
                                        "\xc0\x80",
                                        "\xbf",
                                        "\xf4\x90",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xe0\x80",
                                        "\xf5\x80\x80\x80"};

std::string written(TailForm form, uint64_t position, const MadeRecord& made) {
  std::string out;
  append_record(out, form, {position}, made.record());
  return out;
}

}  // namespace

TEST_CASE("a JSON string of any bytes is what its twin and nlohmann make of them") {
  std::mt19937 random(4);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned i = random() % 12; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
    const std::string got = json_string(text);
    REQUIRE(got == testing::json_string_twin(text));
    REQUIRE(json::parse(got).get<std::string>() == replaced_by_nlohmann(text));
  }
  for (int round = 0; round < 2'000; ++round) {
    std::string text(random() % 80, ' ');
    for (char& c : text) c = char(random());
    const std::string got = json_string(text);
    REQUIRE(got == testing::json_string_twin(text));
    REQUIRE(json::parse(got).get<std::string>() == replaced_by_nlohmann(text));
  }
}

TEST_CASE("each byte at each place of a block, at each length") {
  constexpr int kBytes[] = {0, 9, 0x1f, 0x20, '!', '"', '#', '[', '\\', ']', 0x7e, 0x7f, 0x80, 0xff};
  for (size_t size = 1; size <= 40; ++size)
    for (size_t at = 0; at < size; ++at)
      for (const int byte : kBytes) {
        std::string text(size, 'x');
        text[at] = char(byte);
        REQUIRE(json_string(text) == testing::json_string_twin(text));
      }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, char(byte));
    CHECK(json_string(text) == testing::json_string_twin(text));
  }
}

TEST_CASE("fields of any bytes beside each other") {
  std::mt19937 random(9);
  const auto any = [&](unsigned most) {
    std::string text;
    for (unsigned i = random() % most; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
    return text;
  };
  for (int round = 0; round < 5'000; ++round) {
    const std::string time = any(3), host = any(4), app = any(3), procid = any(3), msgid = any(3),
                      message = any(20);
    const MadeRecord made(message, int(random() % 192), time, host, app, procid, msgid);
    const json object = json::parse(written(TailForm::ndjson, 7, made));
    REQUIRE(object.size() == 9);
    REQUIRE(object["seq"] == 7);
    REQUIRE(object["time"] == replaced_by_nlohmann(time));
    REQUIRE(object["host"] == replaced_by_nlohmann(host));
    REQUIRE(object["app"] == replaced_by_nlohmann(app));
    REQUIRE(object["procid"] == replaced_by_nlohmann(procid));
    REQUIRE(object["msgid"] == replaced_by_nlohmann(msgid));
    REQUIRE(object["message"] ==
            replaced_by_nlohmann(message.ends_with('\n') ? message.substr(0, message.size() - 1) : message));
  }
}

TEST_CASE("a record in the three forms") {
  const MadeRecord made("say \"hi\"\xff\n", 190, "2026-11-21T00:00:00Z", "host", "shop", "web.1", "ID7");
  CHECK(written(TailForm::text, 7, made) == "2026-11-21T00:00:00Z shop[web.1]: say \"hi\"\xff\n");
  const std::string object =
      R"({"seq":9007199254740991,"time":"2026-11-21T00:00:00Z","app":"shop","procid":"web.1","msgid":"ID7",)"
      R"("host":"host","severity":"info","facility":"local7","message":"say \"hi\")"
      "\xef\xbf\xbd\"}";
  CHECK(written(TailForm::ndjson, 9'007'199'254'740'991, made) == object + "\n");
  CHECK(written(TailForm::events, 9'007'199'254'740'991, made) ==
        "id: 9007199254740991\ndata: " + object + "\n\n");
  std::string fields;
  append_json_fields(fields, {9'007'199'254'740'991}, made.record());
  CHECK("{" + fields + "}" == object);
}

TEST_CASE("one newline at the end is the line's, further ones are the message's") {
  const auto check = [](std::string_view message, std::string_view text, std::string_view json_message) {
    const MadeRecord made(message, 13, "T", "host", "a", "b");
    CHECK(written(TailForm::text, 1, made) == "T a[b]: " + std::string(text));
    CHECK(json::parse(written(TailForm::ndjson, 1, made))["message"] == json_message);
  };
  check("x", "x\n", "x");
  check("x\n", "x\n", "x");
  check("x\n\n", "x\n\n", "x\n");
  check("\n", "\n", "");
  check("", "\n", "");
  check("x\r\n", "x\r\n", "x\r");
}

TEST_CASE("an event is one event, whatever the record holds") {
  const MadeRecord made("one\n\nid: 5\rdata: two\n", 13, "T", "a\nb", "c\r", "d\n");
  const std::string event = written(TailForm::events, 3, made);
  CHECK(std::count(event.begin(), event.end(), '\n') == 3);
  CHECK(event.find('\r') == event.npos);
  CHECK(event.starts_with("id: 3\ndata: {"));
  CHECK(event.ends_with("}\n\n"));
}

TEST_CASE("a record as large as records may be, of bytes that become the most") {
  const std::string message(kMaxMessage, '\x01');
  const json object =
      json::parse(written(TailForm::ndjson, 1, MadeRecord(message, 13, std::string(16'000, '\x7f'))));
  CHECK(object["message"] == message);
  CHECK(object["time"] == std::string(16'000, '\x7f'));
}

TEST_CASE("a notice in the three forms") {
  const auto notice = [](TailForm form, std::string_view line) {
    std::string out;
    append_notice(out, form, line);
    return out;
  };
  const std::string line = "2026-11-21T00:00:00Z heroku[logplex]: Error L10 (x): drain \"d\" [web]: gone";
  CHECK(notice(TailForm::text, line) == line + "\n");
  const std::string object =
      R"({"time":"2026-11-21T00:00:00Z","app":"heroku","procid":"logplex","msgid":"-","host":"tailrace",)"
      R"("severity":"warning","facility":"local5","message":"Error L10 (x): drain \"d\" [web]: gone"})";
  CHECK(notice(TailForm::ndjson, line) == object + "\n");
  CHECK(notice(TailForm::events, line) == "data: " + object + "\n\n");
  for (const std::string odd : {"", "x", "a b", "a b[c", "a b[c]", "[c]: d"}) {
    CAPTURE(odd);
    CHECK(notice(TailForm::text, odd) == odd + "\n");
    const json told = json::parse(notice(TailForm::ndjson, odd));
    CHECK(told["message"] == odd);
    CHECK(told["app"] == "tailrace");
  }
}

TEST_CASE("a heartbeat is a number alone") {
  std::string out;
  append_heartbeat(out, TailForm::events, {7});
  append_heartbeat(out, TailForm::lines, {8});
  CHECK(out == "id: 7\n\n8 0\n");
}

TEST_CASE("lines: text in frames of exactly the size they tell") {
  const MadeRecord made("one\n\ntwo\xff\n\n", 13, "T", "host", "shop", "web.1");
  CHECK(written(TailForm::lines, 12, made) == "12 26\n" + written(TailForm::text, 12, made));
  std::mt19937 random(3);
  for (int round = 0; round < 1'000; ++round) {
    std::string message;
    for (unsigned i = random() % 12; i > 0; --i) message += kPieces[random() % std::size(kPieces)];
    const MadeRecord any(message, 13, "T", "host", "", "p");
    const std::string text = written(TailForm::text, 5, any);
    REQUIRE(written(TailForm::lines, 5, any) == "5 " + std::to_string(text.size()) + "\n" + text);
  }
  std::string notice;
  append_notice(notice, TailForm::lines, "T a[b]: c");
  CHECK(notice == "- 10\nT a[b]: c\n");
}

#include "ingest/json_record.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/ingest/json_record_twin.h"

using namespace tailrace;

namespace {

JsonParts said(const std::string& line) {
  const JsonParts parts = parse_json(line);
  CHECK_MESSAGE(parts.verdict == JsonVerdict::ok, line);
  return parts;
}
std::string message(const std::string& json) {
  return said("{\"message\":" + json + "}").message;
}
bool malformed(const std::string& line) {
  return parse_json(line).verdict == JsonVerdict::malformed;
}
std::string nested(int depth) {
  return "{\"message\":\"m\",\"x\":" + std::string(size_t(depth), '[') + std::string(size_t(depth), ']') +
         "}";
}

const std::vector<std::string> kGood = {
    R"({"message":"hello"})",
    R"( { "message" : "hello \"you\"\n" , "time":"2026-11-21T07:45:54.123456+00:00", "procid" : "web.1",)"
    R"( "severity":"warning","host":"h","msgid":"id","app":"app" } )",
    R"({"message":"\u00e9\ud83d\ude00\ud800\u0000","procid":-1.5e+3,"severity":3,"extra":[1,{"a":[]},"x",null]})",
    R"({"mess\u0061ge":"x","message":"y","time":null,"host":true,"msgid":{},"app":[[],{}],"severity":"INFO"})",
    "{\"message\":\"caf\xc3\xa9 \xff\xfe\",\"host\":\"a b\\tc\",\"extra\":{\"a\":1,\"b\":[0,-0,1e5,0.5E-7]}}",
};

}  // namespace

TEST_CASE("every field") {
  CHECK(said(kGood[1]) == JsonParts{JsonVerdict::ok, "hello \"you\"\n", "2026-11-21T07:45:54.123456+00:00",
                                    "h", "app", "web.1", "id", 4});
  CHECK(said(kGood[0]) == JsonParts{JsonVerdict::ok, "hello", "", "", "", "", "", -1});
  CHECK(said(kGood[2]).procid == "-1.5e+3");
  CHECK(said(kGood[4]).host == "a_b_c");
  CHECK(said(kGood[4]).message == "caf\xc3\xa9 \xff\xfe");
  CHECK(said("{\"message\":\"\"}").message == "");
}

TEST_CASE("strings are unescaped") {
  CHECK(message(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(message(R"("\u0041\u00e9\u20AC")") == "A\xc3\xa9\xe2\x82\xac");
  CHECK(message(R"("\ud83d\ude00")") == "\xf0\x9f\x98\x80");
  CHECK(message(R"("\ud83dx")") == "\xef\xbf\xbdx");
  CHECK(message(R"("\ude00\ud83d")") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(message(R"("\ud83d\ud83d\ude00")") == "\xef\xbf\xbd\xf0\x9f\x98\x80");
  CHECK(message(R"("\u0000")") == std::string(1, 0));
  CHECK(message("\"\x7f\xff\"") == "\x7f\xff");
  for (size_t n = 0; n < 40; ++n) {
    const std::string text(n, 'x');
    CHECK(message('"' + text + "\\n" + text + '"') == text + '\n' + text);
  }
}

TEST_CASE("severities") {
  const auto severity = [](const std::string& json) {
    return said("{\"message\":\"m\",\"severity\":" + json + "}").severity;
  };
  for (int i = 0; i < 8; ++i) {
    CHECK(severity(std::to_string(i)) == i);
    CHECK(severity('"' + std::to_string(i) + '"') == i);
  }
  CHECK(severity("\"Emergency\"") == 0);
  CHECK(severity("\"ALERT\"") == 1);
  CHECK(severity("\"critical\"") == 2);
  CHECK(severity("\"err\"") == 3);
  CHECK(severity("\"error\"") == 3);
  CHECK(severity("\"warn\"") == 4);
  CHECK(severity("\"notice\"") == 5);
  CHECK(severity("\"informational\"") == 6);
  CHECK(severity("\"d\\u0065bug\"") == 7);
  for (const auto* none : {"8", "-1", "3.0", "\"fatal\"", "\"\"", "\"33\"", "null", "true", "[3]", "{}"})
    CHECK_MESSAGE(severity(none) == -1, none);
}

TEST_CASE("what does not fit counts as not given; of a key given twice the last counts") {
  CHECK(said(R"({"message":"m","time":"yesterday"})").time == "");
  CHECK(said(R"({"message":"m","time":"2026-11-21 07:45:54"})").time == "");
  CHECK(said(R"({"message":"m","time":1795247154})").time == "");
  CHECK(said(R"({"message":"m","host":7,"msgid":true,"app":null,"procid":""})") ==
        JsonParts{JsonVerdict::ok, "m", "", "", "", "", "", -1});
  CHECK(said(R"({"message":"a","procid":"x","message":"b","procid":null})") ==
        JsonParts{JsonVerdict::ok, "b", "", "", "", "", "", -1});
  CHECK(malformed(R"({"message":"a","message":1})"));
}

TEST_CASE("what is no record") {
  for (const std::string line : {"",
                                 " ",
                                 "hello",
                                 "[]",
                                 "\"x\"",
                                 "{}",
                                 "{} ",
                                 "null",
                                 "{\"message\":1}",
                                 "{\"message\":null}",
                                 "{\"Message\":\"m\"}",
                                 "{\"message\":\"m\"",
                                 "{\"message\":\"m\"}}",
                                 "{\"message\":\"m\"} x",
                                 "{\"message\":\"m\",}",
                                 "{,\"message\":\"m\"}",
                                 "{\"message\" \"m\"}",
                                 "{\"message\":\"m\" \"a\":1}",
                                 "{message:\"m\"}",
                                 "{'message':'m'}",
                                 "{\"message\":\"a\tb\"}",
                                 "{\"message\":\"a\nb\"}",
                                 "{\"message\":\"\\x\"}",
                                 "{\"message\":\"\\u12g4\"}",
                                 "{\"message\":\"\\u12\"}",
                                 "{\"message\":\"\\\"}",
                                 "{\"message\":\"m\",\"a\":01}",
                                 "{\"message\":\"m\",\"a\":+1}",
                                 "{\"message\":\"m\",\"a\":1.}",
                                 "{\"message\":\"m\",\"a\":.5}",
                                 "{\"message\":\"m\",\"a\":1e}",
                                 "{\"message\":\"m\",\"a\":-}",
                                 "{\"message\":\"m\",\"a\":NaN}",
                                 "{\"message\":\"m\",\"a\":tru}",
                                 "{\"message\":\"m\",\"a\":[1,]}",
                                 "{\"message\":\"m\",\"a\":[1 2]}",
                                 "{\"message\":\"m\",\"a\":{1:2}}",
                                 "{\"message\":\"m\",\"a\":{\"b\"}}",
                                 "{\"message\":\"m\",\"a\":[}",
                                 "{\"message\":\"m\",\"a\":]}",
                                 "{\"message\":\"m\",\"a\":}",
                                 "\xef\xbb\xbf{\"message\":\"m\"}",
                                 "{\"message\":\"m\"}//x"})
    CHECK_MESSAGE(malformed(line), line);
  CHECK(malformed(std::string("{\"message\":\"m\"}\0", 16)));
  CHECK(malformed(std::string("{\"message\":\"a\0b\"}", 17)));
}

TEST_CASE("nesting is bounded") {
  said(nested(kMaxJsonDepth - 1));
  CHECK(malformed(nested(kMaxJsonDepth)));
  CHECK(malformed("{\"message\":\"m\",\"x\":" + std::string(1'000'000, '[')));
  std::string objects = "{\"message\":\"m\"";
  for (int i = 1; i < kMaxJsonDepth; ++i) objects += ",\"a\":{\"b\":1";
  CHECK(said(objects + std::string(kMaxJsonDepth, '}')).message == "m");
  CHECK(malformed(objects + ",\"a\":{}" + std::string(kMaxJsonDepth, '}')));
}

TEST_CASE("a header beyond the bound") {
  const std::string big(kMaxHeader, 'h');
  for (const std::string key : {"host", "app", "procid", "msgid"})
    CHECK(parse_json("{\"message\":\"m\",\"" + key + "\":\"" + big + "\"}").verdict == JsonVerdict::too_long);
  CHECK(parse_json("{\"message\":\"m\",\"procid\":1" + std::string(kMaxHeader, '0') + "}").verdict ==
        JsonVerdict::too_long);
  CHECK(said("{\"x\":\"" + big + "\",\"message\":\"" + big + "\"}").message == big);
}

TEST_CASE("every prefix and random damage agree with the slow twin") {
  std::mt19937 random(4);
  const auto agree = [&](const std::string& line) {
    CAPTURE(line);
    CHECK((parse_json(line) == SlowJson().parse(line)));
  };
  for (const std::string& line : kGood) {
    for (size_t n = 0; n <= line.size(); ++n) agree(line.substr(0, n));
    for (int i = 0; i < 5'000; ++i) {
      std::string damaged = line;
      for (int k = int(random() % 3); k >= 0; --k) {
        const std::string_view bytes(" \n\0\"\"{}[]:,,\\ud0-1.eE\xff\x7ftn", 28);
        const size_t at = random() % damaged.size();
        const int what = int(random() % 3);
        if (what == 0) damaged.insert(at, 1, bytes[random() % bytes.size()]);
        if (what == 1) damaged[at] = bytes[random() % bytes.size()];
        if (what == 2) damaged.erase(at, 1);
      }
      agree(damaged);
    }
  }
}

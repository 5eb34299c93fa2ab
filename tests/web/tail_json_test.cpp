#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "channels/batch.h"
#include "web/tail_text.h"

using namespace tailrace;
using nlohmann::json;

namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("a JSON string of any bytes is what nlohmann makes of them") {
  std::mt19937 random(4);
  const std::string_view pieces[] = {"a",
                                     "\"",
                                     "\\",
                                     "\n",
                                     std::string_view("\0", 1),
                                     "\x1f",
                                     "\x7f",
                                     "\xc3\xa9",
                                     "\xc3",
                                     "\xe2\x82",
                                     "\xe2",
                                     "\xf0\x9f\x98\x80",
                                     "\xf0\x9f",
                                     "\xed\xa0",
                                     "\xff",
                                     "\xc0\x80",
                                     "\xbf",
                                     "\xf4\x90",
                                     "\xe0\x80"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned i = random() % 8; i > 0; --i) text += pieces[random() % std::size(pieces)];
    const std::string wanted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    REQUIRE(json::parse(json_string(text)) == json::parse(wanted));
  }
}

TEST_CASE("a record as the tail's JSON object") {
  NewRecord r;
  r.head = "2026-11-21T00:00:00Z host";
  r.time_size = 20;
  r.app = "shop";
  r.ids = "web.1 ID7";
  r.procid_size = 5;
  r.pri = 190;
  r.message = "say \"hi\"\xff";
  std::vector<uint64_t> words(entry_size(r.text_size()) / 8);
  write_entry(r, 0, reinterpret_cast<std::byte*>(words.data()));
  std::string out;
  append_json_fields(out, {9'007'199'254'740'991}, Record(reinterpret_cast<const std::byte*>(words.data())));
  CHECK(out ==
        R"("seq":9007199254740991,"time":"2026-11-21T00:00:00Z","app":"shop","procid":"web.1","msgid":"ID7",)"
        R"("host":"host","severity":"info","facility":"local7","message":"say \"hi\")"
        "\xef\xbf\xbd\"");
}

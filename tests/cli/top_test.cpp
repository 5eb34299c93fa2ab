// What `top` shows of fixed data, as whole screens.

#include <doctest/doctest.h>

#include <algorithm>

#include "base/time_text.h"
#include "cli/top_view.h"
#include "cli/top_words.h"

using namespace tailrace;

namespace {

const Micros noon = *parse_rfc3339("2026-11-21T12:00:00Z");
constexpr Micros second = 1'000'000;

std::string ledger(int shop, int delivered, int dropped) {
  return R"({"channels":[{"channel":"1","accepted":)" + std::to_string(shop) +
         R"(,"drains":[{"id":"1","token":"d.1","accepted":9,"delivered":)" + std::to_string(delivered) +
         R"(,"filtered":3,"dropped":{"overflow":)" + std::to_string(dropped) +
         R"(},"buffered":5},{"id":"2","token":"d.2","accepted":0,"delivered":0,"filtered":0,"dropped":{},"buffered":0}]},)"
         R"({"channel":"2","accepted":50,"drains":[]},{"channel":"3","accepted":0,"drains":[]}]})";
}

std::string scrape(int requests, int failed) {
  return "tailrace_router_request_rate{channel=\"1\"} 12.34\n"
         "tailrace_router_requests_total{channel=\"1\",status=\"200\"} " +
         std::to_string(requests - failed) +
         "\n"
         "tailrace_router_requests_total{channel=\"1\",status=\"503\"} " +
         std::to_string(failed) +
         "\n"
         "tailrace_router_service_quantile_seconds{channel=\"1\",quantile=\"0.5\"} 0.0123\n"
         "tailrace_router_service_quantile_seconds{channel=\"1\",quantile=\"0.95\"} 0.4\n"
         "tailrace_router_service_quantile_seconds{channel=\"1\",quantile=\"0.99\"} 12\n"
         "tailrace_router_service_quantile_seconds{channel=\"9\",quantile=\"0.99\"} 99\n"
         "tailrace_drain_state{channel=\"1\",drain=\"d.1\",state=\"failing\"} 1\n"
         "tailrace_drain_state{channel=\"1\",drain=\"d.1\",state=\"ok\"} 0\n"
         "tailrace_drain_state_since_seconds{channel=\"1\",drain=\"d.1\"} " +
         std::to_string(noon / second - 90) +
         "\n"
         "tailrace_drain_lag_seconds{channel=\"1\",drain=\"d.1\"} 61.5\n"
         "tailrace_drain_state{channel=\"1\",drain=\"d.2\",state=\"ok\"} 1\n";
}

/// Two looks, ten seconds apart, at one of three channels that does badly.
TopModel bad_day() {
  TopModel model;
  CHECK(model.take_ledger(ledger(1000, 100, 0), noon - 10 * second));
  model.take_channels({{"1", "shop"}, {"2", "blog"}, {"3", "zoo \x1b[2J"}});
  model.take_scrape("1", scrape(100, 0), noon - 10 * second);
  CHECK(model.take_ledger(ledger(3000, 150, 40), noon));
  model.take_scrape("1", scrape(300, 50), noon);
  model.take_health(
      "1",
      R"({"token":"d.1","state":"failing","cause":"connect: refused \u001b]0;x","url":"https://x","since":"2026-11-21T11:58:30Z"})");
  return model;
}

const TopStatus status{.url = "http://127.0.0.1:8001", .trouble = {}, .answered_at = noon, .now = noon};

std::string drawn(const TopModel& model, TopState& state, int rows, int columns,
                  const TopStatus& now = status) {
  Screen screen(rows, columns);
  draw_top(screen, model, state, now);
  return screen.text();
}

Key letter(const char* text) {
  return {Key::character, text};
}

}  // namespace

TEST_CASE("channels, the worst first, in 80 columns and in 132") {
  const TopModel model = bad_day();
  TopState state;
  CHECK(drawn(model, state, 8, 80) ==
        "tailrace top  http://127.0.0.1:8001  12:00:00\n"
        "3 channels, 200 records/s, 2 drains, 1 failing\n"
        "CHANNEL         RECORDS/S      P95      P99   ERRORS     LOST DRAINS\n"
        "shop (1)              200    400ms      12s      25%       40 1 failing, 1 ok\n"
        "blog (2)                0        -        -        -        0 -\n"
        "zoo ^[[2J (3)           0        -        -        -        0 -\n"
        "\n"
        "q quit  enter drains  / filter  s sort: worst  p pause  ? help\n");
  CHECK(drawn(model, state, 5, 132) ==
        "tailrace top  http://127.0.0.1:8001  12:00:00\n"
        "3 channels, 200 records/s, 2 drains, 1 failing\n"
        "CHANNEL                       RECORDS/S    REQ/S      P50      P95      P99   ERRORS   RECORDS   "
        "WAITING     "
        "LOST DRAINS\n"
        "shop (1)                            200     12.3   12.3ms    400ms      12s      25%      3000      "
        "   5     "
        "  40 1 failing, 1 ok\n"
        "q quit  enter drains  / filter  s sort: worst  p pause  ? help\n");
}

TEST_CASE("a channel's drains, and why they fail") {
  const TopModel model = bad_day();
  TopState state;
  state.shown(model, 4);
  CHECK(state.press({Key::enter, {}}, model, 4));
  CHECK(drawn(model, state, 10, 110) ==
        "tailrace top  http://127.0.0.1:8001  12:00:00\n"
        "3 channels, 200 records/s, 2 drains, 1 failing\n"
        "shop (1)\n"
        "200 records/s, 12.3 requests/s, service p50 12.3ms p95 400ms p99 12s, errors 25%, lost 40\n"
        "\n"
        "DRAIN      STATE     SINCE     LAG  WAITING   SENT/S     SENT  DROPPED  FILTERED CAUSE\n"
        "1          failing     90s   61.5s        5        5      150       40         3 connect: refused "
        "^[]0;x\n"
        "2          ok                    0        0        0        0        0         0\n"
        "\n"
        "q back  p pause  ? help\n");
  CHECK(drawn(model, state, 10, 60) ==
        "tailrace top  http://127.0.0.1:8001  12:00:00\n"
        "3 channels, 200 records/s, 2 drains, 1 failing\n"
        "shop (1)\n"
        "200 records/s, 12.3 requests/s, service p50 12.3ms p95 400m…\n"
        "\n"
        "DRAIN      STATE     WAITING   SENT/S  DROPPED  FILTERED\n"
        "1          failing         5        5       40         3\n"
        "  connect: refused ^[]0;x\n"
        "2          ok              0        0        0         0\n"
        "q back  p pause  ? help\n");
  CHECK(state.press({Key::escape, {}}, model, 4));
  CHECK(state.entered.empty());
}

TEST_CASE("loss is red, what was filtered yellow, and both are told in words") {
  const TopModel model = bad_day();
  TopState state;
  state.entered = "1";
  Screen screen(10, 100);
  draw_top(screen, model, state, status);
  const std::string sent = screen.changes_from(nullptr, true);
  CHECK(sent.find("38;5;160m40") != std::string::npos);
  CHECK(sent.find("38;5;136m3") != std::string::npos);
  CHECK(screen.changes_from(nullptr, false).find("38;5") == std::string::npos);
}

TEST_CASE("a router that is gone is told, with what was known") {
  const TopModel model = bad_day();
  TopState state;
  TopStatus gone = status;
  gone.trouble = "cannot \x1b[1mconnect";
  gone.now = noon + 7 * second;
  const std::string text = drawn(model, state, 6, 80, gone);
  CHECK(text.find("no answer for 7s, trying again: cannot ^[[1mconnect\n") != std::string::npos);
  CHECK(text.find("shop (1)              200") != std::string::npos);
}

TEST_CASE("keys: the selection stays with its channel, and in sight; filter, sort, quit") {
  const TopModel model = bad_day();
  TopState state;
  const size_t page = 2;
  CHECK(state.shown(model, page).front()->id == "1");
  CHECK(state.press(letter("j"), model, page));
  CHECK(state.press({Key::down, {}}, model, page));
  CHECK(state.press({Key::down, {}}, model, page));
  CHECK(state.selected == "3");
  CHECK(state.shown(model, page).back()->id == "3");
  CHECK(state.press(letter("s"), model, page));
  CHECK(state.sort == TopSort::name);
  CHECK(state.shown(model, page).back()->id == "3");
  CHECK(state.press(letter("g"), model, page));
  CHECK(state.selected == "2");

  for (const char* typed : {"/", "S", "q", "o"}) CHECK(state.press(letter(typed), model, page));
  CHECK(state.filter == "Sqo");
  CHECK(state.press({Key::backspace, {}}, model, page));
  CHECK(state.press({Key::backspace, {}}, model, page));
  CHECK(state.press(letter("h"), model, page));
  CHECK(state.press({Key::enter, {}}, model, page));
  const auto found = state.shown(model, page);
  REQUIRE(found.size() == 1);
  CHECK(found.front()->id == "1");
  CHECK(state.press({Key::escape, {}}, model, page));
  CHECK(state.filter.empty());
  CHECK(state.press(letter("?"), model, page));
  CHECK(drawn(model, state, 24, 80).find("any key goes back") != std::string::npos);
  CHECK(state.press(letter("q"), model, page));
  CHECK_FALSE(state.press(letter("q"), model, page));
}

TEST_CASE("a selection or an entered channel that is gone leaves the list usable") {
  TopModel model = bad_day();
  TopState state;
  state.shown(model, 5);
  state.press({Key::end, {}}, model, 5);
  state.press({Key::enter, {}}, model, 5);
  model.take_channels({{"2", "blog"}});
  CHECK(state.shown(model, 5).size() == 1);
  CHECK(state.selected == "2");
  CHECK(state.entered.empty());
  model.take_channels({});
  CHECK(state.shown(model, 5).empty());
  CHECK(drawn(model, state, 6, 40).find("no channels yet") != std::string::npos);
}

TEST_CASE("a screen of any size is drawn") {
  const TopModel model = bad_day();
  for (int rows = 1; rows < 12; ++rows)
    for (int columns = 1; columns < 140; columns += 3)
      for (const char* entered : {"", "1"})
        for (const bool help : {false, true}) {
          TopState state;
          state.entered = entered;
          state.help = help;
          const std::string text = drawn(model, state, rows, columns);
          CHECK(std::ranges::count(text, '\n') == rows);
        }
}

TEST_CASE("rates need two looks, and none is made of a counter that began anew") {
  Rated rated;
  rated.take(10, noon);
  CHECK_FALSE(rated.per_second());
  rated.take(30, noon + 2 * second);
  CHECK(rated.per_second() == 10.0);
  CHECK(rated.last_step() == 20);
  rated.take(5, noon + 4 * second);
  CHECK_FALSE(rated.per_second());
  CHECK(rated.value() == 5);
}

TEST_CASE("nonsense from the API is no answer, and hurts nobody") {
  TopModel model;
  for (const char* text : {"", "[]", "{}", "{\"channels\":1}", "nonsense"})
    CHECK_FALSE(model.take_ledger(text, noon));
  CHECK(model.take_ledger(
      R"({"channels":[1,{},{"channel":1},{"channel":"7","accepted":-1,"drains":[1,{"id":2}]}]})", noon));
  CHECK(model.channels() == 1);
  model.take_scrape("7", "tailrace_drain_state{channel=\"7\",drain=\"\",state=\"\\u001b\"} 1\n", noon);
  model.take_health("7", "[]");
  model.take_health("8", R"({"token":"d"})");
  TopState state;
  CHECK(drawn(model, state, 6, 80).find('\x1b') == std::string::npos);
}

TEST_CASE("figures in few columns") {
  const std::pair<double, const char*> numbers[] = {{0, "0"},        {0.256, "0.26"},  {12.5, "12.5"},
                                                    {1234, "1234"},  {9999.4, "9999"}, {12345, "12.3k"},
                                                    {999'600, "1M"}, {4.5e9, "4.5G"}};
  for (const auto& [value, text] : numbers) CHECK(figure(std::optional(value)) == text);
  CHECK(figure(std::optional<double>()) == "-");
  const std::pair<double, const char*> times[] = {{0, "0"},       {0.00085, "850us"}, {0.012, "12ms"},
                                                  {0.9996, "1s"}, {31, "31s"},        {600, "10m"}};
  for (const auto& [value, text] : times) CHECK(time_figure(value) == text);
  CHECK(share_figure(0.0051) == "0.51%");
  CHECK(age_figure(noon - 5 * second, noon) == "5s");
  CHECK(age_figure(noon - 3 * 3600 * second, noon) == "3h");
  CHECK(age_figure(0, noon).empty());
}

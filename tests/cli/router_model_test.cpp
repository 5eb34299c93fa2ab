#include "cli/router_model.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <sstream>

using namespace tailrace;

namespace {

using Routing = RouterModelOptions::Routing;

std::vector<SimulatedLine> run(RouterModelOptions options, Micros seconds) {
  RouterModel model(std::move(options));
  std::vector<SimulatedLine> lines;
  for (SimulatedLine line = model.next(); line.at < seconds * 1'000'000; line = model.next())
    lines.push_back(line);
  return lines;
}

std::string field(const std::string& message, const std::string& key) {
  const size_t at = (" " + message).find(" " + key + "=");
  if (at == std::string::npos) return "(none)";
  const size_t begin = at + key.size() + 1;
  return message.substr(begin, message.find(' ', begin) - begin);
}

std::vector<SimulatedLine> router_lines(const std::vector<SimulatedLine>& lines) {
  std::vector<SimulatedLine> out;
  for (const auto& line : lines) {
    if (line.procid == "router") out.push_back(line);
  }
  return out;
}

// Time from arrival to answer, p-th of all that were answered, in ms.
double latency(const std::vector<SimulatedLine>& lines, double p) {
  std::vector<double> all;
  for (const auto& line : router_lines(lines)) {
    if (!line.message.starts_with("at=info")) continue;
    all.push_back(double(line.times.took()) / 1000);
  }
  std::sort(all.begin(), all.end());
  return all.at(size_t(double(all.size()) * p));
}

RouterModelOptions calm(unsigned routers, unsigned dynos, Routing routing, double rate) {
  RouterModelOptions options;
  options.routers = routers, options.dynos = dynos, options.routing = routing, options.rate = rate;
  options.crash_every_s = 0, options.broken_share = 0, options.dyno_lines = false, options.app_lines = false;
  return options;
}

}  // namespace

TEST_CASE("the same seed, the same lines; another seed, others") {
  RouterModelOptions options;
  const auto a = run(options, 30), b = run(options, 30);
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].message == b[i].message);
  options.seed = 2;
  CHECK(run(options, 30).front().message != a.front().message);
}

TEST_CASE("time never goes back, and the rate is the one asked for") {
  const auto lines = run(calm(3, 50, Routing::random, 200), 100);
  CHECK(std::is_sorted(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.at < b.at; }));
  RouterModel model(calm(3, 50, Routing::random, 200));
  while (model.next().at < 100'000'000) {
  }
  const double got = double(model.requests()) / 100;
  CHECK(got > 195);
  CHECK(got < 205);
}

TEST_CASE("a router line has connect, service and status where awk looks for them") {
  const auto lines = run(calm(2, 8, Routing::random, 50), 20);
  for (const auto& line : router_lines(lines)) {
    if (!line.message.starts_with("at=info")) continue;
    const std::string text = "2026-11-21T01:02:03.456789+00:00 heroku[router]: " + line.message;
    std::istringstream words(text);
    std::vector<std::string> w{std::istream_iterator<std::string>(words), {}};
    REQUIRE(w.size() >= 14);
    CHECK(w[2] == "at=info");
    CHECK(w[3].starts_with("method="));
    CHECK(w[4].starts_with("path=\"/"));
    CHECK(w[5] == "host=shop.example.com");
    CHECK(w[6].starts_with("request_id="));
    CHECK(w[7].starts_with("fwd=\""));
    CHECK(w[8].starts_with("dyno=web."));
    CHECK(w[9].starts_with("connect="));
    CHECK(w[9].ends_with("ms"));
    CHECK(w[10].starts_with("service="));
    CHECK(w[11].starts_with("status="));
    CHECK(w[12].starts_with("bytes="));
    CHECK(w[13].starts_with("protocol="));
  }
}

TEST_CASE("nobody is served later than 30 s, and what would be is H12 at 30 s") {
  for (const Routing routing : {Routing::random, Routing::queue}) {
    auto options = calm(2, 2, routing, 20);
    options.slow_share = 0.01, options.slow_ms = 40'000;
    uint64_t timeouts = 0;
    for (const auto& line : router_lines(run(options, 600))) {
      if (field(line.message, "code") == "H12") {
        ++timeouts;
        double told = 0;  // in the router's queue, in a dyno, or in both
        for (const char* part : {"wait", "service"})
          if (const std::string ms = field(line.message, part); ms != "(none)" && !ms.empty())
            told += std::stod(ms);
        CHECK(std::abs(told - 30'000) <= 1);
        CHECK(line.times.took() == 30'000'000);
        CHECK(field(line.message, "status") == "503");
      } else {
        CHECK(std::stod(field(line.message, "service")) <= 30'000);
      }
    }
    CHECK(timeouts > 50);
  }
}

TEST_CASE("every request gets exactly one router line") {
  auto options = calm(3, 4, Routing::queue, 100);
  options.crash_every_s = 20, options.broken_share = 0.01;
  RouterModel model(options);
  uint64_t ended = 0, requests_then = 0;
  for (SimulatedLine line = model.next(); line.at < 300'000'000; line = model.next()) {
    if (line.procid == "router") ++ended;
    if (line.at < 270'000'000) requests_then = model.requests();
  }
  // All that came before the last 30 s have ended; none twice.
  CHECK(ended >= requests_then);
  CHECK(ended <= model.requests());
}

TEST_CASE("one queue beats chance, and many routers spoil the queue") {
  const double queue = latency(run(calm(1, 10, Routing::queue, 120), 300), 0.99);
  const double chance = latency(run(calm(1, 10, Routing::random, 120), 300), 0.99);
  const double many = latency(run(calm(20, 10, Routing::queue, 120), 300), 0.99);
  CHECK(queue * 2 < chance);
  CHECK(queue < many);
}

TEST_CASE("the queue's wait is wait, chance's wait is service") {
  auto options = calm(1, 1, Routing::queue, 30);
  options.slow_share = 0;
  double longest = 0, deepest = 0;
  for (const auto& line : router_lines(run(options, 60))) {
    CHECK(line.message.find("dyno=web.1 queue=") != std::string::npos);
    const double wait = std::stod(field(line.message, "wait"));
    CHECK(std::abs(wait - double(line.times.waited()) / 1000) <= 0.5);
    longest = std::max(longest, wait);
    deepest = std::max(deepest, std::stod(field(line.message, "queue")));
    CHECK(std::stod(field(line.message, "connect")) < 3);
  }
  CHECK(longest > 20);
  CHECK(deepest > 2);

  options.routing = Routing::random;
  longest = 0;
  for (const auto& line : router_lines(run(options, 60))) {
    CHECK(field(line.message, "wait") == "(none)");
    CHECK(std::abs(std::stod(field(line.message, "service")) - double(line.times.took()) / 1000) <= 0.5);
    longest = std::max(longest, double(line.times.waited()) / 1000);
  }
  CHECK(longest > 20);

  options.zero_queue = true;
  for (const auto& line : router_lines(run(options, 60)))
    CHECK(line.message.find("dyno=web.1 queue=0 wait=0ms connect=") != std::string::npos);
}

TEST_CASE("the app says how long a request waited, wherever it was") {
  for (const Routing routing : {Routing::random, Routing::queue}) {
    auto options = calm(3, 2, routing, 40);
    options.app_lines = true;
    std::vector<std::string> told, real;
    for (const auto& line : run(options, 60)) {
      if (!line.platform) told.push_back(field(line.message, "measure#queue"));
      if (line.times.served) real.push_back(fmt::format("{:.1f}ms", double(line.times.waited()) / 1000));
    }
    CHECK(told.size() > 1000);
    CHECK(told == real);
  }
}

TEST_CASE("crashes, broken requests and dyno metrics look as Heroku's do") {
  RouterModelOptions options;
  options.dynos = 2, options.crash_every_s = 30, options.broken_share = 0.01;
  std::map<std::string, int> codes;
  int loads = 0, memories = 0, crashes = 0;
  for (const auto& line : run(options, 600)) {
    ++codes[field(line.message, "code")];
    loads += line.message.find("sample#load_avg_1m=") != std::string::npos;
    memories += line.message.find("sample#memory_total=") != std::string::npos;
    crashes += line.message == "State changed from up to crashed";
  }
  for (const char* code : {"H10", "H12", "H13", "H18"}) {
    CAPTURE(code);
    CHECK(codes[code] > 0);
  }
  CHECK(loads > 40);
  CHECK(loads == memories);
  CHECK(crashes > 5);
}

TEST_CASE("rendered as RFC 5424") {
  const SimulatedLine line{1'500'000, 158, true, "router", "at=info"};
  CHECK(rendered(line, 0, "heroku") ==
        "<158>1 1970-01-01T00:00:01.500000+00:00 host heroku router - - at=info");
}

TEST_CASE("a slow dyno is slow from its time on, and alone") {
  RouterModelOptions options = calm(2, 4, Routing::random, 40);
  options.slow_share = 0;
  options.slow_dyno = 3;
  options.slow_dyno_after = 60'000'000;
  std::map<std::string, std::vector<Micros>> before, after;
  for (const SimulatedLine& line : router_lines(run(options, 120)))
    (line.at < 60'000'000 ? before : after)[field(line.message, "dyno")].push_back(line.times.took());
  const auto median = [](std::vector<Micros> times) {
    std::sort(times.begin(), times.end());
    return times.at(times.size() / 2);
  };
  CHECK(median(before["web.3"]) < 2 * median(before["web.1"]));
  CHECK(median(after["web.3"]) > 3 * median(after["web.1"]));
  CHECK(median(after["web.2"]) < 2 * median(before["web.2"]));
}

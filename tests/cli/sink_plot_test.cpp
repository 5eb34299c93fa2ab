#include "cli/sink_plot.h"

#include <doctest/doctest.h>

#include "base/plot.h"

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

using Ticks = std::vector<double>;

// A sink's past, told second by second.
struct Past {
  Mono start{};
  SinkTimeline timeline{start};

  Mono at(double seconds) const { return start + std::chrono::microseconds(int64_t(seconds * 1e6)); }
  void got(double when, uint64_t records, double lag, uint64_t missing = 0, uint64_t repeated = 0) {
    for (uint64_t i = 0; i < records; ++i) {
      timeline.received(at(when), missing, repeated);
      timeline.lagged(lag);
    }
  }
};

}  // namespace

TEST_CASE("ticks are round and cover what they must") {
  CHECK(round_ticks(0, 10, 5) == Ticks{0, 2, 4, 6, 8, 10});
  CHECK(round_ticks(0, 11, 5) == Ticks{0, 5, 10, 15});
  CHECK(round_ticks(0, 1, 3) == Ticks{0, 0.5, 1});
  CHECK(round_ticks(0, 0.012, 4) == Ticks{0, 0.005, 0.01, 0.015});
  CHECK(round_ticks(-1.5, 4, 4) == Ticks{-2, 0, 2, 4});
  CHECK(round_ticks(0, 1, 3, 1) == Ticks{0, 1});
  CHECK(round_ticks(0, 0, 4).size() >= 2);
}

TEST_CASE("a timeline counts by the second") {
  Past past;
  past.got(0.2, 3, 0.5);
  past.got(0.9, 1, 1.5);
  past.got(3.1, 2, 7, 4, 1);
  past.timeline.until(past.at(5.5));
  const auto& b = past.timeline.buckets();
  REQUIRE(b.size() == 6);
  CHECK(b[0].received == 4);
  CHECK(b[0].lags == 4);
  CHECK(b[0].lag_least == 0.5);
  CHECK(b[0].lag_most == 1.5);
  CHECK(b[0].lag_sum == 3.0);
  CHECK(b[1].received == 0);
  CHECK(b[3].received == 2);
  CHECK(b[3].missing == 4);
  CHECK(b[5].missing == 4);
  CHECK(b[5].repeated == 1);
  CHECK(past.timeline.length() == doctest::Approx(5.5));
}

TEST_CASE("a long timeline is bounded and loses nothing") {
  Past past;
  uint64_t sent = 0;
  for (int second = 0; second < 10'000; ++second, ++sent)
    past.got(second, 1, second % 7, 0, uint64_t(second));
  const auto& b = past.timeline.buckets();
  CHECK(b.size() <= SinkTimeline::kMostBuckets);
  CHECK(past.timeline.width() == 16s);
  uint64_t received = 0;
  for (const auto& bucket : b) received += bucket.received;
  CHECK(received == sent);
  CHECK(b[0].received == 16);
  CHECK(b[0].lag_least == 0);
  CHECK(b[0].lag_most == 6);
  CHECK(b[0].repeated == 15);
  CHECK(b.back().repeated == 9999);
}

TEST_CASE("stretches are what the sink did, from when to when") {
  Past past;
  past.timeline.behaves(past.at(2), *parse_sink_behaviour("status=503"));
  past.timeline.behaves(past.at(5), *parse_sink_behaviour("hang"));
  past.timeline.behaves(past.at(6), {});
  past.timeline.behaves(past.at(9), *parse_sink_behaviour("close"));
  past.timeline.until(past.at(10));
  const auto& s = past.timeline.stretches();
  REQUIRE(s.size() == 3);
  CHECK(s[0].name == "status=503");
  CHECK(s[0].from == 2);
  CHECK(s[0].to == 5);
  CHECK(s[1].to == 6);
  CHECK(s[2].name == "close");
  CHECK(s[2].to == 10);
}

TEST_CASE("the picture stands on its own, and places things where they belong") {
  Past past;
  for (int i = 0; i < 10; ++i) past.got(i + 0.5, 100, 0.25);
  past.timeline.behaves(past.at(10), *parse_sink_behaviour("hang"));
  past.timeline.behaves(past.at(15), {});
  past.timeline.until(past.at(20));
  const std::string svg = sink_plot(past.timeline, {.received = 1234567}, "a <b> & c");
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.find("<title>a &lt;b&gt; &amp; c</title>") != svg.npos);
  CHECK(svg.find("1,234,567 records received") != svg.npos);
  CHECK(svg.find("<script") == svg.npos);
  CHECK(svg.find("href") == svg.npos);
  CHECK(svg.find("time since the sink's start, s<") != svg.npos);
  CHECK(svg.find("prefers-color-scheme:dark") != svg.npos);
  // 74 to 936 are 20 seconds: the band begins in their middle and is a quarter of them wide.
  CHECK(svg.find("<rect class=\"band\" x=\"505.0\"") != svg.npos);
  CHECK(svg.find("width=\"215.5\"") != svg.npos);
  CHECK(svg.find("hang, 10.0 s to 15.0 s") != svg.npos);
  CHECK(svg.find("(logarithmic)") == svg.npos);
}

TEST_CASE("a burst makes the rate's scale logarithmic") {
  Past past;
  for (int i = 0; i < 10; ++i) past.got(i + 0.5, 10, 0);
  past.got(11, 5000, 3);
  past.timeline.until(past.at(12));
  CHECK(sink_plot(past.timeline, {}, "t").find("(logarithmic)") != std::string::npos);
}

TEST_CASE("a sink that got nothing has a picture too") {
  const Past past;
  const std::string svg = sink_plot(past.timeline, {}, "t");
  CHECK(svg.find("no record's time could be read") != svg.npos);
  CHECK(svg.find("nan") == svg.npos);
  CHECK(svg.find("inf\"") == svg.npos);
}

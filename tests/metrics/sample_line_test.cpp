#include "metrics/lines/sample_line.h"

#include <doctest/doctest.h>

#include <cstring>
#include <iterator>
#include <memory>
#include <random>
#include <string>

#include "tests/metrics/mutated.h"
#include "tests/metrics/router_lines.h"
#include "tests/metrics/sample_lines.h"
#include "tests/metrics/sample_twin.h"

using namespace tailrace;

namespace {

// A line read from memory of exactly its size, so that a sanitizer sees every byte read beyond it, by both
// forms and the twin, which must agree. The views are into that memory.
class Scanned {
 public:
  explicit Scanned(const std::string& text) : exact_(new char[text.size()]) {
    std::memcpy(exact_.get(), text.data(), text.size());
    const std::string_view message(exact_.get(), text.size());
    CAPTURE(text);
    scan_sample_line(message, line);
    SampleLine portable;
    scan_sample_line_portably(message, portable);
    REQUIRE((line == portable));
    REQUIRE(twin_same(line, scan_sample_line_slowly(text)));
    if (!line.pairs.empty() || line.empty || line.not_a_number || line.negative)
      REQUIRE(may_have_samples(message));
  }
  SampleLine line;

 private:
  std::unique_ptr<char[]> exact_;
};

}  // namespace

TEST_CASE("every known line of dynos and add-ons") {
  for (const auto& known : kSampleLines) {
    CAPTURE(std::string(known.message));
    for (const std::string tail : {"", "\n"}) {
      const Scanned scanned(known.message + tail);
      const SampleLine& line = scanned.line;
      CHECK(line.source == known.source);
      CHECK(line.empty + line.not_a_number + line.negative == 0);
      REQUIRE(line.pairs.size() == known.samples.size());
      for (size_t i = 0; i < line.pairs.size(); ++i) {
        CHECK(line.pairs[i].kind == SeriesKind::sample);
        CHECK(line.pairs[i].name == known.samples[i].name);
        CHECK(line.pairs[i].value == known.samples[i].value);
        CHECK(line.pairs[i].unit == known.samples[i].unit);
      }
    }
  }
}

TEST_CASE("router lines have no samples") {
  for (const auto& known : kRouterLines) {
    CHECK(Scanned(known.message).line.pairs.empty());
    CHECK_FALSE(may_have_samples(known.message));
  }
}

// The table of what l2met makes of odd pairs, with what they are here.
TEST_CASE("l2met's odd pairs") {
  const struct {
    const char* text;
    size_t pairs;
    double value;
    const char* unit;
    uint32_t empty, not_a_number;
  } cases[] = {
      {"measure#a", 0, 0, "", 0, 0},
      {"measure#a=", 0, 0, "", 1, 0},
      {"measure#a=4ms", 1, 0.004, "seconds", 0, 0},
      {"measure#a=\"7 ms\"", 1, 0.007, "seconds", 0, 0},
      {"measure#a=1.2.3s", 0, 0, "", 0, 1},
      {"measure#a=1e3", 1, 1000, "", 0, 0},
      {"measure#a=1,234", 0, 0, "", 0, 1},
      {"measure#a=5ms2", 0, 0, "", 0, 1},
      {"measure#a=-5ms", 1, -0.005, "seconds", 0, 0},
      {"measure#a=+5", 1, 5, "", 0, 0},
      {"measure#a=abc", 0, 0, "", 0, 1},
      {"measure#a=.", 0, 0, "", 0, 1},
      {"measure#=1", 0, 0, "", 1, 0},
      {"measure#", 0, 0, "", 0, 0},
      {"measure#=", 0, 0, "", 1, 0},
      {"measure#a=\"\"", 0, 0, "", 1, 0},
      {"measure#a=1 b=\"unterminated", 1, 1, "", 0, 0},
      {"b=\"unterminated measure#a=1", 0, 0, "", 0, 0},
      {"measure#a=\"1", 0, 0, "", 0, 0},
      {"measure.a=5ms", 1, 0.005, "seconds", 0, 0},
      {"unique#a=5", 0, 0, "", 0, 0},
      {"Measure#a=5 MEASURE#a=5", 0, 0, "", 0, 0},
      {"xmeasure#a=5 x=measure#a=5", 0, 0, "", 0, 0},
      {"measure#a=NaN", 0, 0, "", 0, 1},
      {"measure#a=1e16", 0, 0, "", 0, 1},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    const Scanned scanned(c.text);
    const SampleLine& line = scanned.line;
    CHECK(line.empty == c.empty);
    CHECK(line.not_a_number == c.not_a_number);
    CHECK(line.negative == 0);
    REQUIRE(line.pairs.size() == c.pairs);
    if (c.pairs == 0) continue;
    CHECK(line.pairs[0].kind == SeriesKind::measure);
    CHECK(line.pairs[0].name == "a");
    CHECK(line.pairs[0].value == c.value);
    CHECK(line.pairs[0].unit == c.unit);
  }
}

TEST_CASE("several kinds, names and sources in a line") {
  const Scanned scanned(
      "at=finish measure#db.latency=4ms count#jobs=2 sample#queue=7 measure#db.latency=6ms source=a "
      "measure.old#x=1 source=b count#jobs=-1 count#x=-0 sample#t=-3 msg=\"count#no=1\" count#a=b=1");
  const SampleLine& line = scanned.line;
  const std::vector<SamplePair> expected = {
      {SeriesKind::measure, "db.latency", 0.004, "seconds"},
      {SeriesKind::count, "jobs", 2, ""},
      {SeriesKind::sample, "queue", 7, ""},
      {SeriesKind::measure, "db.latency", 0.006, "seconds"},
      {SeriesKind::measure, "old#x", 1, ""},
      {SeriesKind::count, "x", 0, ""},
      {SeriesKind::sample, "t", -3, ""},
  };
  CHECK((line.pairs == expected));
  CHECK(line.source == "a");
  CHECK(line.negative == 1);
  CHECK(line.not_a_number == 1);

  CHECK(Scanned("count#a=1 source=\"a b\"").line.source == "a b");
  CHECK(Scanned("source= count#a=1 source=b").line.source == "");
  CHECK(Scanned("xsource=a count#a=1").line.source == "");
  CHECK(Scanned("count#a=1 source=\"a").line.source == "");

  // A line kept from before leaves nothing.
  SampleLine again = line;
  scan_sample_line("plain", again);
  CHECK((again == SampleLine{}));
}

TEST_CASE("a pair at any offset is seen") {
  for (size_t pad = 0; pad < 600; ++pad) {
    for (const std::string pair : {"measure#a=1", "count#a=1", "sample#a=1", "measure.a=1"}) {
      CHECK(Scanned(std::string(pad, ' ') + pair).line.pairs.size() == 1);
      CHECK(Scanned(std::string(pad, 'e') + ' ' + pair + std::string(pad, ' ')).line.pairs.size() == 1);
    }
  }
  for (const char* plain :
       {"", "#", "e#", "t#", "measure", "a=1 b=2", "GET /x.html#top", "module.method", "C# is a language"})
    CHECK_FALSE(may_have_samples(plain));
}

TEST_CASE("sample lines agree with their slow twin when mutated") {
  std::mt19937 random(4);
  using namespace std::string_view_literals;
  constexpr std::string_view spice = "  ==\"\"\"\\\\\n\t\0\x7f\xc3\xa9.,e0189-+muHsB#"sv;
  const std::string names[] = {" measure#", " count#",    " sample#",           " measure.",
                               " source=",  "count#a=-1", " measure#x=1.5e3us", "=\""};
  for (int round = 0; round < 20'000; ++round) {
    Scanned{mutated(kSampleLines[random() % kSampleLines.size()].message, random, spice, names)};
  }
}

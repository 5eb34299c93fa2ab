#include "metrics/lines/router_line.h"

#include <doctest/doctest.h>

#include <cstring>
#include <iterator>
#include <memory>
#include <random>
#include <string>

#include "tests/metrics/mutated.h"
#include "tests/metrics/router_lines.h"
#include "tests/metrics/router_twin.h"

using namespace tailrace;
using namespace std::string_view_literals;

namespace {

// In memory of exactly its size, so that a sanitizer sees every byte read beyond it; all three must agree.
// The dyno is a view into `text`.
RouterLine scan(std::string_view text) {
  const std::unique_ptr<char[]> exact(new char[text.size()]);
  std::memcpy(exact.get(), text.data(), text.size());
  const std::string_view message(exact.get(), text.size());
  RouterLine line = scan_router_line(message);
  CAPTURE(std::string(text));
  CHECK((line == scan_router_line_portably(message)));
  CHECK(twin_same(line, scan_router_line_slowly(message)));
  if (!line.dyno.empty())
    line.dyno = text.substr(static_cast<size_t>(line.dyno.data() - message.data()), line.dyno.size());
  return line;
}

}  // namespace

TEST_CASE("every known router line, of every era") {
  for (const auto& known : kRouterLines) {
    CAPTURE(std::string(known.message));
    for (const std::string tail : {"", "\n"}) {
      const std::string message = known.message + tail;
      const RouterLine line = scan(message);
      CHECK(line.status == known.status);
      CHECK(line.code == code_number(known.code));
      CHECK(line.connect == known.connect);
      CHECK(line.service == known.service);
      CHECK(line.wait == known.wait);
      CHECK(line.queue == known.queue);
      CHECK(line.bytes == known.bytes);
      CHECK(line.dyno == known.dyno);
      CHECK(router_value(message, "host") == known.host);
      CHECK(router_value(message, "request_id") == known.request_id);
    }
  }
}

TEST_CASE("a router line's numbers") {
  const struct {
    const char* value;
    double seconds, bytes, queue;
  } cases[] = {
      {"0", 0, 0, 0},
      {"8", 0.008, 8, 8},
      {"8ms", 0.008, kAbsent, kAbsent},
      {"8us", 0.000008, kAbsent, kAbsent},
      {"8s", 8, kAbsent, kAbsent},
      {"8kB", kAbsent, 8192, kAbsent},
      {"8pages", kAbsent, kAbsent, kAbsent},
      {"1.5ms", 0.0015, kAbsent, kAbsent},
      {"5.", 0.005, 5, 5},
      {"+5", 0.005, 5, 5},
      {"1e3", 1, 1000, 1000},
      {"123456", 123.456, 123456, 123456},
      {"00000000000000000000005", 0.005, 5, 5},
      {"9007199254740992", 9007199254740.992, 9007199254740992, 9007199254740992},
      {"9007199254740994", 9007199254740.994, kAbsent, kAbsent},
      {"1e300", kAbsent, kAbsent, kAbsent},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.value));
    const RouterLine line =
        scan(std::string("service=") + c.value + " bytes=" + c.value + " queue=" + c.value);
    CHECK(line.service == c.seconds);
    CHECK(line.bytes == c.bytes);
    CHECK(line.queue == c.queue);
  }
  for (const char* bad : {"", "-1", "-1ms", "1,234", "1.2.3s", "NaN", "inf", "0x10", ".", "ms", "1MS", "5ms2",
                          "5ms=3", "1\"", "'1'"}) {
    CAPTURE(std::string(bad));
    const RouterLine line = scan(std::string("service=") + bad + " status=200");
    CHECK(line.service == kAbsent);
    CHECK(line.has(RouterName::service));
    CHECK(line.status == 200);
  }
  CHECK(scan("service=1 ms").service == 0.001);
  CHECK(scan("service=\"7 ms\"").service == 0.007);
  CHECK(scan("service=\"7ms\"").service == 0.007);
  CHECK(scan("service=\"\" status=200").service == kAbsent);
}

TEST_CASE("the dyno, and what is rarely wanted") {
  CHECK(scan("dyno=web.1").dyno == "web.1");
  CHECK(scan("dyno=\"web.1\" x").dyno == "web.1");
  CHECK(scan("dyno= status=200").dyno == "");
  CHECK(scan("dyno= status=200").has(RouterName::dyno));
  CHECK_FALSE(scan("xdyno=web.1 Dyno=web.1").has(RouterName::dyno));
  CHECK(scan("web=web.7 queue=0").dyno == "web.7");
  CHECK(scan("dyno=web.1 web=web.7").dyno == "web.1");
  CHECK(scan("web=web.7 dyno=web.1").dyno == "web.7");
  CHECK(scan("web= dyno=web.1").dyno == "");
  CHECK(scan("dyno=\"web.1").dyno == "");
  CHECK(scan("path=\"/ dyno=web.1\"").dyno == "");

  CHECK(router_value("at=info host=h.example.com status=200", "host") == "h.example.com");
  CHECK(router_value("host=a host=b", "host") == "a");
  CHECK(router_value("host= host=b", "host") == "");
  CHECK(router_value("xhost=a", "host") == "");
  CHECK(router_value("path=\"/ host=a\" host=\"b c\"", "host") == "b c");
  CHECK(router_value("host=\"a", "host") == "");
  CHECK(router_value("x=\"a host=b", "host") == "");
  CHECK(router_value("", "host") == "");
}

TEST_CASE("statuses and codes") {
  CHECK(scan("status=100").status == 100);
  CHECK(scan("status=599").status == 599);
  for (const char* bad :
       {"099", "600", "99", "1000", "20", "2xx", "200.0", "2e2", "0200", "-200", "", "20\xff"})
    CHECK_MESSAGE(scan(std::string("status=") + bad).status == 0, bad);
  CHECK(scan("status= ").has(RouterName::status));
  CHECK_FALSE(scan("at=info").has(RouterName::status));

  CHECK(scan("code=H12").code == code_number("H12"));
  for (const char* bad : {"h12", "H1", "H123", "X12", "H1x", "12", "H 2", ""})
    CHECK_MESSAGE(scan(std::string("code=") + bad).code == kNoCode, bad);
  CHECK(scan("Error H12").code == 12);
  CHECK(scan("Error H12 code=H13").code == 12);
  CHECK(scan("Error H123 (x) code=H13").code == 13);
  CHECK(scan(" Error H12 (x)").code == kNoCode);
  CHECK(scan("error H12 (x)").code == kNoCode);
  CHECK(leading_code("Error L10 (output buffer overflow): 3 messages") == code_number("L10"));
  CHECK(leading_code("Error L12: 222 messages") == 212);
  CHECK(leading_code("Error R14_") == kNoCode);
  CHECK(std::string_view(code_text(114).data(), 3) == "R14");
}

TEST_CASE("what begins a pair, and what does not") {
  // Only behind a blank or at the beginning; names are case-sensitive.
  CHECK(scan("path=/x?a=b&service=5ms service=7ms").service == 0.007);
  CHECK(scan("path=/x?service=5ms").service == kAbsent);
  CHECK(scan("xservice=5ms Service=5ms SERVICE=5ms service2=5ms service =5ms").service == kAbsent);
  CHECK(scan("a=1,service=5ms").service == kAbsent);
  CHECK(scan("fwd=\"1\"service=5ms").service == kAbsent);
  CHECK(scan("{\"service=5ms").service == kAbsent);
  CHECK(scan("\"service=5ms\"").service == kAbsent);
  CHECK(scan("\tservice=5ms\n").service == 0.005);
  CHECK(scan(std::string("a=1\0service=5ms\0", 16)).service == 0.005);
  // The first wins, whatever it says.
  CHECK(scan("service=1ms service=2ms").service == 0.001);
  CHECK(scan("service= service=2ms").service == kAbsent);
  // Blanks in quotes do not begin anything, at any offset to the blocks of the vector code.
  for (size_t pad = 0; pad < 200; ++pad) {
    const std::string filler = "x=" + std::string(pad, 'y');
    CHECK(scan(filler + " path=\"/a service=5ms status=500\" service=7ms status=200").service == 0.007);
    CHECK(scan(filler + " path=\"/a \\\" service=5ms \\\\\" service=7ms status=200").service == 0.007);
    CHECK(scan(filler + " service=7ms").service == 0.007);
    CHECK(scan(filler + "y\" service=7ms").service == 0.007);
  }
}

TEST_CASE("quotes that open, and those that do not") {
  // Pairs before an unterminated quote count, those behind it do not.
  CHECK(scan("status=200 path=\"/x service=5ms").service == kAbsent);
  CHECK(scan("status=200 path=\"/x service=5ms").status == 200);
  CHECK(scan("status=200 service=\"5ms").service == kAbsent);
  CHECK_FALSE(scan("status=200 service=\"5ms").has(RouterName::service));
  // A quote opens only behind the first `=` of a token with a name.
  CHECK(scan("path=/?q=\"x service=5ms").service == 0.005);
  CHECK(scan("pa\"th=\"x service=5ms").service == 0.005);
  CHECK(scan("=\"x service=5ms").service == 0.005);
  CHECK(scan("a=b\"c service=5ms").service == 0.005);
  CHECK(scan("a=\"b\"c=\"d service=5ms").service == 0.005);
  CHECK(scan("it's 5\" wide service=5ms").service == 0.005);
}

TEST_CASE("long lines") {
  for (const size_t size : {10'000, 10'240, 10'241, 20'000}) {
    CHECK(scan("path=\"/" + std::string(size, 'a') + " service=1ms\" service=5ms").service == 0.005);
    CHECK(scan(std::string(size, ' ') + "service=5ms").service == 0.005);
    CHECK(scan(std::string(size - 11, 'x') + " service=5ms").service == 0.005);
    CHECK(scan("a=\"" + std::string(size, '\\') + "\"").names == 0);
  }
}

TEST_CASE("the row of values behind the dyno") {
  const std::string head = "at=info dyno=web.1",
                    tail = " connect=1ms service=18ms status=200 bytes=13 protocol=https";
  const RouterLine usual = scan(head + tail + " tls=true tls_version=tls1.3");
  CHECK(usual.connect == 0.001);
  CHECK(usual.service == 0.018);
  CHECK(usual.status == 200);
  CHECK(usual.bytes == 13);
  const std::string longest =
      " connect=99999ms service=99999ms status=599 bytes=99999 protocol=https tls=true";
  CHECK(scan(head + longest).service == 99.999);
  CHECK(scan(head + longest).bytes == 99999);
  // Cut anywhere, and with anything in between.
  for (size_t size = 0; size <= longest.size(); ++size) scan(head + longest.substr(0, size));
  for (const std::string& line : {tail, longest}) {
    for (size_t at = 0; at < line.size(); ++at) {
      for (const char* odd : {"\"", "=", " ", "x", "\n", "t= ", " service=2ms", " status=\"", " bytes=1 "}) {
        std::string changed = head + line + " tls=true tls_version=tls1.3";
        scan(changed.insert(head.size() + at, odd));
        scan(changed.replace(head.size() + at, 1 + std::strlen(odd), odd));
      }
    }
  }
  // What stood before wins, in front of the row and in it.
  CHECK(scan("service=7ms " + head + longest).service == 0.007);
  CHECK(scan("service=7ms " + head + longest).bytes == 99999);
  CHECK(scan("bytes=7 " + head + longest).bytes == 7);
  CHECK(scan(head + tail + longest + longest).status == 200);
  // A row over the border of two looks.
  for (size_t pad = 400; pad < 520; ++pad) {
    const RouterLine line = scan("path=" + std::string(pad, '/') + " " + head + longest);
    CHECK(line.status == 599);
    CHECK(line.bytes == 99999);
  }
}

TEST_CASE("the scanner agrees with its slow twin on mutated lines") {
  std::mt19937 random(4);
  const auto spice = "  ==\"\"\"\\\\\n\t\0\x7f\xc3\xa9.,e0189msuHRLx=\""sv;
  const std::string names[] = {" status=", " code=", " connect=", " service=", " wait=", " queue=",
                               " bytes=",  " dyno=", " web=",     "service=",  "=\""};
  for (int round = 0; round < 30'000; ++round) {
    const std::string line =
        mutated(kRouterLines[random() % std::size(kRouterLines)].message, random, spice, names);
    const RouterLine fast = scan_router_line(line);
    CAPTURE(line);
    REQUIRE((fast == scan_router_line_portably(line)));
    REQUIRE(twin_same(fast, scan_router_line_slowly(line)));
  }
}

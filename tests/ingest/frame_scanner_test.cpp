#include "ingest/frame_scanner.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/ingest/frame_twin.h"

using namespace tailrace;

TEST_CASE("a stream mixes octet counting and newline framing, per frame") {
  const std::string stream =
      "5 <1>ab"
      "<13>1 line\r\n"
      "\n"
      "7 <2>c\nde"
      "12 monkeys\n"
      "0 <13>x\n"
      "+5 <13>y\n"
      "99999999999999999999 <13>z\n"
      "6 <3>efg";
  const Found found = scan_stream(stream, {stream.size()});
  CHECK(found.frames == std::vector<std::string>{"<1>ab", "<13>1 line", "<2>c\nde", "12 monkeys", "0 <13>x",
                                                 "+5 <13>y", "<3>efg"});
  CHECK(found.rejected == std::vector{RejectReason::too_long});
  CHECK(found.rest.empty());
}

TEST_CASE("any portions of any bytes give what the slow twin gives") {
  std::mt19937 random(1);
  const std::vector<std::string> pieces = {"5 <1>ab",
                                           "<13>1 a b\n",
                                           "\n",
                                           "\r\n",
                                           "3 <4>",
                                           "99 <x",
                                           "12 <34567890ab",
                                           "0 ",
                                           "1",
                                           "2 ",
                                           "<",
                                           " ",
                                           "a\n",
                                           "1048577 <\n",
                                           "7 x\n",
                                           "99999999999999999999 <13>q\n",
                                           "999999999999999999999 <13>q\n",
                                           "+5 <",
                                           "-1 <a\n"};
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (int i = int(random() % 12); i >= 0; --i) bytes += pieces[random() % pieces.size()];
    if (random() % 4 == 0 && !bytes.empty()) bytes[random() % bytes.size()] = char(random() % 256);
    std::vector<size_t> portions;
    for (int i = 0; i < 8; ++i) portions.push_back(1 + random() % (round % 2 ? 3 : 40));
    const Found fast = scan_stream(bytes, portions), slow = scan_slowly(bytes);
    CAPTURE(bytes);
    CHECK(fast.frames == slow.frames);
    CHECK(fast.rejected == slow.rejected);
  }
}

TEST_CASE("a line without an end is one rejection, and the stream goes on behind it") {
  std::string bytes(kMaxFrame + 10, 'x');
  bytes += "yyy\n5 <1>ab";
  const Found found = scan_stream(bytes, {70'000});
  CHECK(found.rejected == std::vector{RejectReason::too_long});
  CHECK(found.frames == std::vector<std::string>{"<1>ab"});
}

namespace {

struct Body {
  std::vector<std::string> frames;
  std::vector<RejectReason> rejected;
};

Body scan_body(std::string_view body) {
  Body found;
  while (!body.empty()) {
    const Scanned s = next_in_body(body);
    REQUIRE(s.consumed > 0);
    REQUIRE(s.consumed <= body.size());
    if (s.kind == Scanned::Kind::frame)
      found.frames.emplace_back(s.bytes);
    else
      found.rejected.push_back(s.reason);
    body.remove_prefix(s.consumed);
  }
  return found;
}

}  // namespace

TEST_CASE(
    "a body: what follows the last whole frame is one rejection, what is no count one up to the newline") {
  Body b = scan_body("5 hello3 abc");
  CHECK(b.frames == std::vector<std::string>{"hello", "abc"});
  CHECK(b.rejected.empty());

  b = scan_body("5 hello 1");  // the frame of Logplex's README says two bytes too few
  CHECK(b.frames == std::vector<std::string>{"hello"});
  CHECK(b.rejected == std::vector{RejectReason::malformed});

  b = scan_body("5 hello9 trunc");
  CHECK(b.frames.size() == 1);
  CHECK(b.rejected == std::vector{RejectReason::truncated});

  b = scan_body("garbage\n5 helloxx\n0 \n99999999999999999999 <13>\n3 abc12");
  CHECK(b.frames == std::vector<std::string>{"hello", "abc"});
  CHECK(b.rejected == std::vector{RejectReason::malformed, RejectReason::malformed, RejectReason::malformed,
                                  RejectReason::too_long, RejectReason::truncated});
}

TEST_CASE("every prefix of a good body gives its whole frames and at most one rejection") {
  const std::string body =
      "5 hello10 0123456789"
      "3 abc";
  for (size_t n = 0; n <= body.size(); ++n) {
    const Body b = scan_body(std::string_view(body).substr(0, n));
    const size_t whole = n >= 25 ? 3 : n >= 20 ? 2 : n >= 7 ? 1 : 0;
    CHECK(b.frames.size() == whole);
    CHECK(b.rejected.size() == (n == 0 || n == 7 || n == 20 || n == 25 ? 0 : 1));
  }
}

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

TEST_CASE("a counted frame that is too long costs itself alone") {
  const auto counted = [](const std::string& frame) { return std::to_string(frame.size()) + " " + frame; };
  const std::string good = counted("<1>ab"), lines = "<13>1 a trace:\n  at one\n  at two\n";
  std::string inside;
  while (inside.size() <= kMaxFrame) inside += lines.substr(15);
  const std::string cases[] = {
      good + counted("<13>1 " + std::string(kMaxFrame, 'x')) + good + good,  // no newline anywhere
      good + counted("<13>1 " + inside) + good + good,                       // newlines within
      good + "1500000 <13>1 a lie\n" + good + good, good + "1500000 <13>1 a lie\n<13>1 line\n" + good};
  for (const std::string& stream : cases)
    for (const size_t portion : {size_t(65'536), size_t(997), stream.size()}) {
      const Found found = scan_stream(stream, {portion});
      CHECK(found.rejected == std::vector{RejectReason::too_long});
      CHECK(found.frames.size() == 3);
      CHECK(found == scan_slowly(stream));
    }
}

TEST_CASE("a line without an end is one rejection, and the stream goes on behind it") {
  std::string bytes(kMaxFrame + 10, 'x');
  bytes += "yyy\n5 <1>ab";
  const Found found = scan_stream(bytes, {70'000});
  CHECK(found.rejected == std::vector{RejectReason::too_long});
  CHECK(found.frames == std::vector<std::string>{"<1>ab"});
}

TEST_CASE(
    "a body: what follows the last whole frame is one rejection, what is no count one up to the newline") {
  Found b = scan_body("5 hello3 abc", next_in_body);
  CHECK(b.frames == std::vector<std::string>{"hello", "abc"});
  CHECK(b.rejected.empty());

  b = scan_body("5 hello 1", next_in_body);  // the frame of Logplex's README says two bytes too few
  CHECK(b.frames == std::vector<std::string>{"hello"});
  CHECK(b.rejected == std::vector{RejectReason::malformed});

  b = scan_body("5 hello9 trunc", next_in_body);
  CHECK(b.frames.size() == 1);
  CHECK(b.rejected == std::vector{RejectReason::truncated});

  b = scan_body("garbage\n5 helloxx\n0 \n99999999999999999999 <13>\n3 abc12", next_in_body);
  CHECK(b.frames == std::vector<std::string>{"hello", "abc"});
  CHECK(b.rejected == std::vector{RejectReason::malformed, RejectReason::malformed, RejectReason::malformed,
                                  RejectReason::too_long, RejectReason::truncated});
}

TEST_CASE("every prefix of a good body gives its whole frames and at most one rejection") {
  const std::string body =
      "5 hello10 0123456789"
      "3 abc";
  for (size_t n = 0; n <= body.size(); ++n) {
    const Found b = scan_body(std::string_view(body).substr(0, n), next_in_body);
    const size_t whole = n >= 25 ? 3 : n >= 20 ? 2 : n >= 7 ? 1 : 0;
    CHECK(b.frames.size() == whole);
    CHECK(b.rejected.size() == (n == 0 || n == 7 || n == 20 || n == 25 ? 0 : 1));
  }
}

TEST_CASE("any body gives what the slow twins give") {
  std::mt19937 random(8);
  const std::vector<std::string> pieces = {"5 hello",
                                           "3 abc",
                                           "0 ",
                                           "+5 hello",
                                           " 5 hello",
                                           "5\thello",
                                           "\n",
                                           "\r\n",
                                           "\r",
                                           "garbage",
                                           "1",
                                           "12 cut",
                                           "2147483647 x\n",
                                           "2147483648 x\n",
                                           "99999999999999999999 <13>\n",
                                           std::string(1'000, '9') + " <13>\n",
                                           std::string(1'000, '0') + "2000010 <120>\n",
                                           std::string("\0\xff", 2)};
  for (int round = 0; round < 20'000; ++round) {
    std::string body;
    for (int i = int(random() % 10); i > 0; --i) body += pieces[random() % pieces.size()];
    if (random() % 4 == 0 && !body.empty()) body[random() % body.size()] = char(random() % 256);
    CAPTURE(body);
    CHECK((scan_body(body, next_in_body) == scan_body_slowly(body)));
    CHECK((scan_body(body, next_line) == scan_lines_slowly(body)));
  }
}

TEST_CASE("a body of lines") {
  const Found b = scan_body("one\ntwo\r\n\n\r\n5 x\n\rthree\r\r\n last", next_line);
  CHECK(b.frames == std::vector<std::string>{"one", "two", "5 x", "\rthree\r", " last"});
  CHECK(scan_body("", next_line).frames.empty());
  CHECK(scan_body("\n", next_line).frames.empty());
  CHECK(scan_body("x", next_line).frames == std::vector<std::string>{"x"});
  const std::string nul("a\0b", 3), large(2 * kMaxFrame, 'x');
  CHECK(scan_body(nul + "\n" + large, next_line).frames == std::vector<std::string>{nul, large});
}

TEST_CASE("length attacks cost one record each, and what follows is read") {
  const std::string good = "6 <3>efg";
  const std::vector<std::pair<std::string, Found>> attacks = {
      {"99999999999999999999 <13>z\n", {{}, {RejectReason::too_long}, ""}},
      {"1048577 <13>z\n", {{}, {RejectReason::too_long}, ""}},
      {"999999999999999999999 <13>z\n", {{"999999999999999999999 <13>z"}, {}, ""}},  // no count at all
      {std::string(1'000, '9') + " <13>z\n", {{std::string(1'000, '9') + " <13>z"}, {}, ""}},
      {std::string(1'000, '0') + "6 <13>z\n", {{std::string(1'000, '0') + "6 <13>z"}, {}, ""}},
      {"0 \n", {{"0 "}, {}, ""}},
      {"0 <13>z\n", {{"0 <13>z"}, {}, ""}},
      {"+5 <13>z\n", {{"+5 <13>z"}, {}, ""}},
      {"-1 <13>z\n", {{"-1 <13>z"}, {}, ""}},
      {"5\t<13>z\n", {{"5\t<13>z"}, {}, ""}},
      {" 5 <13>z\n", {{" 5 <13>z"}, {}, ""}},
  };
  for (const auto& [attack, expected] : attacks)
    for (const size_t portion : {1, 3, 7, 5'000}) {
      Found wanted = expected;
      wanted.frames.push_back("<3>efg");
      CAPTURE(attack);
      CHECK((scan_stream(attack + good, {portion}) == wanted));
    }
}

#include "cli/send_input.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/time_text.h"

using namespace tailrace;

namespace {

struct Got {
  std::string head, app, ids, sd, message;
  uint8_t pri = 0, flags = 0;
  bool operator==(const Got&) const = default;
};

struct Reader {
  explicit Reader(SendInput::Form form = SendInput::Form::raw,
                  SendFields fields = {.host = "here", .app = "shop", .procid = "web.1"})
      : input(form, fields, std::make_shared<Channel>(), [this](const Batch& batch) { take(batch); }) {}

  void take(const Batch& batch) {
    largest = std::max<size_t>(largest, batch.records);
    for (const NewRecord& r : batch)
      got.push_back({std::string(r.head), std::string(r.app), std::string(r.ids), std::string(r.sd),
                     std::string(r.message), r.pri, r.flags});
  }
  void feed(std::string_view bytes, Micros now = 0) {
    while (!bytes.empty()) {
      const std::span<char> room = input.room();
      const size_t n = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), n);
      bytes.remove_prefix(n);
      input.took(n, now);
    }
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const Got& one : got) all.push_back(one.message);
    return all;
  }

  std::vector<Got> got;
  size_t largest = 0;
  SendInput input;
};

/// A slow twin: one line after the other, a piece byte by byte.
std::vector<std::string> pieces_of(const std::string& text, size_t most) {
  std::vector<std::string> pieces;
  for (size_t at = 0; at < text.size();) {
    const size_t newline = std::min(text.find('\n', at), text.size() - 1);
    std::string line = text.substr(at, newline + 1 - at);
    at = newline + 1;
    while (line.size() > most + (line.ends_with('\n') ? 1 : 0)) {
      size_t cut = most;
      const auto middle = [&](size_t i) { return uint8_t(line[i]) >= 0x80 && uint8_t(line[i]) < 0xc0; };
      while (cut > most - 3 && middle(cut)) --cut;
      if (middle(cut)) cut = most;
      pieces.push_back(line.substr(0, cut));
      line.erase(0, cut);
    }
    pieces.push_back(line);
  }
  return pieces;
}

}  // namespace

TEST_CASE("a line is a record with the time of its reading") {
  Reader reader;
  reader.feed("one\n\ntw", 1'000'000);
  reader.feed("o\r\n", 2'000'000);
  reader.feed("three", 3'000'000);
  CHECK(reader.messages() == std::vector<std::string>{"one\n", "\n", "two\r\n"});
  reader.input.end(4'000'000);
  CHECK(reader.messages().back() == "three");
  const Got& first = reader.got.front();
  CHECK(first == Got{rfc3339_micros(1'000'000) + " here", "shop", "web.1 -", "-", "one\n", 190, 0});
  CHECK(reader.got[2].head == rfc3339_micros(2'000'000) + " here");
  CHECK(reader.got[3].head == rfc3339_micros(4'000'000) + " here");
  CHECK(reader.input.lines() == 4);
  CHECK(reader.input.records() == 4);
  CHECK(reader.input.bytes() == 15);
}

TEST_CASE("an end without bytes is no record") {
  Reader reader;
  reader.input.end(0);
  reader.feed("x\n");
  reader.input.end(0);
  CHECK(reader.got.size() == 1);
}

TEST_CASE("long lines come in pieces that cut no character, however they are read") {
  SendFields fields;
  fields.max_line = 64;
  std::mt19937 random(7);
  const auto upto = [&](size_t most) { return std::uniform_int_distribution<size_t>(0, most)(random); };
  const std::vector<std::string> parts = {
      "a", "ä", "€", "𝄞", "\n", std::string(1, '\0'), "\xff", "\x80\x80\x80\x80", std::string(62, 'x')};
  for (int round = 0; round < 400; ++round) {
    std::string text;
    for (size_t n = upto(200); n > 0; --n) text += parts[upto(parts.size() - 1)];
    Reader reader(SendInput::Form::raw, fields);
    for (size_t at = 0; at < text.size();) {
      const size_t n = std::min(text.size() - at, 1 + upto(100));
      reader.feed(std::string_view(text).substr(at, n));
      at += n;
    }
    reader.input.end(0);
    REQUIRE(reader.messages() == pieces_of(text, 64));
    bool split = false;
    for (const Got& one : reader.got) {
      REQUIRE(bool(one.flags & kSplitEntry) == split);
      split = !one.message.ends_with('\n');
    }
  }
}

TEST_CASE("a line without an end is given on while it comes") {
  Reader reader;
  const std::string megabyte(1 << 20, 'x');
  reader.feed(megabyte);
  CHECK(reader.got.size() == (1 << 20) / 10'000);
  CHECK(reader.input.room().size() < 256 * 1024);
  reader.feed("\n");
  CHECK(reader.got.size() == (1 << 20) / 10'000 + 1);
  CHECK(reader.input.lines() == 1);
}

TEST_CASE("batches are small, however many lines one read has") {
  Reader reader;
  reader.feed(std::string(60'000, '\n'));
  CHECK(reader.got.size() == 60'000);
  CHECK(reader.largest < 1000);
}

TEST_CASE("records of RFC 5424 keep their fields, by line and by count") {
  Reader reader(SendInput::Form::syslog);
  const std::string record = "<13>1 2026-11-21T08:00:00Z h app p ID [x@1 a=\"b\"] message";
  const std::string feed =
      record + "\n" + std::to_string(record.size()) + " " + record + "no syslog\n" + record;
  for (const char byte : feed) reader.feed({&byte, 1}, 1'000'000);
  CHECK(reader.got.size() == 3);
  reader.input.end(2'000'000);
  REQUIRE(reader.got.size() == 4);
  const Got kept{"2026-11-21T08:00:00Z h", "app", "p ID", "[x@1 a=\"b\"]", "message", 13, 0};
  CHECK(reader.got[0] == kept);
  CHECK(reader.got[1] == kept);
  CHECK(reader.got[2] ==
        Got{rfc3339_micros(1'000'000) + " here", "shop", "web.1 -", "-", "no syslog", 190, kRawEntry});
  CHECK(reader.got[3] == kept);
  CHECK(reader.input.rejected() == 0);
}

TEST_CASE("frames that are none are counted") {
  Reader reader(SendInput::Form::syslog);
  reader.feed("2000018 <13>1 - - - - - - " + std::string(2'000'000, 'x') + "\n");
  CHECK(reader.input.rejected() == 1);
  CHECK(reader.got.empty());
  reader.feed("7 <13>1 -");
  CHECK(reader.got.size() == 1);
  reader.feed("99 <13>1 - - - - - - cut off");
  reader.input.end(0);
  CHECK(reader.got.size() == 1);
  CHECK(reader.input.rejected() == 2);
  // Whoever needed much room gives it back.
  CHECK(reader.input.room().size() < 256 * 1024);
}

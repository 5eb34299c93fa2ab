#include "cli/session_stream.h"

#include <doctest/doctest.h>

#include <random>
#include <tuple>
#include <vector>

using namespace tailrace;
using Form = SessionStream::Form;
using Fed = SessionStream::Fed;

namespace {

struct Item {
  std::optional<uint64_t> number;
  std::string text;
  bool operator==(const Item&) const = default;
};

struct Heard {
  std::vector<Item> items;
  Fed fed = Fed::more;
  bool operator==(const Heard&) const = default;
};

// In pieces whose sizes `size` gives.
template <class Size>
Heard heard(Form form, std::string_view bytes, Size&& size) {
  SessionStream stream(form);
  Heard heard;
  while (!bytes.empty() && heard.fed == Fed::more) {
    const size_t n = std::min(bytes.size(), size());
    heard.fed = stream.add(bytes.substr(0, n), [&](const SessionItem& item) {
      heard.items.push_back({item.number, std::string(item.text)});
      return true;
    });
    bytes.remove_prefix(n);
  }
  return heard;
}

Heard heard(Form form, std::string_view bytes) {
  return heard(form, bytes, [] { return size_t(1) << 30; });
}

std::string written(Form form, const Item& item) {
  const std::string number = item.number ? std::to_string(*item.number) : "-";
  if (form == Form::lines) return number + " " + std::to_string(item.text.size()) + "\n" + item.text;
  return (item.number ? "id: " + number + "\n" : "") +
         (item.text.empty() ? "" : "data: " + item.text + "\n") + "\n";
}

}  // namespace

TEST_CASE("items are whole whatever the chunks were, and bytes as they are") {
  std::mt19937_64 random(7);
  for (const Form form : {Form::lines, Form::events}) {
    std::vector<Item> sent;
    std::string bytes;
    for (int i = 0; i < 200; ++i) {
      Item item;
      if (random() % 4) item.number = random() >> (random() % 64);
      const bool heartbeat = item.number && random() % 4 == 0;
      for (size_t left = heartbeat ? 0 : 1 + random() % 40; left; --left) {
        const char c = char(random() % 256);
        item.text += form == Form::events && (c == '\n' || c == '\r') ? 'x' : c;
      }
      bytes += written(form, item);
      sent.push_back(item);
    }
    CHECK(heard(form, bytes).items == sent);
    for (int round = 0; round < 50; ++round) {
      const Heard got = heard(form, bytes, [&] { return size_t(1 + random() % (1 + round)); });
      CHECK(got.fed == Fed::more);
      CHECK(got.items == sent);
    }
  }
}

TEST_CASE("hostile bytes mean the same in all chunks") {
  std::mt19937_64 random(11);
  constexpr std::string_view alphabet = "0123456789 -\n\n\r:idata\xff";
  for (const Form form : {Form::lines, Form::events}) {
    int broken = 0, items = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string bytes;
      for (uint64_t number = random() % 4; number; --number) bytes += written(form, {number, "hello"});
      for (size_t left = random() % 20; left; --left) bytes += alphabet[random() % alphabet.size()];
      for (size_t left = random() % 3; left && !bytes.empty(); --left)
        bytes[random() % bytes.size()] = alphabet[random() % alphabet.size()];
      const Heard whole = heard(form, bytes);
      CHECK(heard(form, bytes, [] { return size_t(1); }) == whole);
      CHECK(heard(form, bytes, [&] { return size_t(1 + random() % 9); }) == whole);
      broken += whole.fed == Fed::broken;
      items += !whole.items.empty();
    }
    CHECK(items > 100);
    if (form == Form::lines) CHECK(broken > 100);
  }
}

TEST_CASE("what is cut off at the end is not handed on") {
  CHECK(heard(Form::lines, "7 5\nhell").items.empty());
  CHECK(heard(Form::lines, "7 5\nhello7 ").items == std::vector<Item>{{7, "hello"}});
  CHECK(heard(Form::events, "id: 7\ndata: hello\n").items.empty());
  CHECK(heard(Form::events, "id: 7\ndata: hello\n\nid: 8\n").items == std::vector<Item>{{7, "hello"}});
}

TEST_CASE("a heartbeat is a number alone, a notice a text alone") {
  CHECK(heard(Form::lines, "0 0\n18446744073709551615 0\n- 2\nhi- 0\n").items ==
        std::vector<Item>{{0, ""}, {UINT64_MAX, ""}, {std::nullopt, "hi"}});
  CHECK(heard(Form::events, "id: 9\n\ndata: hi\n\n: silence\n\n\nretry: 5\n\n").items ==
        std::vector<Item>{{9, ""}, {std::nullopt, "hi"}});
}

TEST_CASE("events as others may write them") {
  CHECK(heard(Form::events, "id:7\r\nevent: x\r\ndata:a\r\ndata: b\r\ndata\r\n\r\n").items ==
        std::vector<Item>{{7, "a\nb\n"}});
  CHECK(heard(Form::events, "id: seven\ndata: a\n\n").items == std::vector<Item>{{std::nullopt, "a"}});
}

TEST_CASE("what is no item breaks lines") {
  for (const std::string bad :
       {"7\n", "\n", " 5\nhello", "-1 5\nhello", "7 x\n", "7 -1\n", "7  5\nhello", "18446744073709551616 0\n",
        "2026-11-21T00:00:00Z app[web.1]: hi\n", "<html>\n"}) {
    CAPTURE(bad);
    CHECK(heard(Form::lines, bad).fed == Fed::broken);
  }
}

TEST_CASE("an item is no larger than it may be, and none is waited for in vain") {
  const std::string largest(SessionStream::kMostText, 'x');
  for (const Form form : {Form::lines, Form::events}) {
    CAPTURE(int(form));
    const std::string good = written(form, {1, largest}) + written(form, {2, "y"});
    const auto pieces = [] { return size_t(50'000); };
    CHECK(heard(form, good, pieces) == Heard{{{1, largest}, {2, "y"}}, Fed::more});
    const std::string bad = written(form, {1, largest + "x"});
    CHECK(heard(form, bad, pieces).fed == Fed::broken);
    CHECK(heard(form, bad).fed == Fed::broken);
    // Without an end.
    CHECK(heard(form, std::string(2 << 20, '7'), pieces).fed == Fed::broken);
  }
  CHECK(heard(Form::lines, std::string(64, '7')).fed == Fed::broken);
}

TEST_CASE("enough is enough") {
  SessionStream stream(Form::lines);
  int taken = 0;
  CHECK(stream.add("1 1\na2 1\nb3 1\nc", [&](const SessionItem&) { return ++taken < 2; }) == Fed::enough);
  CHECK(taken == 2);
}

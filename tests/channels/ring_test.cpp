#include "channels/ring.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace tailrace;

namespace {

struct Written {
  uint64_t number;
  Micros arrival;
  std::string message;
};

/// A ring, and what must be in it: records by their ordinals.
struct Pair {
  Ring ring{Position{100}, 7};
  std::map<uint64_t, Written> model;
  uint64_t next = 100, end = 7;
  int made = 0;
  ChannelPtr channel = std::make_shared<Channel>();

  std::vector<Slice> write(const std::vector<size_t>& sizes) {
    std::vector<std::string> messages;
    BatchSet set;
    for (const size_t size : sizes) {
      messages.push_back(std::to_string(made++) + ' ');
      messages.back().resize(std::max(size, messages.back().size()), 'x');
    }
    for (const std::string& message : messages) {
      NewRecord r;
      r.head = "- -", r.time_size = 1, r.ids = "- -", r.procid_size = 1, r.message = message;
      set.add(channel, r);
      model[end++] = {next++, made, message};
    }
    std::vector<Slice> slices;
    set.for_each(made, [&](Channel&, const Batch& batch) { ring.write(batch, slices); });
    return slices;
  }
  void take_back(uint64_t ordinal) {
    ring.take_back(ordinal);
    model.erase(model.lower_bound(ordinal), model.end());
    end = ordinal;
  }
  void skip(uint64_t by) { ring.skip_to({next += by}); }
  void pop() {
    const ChunkRef chunk = ring.pop_front();
    CHECK(chunk->count > 0);
    model.erase(model.begin(), model.lower_bound(chunk->end_ordinal()));
  }

  /// Everything the ring says about itself and its records, cut into pieces of about `bytes` up to `limit`.
  void check(uint32_t bytes, uint64_t limit) const {
    const uint64_t begin = model.empty() ? end : model.begin()->first;
    REQUIRE(ring.end_ordinal() == end);
    REQUIRE(ring.next() == Position{next});
    REQUIRE(ring.begin_ordinal() == begin);
    REQUIRE(ring.records() == model.size());
    REQUIRE(ring.chunk_of(end) == nullptr);
    if (begin) REQUIRE(ring.chunk_of(begin - 1) == nullptr);
    for (uint64_t ordinal = begin; ordinal < std::min(end, limit);) {
      const ChunkRef* chunk = ring.chunk_of(ordinal);
      REQUIRE(chunk);
      REQUIRE((*chunk)->holds(ordinal));
      const Slice slice = cut(*chunk, ordinal, (*chunk)->offset_of(ordinal), limit, bytes);
      REQUIRE(slice.records > 0);
      if (slice.records > 1) REQUIRE(slice.bytes() <= bytes);
      uint64_t number = slice.first.value;
      for (const Record record : slice) {
        const Written& expected = model.at(ordinal);
        REQUIRE(number == expected.number);
        REQUIRE(record.message() == expected.message);
        REQUIRE(record.arrival() >= expected.arrival);
        REQUIRE(ring.arrival(ordinal) == record.arrival());
        REQUIRE(ring.ordinal_behind({number}) == ordinal + 1);
        REQUIRE(ring.ordinal_behind({number - 1}) == ordinal);
        ++ordinal, ++number;
      }
      REQUIRE(ordinal <= limit);
    }
    REQUIRE(ring.ordinal_behind({0}) == begin);
    REQUIRE(ring.ordinal_behind({next}) == end);
  }
};

}  // namespace

TEST_CASE("a ring holds what was written, whatever was taken back, skipped or forgotten") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random); };
    Pair pair;
    for (int step = 0; step < 150; ++step) {
      switch (below(8)) {
        case 0:
          pair.skip(below(3));
          break;
        case 1:
          pair.take_back(pair.end - below(std::min<uint64_t>(pair.model.size(), 20) + 1));
          break;
        case 2:
          if (pair.ring.chunks()) pair.pop();
          break;
        default: {
          std::vector<size_t> sizes(1 + below(40));
          for (size_t& size : sizes) size = below(30) ? below(300) : below(kMaxMessage);
          pair.write(sizes);
        }
      }
      pair.check(uint32_t(1 + below(5000)), pair.end - below(pair.model.size() + 1));
    }
    pair.check(UINT32_MAX, UINT64_MAX);
  }
}

TEST_CASE("what a batch became is told, chunk by chunk, without the records before it") {
  Pair pair;
  pair.write({10, 20});
  const std::vector<Slice> slices = pair.write(std::vector<size_t>(200, 300));
  CHECK(slices.size() > 1);
  uint64_t ordinal = 9;
  for (const Slice& slice : slices)
    for (const Record record : slice) CHECK(record.message() == pair.model.at(ordinal++).message);
  CHECK(ordinal == pair.end);
  CHECK(slices.front().first == Position{102});
}

TEST_CASE("what was taken back stays as it was for who still holds it") {
  Pair pair;
  pair.write({10});
  const std::vector<Slice> gone = pair.write({50, 60});
  const std::string text((*gone.front().begin()).text());
  pair.take_back(8);
  pair.write({50, 60, 70});
  CHECK((*gone.front().begin()).text() == text);
  CHECK(pair.ring.next() == Position{106});
  pair.check(1, UINT64_MAX);
}

TEST_CASE("bytes are those of the chunks, from small to large") {
  Pair pair;
  CHECK(pair.ring.bytes() == 0);
  pair.write({10});
  CHECK(pair.ring.bytes() == kMinChunk);
  for (int i = 0; i < 100; ++i) pair.write({5000});
  CHECK(pair.ring.bytes() < 11 * kMaxChunk);
  uint64_t sum = 0;
  while (pair.ring.chunks()) {
    sum += pair.ring.front().capacity;
    pair.pop();
  }
  CHECK(sum > 100 * 5000);
  CHECK(pair.ring.bytes() == 0);
}

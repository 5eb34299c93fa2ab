#include "drains/delivery.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "channels/memory_store.h"
#include "drains/frames.h"
#include "drains/http_request.h"
#include "tests/channels/log_fixture.h"

using namespace tailrace;

namespace {

struct Even final : RecordFilter {
  bool wants(const Record& record) const override { return (record.message().back() - '0') % 2 == 0; }
};

struct Fixture {
  explicit Fixture(int records, size_t size = 0) {
    channel->id = "1";
    channel->log = store.open(*channel);
    std::vector<std::string> messages;
    for (int i = 0; i < records; ++i) {
      messages.push_back(std::string(size ? size_t(i) * 997 % size : 0, '.') + std::to_string(i));
    }
    append_messages(channel, messages, 1);
    slices = history_of(*channel->log, 1'000'000).slices;
  }
  Delivery all(const RecordFilter* wanted = nullptr) const {
    Delivery delivery;
    for (const Slice& slice : slices) delivery.add(slice, wanted);
    return delivery;
  }

  MemoryStore store{MemoryStore::Options{.limits = {.history = 1'000'000, .bytes = 64u << 20}}};
  ChannelPtr channel = std::make_shared<Channel>();
  std::vector<Slice> slices;
};

std::vector<std::string> texts(const Delivery& delivery) {
  std::vector<std::string> all;
  for (const Slice& slice : delivery.slices)
    for (const Record record : slice) all.emplace_back(record.message());
  return all;
}

std::unique_ptr<HttpBody> made(const RequestMaker& requests, const Delivery& delivery) {
  asio::io_context io;
  auto body = asio::co_spawn(io, requests.body(delivery), asio::use_future);
  io.run();
  return body.get();
}

std::string whole(HttpBody& body) {
  std::vector<char> scratch(HttpBody::kScratch);
  std::string all;
  while (body.left()) {
    const std::string_view piece = body.peek(scratch);
    all += piece;
    body.take(piece.size());
  }
  return all;
}

}  // namespace

TEST_CASE("a filter leaves runs of what is wanted, and a count") {
  const Fixture f(1000);
  const Even even;
  const Delivery delivery = f.all(&even);
  CHECK(delivery.records == 500);
  CHECK(delivery.filtered == 500);
  uint64_t bytes = 0;
  for (const Slice& slice : delivery.slices) bytes += slice.bytes();
  CHECK(delivery.bytes == bytes);
  const auto messages = texts(delivery);
  for (size_t i = 0; i < 500; ++i) CHECK(messages[i] == std::to_string(2 * i));
  // Every run has its own first number.
  const uint64_t first = f.slices.front().first.value;
  for (const Slice& slice : delivery.slices)
    CHECK(std::string((*slice.begin()).message()) == std::to_string(slice.first.value - first));
}

TEST_CASE("halves are the whole, in order, and every frame gets alone in the end") {
  const Fixture f(301, 700);
  const Even even;
  std::deque<Delivery> left;
  left.push_back(f.all(&even));
  left.front().l10 = "L10";
  const auto before = texts(left.front());
  REQUIRE(left.front().filtered == 150);
  std::vector<std::string> alone;
  uint64_t filtered = 0;
  while (!left.empty()) {
    Delivery next = std::move(left.front());
    left.pop_front();
    if (next.frames() > 1) {
      auto [first, second] = Delivery::halves(std::move(next));
      CHECK(first.records <= second.records);
      left.push_front(std::move(second));
      left.push_front(std::move(first));
      continue;
    }
    filtered += next.filtered;
    CHECK(next.l10 == (next.records ? "" : "L10"));
    if (!next.records) {
      CHECK(alone.empty());
      continue;
    }
    // Each has what was skipped just before it, so that a position behind it is behind that too.
    CHECK(next.skipped == std::vector<uint64_t>{alone.empty() ? 0u : 1u});
    alone.push_back(texts(next)[0]);
  }
  CHECK(alone == before);
  CHECK(filtered == 150);
}

TEST_CASE("a delivery that settled down is the same in less memory") {
  const Fixture f(2000, 300);
  Delivery delivery;
  Slice little = f.slices[f.slices.size() / 2];
  little.records = 3;
  little.end_at = little.begin_at;
  for (int i = 0; i < 3; ++i)
    little.end_at += uint32_t(Record(little.chunk->data() + little.end_at).stride());
  delivery.add(little, nullptr);
  delivery.name("d.x");
  const Delivery before = delivery;
  delivery.settle_down();
  CHECK(texts(delivery) == texts(before));
  CHECK(delivery.slices[0].chunk->capacity < before.slices[0].chunk->capacity);
  CHECK(delivery.slices[0].past() == before.slices[0].past());
  delivery.name("d.x");
  CHECK(delivery.frame_id == before.frame_id);
}

TEST_CASE("a body that is made while it is sent is the frames, however it is taken") {
  const Fixture f(800, 9000);
  Delivery delivery = f.all();
  delivery.l10 = LogplexFrames::loss(3, 1'000'000, 2'000'000);
  delivery.name("d.x");
  std::string expected = delivery.l10;
  for (const Slice& slice : delivery.slices)
    for (const Record record : slice) {
      const size_t at = expected.size();
      expected.resize(at + LogplexFrames::size(record));
      LogplexFrames::write(record, expected.data() + at);
    }
  const DrainTarget target;
  const DrainOptions options;
  const RequestMaker requests(target, options, "d.x");
  const auto at_once = made(requests, delivery);
  CHECK(at_once->left() == expected.size());
  CHECK(whole(*at_once) == expected);

  // Piece by piece, as a socket takes it: what was seen comes again, and enough of it for a TLS record.
  const auto body = made(requests, delivery);
  std::vector<char> scratch(HttpBody::kScratch);
  std::string taken, seen;
  for (size_t n = 1; body->left(); n = n * 7 % 19'997 + 1) {
    const std::string_view piece = body->peek(scratch);
    REQUIRE(piece.size() >= std::min<uint64_t>(16 * 1024, body->left()));
    REQUIRE(piece.starts_with(seen));
    const size_t take = std::min(n, piece.size());
    taken += piece.substr(0, take);
    seen = piece.substr(take).substr(0, 16 * 1024);
    body->take(take);
  }
  CHECK(taken == expected);
}

// Scrapes without sockets: an exchange that keeps what is written, and takes it when the test lets it.

#include "web/scrapes.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/eventually.h"
#include "web/gzip.h"

using namespace tailrace;
using tailrace::testing::eventually;

namespace {

/// What one scraper got. Belongs to its loop, but for the atomics.
class Scraper final : public HttpExchange {
 public:
  explicit Scraper(Loop& loop) : loop_(loop), gate_(loop.io) { gate_.expires_at(Mono::max()); }

  Loop& loop() override { return loop_; }
  asio::awaitable<void> respond(HttpResponse response) override {
    answer = std::move(response);
    co_return;
  }
  asio::awaitable<bool> begin_stream(int status, HttpFields headers) override {
    answer.status = status;
    answer.headers = std::move(headers);
    co_return true;
  }
  asio::awaitable<bool> write(std::string_view bytes) override {
    if (!takes) co_await gate_.async_wait(asio::as_tuple(asio::use_awaitable));
    written += bytes;
    co_return true;
  }
  size_t unsent() const override { return 0; }
  void break_off() override { broken = true; }
  void on_gone(std::function<void()>) override {}

  void take() {
    asio::post(loop_.io, [this] {
      takes = true;
      gate_.cancel();
    });
  }

  HttpResponse answer;
  std::string written;
  bool takes = true, broken = false;
  std::atomic<bool> done{false};

 private:
  Loop& loop_;
  asio::steady_timer gate_;
};

struct ScrapesFixture {
  ScrapesFixture() { loops.start(); }
  ~ScrapesFixture() {
    scrapes.stop();
    loops.stop();
  }

  std::shared_ptr<Scraper> scraper(bool takes = true) {
    auto scraper = std::make_shared<Scraper>(loops[0]);
    scraper->takes = takes;
    return scraper;
  }
  static asio::awaitable<void> ask(Scrapes& scrapes, std::shared_ptr<Scraper> scraper, Scrapes::Write write) {
    co_await scrapes.answer(*scraper, std::move(write));
    scraper->done = true;
  }
  void begin(const std::shared_ptr<Scraper>& scraper, Scrapes::Write write) {
    asio::co_spawn(loops[0].io, ask(scrapes, scraper, std::move(write)), asio::detached);
  }
  void wait_for(const std::shared_ptr<Scraper>& scraper) {
    REQUIRE(eventually([&] { return scraper->done.load(); }));
  }

  Scrapes scrapes;
  EventLoops loops{1};
};

constexpr uint64_t kLines = 400'000;  // of 20 bytes or so

void write_lines(ExpositionWriter& out, uint64_t lines, std::atomic<uint64_t>* written = nullptr) {
  out.family("x", FamilyType::gauge, "X.");
  for (uint64_t i = 0; i < lines; ++i) {
    out.sample({{"channel", "1"}}, i);
    if (written) *written = i;
  }
}

std::string whole_text(uint64_t lines) {
  std::string text;
  ExpositionWriter out(ExpositionFormat::prometheus_text, [&](std::string_view part) { text += part; });
  write_lines(out, lines);
  out.finish();
  return text;
}

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string text, in = packed;
  std::array<char, 65536> room;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  int step = Z_OK;
  while (step == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = room.size();
    step = inflate(&stream, Z_NO_FLUSH);
    text.append(room.data(), room.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  CHECK(step == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  return text;
}

}  // namespace

TEST_CASE_FIXTURE(ScrapesFixture, "a scrape arrives whole, plain and packed") {
  const std::string text = whole_text(kLines);
  for (const char* encoding : {"", "gzip"}) {
    const auto one = scraper();
    one->request.headers.add("Accept-Encoding", encoding);
    begin(one, [](ExpositionWriter& out) { write_lines(out, kLines); });
    wait_for(one);
    CHECK(one->answer.status == 200);
    CHECK(one->answer.headers.get("Content-Encoding") == encoding);
    CHECK(one->answer.headers.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK_FALSE(one->broken);
    CHECK((*encoding ? unpacked(one->written) : one->written) == text);
    if (*encoding) CHECK(one->written.size() < text.size() / 4);
  }
}

TEST_CASE_FIXTURE(ScrapesFixture, "what a slow scraper has not taken is not made yet") {
  const auto slow = scraper(false);
  const std::string text = whole_text(kLines);
  const uint64_t lines_held = Scrapes::kHeld / (text.size() / kLines);
  std::atomic<uint64_t> written{0};
  begin(slow, [&](ExpositionWriter& out) { write_lines(out, kLines, &written); });
  REQUIRE(eventually([&] { return written >= lines_held; }));
  // Another thread still serves others.
  const auto other = scraper();
  begin(other, [](ExpositionWriter& out) { write_lines(out, kLines); });
  wait_for(other);
  CHECK(other->written == text);
  CHECK(written < lines_held + lines_held / 2);
  slow->take();
  wait_for(slow);
  CHECK(slow->written == text);
  CHECK_FALSE(slow->broken);
}

TEST_CASE_FIXTURE(ScrapesFixture, "stopping breaks off what is under way, and waits for nobody") {
  const auto slow = scraper(false);
  std::atomic<uint64_t> written{0};
  begin(slow, [&](ExpositionWriter& out) { write_lines(out, kLines, &written); });
  REQUIRE(eventually([&] { return written > 0; }));
  scrapes.stop();
  slow->take();
  wait_for(slow);
  CHECK(slow->broken);
  CHECK(slow->written.size() < whole_text(kLines).size());
}

TEST_CASE_FIXTURE(ScrapesFixture, "a scrape that fails is broken off") {
  const auto one = scraper();
  begin(one, [](ExpositionWriter& out) {
    write_lines(out, kLines);
    throw std::runtime_error("broken");
  });
  wait_for(one);
  CHECK(one->broken);
}

TEST_CASE_FIXTURE(ScrapesFixture, "one too many is sent away, and may come again") {
  std::vector<std::shared_ptr<Scraper>> slow;
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  for (size_t i = 0; i < Scrapes::kAtOnce; ++i) {
    slow.push_back(scraper());
    begin(slow.back(), [gone](ExpositionWriter& out) {
      gone.wait();
      write_lines(out, 1);
    });
  }
  const auto late = scraper();
  begin(late, [](ExpositionWriter& out) { write_lines(out, 1); });
  wait_for(late);
  CHECK(late->answer.status == 503);
  CHECK(late->answer.headers.get("Retry-After") == "5");
  go.set_value();
  for (const auto& one : slow) {
    wait_for(one);
    CHECK(one->written == whole_text(1));
  }
  REQUIRE(eventually([&] {
    const auto again = scraper();
    begin(again, [](ExpositionWriter& out) { write_lines(out, 1); });
    wait_for(again);
    return again->answer.status == 200;
  }));
}

TEST_CASE("gzip is for who asks for it") {
  CHECK(accepts_gzip("gzip"));
  CHECK(accepts_gzip("GZIP;q=0.1"));
  CHECK(accepts_gzip("deflate, gzip;q=1.0, *;q=0"));
  CHECK(accepts_gzip("*"));
  CHECK_FALSE(accepts_gzip(""));
  CHECK_FALSE(accepts_gzip("identity"));
  CHECK_FALSE(accepts_gzip("br, gzip;q=0"));
  CHECK_FALSE(accepts_gzip("gzip;q=0, *"));
  CHECK_FALSE(accepts_gzip("*;q=0"));
  CHECK_FALSE(accepts_gzip("gzip;q=x"));
  CHECK_FALSE(accepts_gzip("gzipped"));
}

#include "drains/compress.h"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <random>

using namespace tailrace;
using Encoding = DrainOptions::Encoding;

namespace {

/// What a far end makes of it: exactly one member or frame, whole, with nothing behind.
std::string gunzipped(std::string_view body, size_t size) {
  std::string out(size + 1, 0);
  z_stream z{};
  REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  z.avail_in = uInt(body.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = uInt(out.size());
  CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);
  CHECK(z.avail_in == 0);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

std::string unzstd(std::string_view body, size_t size) {
  CHECK(ZSTD_findFrameCompressedSize(body.data(), body.size()) == body.size());
  CHECK(ZSTD_getFrameContentSize(body.data(), body.size()) == size);
  std::string out(size + 1, 0);
  out.resize(ZSTD_decompress(out.data(), out.size(), body.data(), body.size()));
  return out;
}

std::string inflated(Encoding encoding, std::string_view body, size_t size) {
  return encoding == Encoding::gzip ? gunzipped(body, size) : unzstd(body, size);
}

std::string log_text(size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text += "<158>1 2026-11-21T01:02:03.456789+00:00 host heroku router - at=info path=\"/" +
            std::to_string(i * 7919) + "\" service=" + std::to_string(i % 977) + "ms status=200\n";
  text.resize(size);
  return text;
}

std::string noise(size_t size) {
  std::mt19937_64 random(size);
  std::string text(size, 0);
  for (char& c : text) c = char(random());
  return text;
}

std::string in_steps(Encoding encoding, const std::string& body) {
  boost::asio::io_context io;
  std::string out;
  boost::asio::co_spawn(io, compress(encoding, body), [&](std::exception_ptr error, std::string result) {
    CHECK(!error);
    out = std::move(result);
  });
  io.run();
  return out;
}

}  // namespace

TEST_CASE("what is compressed inflates to the same bytes") {
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd})
    for (const size_t size : {size_t{0}, size_t{1}, size_t{200}, size_t{16 * 1024}, kCompressedAtOnce,
                              kCompressedAtOnce + 1, size_t{3'000'000}}) {
      CAPTURE(size);
      const std::string log = log_text(size);
      CHECK(inflated(encoding, compressed(encoding, log), size) == log);
      CHECK(inflated(encoding, in_steps(encoding, log), size) == log);
      const std::string random = noise(size);
      CHECK(inflated(encoding, in_steps(encoding, random), size) == random);
    }
  CHECK(compressed(Encoding::gzip, log_text(100'000)).size() < 30'000);
  CHECK(compressed(Encoding::zstd, log_text(100'000)).size() < 30'000);
}

TEST_CASE("others get their turn while a large body is compressed") {
  const std::string body = log_text(10 * kCompressedAtOnce);
  boost::asio::io_context io;
  bool done = false;
  int turns = 0;
  boost::asio::co_spawn(io, compress(Encoding::gzip, body),
                        [&](std::exception_ptr, std::string) { done = true; });
  std::function<void()> turn = [&] {
    if (done) return;
    ++turns;
    boost::asio::post(io, turn);
  };
  boost::asio::post(io, turn);
  io.run();
  CHECK(turns >= 8);
}

TEST_CASE("bodies beside each other do not mix, and one that is given up leaves no trace") {
  const std::string one = log_text(1'000'000), other = noise(1'000'000);
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd}) {
    boost::asio::io_context io;
    std::string first, second;
    const auto into = [](std::string& out) {
      return [&out](std::exception_ptr, std::string result) { out = std::move(result); };
    };
    boost::asio::co_spawn(io, compress(encoding, one), into(first));
    boost::asio::co_spawn(io, compress(encoding, other), into(second));
    io.run();
    CHECK(inflated(encoding, first, one.size()) == one);
    CHECK(inflated(encoding, second, other.size()) == other);
    {
      Compressor given_up(encoding, one.size());
      given_up.add(std::string_view(one).substr(0, 500'000));
    }
    CHECK(inflated(encoding, compressed(encoding, other), other.size()) == other);
  }
}

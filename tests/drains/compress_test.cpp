#include "drains/compress.h"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

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

std::string packed(Encoding encoding, std::string_view body, size_t piece) {
  Compressor compressor(encoding, body.size());
  for (size_t at = 0; at < body.size(); at += piece) compressor.add(body.substr(at, piece));
  return compressor.finish();
}

}  // namespace

TEST_CASE("what is compressed inflates to the same bytes") {
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd})
    for (const size_t size :
         {size_t{0}, size_t{1}, size_t{200}, size_t{16 * 1024}, size_t{16 * 1024 + 1}, size_t{3'000'000}})
      for (const size_t piece : {size_t{1000}, size_t{128 * 1024}, size_t{4'000'000}}) {
        CAPTURE(size);
        CAPTURE(piece);
        const std::string log = log_text(size), random = noise(size);
        CHECK(inflated(encoding, packed(encoding, log, piece), size) == log);
        CHECK(inflated(encoding, packed(encoding, random, piece), size) == random);
      }
  const std::string log = log_text(100'000);
  CHECK(packed(Encoding::gzip, log, 64 * 1024).size() < 25'000);
  CHECK(packed(Encoding::zstd, log, 64 * 1024).size() < 25'000);
}

TEST_CASE("bodies beside each other do not mix, and one that is given up leaves no trace") {
  const std::string log = log_text(1'000'000), random = noise(1'000'000);
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd}) {
    Compressor one(encoding, log.size()), other(encoding, random.size());
    for (size_t at = 0; at < log.size(); at += 100'000) {
      one.add(std::string_view(log).substr(at, 100'000));
      other.add(std::string_view(random).substr(at, 100'000));
    }
    CHECK(inflated(encoding, one.finish(), log.size()) == log);
    CHECK(inflated(encoding, other.finish(), random.size()) == random);
    Compressor(encoding, log.size()).add(std::string_view(log).substr(0, 500'000));
    CHECK(inflated(encoding, packed(encoding, random, random.size()), random.size()) == random);
  }
}

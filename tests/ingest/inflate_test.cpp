#include "ingest/inflate.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/ingest/compress.h"

using namespace tailrace;
using Step = Inflater::Step;
using Encoding = Inflater::Encoding;

namespace {

// Text that packs about `1 / fresh` times.
std::string text_of(size_t size, double fresh, uint32_t seed = 6) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    const bool old = text.size() > 100 && double(random() % 1000) / 1000 > fresh;
    if (old)
      text += text.substr(random() % (text.size() - 50), 50);
    else
      for (int i = 0; i < 50; ++i) text += char(random() % 256);
  }
  text.resize(size);
  return text;
}

std::string pack(Encoding encoding, std::string_view text) {
  return encoding == Encoding::gzip ? gzip(text) : zstd(text);
}

// An RLE block of zstd stands for 128 KiB in 4 bytes; deflate packs a thousandfold.
std::string bomb(Encoding encoding, size_t size) {
  return encoding == Encoding::gzip ? gzip(std::string(size, 0), 9) : zstd(std::string(size, 0), 19);
}

constexpr Encoding kBoth[] = {Encoding::gzip, Encoding::zstd};

}  // namespace

TEST_CASE("the names of the encodings") {
  CHECK(Inflater::encoding("gzip") == Encoding::gzip);
  CHECK(Inflater::encoding("X-GZip") == Encoding::gzip);
  CHECK(Inflater::encoding("ZSTD") == Encoding::zstd);
  for (const auto* other : {"", "identity", "deflate", "br", "gzip, gzip", "gzip "})
    CHECK_FALSE(Inflater::encoding(other));
}

TEST_CASE("what was packed comes out, whatever the slices are") {
  for (const Encoding encoding : kBoth)
    for (const size_t size : {0u, 1u, 1000u, 65'535u, 65'536u, 65'537u, 1'000'000u}) {
      const std::string text = text_of(size, 0.2), body = pack(encoding, text);
      for (const size_t slice : {size_t{0}, size_t{1}, size_t{100'000}, size_t{1} << 20, SIZE_MAX}) {
        const Inflated out = inflate_all(encoding, body, slice);
        CHECK(out.step == Step::done);
        CHECK((out.text == text));
        if (slice == 0) CHECK(out.steps >= size / 65'536);
      }
    }
}

TEST_CASE("header fields, several members, skippable frames") {
  CHECK(inflate_all(Encoding::gzip, gzip("hello", 6, "a name")).text == "hello");
  const std::string members = gzip("one ") + gzip("") + gzip("two", 0, "x");
  CHECK(inflate_all(Encoding::gzip, members).step == Step::done);
  CHECK(inflate_all(Encoding::gzip, members).text == "one two");
  const std::string skippable("\x5f\x2a\x4d\x18\x03\0\0\0abc", 11);
  const std::string frames = skippable + zstd("one ") + skippable + zstd("") + zstd("two") + skippable;
  CHECK(inflate_all(Encoding::zstd, frames).step == Step::done);
  CHECK(inflate_all(Encoding::zstd, frames).text == "one two");
}

TEST_CASE("every prefix is truncated, a whole number of members aside") {
  const std::string text = text_of(3'000, 0.3);
  for (const Encoding encoding : kBoth) {
    const std::string first = pack(encoding, text), body = first + pack(encoding, "second");
    for (size_t n = 0; n < body.size(); ++n) {
      const Inflated out = inflate_all(encoding, std::string_view(body).substr(0, n));
      CHECK_MESSAGE(out.step == (n == first.size() ? Step::done : Step::truncated), n);
      CHECK(text.starts_with(out.text.substr(0, text.size())));
    }
  }
}

TEST_CASE("what follows the last member is broken, and so is what is damaged") {
  std::mt19937 random(7);
  const std::string text = text_of(3'000, 0.3);
  for (const Encoding encoding : kBoth) {
    const std::string body = pack(encoding, text);
    for (const std::string& garbage : {std::string("\0", 1), std::string("x"), std::string("garbage"), text})
      CHECK(inflate_all(encoding, body + garbage).step == Step::broken);
    CHECK(inflate_all(encoding, text).step == Step::broken);
    for (int i = 0; i < 2'000; ++i) {
      std::string damaged = body;
      damaged[random() % damaged.size()] ^= char(1 << random() % 8);
      const Inflated out = inflate_all(encoding, damaged);
      if (out.step == Step::done) CHECK((out.text == text));  // a bit of a gzip header that means nothing
    }
  }
  CHECK(inflate_all(Encoding::gzip, zstd(text)).step == Step::broken);
  CHECK(inflate_all(Encoding::zstd, gzip(text)).step == Step::broken);
  // a frame of zstd 0.7, which the library may know
  CHECK(inflate_all(Encoding::zstd, std::string("\x27\xb5\x2f\xfd\0\0\0\0\0", 9)).step == Step::broken);
}

TEST_CASE("bounds on output and ratio") {
  for (const Encoding encoding : kBoth) {
    // sixteen megabytes are right, one byte more is not
    std::string text = text_of(kMaxInflated, 0.05);
    CHECK(inflate_all(encoding, pack(encoding, text)).step == Step::done);
    text += 'x';
    for (const size_t slice : {size_t{0}, SIZE_MAX}) {
      const Inflated out = inflate_all(encoding, pack(encoding, text), slice);
      CHECK(out.step == Step::too_large);
      CHECK(out.text.size() <= kMaxInflated + 1);
    }
    CHECK(inflate_all(encoding, pack(encoding, text) + pack(encoding, "more")).step == Step::too_large);
    // up to four megabytes may pack as they like, beyond the ratio counts
    CHECK(inflate_all(encoding, bomb(encoding, kFreeInflated)).step == Step::done);
    const Inflated out = inflate_all(encoding, bomb(encoding, 2 * kFreeInflated));
    CHECK(out.step == Step::too_large);
    CHECK(out.text.size() <= kFreeInflated + 256 * 1024);
    CHECK(inflate_all(encoding, bomb(encoding, 100'000'000)).step == Step::too_large);
  }
  std::string members;
  for (int i = 0; i < 100; ++i) members += bomb(Encoding::gzip, 1'000'000);
  CHECK(inflate_all(Encoding::gzip, members).step == Step::too_large);
}

TEST_CASE("a zstd window is bounded") {
  const std::string text = text_of(200'000, 0.3);
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  for (const int log : {kMaxZstdWindowLog, kMaxZstdWindowLog + 1}) {
    // of unknown size, so that the frame states its window
    ZSTD_CCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
    std::string body(ZSTD_compressBound(text.size()), 0);
    ZSTD_outBuffer out{body.data(), body.size(), 0};
    ZSTD_inBuffer half{text.data(), text.size() / 2, 0}, rest{text.data(), text.size(), text.size() / 2};
    REQUIRE_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &out, &half, ZSTD_e_continue)));
    REQUIRE(ZSTD_compressStream2(context, &out, &rest, ZSTD_e_end) == 0);
    body.resize(out.pos);
    CHECK(inflate_all(Encoding::zstd, body).step ==
          (log <= kMaxZstdWindowLog ? Step::done : Step::too_large));
  }
  ZSTD_freeCCtx(context);
}

TEST_CASE("members that hold nothing are read in slices too") {
  const std::string empty_member = gzip(""), empty_frame = zstd("");
  std::string members, frames;
  while (members.size() < 1 << 20) members += empty_member;
  while (frames.size() < 1 << 20) frames += empty_frame;
  const Inflated gz = inflate_all(Encoding::gzip, members, 0), zs = inflate_all(Encoding::zstd, frames, 0);
  CHECK(gz.step == Step::done);
  CHECK(gz.steps >= 8);
  CHECK(zs.step == Step::done);
  CHECK(zs.steps >= 8);
}

#include "channels/disk/crc32c.h"

#include <doctest/doctest.h>

#include <random>
#include <string_view>
#include <vector>

using namespace tailrace;

namespace {

using Bytes = std::vector<std::byte>;

/// The definition, one bit after the other.
uint32_t crc_bit_by_bit(std::span<const std::byte> bytes) {
  uint32_t crc = UINT32_MAX;
  for (const std::byte b : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool out = (crc ^ uint32_t(b) >> bit) & 1;
      crc = crc >> 1 ^ (out ? 0x82f63b78 : 0);
    }
  return ~crc;
}

Bytes random_bytes(size_t size, std::mt19937& random) {
  Bytes bytes(size);
  for (std::byte& b : bytes) b = std::byte(random());
  return bytes;
}

}  // namespace

TEST_CASE("crc32c: the vectors of RFC 3720, B.4") {
  Bytes bytes(32, std::byte{0});
  const auto both = [&](uint32_t expected) {
    CHECK(crc32c(bytes) == expected);
    CHECK(crc32c_by_table(bytes) == expected);
    CHECK(crc_bit_by_bit(bytes) == expected);
  };
  both(0x8a9136aa);
  bytes.assign(32, std::byte{0xff});
  both(0x62a8ab43);
  for (size_t i = 0; i < 32; ++i) bytes[i] = std::byte(i);
  both(0x46dd794e);
  for (size_t i = 0; i < 32; ++i) bytes[i] = std::byte(31 - i);
  both(0x113fdb5c);
  const auto digits = std::as_bytes(std::span(std::string_view("123456789")));
  CHECK(crc32c(digits) == 0xe3069283);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("crc32c: instruction, table and definition agree on every length and alignment") {
  std::mt19937 random(1);
  const Bytes bytes = random_bytes(3000, random);
  for (size_t size = 0; size < 2600; size += size < 100 || size % 768 > 760 ? 1 : 7)
    for (const size_t at : {0, 1, 7}) {
      const auto part = std::span(bytes).subspan(at, size);
      REQUIRE(crc32c(part) == crc_bit_by_bit(part));
      REQUIRE(crc32c_by_table(part) == crc32c(part));
    }
}

TEST_CASE("crc32c: goes on where it was") {
  std::mt19937 random(2);
  const Bytes bytes = random_bytes(2000, random);
  const std::span<const std::byte> all = bytes;
  for (const size_t cut : {0, 1, 4, 12, 767, 768, 1999, 2000}) {
    CHECK(crc32c(all.subspan(cut), crc32c(all.first(cut))) == crc32c(all));
    CHECK(crc32c_by_table(all.subspan(cut), crc32c_by_table(all.first(cut))) == crc32c(all));
  }
}

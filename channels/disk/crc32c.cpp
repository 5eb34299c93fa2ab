#include "channels/disk/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace tailrace {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // 0x1EDC6F41, reflected

using Table = std::array<uint32_t, 256>;

constexpr Table byte_table() {
  Table table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr Table kByte = byte_table();

uint32_t by_table(uint32_t crc, const std::byte* at, size_t size) {
  for (; size > 0; ++at, --size) crc = crc >> 8 ^ kByte[uint8_t(crc ^ uint32_t(*at))];
  return crc;
}

#if defined(__x86_64__)

constexpr size_t kLane = 256;

/// What kLane zero bytes make of a crc, for each of its four bytes: crcs are linear.
constexpr std::array<Table, 4> lane_tables() {
  std::array<uint32_t, 32> of_bit{};
  for (int bit = 0; bit < 32; ++bit) {
    uint32_t crc = uint32_t{1} << bit;
    for (size_t i = 0; i < kLane; ++i) crc = crc >> 8 ^ kByte[crc & 0xff];
    of_bit[size_t(bit)] = crc;
  }
  std::array<Table, 4> tables{};
  for (size_t byte = 0; byte < 4; ++byte)
    for (size_t value = 0; value < 256; ++value)
      for (size_t bit = 0; bit < 8; ++bit)
        if (value >> bit & 1) tables[byte][value] ^= of_bit[byte * 8 + bit];
  return tables;
}
constexpr std::array<Table, 4> kOverLane = lane_tables();

uint32_t over_lane(uint32_t crc) {
  return kOverLane[0][crc & 0xff] ^ kOverLane[1][crc >> 8 & 0xff] ^ kOverLane[2][crc >> 16 & 0xff] ^
         kOverLane[3][crc >> 24];
}

uint64_t load(const std::byte* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// One instruction takes three cycles and may begin each cycle: hence three lanes.
__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t before, const std::byte* at, size_t size) {
  uint64_t crc = before;
  for (; size >= 3 * kLane; at += 3 * kLane, size -= 3 * kLane) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      crc = _mm_crc32_u64(crc, load(at + i));
      second = _mm_crc32_u64(second, load(at + kLane + i));
      third = _mm_crc32_u64(third, load(at + 2 * kLane + i));
    }
    crc = over_lane(over_lane(uint32_t(crc)) ^ uint32_t(second)) ^ third;
  }
  for (; size >= 8; at += 8, size -= 8) crc = _mm_crc32_u64(crc, load(at));
  for (; size > 0; ++at, --size) crc = _mm_crc32_u8(uint32_t(crc), uint8_t(*at));
  return uint32_t(crc);
}

#endif

using Function = uint32_t (*)(uint32_t, const std::byte*, size_t);

Function best() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return by_instruction;
#endif
  return by_table;
}
const Function the_best = best();

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before) {
  return ~the_best(~before, bytes.data(), bytes.size());
}

uint32_t crc32c_by_table(std::span<const std::byte> bytes, uint32_t before) {
  return ~by_table(~before, bytes.data(), bytes.size());
}

}  // namespace tailrace

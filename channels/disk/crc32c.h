#pragma once
// CRC-32C (RFC 3720, B.4).

#include <cstddef>
#include <cstdint>
#include <span>

namespace tailrace {

/// Of `bytes` behind those that gave `before` (0: none): crc(b, crc(a)) is that of a and b in a row. With the
/// processor's instruction, three streams at once for long inputs; by table where it has none.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0);

/// By table, a byte at a time: what runs without the instruction.
uint32_t crc32c_by_table(std::span<const std::byte> bytes, uint32_t before = 0);

}  // namespace tailrace

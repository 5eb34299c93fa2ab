#pragma once
// The slow twin of segment_format and segment_scanner: a segment in memory, byte by byte, by the words of
// docs/disk-format.md sections 3 and 4. Uses nothing of what it is compared with.

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tailrace {

struct TwinEntry {
  uint64_t offset = 0, size = 0;
  uint32_t channel = 0, ordinal = 0;
  uint64_t number = 0;
  int64_t arrival = 0;
  std::string text;
  bool operator==(const TwinEntry&) const = default;
};

struct TwinStretch {
  uint64_t begin, end;
  bool zeros;
  bool operator==(const TwinStretch&) const = default;
};

struct TwinScan {
  std::vector<TwinEntry> entries;
  std::vector<TwinStretch> stretches;
  uint64_t ended = 0;
  bool operator==(const TwinScan&) const = default;
};

namespace twin {

using Bytes = std::span<const std::byte>;

inline uint64_t number(Bytes bytes, uint64_t at, int size) {
  uint64_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | uint8_t(bytes[at + uint64_t(i)]);
  return value;
}

inline void add_to_crc(uint32_t& crc, uint8_t byte) {
  for (int bit = 0; bit < 8; ++bit) {
    const bool out = (crc ^ byte >> bit) & 1;
    crc = crc >> 1 ^ (out ? 0x82f63b78u : 0);
  }
}

inline bool post_has_its_form(const std::string& text) {
  if (text.size() < 16) return false;
  const std::string line = text.substr(16);
  if (line.rfind("accepted=", 0) != 0) return false;
  size_t digits = 9;
  while (digits < line.size() && isdigit(uint8_t(line[digits]))) ++digits;
  if (digits == 9) return false;
  uint64_t value = 0;
  for (size_t i = 9; i < digits; ++i)
    if ((value = value * 10 + uint64_t(line[i] - '0')) > 0xffffffff) return false;
  return digits == line.size() || (line[digits] == ' ' && digits + 1 < line.size());
}

/// The entry at `at`, if one is valid there. `salt`: the crc's, then the seal's.
inline std::optional<TwinEntry> entry_at(Bytes bytes, uint64_t at, uint32_t crc_salt, uint32_t seal_salt) {
  if (at % 8 != 0 || at + 56 > bytes.size()) return {};
  if (number(bytes, at + 4, 4) != (seal_salt ^ uint32_t(at / 8))) return {};
  TwinEntry e;
  e.offset = at;
  e.channel = uint32_t(number(bytes, at + 8, 4));
  e.ordinal = uint32_t(number(bytes, at + 12, 4));
  e.number = number(bytes, at + 16, 8);
  e.arrival = int64_t(number(bytes, at + 32, 8));
  const uint64_t text_size = number(bytes, at + 24, 4);
  const bool control = e.channel == 0xffffffff;
  uint64_t bound = 32 * 1024;
  if (control && e.ordinal == 1) bound = 24 + 1024 * 16;
  if (control && e.ordinal == 2) bound = 16;
  if (control && e.ordinal == 3) bound = 1024;
  if (control && e.ordinal == 4) bound = 64 << 20;
  if (control && e.ordinal == 5) bound = 32;
  if (text_size > bound) return {};
  e.size = 56 + text_size;
  while (e.size % 8 != 0) ++e.size;
  if (at + e.size > bytes.size()) return {};

  uint32_t crc = 0xffffffff;
  for (int i = 0; i < 4; ++i) add_to_crc(crc, uint8_t(crc_salt >> 8 * i));
  for (int i = 0; i < 8; ++i) add_to_crc(crc, uint8_t(at >> 8 * i));
  for (uint64_t i = at + 4; i < at + e.size; ++i) add_to_crc(crc, uint8_t(bytes[i]));
  if (number(bytes, at, 4) != uint32_t(~crc)) return {};

  for (uint64_t i = 0; i < text_size; ++i) e.text += char(bytes[at + 56 + i]);
  if (!control) {
    uint64_t before = 4;
    for (const uint64_t field : {40, 42, 44, 46, 48, 50}) {
      if (number(bytes, at + field, 2) <= before) return {};
      before = number(bytes, at + field, 2);
    }
    const uint64_t msg_at = number(bytes, at + 28, 4);
    if (msg_at <= before || msg_at > text_size) return {};
    if (uint8_t(bytes[at + 52]) > 191 || e.number >= uint64_t{1} << 53) return {};
    if (number(bytes, at + 54, 2) != 0) return {};
    return e;
  }
  const Bytes text = bytes.subspan(at + 56, text_size);
  if (e.ordinal == 1 &&
      (text_size < 24 || number(text, 20, 4) != 0 || text_size != 24 + 16 * number(text, 16, 4)))
    return {};
  if (e.ordinal == 2 && (text_size != 16 || number(text, 12, 4) < 72)) return {};
  if (e.ordinal == 3 && !post_has_its_form(e.text)) return {};
  if (e.ordinal == 5 && text_size != 32) return {};
  return e;
}

}  // namespace twin

/// Everything from `begin` on, one offset after the other.
inline TwinScan scan_slowly(std::span<const std::byte> bytes, uint32_t crc_salt, uint32_t seal_salt,
                            uint64_t begin = 8192) {
  TwinScan found;
  uint64_t at = begin, skipped = begin;
  const auto end_stretch = [&](uint64_t end) {
    if (skipped == end) return;
    bool zeros = true;
    for (uint64_t i = skipped; i < end; ++i) zeros = zeros && bytes[i] == std::byte{0};
    found.stretches.push_back({skipped, end, zeros});
  };
  while (at < bytes.size()) {
    const auto entry = twin::entry_at(bytes, at, crc_salt, seal_salt);
    if (!entry) {
      at += 8;
      continue;
    }
    end_stretch(at);
    if (entry->channel == 0xffffffff && entry->ordinal == 4) {
      found.ended = at;
      return found;
    }
    found.entries.push_back(*entry);
    at += entry->size;
    skipped = at;
  }
  if (begin < bytes.size()) end_stretch(bytes.size());
  found.ended = std::max<uint64_t>(begin, bytes.size());
  return found;
}

}  // namespace tailrace

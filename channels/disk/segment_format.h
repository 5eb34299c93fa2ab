#pragma once
// The bytes of a segment: docs/disk-format.md sections 2 and 3 as code. Pure functions, no I/O.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channels/position.h"
#include "channels/posts.h"
#include "channels/record.h"

namespace tailrace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and copied as it is");

inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr uint64_t kHeaderBlock = 4096, kEntriesAt = 2 * kHeaderBlock;
inline constexpr uint64_t kSegmentBytes = 64u << 20;
inline constexpr uint32_t kMostRecordText = 32 * 1024, kMostPostText = 1024, kMostIndexText = 64u << 20;
inline constexpr uint32_t kMostVoids = 1024;  // in one begin entry
/// An index gives offsets / 8 in 32 bits.
inline constexpr uint64_t kMostCapacity = uint64_t{32} << 30;
inline constexpr uint32_t kControlChannel = UINT32_MAX;
inline constexpr uint64_t kPositionLimit = uint64_t{1} << 53;

enum class ControlKind : uint32_t { begin = 1, group = 2, post = 3, index = 4, end = 5 };

/// What two processes must not share and no answer may show: with these an entry can be forged.
struct Salts {
  uint32_t crc = 0, seal = 0;
};

struct SegmentHeader {
  uint64_t segment = 0;
  std::array<uint8_t, 16> data_dir{};
  Salts salts;
  Micros created = 0;
  uint64_t capacity = kSegmentBytes;
};

enum class HeaderFault : uint8_t { none, damaged, newer_version };

/// Both copies, kEntriesAt bytes.
void write_header(const SegmentHeader& header, std::span<std::byte> out);
/// From what the file has of its first kEntriesAt bytes. One good copy is enough. `version`, if given: the
/// one it has.
HeaderFault read_header(std::span<const std::byte> bytes, SegmentHeader& out, uint32_t* version = nullptr);

/// In front of every entry.
struct EntryPrefix {
  uint32_t crc = 0;
  uint32_t seal = 0;
  uint32_t channel = 0;
  uint32_t ordinal = 0;  // its low bits; of a control entry the ControlKind
  uint64_t number = 0;   // of a control entry the kind's value
};
static_assert(sizeof(EntryPrefix) == 24);

constexpr uint64_t stored_size(uint64_t text_size) {
  return sizeof(EntryPrefix) + entry_size(text_size);
}

constexpr uint32_t seal_of(const Salts& salts, uint64_t offset) {
  return salts.seal ^ uint32_t(offset / 8);
}
/// Over everything behind the crc; `entry` is whole, padding included.
uint32_t check_of(const Salts& salts, uint64_t offset, std::span<const std::byte> entry);

/// Lays the prefix in front of `record` (a memory entry, as it is) and pads; the bytes written.
size_t write_record(const Salts& salts, uint64_t offset, uint32_t channel, uint64_t ordinal, Position number,
                    Record record, std::byte* out);

struct BeginText {
  uint64_t before = 0;  // the entry's value
  uint64_t mark = 0, entries = 0;
  struct Void {
    uint64_t segment = 0, end = 0;
    bool operator==(const Void&) const = default;
  };
  std::vector<Void> voids;  // kMostVoids at most
};
struct GroupText {
  uint64_t group = 0;  // the entry's value
  uint64_t mark = 0;
  uint32_t entries = 0, bytes = 0;
};
struct EndText {
  uint64_t index_at = 0;  // the entry's value
  uint64_t records = 0, last_group = 0;
  Micros newest = 0;
  uint64_t mark = 0;
};
inline constexpr uint64_t kGroupBytes = 72, kEndBytes = 88;
uint64_t begin_bytes(const BeginText& begin);
uint64_t post_bytes(const PostVerdict& post);

/// Appends a whole control entry, made at `now`, which will lie at `offset`, to `out`.
void write_begin(const Salts& salts, uint64_t offset, Micros now, const BeginText& begin,
                 std::vector<std::byte>& out);
void write_group(const Salts& salts, uint64_t offset, Micros now, const GroupText& group,
                 std::vector<std::byte>& out);
void write_post(const Salts& salts, uint64_t offset, const PostVerdict& post, std::vector<std::byte>& out);
void write_end(const Salts& salts, uint64_t offset, Micros now, const EndText& end,
               std::vector<std::byte>& out);
/// The same for a text that the caller appends to `out` between the two calls.
size_t open_control(ControlKind kind, uint64_t value, Micros now, std::vector<std::byte>& out);
void close_control(const Salts& salts, uint64_t offset, size_t opened, std::vector<std::byte>& out);

/// A valid entry, as a view of the bytes it was found in.
struct StoredEntry {
  uint64_t offset = 0, size = 0;
  EntryPrefix prefix;
  Record record;  // of a control entry: only its text and arrival mean something

  bool is_control() const { return prefix.channel == kControlChannel; }
  ControlKind kind() const { return ControlKind(prefix.ordinal); }
  uint64_t behind() const { return offset + size; }
};

/// What the fixed part of an entry (its first kFixedBytes) says its size is; 0 if its seal does not fit or
/// the size is beyond its kind's bound. Nothing is checked yet.
inline constexpr size_t kFixedBytes = sizeof(EntryPrefix) + sizeof(EntryHeader);
uint64_t claimed_size(const Salts& salts, uint64_t offset, const std::byte* fixed);

/// The entry at the beginning of `bytes`, which lie at `offset` in a segment; none if it is not valid, or not
/// whole in `bytes`. Looks at no byte beyond them, whatever the sizes in them say. `bytes` are aligned to 8.
std::optional<StoredEntry> read_entry(const Salts& salts, uint64_t offset, std::span<const std::byte> bytes);

std::optional<BeginText> read_begin(const StoredEntry& entry);
std::optional<GroupText> read_group(const StoredEntry& entry);
std::optional<PostVerdict> read_post(const StoredEntry& entry);
std::optional<EndText> read_end(const StoredEntry& entry);

/// `0000000000000017.seg`, and back.
std::string segment_name(uint64_t segment);
std::optional<uint64_t> segment_number(std::string_view name);

}  // namespace tailrace

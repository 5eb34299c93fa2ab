#pragma once
// Segments in memory and in a file, for tests of what reads them.

#include <string>
#include <string_view>
#include <vector>

#include "channels/batch.h"
#include "channels/disk/segment_scanner.h"
#include "tests/disk/segment_twin.h"
#include "tests/disk/temp_dir.h"

namespace tailrace {

inline constexpr Salts kTestSalts{0x12345678, 0x9abcdef0};
inline constexpr Micros kTestTime = 1'795'000'000'000'000;

/// A record as memory holds it, with this message.
class MemoryEntry {
 public:
  explicit MemoryEntry(std::string_view message, Micros arrival = kTestTime) {
    NewRecord r;
    r.head = "2026-11-21T00:00:00Z host";
    r.time_size = 20;
    r.app = "app";
    r.ids = "web.1 -";
    r.procid_size = 5;
    r.message = message;
    words_.assign(entry_size(r.text_size()) / 8, ~uint64_t{0});  // padding is not zero in memory
    write_entry(r, arrival, reinterpret_cast<std::byte*>(words_.data()));
  }
  Record record() const { return Record(reinterpret_cast<const std::byte*>(words_.data())); }

 private:
  std::vector<uint64_t> words_;
};

/// The bytes of a segment, entry by entry.
class SegmentBytes {
 public:
  explicit SegmentBytes(const Salts& its_salts = kTestSalts) : salts(its_salts) {
    bytes.resize(kEntriesAt);
    SegmentHeader header;
    header.segment = 1;
    header.salts = salts;
    write_header(header, bytes);
  }

  uint64_t end() const { return bytes.size(); }

  void record(uint32_t channel, uint64_t ordinal, uint64_t number, std::string_view message) {
    const MemoryEntry entry(message);
    const uint64_t at = end();
    bytes.resize(at + stored_size(entry.record().header().text_size));
    write_record(salts, at, channel, ordinal, {number}, entry.record(), bytes.data() + at);
  }
  void begin(const BeginText& text = {}) { write_begin(salts, end(), kTestTime, text, bytes); }
  void group(uint64_t group, uint32_t entries, uint32_t size) {
    write_group(salts, end(), kTestTime, {group, 1 << 30, entries, size}, bytes);
  }
  void post(const PostVerdict& post) { write_post(salts, end(), post, bytes); }
  void zeros(uint64_t size) { bytes.resize(end() + size); }

  const Salts salts;
  std::vector<std::byte> bytes;
};

/// `bytes` in a file that is written again and again.
class SegmentFile {
 public:
  SegmentFile() : file_(File::create(dir_ / "segment").value()) {}
  const File& with(std::span<const std::byte> bytes) {
    file_.truncate(bytes.size()).value();
    file_.write(0, bytes).value();
    return file_;
  }
  /// The same with one byte changed.
  const File& set(uint64_t offset, std::byte value) {
    file_.write(offset, std::span(&value, 1)).value();
    return file_;
  }

 private:
  const TempDir dir_;
  File file_;
};

/// What the scanner finds, in the twin's words.
inline TwinScan scan(const File& file, const Salts& salts = kTestSalts) {
  TwinScan found;
  SegmentScanner scanner(file, salts, kEntriesAt, file.size().value());
  const auto add_stretch = [&] {
    const Stretch& s = scanner.stretch();
    if (!s.empty()) found.stretches.push_back({s.begin, s.end, s.zeros});
  };
  while (const StoredEntry* e = scanner.next()) {
    add_stretch();
    found.entries.push_back({e->offset, e->size, e->prefix.channel, e->prefix.ordinal, e->prefix.number,
                             e->record.arrival(), std::string(e->record.text())});
  }
  add_stretch();
  found.ended = scanner.at();
  return found;
}

/// The messages of the records among them.
inline std::vector<std::string> messages(const TwinScan& found) {
  std::vector<std::string> all;
  for (const TwinEntry& e : found.entries)
    if (e.channel != kControlChannel) all.push_back(e.text.substr(e.text.find(" - - ") + 5));
  return all;
}

}  // namespace tailrace

#pragma once
// A data dir's segments as a store would leave them, and what must be read from them.

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "channels/disk/recovery.h"
#include "tests/disk/segment_fixture.h"

namespace tailrace {

struct Known {
  uint64_t ordinal, number;
  std::string message;
  bool operator==(const Known&) const = default;
};
using Channels = std::map<uint32_t, std::vector<Known>>;

inline std::string to_text(const std::vector<Known>& records) {
  std::string text;
  for (const Known& k : records)
    text += std::to_string(k.ordinal) + ":" + std::to_string(k.number) + ":" + k.message.substr(0, 20) + " ";
  return text;
}

/// Writes groups as the writer thread does, and remembers what it wrote.
class DataDir {
 public:
  explicit DataDir(uint64_t capacity = 1 << 20) : capacity_(capacity) {}

  std::string path(uint64_t segment) const { return dir_ / segment_name(segment); }
  const std::string& dir() const { return dir_.path(); }

  SegmentHeader header(uint64_t segment) const {
    // Salts of each segment's own, as random ones would be.
    return {segment,
            data_dir,
            {uint32_t(segment * 0x9e3779b9), uint32_t(segment * 0x85ebca6b + 1)},
            kTestTime,
            capacity_};
  }

  /// The next segment becomes the head; the one before stays as it is.
  void begin(std::vector<BeginText::Void> voids = {}) {
    begin_text_ = {head_ ? head_->header().segment : 0, mark, entries, std::move(voids)};
    head_ = std::make_unique<SegmentWriter>(prepare_segment(dir(), header(next_segment)).value(),
                                            header(next_segment), begin_text_, kTestTime);
    ++next_segment;
    index_ = {};
  }

  /// One group; false if it failed.
  bool group(const std::vector<std::pair<uint32_t, std::vector<std::string>>>& records,
             const std::vector<PostVerdict>& posts = {}) {
    std::vector<Piece> pieces;
    for (const auto& [channel, messages] : records) {
      auto& end = ends[channel];
      pieces.push_back({channel, end.first, make_slice(end.second, messages)});
      auto& all = expected[channel];
      for (const std::string& m : messages) all.push_back({end.first++, end.second++, m});
    }
    return write(pieces, posts);
  }

  /// Pieces as they are: copies, or what failed before.
  bool write(const std::vector<Piece>& pieces, const std::vector<PostVerdict>& posts = {}) {
    GroupText text{++group_number, mark, uint32_t(posts.size()), kGroupBytes};
    for (const Piece& p : pieces) {
      text.entries += p.slice.records;
      text.bytes += p.slice.bytes() + uint32_t(sizeof(EntryPrefix)) * p.slice.records;
    }
    for (const PostVerdict& p : posts) text.bytes += uint32_t(post_bytes(p));
    head_->begin_group(text, kTestTime);
    IndexBuilder index = index_;
    for (const Piece& p : pieces) index.add(head_->add_records(p.channel, p.ordinal, p.slice));
    for (const PostVerdict& p : posts) index.add(p, head_->add_post(p));
    if (!head_->sync()) return false;
    index_ = std::move(index);
    entries += text.entries;
    return true;
  }

  void seal() {
    File file = File::open_to_write(path(head_->header().segment)).value();
    const EndText end{0, 0, group_number, 0, mark};
    seal_segment(file, head_->header(), head_->synced_end(), index_, end, kTestTime).value();
  }

  void prepare() { (void)prepare_segment(dir(), header(next_segment++)).value(); }

  SegmentWriter& head() { return *head_; }

  std::array<uint8_t, 16> data_dir{1, 2, 3};
  uint64_t next_segment = 1, group_number = 0, entries = 0, mark = 1 << 26;
  std::map<uint32_t, std::pair<uint64_t, uint64_t>> ends;  // ordinal, number
  Channels expected;

 private:
  const uint64_t capacity_;
  TempDir dir_;
  std::unique_ptr<SegmentWriter> head_;
  BeginText begin_text_;
  IndexBuilder index_;
};

inline RecoveryOptions options_for(const DataDir& dir, Micros now = kTestTime + 1'000'000) {
  RecoveryOptions options;
  options.segments_dir = dir.dir();
  options.now = now;
  return options;
}

/// A start: what recovery says, and the set it filled.
struct Started {
  explicit Started(const RecoveryOptions& options) {
    auto result = recover(options, segments, error);
    failed = !result;
    if (result) recovered = std::move(*result);
  }
  explicit Started(const DataDir& dir) : Started(options_for(dir)) {}

  SegmentSet segments;
  Recovered recovered;
  std::string error;
  bool failed = false;
};

/// Everything of a channel as a lagging cursor would read it.
inline std::vector<Known> read_channel(const SegmentSet& segments, uint32_t channel, size_t most = 3) {
  std::vector<Known> all;
  uint64_t next = 0;
  for (;;) {
    const std::vector<Extent> extents = segments.find(channel, next, most).value();
    if (extents.empty()) return all;
    for (const Extent& e : extents) {
      CHECK(e.from >= next);
      CHECK(e.until > e.from);
      SegmentScanner scanner(e.segment->file, e.segment->header.salts, e.run.offset,
                             e.run.offset + e.run.bytes);
      while (const StoredEntry* entry = scanner.next()) {
        const uint64_t ordinal = whole_ordinal(entry->prefix.ordinal, e.run.ordinal);
        if (ordinal < e.from || ordinal >= e.until) continue;
        all.push_back({ordinal, entry->prefix.number, std::string(entry->record.message())});
      }
      next = e.until;
    }
  }
}

inline Channels read_all(const Started& started, size_t most = 3) {
  Channels all;
  for (uint32_t c = 0; c < started.recovered.channels.size(); ++c)
    if (started.recovered.channels[c].end_ordinal > 0) all[c] = read_channel(started.segments, c, most);
  return all;
}

}  // namespace tailrace

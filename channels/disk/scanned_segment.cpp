#include "channels/disk/scanned_segment.h"

#include <algorithm>
#include <array>

namespace tailrace {

uint64_t whole_ordinal(uint32_t low, uint64_t about) {
  // The difference as a signed number is the way to the nearest one; below 0 there is none.
  const auto way = int32_t(low - uint32_t(about));
  return way < 0 && about < uint64_t(-int64_t{way}) ? low : about + uint64_t(int64_t{way});
}

namespace {

/// Adds one entry after the other to what is known.
class Collector {
 public:
  Collector(ScannedSegment& out, const std::function<uint64_t(uint32_t)>& about) : out_(out), about_(about) {}

  void add(const StoredEntry& e) {
    out_.entries_end = e.behind();
    if (!e.is_control()) return add_record(e);
    switch (e.kind()) {
      case ControlKind::begin:
        out_.begin = read_begin(e);
        out_.mark = std::max(out_.mark, out_.begin->mark);
        return;
      case ControlKind::group:
        return begin_group(e.offset, *read_group(e));
      case ControlKind::post:
        posts_.emplace_back(*read_post(e), e.offset);
        return count(e);
      default:
        return;
    }
  }

  void finish() { end_group(); }

 private:
  void add_record(const StoredEntry& e) {
    const uint32_t channel = e.prefix.channel;
    const ChannelLine* const line = out_.index.channel(channel);
    const uint64_t ordinal = whole_ordinal(e.prefix.ordinal, line ? line->highest_ordinal : about_(channel));
    out_.index.add({channel, {ordinal, e.offset, 1, uint32_t(e.size)}, e.prefix.number, e.record.arrival()});
    out_.highest_number = std::max(out_.highest_number, e.prefix.number);
    count(e);
  }

  void begin_group(uint64_t offset, const GroupText& text) {
    end_group();
    ++out_.groups;
    out_.last_group = std::max(out_.last_group, text.group);
    out_.mark = std::max(out_.mark, text.mark);
    out_.last_group_at = offset, out_.last_group_end = offset + text.bytes;
    announced_ = text.entries, found_ = 0;
  }
  /// Entries behind its end are of a group whose own entry is damaged.
  void count(const StoredEntry& e) { found_ += e.offset < out_.last_group_end; }
  /// A post counts only if its group is whole: the POST's records may be what is missing (D14).
  void end_group() {
    out_.last_group_missing = announced_ - std::min(announced_, found_);
    for (const auto& [post, offset] : posts_)
      if (out_.last_group_missing == 0 && offset < out_.last_group_end) out_.index.add(post, offset);
    posts_.clear();
  }

  ScannedSegment& out_;
  const std::function<uint64_t(uint32_t)>& about_;
  uint32_t announced_ = 0, found_ = 0;                   // entries of the group
  std::vector<std::pair<PostVerdict, uint64_t>> posts_;  // of the group
};

}  // namespace

ScannedSegment scan_segment(const File& file, const Salts& salts, uint64_t end,
                            const std::function<uint64_t(uint32_t channel)>& about) {
  ScannedSegment out;
  Collector collector(out, about);
  SegmentScanner scanner(file, salts, kEntriesAt, end);
  while (const StoredEntry* entry = scanner.next()) {
    if (!scanner.stretch().empty()) out.stretches.push_back(scanner.stretch());
    collector.add(*entry);
  }
  if (!scanner.stretch().empty() && !scanner.stretch().zeros) out.stretches.push_back(scanner.stretch());
  collector.finish();
  out.error = scanner.error();
  return out;
}

PostVerdict read_verdict(const File& file, const Salts& salts, const PostLine& line) {
  PostVerdict post{line.key, line.arrival, line.accepted, {}};
  if (line.rejected_at == 0) return post;
  const uint64_t at = uint64_t{line.rejected_at} * 8;
  alignas(8) std::array<std::byte, stored_size(kMostPostText)> bytes;
  const auto got = file.read(at, bytes);
  if (!got) return post;
  const auto entry = read_entry(salts, at, std::span(bytes).first(*got));
  if (entry && entry->is_control() && entry->kind() == ControlKind::post)
    post.rejected = read_post(*entry)->rejected;
  return post;
}

}  // namespace tailrace

#include "channels/disk/group_writer.h"

#include <algorithm>

#include "channels/errc.h"

namespace tailrace {
namespace {

constexpr uint64_t kMostPart = uint64_t{1} << 30;  // a group entry gives its bytes in 32 bits

uint64_t bytes_of(const Slice& slice) {
  return slice.bytes() + sizeof(EntryPrefix) * uint64_t{slice.records};
}

/// Takes as many records off the front of `slice` as fit into `room`.
Slice take_front(StoredSlice& rest, uint64_t room) {
  Slice front = rest.slice;
  front.records = 0;
  front.end_at = front.begin_at;
  uint64_t bytes = 0;
  for (const Record record : rest.slice) {
    bytes += sizeof(EntryPrefix) + record.stride();
    if (bytes > room) break;
    front.end_at += uint32_t(record.stride());
    ++front.records;
  }
  rest.ordinal += front.records;
  rest.slice.begin_at = front.end_at;
  rest.slice.records -= front.records;
  rest.slice.first.value += front.records;
  return front;
}

}  // namespace

/// What has not come to a segment yet; the first of `records` may be a part, which is in `front` then.
struct GroupWriter::Rest {
  std::span<const StoredSlice> records;
  std::span<const PostVerdict> posts;
  bool for_copies;
  std::optional<StoredSlice> front{};

  bool empty() const { return records.empty() && posts.empty(); }
};

Result<void> GroupWriter::write(std::span<const StoredSlice> records, std::span<const PostVerdict> posts,
                                bool for_copies, Micros now) {
  const Rest rest{records, posts, for_copies};
  auto done = write_once(rest, now);
  if (!done && !touched_.empty()) {
    give_up();
    done = write_once(rest, now);
  }
  if (done)
    commit();
  else
    give_up();
  return done;
}

Result<void> GroupWriter::write_once(Rest rest, Micros now) {
  bool wrote = false;
  do {
    if (!head_ || !write_part(rest, now, wrote)) {
      if (head_ && head_->writer.failed()) return head_->writer.sync();
      const bool fresh = head_ && head_->writer.synced_end() == kEntriesAt;
      if (fresh) return make_error_code(DiskErrc::too_big);
      if (const auto next = next_head(rest.for_copies, now); !next) return next;
    }
  } while (!wrote || !rest.empty());
  return {};
}

/// As much of the rest as the head takes, as one group. False: it failed, or nothing fits.
bool GroupWriter::write_part(Rest& rest, Micros now, bool& wrote) {
  SegmentWriter& writer = head_->writer;
  uint64_t room = std::min(writer.room(), kMostPart);
  if (room < kGroupBytes) return false;
  room -= kGroupBytes;

  GroupText text{at_.next_group, next_mark_, 0, uint32_t(kGroupBytes)};
  std::vector<StoredSlice> part;
  while (!rest.records.empty()) {
    StoredSlice& next = rest.front ? *rest.front : rest.front.emplace(rest.records.front());
    const uint64_t all = bytes_of(next.slice);
    const StoredSlice taken{next.channel, next.ordinal, all <= room ? next.slice : take_front(next, room)};
    if (taken.slice.records == 0) break;
    part.push_back(taken);
    text.entries += taken.slice.records;
    text.bytes += uint32_t(bytes_of(taken.slice));
    room -= bytes_of(taken.slice);
    if (all > bytes_of(taken.slice)) break;
    rest.front.reset();
    rest.records = rest.records.subspan(1);
  }
  size_t posts = 0;
  while (rest.records.empty() && posts < rest.posts.size() && post_bytes(rest.posts[posts]) <= room) {
    const uint64_t bytes = post_bytes(rest.posts[posts++]);
    ++text.entries;
    text.bytes += uint32_t(bytes);
    room -= bytes;
  }
  if (text.entries == 0 && !rest.empty()) return false;

  if (touched_.empty() || touched_.back().segment != head_->segment) touched_.push_back({head_->segment, {}});
  Growth& growth = touched_.back().growth;
  writer.begin_group(text, now);
  for (const StoredSlice& s : part) growth.runs.push_back(writer.add_records(s.channel, s.ordinal, s.slice));
  for (const PostVerdict& post : rest.posts.first(posts))
    growth.posts.emplace_back(post, writer.add_post(post));
  rest.posts = rest.posts.subspan(posts);
  if (!writer.sync()) return false;
  growth.end = writer.synced_end();
  growth.group = at_.next_group++;
  growth.mark = next_mark_;
  growth.entries += text.entries;
  wrote = true;
  return true;
}

/// The head, if there is one, is full: the next takes its place. errors: no_room.
Result<void> GroupWriter::next_head(bool for_copies, Micros now) {
  auto prepared = parts_.next_segment(for_copies);
  if (!prepared) return make_error_code(ChannelErrc::no_room);
  if (head_ && (touched_.empty() || touched_.back().segment != head_->segment)) parts_.seal(head_->segment);

  uint64_t entries = at_.entries;
  for (const Touched& t : touched_) entries += t.growth.entries;
  auto segment = std::make_shared<Segment>();
  segment->header = prepared->header;
  segment->begin = BeginText{at_.last_segment, next_mark_, entries, voids_};
  segment->file = std::move(prepared->to_read);
  segment->growing = std::make_unique<IndexBuilder>();
  segment->mark = next_mark_;
  segment->bytes = prepared->header.capacity;
  at_.last_segment = prepared->header.segment;
  parts_.segments.add(segment);
  head_.reset();
  head_.emplace(
      Head{segment, SegmentWriter(std::move(prepared->to_write), prepared->header, *segment->begin, now)});
  return {};
}

void GroupWriter::commit() {
  voids_.clear();
  for (Touched& t : touched_) {
    at_.entries += t.growth.entries;
    parts_.segments.grew(*t.segment, t.growth);
    if (t.segment != head_->segment) parts_.seal(std::move(t.segment));
  }
  touched_.clear();
  mark_.store(next_mark_, std::memory_order_release);
}

/// Nothing of the group counts: what of it lies in a segment is void, no segment that it touched is written
/// to again, and the next head's begin tells of it.
void GroupWriter::give_up() {
  if (touched_.empty()) return;
  for (Touched& t : touched_) {
    voids_.push_back({t.segment->header.segment, t.segment->entries_end});
    if (head_ && head_->segment == t.segment) head_.reset();
    parts_.seal(std::move(t.segment));
  }
  touched_.clear();
  finish();
  // Of segments given up long ago nothing is left behind their ends.
  if (voids_.size() > kMostVoids) voids_.erase(voids_.begin(), voids_.end() - kMostVoids);
}

void GroupWriter::finish() {
  if (head_) parts_.seal(head_->segment);
  head_.reset();
}

}  // namespace tailrace

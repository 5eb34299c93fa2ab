#include "channels/disk/segment_set.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "channels/disk/scanned_segment.h"

namespace tailrace {
namespace {

/// The number of the run's first record, by the first of its entries that can be read; none can: 0.
uint64_t first_number(const Segment& segment, uint32_t channel, const Run& run) {
  SegmentScanner scanner(segment.file, segment.header.salts, run.offset, run.offset + run.bytes);
  const StoredEntry* const entry = scanner.next();
  if (!entry || entry->prefix.channel != channel) return 0;
  return entry->prefix.number - (whole_ordinal(entry->prefix.ordinal, run.ordinal) - run.ordinal);
}

/// SegmentSet::since() of one run.
Result<std::optional<SegmentSet::RecordAt>> first_since(const Segment& segment, uint32_t channel,
                                                        const Run& run, uint64_t from, uint64_t until,
                                                        Micros time) {
  SegmentScanner scanner(segment.file, segment.header.salts, run.offset, run.offset + run.bytes);
  while (const StoredEntry* const entry = scanner.next()) {
    const uint64_t ordinal = whole_ordinal(entry->prefix.ordinal, run.ordinal);
    if (ordinal >= until) break;
    if (ordinal >= from && entry->prefix.channel == channel && entry->record.arrival() >= time)
      return std::optional(SegmentSet::RecordAt{ordinal, {entry->prefix.number}});
  }
  if (scanner.error()) return scanner.error();
  return std::optional<SegmentSet::RecordAt>();
}

/// What is not covered yet of runs that come newest segment first.
class Cover {
 public:
  void add(const SegmentPtr& segment, const Run& run, uint64_t from) {
    uint64_t at = std::max(run.ordinal, from);
    auto next = extents_.upper_bound(at);
    if (next != extents_.begin()) at = std::max(at, std::prev(next)->second.until);
    while (at < run.end_ordinal()) {
      const uint64_t until =
          next == extents_.end() ? run.end_ordinal() : std::min(run.end_ordinal(), next->second.from);
      if (at < until) extents_.emplace_hint(next, at, Extent{segment, run, at, until});
      if (next == extents_.end()) return;
      at = std::max(at, next->second.until);
      ++next;
    }
  }

  /// In order, up to `horizon`.
  std::vector<Extent> take(uint64_t horizon, size_t most) {
    std::vector<Extent> all;
    for (auto& [from, extent] : extents_) {
      if (from >= horizon || all.size() == most) break;
      extent.until = std::min(extent.until, horizon);
      all.push_back(std::move(extent));
    }
    return all;
  }

 private:
  std::map<uint64_t, Extent> extents_;  // by their first ordinal; they do not overlap
};

}  // namespace

/// One segment's share in a channel.
struct SegmentSet::Part {
  SegmentPtr segment;
  ChannelLine line;
  std::vector<Run> runs;
};

/// Newest segment first, only those that have some.
Result<std::vector<SegmentSet::Part>> SegmentSet::parts_of(uint32_t channel, Unreadable unreadable) const {
  std::set<uint64_t> left_out;
  for (;;) {
    std::vector<Part> parts;
    std::vector<std::pair<size_t, StoredIndex>> stored;  // which part's, as it was under the lock
    {
      const std::shared_lock lock(mutex_);
      for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
        const SegmentPtr& segment = at->second;
        if (left_out.contains(at->first)) continue;
        if (segment->index) {
          stored.emplace_back(parts.size(), *segment->index);
          parts.push_back({segment, {}, {}});
        } else if (const ChannelLine* line = segment->growing->channel(channel)) {
          parts.push_back({segment, *line, segment->growing->runs(channel)});
        }
      }
    }
    const auto bad = std::ranges::find_if(stored, [&](const auto& one) {
      Part& part = parts[one.first];
      const auto line = one.second.channel(channel);
      if (!line) return true;
      part.line = *line;
      if (line->records == 0) return false;
      auto runs = one.second.runs(*line);
      if (runs) part.runs = std::move(*runs);
      return !runs;
    });
    if (bad == stored.end()) {
      std::erase_if(parts, [](const Part& part) { return part.runs.empty(); });
      return parts;
    }
    Segment& segment = *parts[bad->first].segment;
    const auto scanned = scan_instead(segment, bad->second);
    if (scanned) continue;
    if (unreadable == Unreadable::refused) return scanned.error();
    left_out.insert(segment.header.segment);
  }
}

/// Its index was good when it was opened, and is not any more: what a scan finds takes its place.
Result<void> SegmentSet::scan_instead(Segment& segment, const StoredIndex& index) const {
  const auto about = [&](uint32_t channel) -> uint64_t {
    for (const SegmentPtr& other : all())
      if (other.get() != &segment && other->index)
        if (const auto line = other->index->channel(channel); line && line->records)
          return line->highest_ordinal;
    return 0;
  };
  ScannedSegment scan = scan_segment(segment.file, segment.header.salts, index.end().index_at, about);
  if (scan.error) return scan.error;
  const std::unique_lock lock(mutex_);
  if (!segment.index) return {};  // somebody was faster
  segment.growing = std::make_unique<IndexBuilder>(std::move(scan.index));
  segment.index.reset();
  return {};
}

Result<std::vector<Extent>> SegmentSet::find(uint32_t channel, uint64_t ordinal, size_t most,
                                             Unreadable unreadable) const {
  const auto parts = parts_of(channel, unreadable);
  if (!parts) return parts.error();
  Cover cover;
  uint64_t horizon = UINT64_MAX;  // behind it, runs that were not looked at may lie
  for (const Part& part : *parts) {
    size_t taken = 0;
    for (const Run& run : part.runs) {
      if (run.end_ordinal() <= ordinal) continue;
      if (taken++ == most) {
        horizon = std::min(horizon, run.ordinal);
        break;
      }
      cover.add(part.segment, run, ordinal);
    }
  }
  return cover.take(horizon, most);
}

Result<uint64_t> SegmentSet::ordinal_behind(uint32_t channel, Position position,
                                            Unreadable unreadable) const {
  const auto parts = parts_of(channel, unreadable);
  if (!parts) return parts.error();
  uint64_t found = UINT64_MAX, end = 0;
  for (const Part& part : *parts) {
    end = std::max(end, part.line.highest_ordinal + 1);
    if (part.line.highest_number <= position.value) continue;
    // The last run that begins at or below the position; numbers rise with the ordinals.
    const auto above = std::partition_point(part.runs.begin(), part.runs.end(), [&](const Run& run) {
      return first_number(*part.segment, channel, run) <= position.value;
    });
    if (above != part.runs.end()) found = std::min(found, above->ordinal);
    if (above == part.runs.begin()) continue;
    const Run& below = *std::prev(above);
    const uint64_t past = position.value - first_number(*part.segment, channel, below) + 1;
    if (past < below.records) found = std::min(found, below.ordinal + past);
  }
  return found == UINT64_MAX ? end : found;
}

Result<std::optional<SegmentSet::RecordAt>> SegmentSet::since(uint32_t channel, uint64_t from, uint64_t until,
                                                              Micros time) const {
  auto parts = parts_of(channel, Unreadable::refused);
  if (!parts) return parts.error();
  std::erase_if(*parts, [&](const Part& part) { return part.line.newest < time; });
  std::ranges::sort(*parts, {}, [](const Part& part) { return part.line.lowest_ordinal; });
  std::optional<RecordAt> found;
  for (const Part& part : *parts) {
    for (const Run& run : part.runs) {
      if (run.ordinal >= until) break;
      if (run.end_ordinal() <= from) continue;
      const auto in_run = first_since(*part.segment, channel, run, from, until, time);
      if (!in_run) return in_run.error();
      if (!*in_run) continue;
      found = **in_run;
      until = found->ordinal;
      break;
    }
  }
  return found;
}

SegmentPtr SegmentSet::oldest() const {
  const std::shared_lock lock(mutex_);
  return segments_.empty() ? nullptr : segments_.begin()->second;
}

std::vector<SegmentPtr> SegmentSet::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<SegmentPtr> all;
  all.reserve(segments_.size());
  for (const auto& [number, segment] : segments_) all.push_back(segment);
  return all;
}

uint64_t SegmentSet::bytes() const {
  const std::shared_lock lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [number, segment] : segments_) bytes += segment->bytes;
  return bytes;
}

size_t SegmentSet::count() const {
  const std::shared_lock lock(mutex_);
  return segments_.size();
}

uint64_t SegmentSet::newest() const {
  const std::shared_lock lock(mutex_);
  return segments_.empty() ? 0 : segments_.rbegin()->first;
}

uint64_t SegmentSet::newest_synced() const {
  const std::shared_lock lock(mutex_);
  for (auto at = segments_.rbegin(); at != segments_.rend(); ++at)
    if (at->second->entries_end > kEntriesAt) return at->first;
  return 0;
}

template <class F>
std::optional<StoredIndex> SegmentSet::index_of(const Segment& segment, F&& grown) const {
  const std::shared_lock lock(mutex_);
  if (!segment.index) grown(*segment.growing);
  return segment.index;
}

Result<std::vector<ChannelLine>> SegmentSet::lines(const Segment& segment) const {
  std::vector<ChannelLine> lines;
  const auto add = [&](const ChannelLine& line) { lines.push_back(line); };
  const auto index = index_of(segment, [&](const IndexBuilder& grown) { grown.for_each(add); });
  if (!index) return lines;
  if (const auto read = index->for_each(add); !read) return read.error();
  return lines;
}

Result<ChannelLine> SegmentSet::line(const Segment& segment, uint32_t channel) const {
  ChannelLine found;
  const auto index = index_of(segment, [&](const IndexBuilder& grown) {
    if (const ChannelLine* line = grown.channel(channel)) found = *line;
  });
  if (!index) return found;
  return index->channel(channel);
}

Result<std::vector<Run>> SegmentSet::runs(const Segment& segment, const ChannelLine& line) const {
  std::vector<Run> runs;
  const auto index = index_of(segment, [&](const IndexBuilder& grown) { runs = grown.runs(line.channel); });
  if (!index) return runs;
  return index->runs(line);
}

Result<std::vector<PostLine>> SegmentSet::posts(const Segment& segment) const {
  std::vector<PostLine> posts;
  const auto index = index_of(segment, [&](const IndexBuilder& grown) { posts = grown.posts(); });
  if (!index) return posts;
  return index->posts();
}

void SegmentSet::add(SegmentPtr segment) {
  const std::unique_lock lock(mutex_);
  const uint64_t number = segment->header.segment;
  segments_[number] = std::move(segment);
}

void SegmentSet::grew(Segment& head, const Growth& growth) {
  const std::unique_lock lock(mutex_);
  for (const AddedRun& run : growth.runs) head.growing->add(run);
  for (const auto& [post, offset] : growth.posts) head.growing->add(post, offset);
  head.entries_end = growth.end;
  head.last_group = growth.group;
  head.mark = growth.mark;
  head.newest = head.growing->newest();
}

void SegmentSet::sealed(Segment& segment, StoredIndex index, uint64_t bytes) {
  const std::unique_lock lock(mutex_);
  segment.index = index;
  segment.growing.reset();
  segment.bytes = bytes;
}

void SegmentSet::rescanned(Segment& segment, IndexBuilder found) {
  const std::unique_lock lock(mutex_);
  segment.growing = std::make_unique<IndexBuilder>(std::move(found));
  segment.index.reset();
}

void SegmentSet::remove(const Segment& segment) {
  const std::unique_lock lock(mutex_);
  segments_.erase(segment.header.segment);
  generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace tailrace

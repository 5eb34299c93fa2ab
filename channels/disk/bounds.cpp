#include "channels/disk/bounds.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "channels/chunk.h"

namespace tailrace {
namespace {

constexpr uint64_t kLeastTaken = 64 * 1024;
constexpr uint64_t kLookUpAbove = 1 << 20;  // below it, records of one size are assumed
constexpr size_t kMostExtents = 1024;

struct Share {
  uint64_t bytes;
  uint32_t channel;
  auto operator<=>(const Share&) const = default;
};

/// Shares by size, the biggest first out.
class Heap {
 public:
  void add(Share share) {
    if (share.bytes == 0) return;
    shares_.push_back(share);
    std::push_heap(shares_.begin(), shares_.end());
  }
  Share take() {
    std::pop_heap(shares_.begin(), shares_.end());
    const Share biggest = shares_.back();
    shares_.pop_back();
    return biggest;
  }
  bool empty() const { return shares_.empty(); }
  uint64_t biggest() const { return empty() ? 0 : shares_.front().bytes; }

 private:
  std::vector<Share> shares_;
};

/// `part` of `whole` of a count, rounded up.
uint64_t portion(uint64_t count, uint64_t part, uint64_t whole) {
  if (whole == 0 || part >= whole) return count;
  return std::min(count, uint64_t(double(count) * (double(part) / double(whole))) + 1);
}

/// What the biggest gives at once: down to the next biggest, and no crumbs.
uint64_t step_of(const Share& share, uint64_t next, uint64_t missing) {
  const uint64_t step = std::max({share.bytes - next, share.bytes / 64, kLeastTaken});
  return std::min({step, share.bytes, missing});
}

}  // namespace

Bounds::Held Bounds::hold_disk(uint64_t most, Micros now) {
  Held held;
  logs_.for_each([&](uint32_t, KeptLog& log) { held.live += log.live_bytes(); });
  if (held.live > most) take_spare(most, held, now);
  if (held.live <= most) return held;
  Heap heap;
  logs_.for_each([&](uint32_t channel, KeptLog& log) { heap.add({log.live_bytes(), channel}); });
  while (held.live > most && !heap.empty()) {
    Share share = heap.take();
    const uint64_t taken = step_of(share, heap.biggest(), held.live - most);
    take_from(share.channel, taken, now);
    share.bytes -= taken;
    held.live -= taken;
    held.lost = true;
    heap.add(share);
  }
  return held;
}

void Bounds::take_spare(uint64_t most, Held& held, Micros now) {
  Heap heap;
  logs_.for_each([&](uint32_t channel, KeptLog& log) { heap.add({log.spare_bytes(), channel}); });
  while (held.live > most && !heap.empty()) {
    Share share = heap.take();
    const uint64_t taken = step_of(share, heap.biggest(), held.live - most);
    logs_.with(share.channel, [&](KeptLog& log) { log.give_up_spare(taken, now); });
    share.bytes -= taken;
    held.live -= taken;
    held.lost = true;
    heap.add(share);
  }
}

void Bounds::take_from(uint32_t channel, uint64_t bytes, Micros now) {
  uint64_t floor = 0, ordinal = 0;
  logs_.with(channel, [&](KeptLog& log) {
    floor = log.floor();
    const uint64_t end = std::max(log.synced_end(), floor);
    ordinal = floor + portion(end - floor, bytes, log.live_bytes());
  });
  if (bytes >= kLookUpAbove)
    if (const uint64_t behind = behind_bytes(channel, floor, bytes)) ordinal = behind;
  logs_.with(channel, [&](KeptLog& log) {
    log.lose_before(std::min(ordinal, log.synced_end()), DropReason::disk, now);
  });
}

/// Behind the first `bytes` of the channel's records from `floor` on; 0 if it cannot be looked up.
uint64_t Bounds::behind_bytes(uint32_t channel, uint64_t floor, uint64_t bytes) const {
  const auto extents = segments_.find(channel, floor, kMostExtents);
  if (!extents) return 0;
  uint64_t ordinal = 0;
  for (const Extent& e : *extents) {
    const uint64_t records = e.until - e.from;
    const uint64_t size = uint64_t{e.run.bytes} * records / e.run.records;
    ordinal = e.from + portion(records, bytes, size);
    bytes -= std::min(bytes, size);
    if (bytes == 0) break;
  }
  return ordinal;
}

void Bounds::hold_age(Micros cutoff, Micros now) {
  logs_.for_each([&](uint32_t, KeptLog& log) { log.expire(now); });
  std::map<uint64_t, Micros> known;
  for (const SegmentPtr& segment : segments_.all()) {
    if (!segment->index) continue;
    const auto before = oldest_lines_.find(segment->header.segment);
    Micros oldest = before == oldest_lines_.end() ? std::numeric_limits<Micros>::min() : before->second;
    if (oldest < cutoff) {
      oldest = std::numeric_limits<Micros>::max();
      const auto read = segment->index->for_each([&](const ChannelLine& line) {
        if (line.newest >= cutoff) {
          oldest = std::min(oldest, line.newest);
          return;
        }
        logs_.with(line.channel, [&](KeptLog& log) {
          const uint64_t behind = std::min(line.highest_ordinal + 1, log.synced_end());
          if (log.floor() < behind) log.lose_before(behind, DropReason::age, now);
        });
      });
      if (!read) continue;  // looked at again
    }
    known.emplace(segment->header.segment, oldest);
  }
  oldest_lines_ = std::move(known);
}

void Bounds::hold_memory(uint64_t most) {
  if (chunk_memory().used <= most) return;
  Heap heap;
  logs_.for_each([&](uint32_t channel, KeptLog& log) { heap.add({log.memory(), channel}); });
  while (chunk_memory().used > most && !heap.empty()) {
    Share share = heap.take();
    const bool there =
        logs_.with(share.channel, [&](KeptLog& log) { share.bytes = log.shrink() ? log.memory() : 0; });
    if (there) heap.add(share);
  }
}

}  // namespace tailrace

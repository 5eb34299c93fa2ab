#pragma once
// What the bounds of the process take from the logs: of disk, of age, of memory.

#include <cstdint>
#include <map>

#include "channels/disk/kept_log.h"
#include "channels/disk/segment_set.h"

namespace tailrace {

/// Belongs to the keeper thread. Each call takes every log's lock once, and those of the logs that lose some
/// once more for each piece: for when a bound is near, and once a minute.
class Bounds {
 public:
  Bounds(const SegmentSet& segments, KeptLogs& logs) : segments_(segments), logs_(logs) {}

  struct Held {
    uint64_t live = 0;  // bytes of all channels, after it
    bool lost = false;  // something died
  };
  /// While more than `most` bytes live, what nobody has yet to read goes, of the channel that has the most of
  /// it; then the channel with the most bytes loses its oldest: so a flooding channel pays before a quiet
  /// one.
  Held hold_disk(uint64_t most, Micros now);
  /// What arrived before `cutoff`. Of what lies on disk alone all of a channel's records in one
  /// segment go at once, when the newest of them is too old.
  void hold_age(Micros cutoff, Micros now);
  /// While chunks take more than `most`, the log that could forget the most forgets its oldest.
  void hold_memory(uint64_t most);

 private:
  void take_spare(uint64_t most, Held& held, Micros now);
  void take_from(uint32_t channel, uint64_t bytes, Micros now);
  uint64_t behind_bytes(uint32_t channel, uint64_t floor, uint64_t bytes) const;

  const SegmentSet& segments_;
  KeptLogs& logs_;
  std::map<uint64_t, Micros> oldest_lines_;  // by sealed segment: before it, none of its lines is too old
};

}  // namespace tailrace

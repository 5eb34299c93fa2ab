#pragma once
// From the files of an earlier start to what this one begins with.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "channels/disk/segment_set.h"
#include "channels/posts.h"

namespace tailrace {

/// What the segments hold of one channel.
struct ChannelFound {
  uint64_t end_ordinal = 0;  // behind the newest; 0: the channel does not occur
  uint64_t lowest_ordinal = UINT64_MAX;
  uint64_t records = 0, bytes = 0;  // copies that are there twice count twice
};

struct Recovered {
  std::array<uint8_t, 16> data_dir{};  // zeros: no segment says one
  std::vector<ChannelFound> channels;  // by Channel::index
  std::vector<PostVerdict> posts;      // of the last five minutes, newest first, kMostPosts at most
  uint64_t mark = 0, highest_number = 0;
  uint64_t next_segment = 1, next_group = 1;
  uint64_t last_segment = 0;         // what the next `begin` names as the one before; 0: none
  uint64_t entries = 0;              // records and posts in all segments, the missing ones included
  std::vector<SegmentPtr> unsealed;  // scanned and synced; the keeper seals them

  struct Loss {
    uint64_t torn_entries = 0;  // of the last group: never acknowledged, unless the disk lied
    uint64_t damaged_stretches = 0;
    uint64_t missing_entries = 0;      // in damaged stretches and in missing segments, as far as known by now
    std::vector<uint64_t> unreadable;  // segments whose headers are both gone, or of another dir
  } loss;

  /// Where the numbers of all channels go on. `stored`: the greatest number in positions.db.
  Position base(uint64_t stored, Micros now) const;
};

inline constexpr size_t kMostPosts = 100'000;
inline constexpr Micros kPostMemory = Micros{5} * 60 * 1'000'000;

struct RecoveryOptions {
  std::string segments_dir;
  std::optional<std::array<uint8_t, 16>> data_dir;  // as the catalog has it; none: the newest segment's
  Micros now = 0;
  /// A channel's ordinal as positions.db has it, 0 if it does not: only its high bits matter.
  std::function<uint64_t(uint32_t channel)> about = [](uint32_t) { return uint64_t{0}; };
};

/// Main thread, before any other of the store's runs, with the lock held. Reads the index of each sealed
/// segment, scans the others, with as many threads as there are processors, and removes prepared ones that
/// were never begun. Changes nothing else, and nothing at all if it fails. errors: a newer version, a
/// directory that cannot be read; damage is none. `error`, if it fails: one line for people.
Result<Recovered> recover(const RecoveryOptions& options, SegmentSet& segments, std::string& error);

}  // namespace tailrace

#pragma once
// From the files of an earlier start to what this one begins with.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "channels/disk/segment_set.h"
#include "channels/posts.h"

namespace tailrace {

/// What the segments hold of one channel.
struct ChannelFound {
  uint64_t end_ordinal = 0;  // behind the newest
  uint64_t lowest_ordinal = UINT64_MAX;
  uint64_t records = 0, bytes = 0;  // copies that are there twice count twice
};

struct Recovered {
  std::array<uint8_t, 16> data_dir{};
  std::vector<ChannelFound> channels;  // by Channel::index; UINT32_MAX - 1 of them at most
  std::vector<PostVerdict> posts;      // of the last five minutes, newest first, up to the bound
  uint64_t mark = 0, highest_number = 0;
  uint64_t next_segment = 1, next_group = 1, entries = 0;
  std::vector<SegmentPtr> unsealed;  // scanned and synced; the keeper seals them

  struct Loss {
    uint64_t torn_entries = 0, damaged_stretches = 0, missing_entries = 0;
    std::vector<uint64_t> unreadable;  // segments whose headers are both gone, or of another dir
  } loss;
};

/// Main thread, before any other of the store's runs, with the lock held. Reads the index of each sealed
/// segment, scans the others with as many threads as there are processors, and removes prepared ones that
/// were never begun. errors: a newer version, a directory that cannot be read; damage is none. `error`, if it
/// fails: one line for people.
Result<Recovered> recover(const std::string& dir, SegmentSet& segments, Micros now, std::string& error);

}  // namespace tailrace

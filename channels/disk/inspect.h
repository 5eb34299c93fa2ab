#pragma once
// `tailrace inspect DIR`: reads any data dir, takes no lock, changes nothing.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "channels/disk/recovery.h"
#include "channels/disk/segment_scanner.h"

namespace tailrace {

struct SegmentReport {
  std::string name;
  HeaderFault fault = HeaderFault::none;
  uint64_t bytes = 0, records = 0, posts = 0, groups = 0;
  bool sealed = false, index_agrees = false;  // the index with what the scan found
  Micros oldest = 0, newest = 0;
  std::vector<Stretch> stretches;
};

struct ChannelReport {
  std::string id, name;  // empty where the catalog does not know it
  uint64_t records = 0, bytes = 0, missing = 0;
  /// Numbers that rise by one without a gap in the ordinals.
  struct Range {
    Position first, last;
  };
  std::vector<Range> ranges;
};

struct DirReport {
  std::string holder;  // who has it open, if anybody
  std::vector<SegmentReport> segments;
  std::map<uint32_t, ChannelReport> channels;
  uint64_t missing_segments = 0;
  bool damaged() const;
};

/// Scans every byte. Opens for reading alone, the catalog as an immutable copy; never prints a salt, a token
/// or a password. `use`, if given, is called with each record once, a channel's in the order of their
/// numbers. One thread; memory by channels and runs, not by records.
Result<DirReport> inspect(const std::string& dir,
                          const std::function<void(const ChannelReport&, Position, Record)>& use);

}  // namespace tailrace

#pragma once
// `tailrace inspect DIR`: reads any data dir, changes nothing.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "channels/disk/segment_format.h"
#include "channels/disk/segment_scanner.h"
#include "channels/ledger.h"
#include "channels/position.h"

namespace tailrace {

struct SegmentReport {
  enum class State : uint8_t {
    sealed,
    open,          // the head, or not sealed when its process ended
    prepared,      // nothing was written yet
    void_,         // what it holds was written again elsewhere
    unreadable,    // both copies of its header are gone, or the file cannot be read
    foreign,       // of another data dir
    newer_version  // not this version's to read
  };
  std::string name;
  State state = State::unreadable;
  uint64_t bytes = 0, records = 0, posts = 0, groups = 0;
  Micros oldest = 0, newest = 0;  // arrivals of its records; 0: it has none
  bool header_copy_bad = false;   // one of the two: costs nothing
  bool index_bad = false;         // cannot be read, or says what a scan does not: costs a scan
  std::vector<Stretch> damaged;
  std::vector<Stretch> torn;  // of the last group, which nobody was told of
  uint64_t missing = 0;       // entries that it held once: records, and verdicts of POSTs
  std::string error;          // of the disk
  bool damage() const;
};

struct ChannelReport {
  std::string id, name;  // empty where the catalog does not know it
  uint64_t records = 0;  // each counted once
  uint64_t bytes = 0;    // of its entries, copies included
  /// Ordinals without a record where one should be. Where nothing else is missing in the dir and no drain
  /// needs them, such records were cleaned.
  uint64_t missing = 0;
  Micros oldest = 0, newest = 0;
  /// Numbers that rise by one, without a gap in the ordinals.
  struct Range {
    Position first, last;
  };
  std::vector<Range> ranges;
};

struct DrainReport {
  uint64_t id = 0;
  uint32_t channel = 0;  // Channel::index
  bool stored = false;   // else it begins where the catalog says
  Position next;
  uint64_t ordinal = 0, delivered = 0, filtered = 0;
  Drops dropped{};
  uint64_t buffered = 0;  // records on disk from `ordinal` on
  uint64_t missing = 0;   // records that it should have and that are not there
};

enum class FileState : uint8_t { ok, missing, damaged, newer_version };

struct DirReport {
  std::string holder;  // who has it open, as its lock file says; empty: nobody
  std::vector<SegmentReport> segments;
  std::map<uint32_t, ChannelReport> channels;  // by Channel::index
  std::vector<DrainReport> drains;
  FileState catalog = FileState::ok, catalog_copy = FileState::ok, positions = FileState::ok;
  bool from_copy = false;         // names are those of catalog.copy.db
  uint64_t missing_segments = 0;  // as far as others name them
  uint64_t missing = 0;           // entries that were on disk once, as far as segments and drains tell

  /// Records are missing or damaged.
  bool losses() const;
  /// No losses, and every file is whole. positions.db may be missing: it comes when a drain first moves.
  bool whole() const;
};

/// A segment of the dir is read at most this much at a time when its records are used.
inline constexpr uint32_t kMostInspectedRun = 256 * 1024;

using UseRecord = std::function<bool(uint32_t channel, const ChannelReport&, Position, Record)>;

/// Scans every byte. Opens for reading alone, and has the databases from read_snapshot; never gives a salt,
/// a token or a password. All segments stay open meanwhile, so that what a running process cleans away is
/// read all the same. `use`, if given, is called with each record once, a channel's in the order of their
/// numbers, until it returns false. `wanted`, if given: of which channels. One thread; memory by channels and
/// runs, not by records. errors: no such dir; not a data dir (DiskErrc::not_a_data_dir); no access.
Result<DirReport> inspect(const std::string& dir, const UseRecord& use = {},
                          const std::function<bool(uint32_t channel, const ChannelReport&)>& wanted = {});

}  // namespace tailrace

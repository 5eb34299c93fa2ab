#pragma once
// The thread that reads old records, so that no event loop waits for a disk.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "channels/channel.h"
#include "channels/chunk.h"
#include "channels/disk/segment_set.h"
#include "channels/place.h"

namespace tailrace {

/// What lies at an ordinal, or instead of it.
struct Fetched {
  ChunkRef chunk;        // records from `ordinal` on, with numbers and ordinals that rise by one
  uint64_t ordinal = 0;  // of its first record
  uint64_t asked = 0;    // below `ordinal`: what lay between is lost to damage
  bool at_ring = false;  // nothing more on disk: go on in memory
};

/// Owns its thread, on which files are read and checked and chunks are made. One request per cursor at most,
/// served in turn, about 64 KiB each, so that one reader that lags does not starve the others. What it
/// fetched it hands to the channel's log (DiskLog::fetched, under the log's lock), which wakes the cursors
/// that wait for it.
///
/// Keeps the extents of the channels it reads now (the last 1,000), and the damage met so far, so that a
/// record that two drains miss is counted once in `tailrace_store_damaged_records_total`. Over the process's
/// memory budget it serves one request at a time and no read-ahead. Its lock is a leaf: ask() may be called
/// under a log's lock. It takes a log's lock while holding nothing.
class RecordReader {
 public:
  explicit RecordReader(const SegmentSet& segments);
  ~RecordReader();

  /// Any thread. The records of `channel` from `ordinal` on. The answer may be an error's: then what the disk
  /// will not give is answered as damage up to the next record that can be read.
  void ask(ChannelPtr channel, uint64_t ordinal);
  /// Any thread. Where `place` is, for a cursor that was attached there; answered like ask().
  void resolve(ChannelPtr channel, const Place& place);

  struct Damage {
    uint64_t records = 0, stretches = 0;
  };
  Damage damage() const;

 private:
  struct Request {
    ChannelPtr channel;
    uint64_t ordinal;
  };
  void run(const std::stop_token& stop);
  Fetched fetch(const Request& request);

  const SegmentSet& segments_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Request> asked_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace tailrace

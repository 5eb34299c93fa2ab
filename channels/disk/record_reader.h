#pragma once
// The thread that reads old records, so that no event loop waits for a disk.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "channels/channel.h"
#include "channels/chunk.h"
#include "channels/disk/segment_set.h"

namespace tailrace {

/// What lies on disk from an ordinal on, or instead of it.
struct Fetched {
  /// The ordinal asked for; of a search, what it came to.
  uint64_t asked = 0;
  /// Of the first record of `chunk`; what lies between the two is lost to damage.
  uint64_t ordinal = 0;
  ChunkRef chunk;  // empty: nothing is left on disk below `ordinal`, where memory goes on
  /// Of a search alone: behind which number it was.
  std::optional<Position> sought;
};

/// A channel's log as the record reader sees it. DiskLog is one.
class FetchLog {
 public:
  virtual ~FetchLog() = default;
  /// On the record reader's thread, with none of its locks held.
  virtual void fetched(const Fetched& fetched) = 0;
};

/// Owns its thread, on which files are read and checked and chunks are made. Requests are served in turn,
/// 64 KiB each at most, so that one reader that lags does not starve the others; the same one twice is served
/// once.
///
/// For the channels it reads now it remembers where their records lie, and where the last reads ended: a walk
/// from a run's begin is made once, not for each chunk. Its lock is a leaf: ask() and seek() may be called
/// under a log's lock.
class RecordReader {
 public:
  explicit RecordReader(const SegmentSet& segments);
  ~RecordReader();

  /// Any thread. The records of `channel` from `ordinal` on, which is below `until`, where its memory begins.
  /// What is damaged, or what the disk will not give for a minute, is answered as lost up to the next record
  /// that can be read. Holds the channel until it is answered.
  void ask(ChannelPtr channel, FetchLog& log, uint64_t ordinal, uint64_t until);
  /// Any thread. The same from the first record behind `position`, which is not known to lie in memory.
  void seek(ChannelPtr channel, FetchLog& log, Position position, uint64_t until);
  /// No request is answered any more.
  void stop();

  /// Any thread. Damage took these ordinals from somebody.
  void lost(uint32_t channel, uint64_t from, uint64_t until);
  /// Records that damage took from readers, each counted once while the process runs.
  uint64_t damaged() const;

 private:
  struct Request {
    ChannelPtr channel;
    FetchLog* log;
    uint64_t ordinal, until;
    std::optional<Position> behind;
    int tries = 0;
  };
  struct Work;  // buffers; of each channel extents found earlier, ends of reads
  /// Stretches of ordinals of one channel, by their first; they do not touch.
  using Stretches = std::map<uint64_t, uint64_t>;
  void push(Request request);
  void run(const std::stop_token& stop);
  std::optional<Fetched> fetch(Request& request);

  const SegmentSet& segments_;
  const std::unique_ptr<Work> work_;  // the thread's
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Request> asked_;                     // guarded by mutex_
  std::unordered_map<uint32_t, Stretches> lost_;  // guarded by mutex_
  uint64_t damaged_ = 0;                          // guarded by mutex_
  std::jthread thread_;
};

}  // namespace tailrace

#pragma once
// A channel's log: the interface that the memory, disk and JetStream stores fill.
//
// append() is asynchronous: it gives the first position, or an error, perhaps only after an fsync or an
// acknowledgement from afar. The memory store completes before append() returns; no caller may rely on that.
// Reading never blocks: what is not at hand is as if it had not come yet, and the cursor is woken when it
// has.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "channels/batch.h"
#include "channels/cursor.h"
#include "channels/limits.h"
#include "channels/posts.h"

namespace tailrace {

/// Called once per append, on any thread.
class AppendWaiter {
 public:
  virtual ~AppendWaiter() = default;
  virtual void appended(Result<Position> first) = 0;
};

/// The account of one drain.
struct LedgerLine {
  uint64_t drain;  // DrainEntry::id
  Ledger ledger;
};

struct LogTotals {
  uint64_t accepted = 0;  // records, since the channel's creation
  uint64_t bytes = 0;     // memory or disk it takes now
};

/// Thread-safe. Outlives its cursors.
class Log {
 public:
  virtual ~Log() = default;

  /// Stores the records of `batch` in order, all or none. The batch's bytes need only live until it returns.
  virtual void append(const Batch& batch, AppendWaiter& waiter) = 0;

  /// Lies beside the log, behind what is there now; readers see it at once.
  virtual void add_notice(std::string line) = 0;

  /// Every drain's account and the log's own total, read at one moment.
  virtual std::vector<LedgerLine> ledger(uint64_t& accepted) const = 0;
  virtual LogTotals totals() const = 0;
  /// Where a drain that is added now begins.
  virtual Progress end() const = 0;
  /// Where one begins that is to have what arrived at `time` or later and is still kept, in the log's order:
  /// at the oldest such record, or at the end. Where a clock was set back, older ones may lie behind that;
  /// none that is asked for lies before it. `time` 0: at the oldest record kept. Reads files: for threads
  /// that may block. errors: the disk's.
  virtual Result<Progress> since(Micros time) const = 0;

  /// Whether ingest should let the drains run: one that could run lags by more than half of what it may.
  virtual bool crowded() const = 0;

  /// The channel was removed: appends are refused, and tails are woken to see that nothing more will come.
  virtual void close() = 0;

  /// Gives up what is older than the bounds allow, whether or not something is appended.
  virtual void expire(Micros now) = 0;

  // ---- a cursor's side; what each does stands at Cursor, which alone has a CursorState to call it with ----
  virtual uint64_t attach(CursorState& cursor, const Place& place) = 0;
  virtual uint64_t take_over(CursorState& cursor, CursorState& before, const Progress& from) = 0;
  virtual void keep_place(CursorState& cursor, const CursorState& of) = 0;
  virtual void set_trail(CursorState& cursor, uint64_t records) = 0;
  virtual void succeed(CursorState& cursor, CursorState& before) = 0;
  virtual void detach(CursorState& cursor) = 0;
  virtual Read read(CursorState& cursor, uint32_t max_bytes) = 0;
  virtual bool park(CursorState& cursor) = 0;
  virtual void settle(CursorState& cursor, uint64_t delivered, uint64_t filtered, Micros oldest_left) = 0;
  virtual void drop(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left) = 0;
  virtual Loss take_loss(CursorState& cursor) = 0;
  virtual void set_waiting(CursorState& cursor, bool outside) = 0;
  virtual Ledger ledger(const CursorState& cursor) const = 0;
  virtual Lag lag(const CursorState& cursor) const = 0;
};

/// What a store has on disk, and what of it was lost, for people and scrapers.
struct StoreStatus {
  bool on_disk = false;  // the rest means nothing otherwise
  uint64_t bytes = 0, segments = 0;
  // Records, since the start: that damage took from readers; cut short at the last end, which nobody was told
  // of.
  uint64_t damaged = 0, torn = 0;
  uint64_t waiting = 0, most_waiting = 0;  // bytes in memory that are to be written
};

/// Makes the logs of all channels and holds them within the process's bounds. A store with threads of its own
/// ends them before the event loops are destroyed, and calls every waiter until then.
class Store {
 public:
  virtual ~Store() = default;
  /// A new log for `channel`, which owns it and must not outlive the store.
  virtual std::unique_ptr<Log> open(Channel& channel) = 0;

  /// False: what would be appended now has no place. Streams are not read meanwhile, POSTs are answered 503,
  /// datagrams are dropped. Any thread, cheap.
  virtual bool has_room() const { return true; }
  /// Why the process should not be called ready, for people; empty: it may. Any thread.
  virtual std::string trouble() const { return {}; }
  virtual StoreStatus status() const { return {}; }
  /// Other bounds from now on; what they allow no longer goes soon, counted and told. Main thread.
  virtual void set_limits(const StoreLimits& limits) = 0;

  /// Keeps what a POST was answered across a restart, if the store survives one. Call it when the last append
  /// of the POST was made, whether or not that is known to have succeeded; `refused` is set by whoever waits
  /// for those appends, at the latest when the last one calls, if one failed: then nothing is kept.
  /// `waiter` is told like an append's: an error if it was not kept.
  virtual void remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused,
                        AppendWaiter& waiter);
};

}  // namespace tailrace

#pragma once
// A channel's log: the interface that the memory, disk and JetStream stores fill.
//
// append() is asynchronous: it gives the first position, or an error, perhaps only after an fsync or an
// acknowledgement from afar. The memory store completes before append() returns; no caller may rely on that.
// Reading never blocks: what is not at hand is as if it had not come yet, and the cursor is woken when it
// has.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "channels/batch.h"
#include "channels/cursor.h"
#include "channels/notices.h"

namespace tailrace {

/// Called once per append, on any thread.
class AppendWaiter {
 public:
  virtual ~AppendWaiter() = default;
  virtual void appended(Result<Position> first) = 0;
};

/// The newest records as one reader sees them, with the notices that lie among them.
struct History {
  std::vector<Slice> slices;  // oldest first
  std::vector<Notice> notices;
};

/// The account of one drain, named by its cursor.
struct LedgerLine {
  const Cursor* cursor;
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

  /// Lies beside the log, behind what is there now; readers of text see it at once.
  virtual void add_notice(std::string line) = 0;

  /// Attaches a tail at the end and gives the `records` newest ones before it: between the two there is no
  /// hole.
  virtual History attach_with_history(Cursor& cursor, uint64_t records) = 0;
  /// The same without a reader that stays.
  virtual History history(uint64_t records) const = 0;

  /// Every drain's account and the log's own total, read at one moment.
  virtual std::vector<LedgerLine> ledger(uint64_t& accepted) const = 0;
  virtual LogTotals totals() const = 0;

  /// Whether ingest should let the drains run: one that could run lags by more than half of what it may.
  virtual bool crowded() const = 0;

  /// The channel was removed: appends are refused, and tails are woken to see that nothing more will come.
  virtual void close() = 0;

  /// Gives up what is older than the bounds allow, whether or not something is appended.
  virtual void expire(Micros now) = 0;

 protected:
  friend class Cursor;
  virtual void attach(Cursor& cursor) = 0;
  virtual void detach(Cursor& cursor) = 0;
  virtual Read read(Cursor& cursor, uint32_t max_bytes) = 0;
  virtual bool park(Cursor& cursor) = 0;
  virtual void settle(Cursor& cursor, Outcome outcome, uint64_t records, Micros oldest_left) = 0;
  virtual void drop(Cursor& cursor, DropReason reason, uint64_t records, Micros oldest_left) = 0;
  virtual Loss take_loss(Cursor& cursor) = 0;
  virtual void set_waiting(Cursor& cursor, bool outside) = 0;
  virtual Ledger ledger(const Cursor& cursor) const = 0;
  virtual Cursor::Lag lag(const Cursor& cursor) const = 0;
};

/// Makes the logs of all channels and holds them within the process's bounds.
class Store {
 public:
  virtual ~Store() = default;
  /// A new log for `channel`, which owns it and must not outlive the store.
  virtual std::unique_ptr<Log> open(const Channel& channel) = 0;
};

}  // namespace tailrace

#pragma once
// A channel's log as the keeper sees it. DiskLog is one.

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "channels/ledger.h"

namespace tailrace {

/// Thread-safe; each call takes the log's lock.
class KeptLog {
 public:
  virtual ~KeptLog() = default;

  /// Records below it are dead: nobody reads them any more, or a bound took them.
  virtual uint64_t floor() const = 0;
  /// Nobody reads what lies below it, not even to learn what was lost; floor() at most.
  virtual uint64_t dead_below() const { return floor(); }
  /// Behind the newest that is synced.
  virtual uint64_t synced_end() const = 0;
  /// Gives up what lies before `ordinal` (synced_end() at most): counted, dated, told. It is dead from here
  /// on.
  virtual void lose_before(uint64_t ordinal, DropReason reason, Micros now) = 0;
  /// What is older than the channel's age.
  virtual void expire(Micros now) = 0;
  /// Entries of this channel left the disk, `bytes` of them; `first_kept`: the lowest ordinal that is still
  /// there, synced_end() if none is.
  virtual void cleaned(uint64_t first_kept, uint64_t bytes) = 0;
  /// Bytes that its live entries take on disk, about; and of memory that could be forgotten without a loss.
  virtual uint64_t live_bytes() const = 0;
  /// Of these, what nobody has yet to read and no history shows; and gives up about so much of it, the oldest
  /// first.
  virtual uint64_t spare_bytes() const = 0;
  virtual void give_up_spare(uint64_t bytes, Micros now) = 0;
  virtual uint64_t memory() const = 0;
  /// Forgets the oldest chunk in memory; false if none can be.
  virtual bool shrink() = 0;
};

/// All logs that are open, by Channel::index. Thread-safe. Holds its own lock during a call of `use`, so that
/// no log goes meanwhile; the log's own lock comes below it.
class KeptLogs {
 public:
  virtual ~KeptLogs() = default;
  virtual void for_each(const std::function<void(uint32_t channel, KeptLog& log)>& use) = 0;
  /// False: there is no such log.
  virtual bool with(uint32_t channel, const std::function<void(KeptLog& log)>& use) = 0;
  /// Whether entries of a channel without a log are dead: the catalog removed it. Otherwise the catalog is an
  /// older copy that never knew it, and they are kept for the channels' age.
  virtual bool removed(uint32_t channel) const = 0;
};

}  // namespace tailrace

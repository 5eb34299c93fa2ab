#pragma once
// All drains of the process.

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "drains/drain.h"
#include "drains/target.h"

namespace tailrace {

/// Makes a drain when the catalog gains one, each on the least loaded loop, and ends it when the catalog
/// loses it. Outlived by the loops; watches the catalog from construction to stop().
class DrainSet final : public CatalogWatcher {
 public:
  DrainSet(EventLoops& loops, DrainServices services);
  ~DrainSet() override;

  void drain_added(const DrainEntry& entry) override;
  void drain_removed(const DrainEntry& entry) override;
  void drain_replaced(const DrainEntry& entry) override;
  void drain_paused(const DrainEntry& entry) override;
  void channel_removed(const ChannelPtr& channel) override;

  /// The same as drain_added(), of one whose URL and options somebody else has judged.
  void add(const DrainEntry& entry, JudgedTarget judged);

  /// Puts the drain back to `from`, of Log::since(), and gives how many records come again that had come to
  /// their end: 0 if it is not that far. None: it is not running. A thread that may block, and no loop.
  std::optional<uint64_t> replay(const DrainEntry& entry, const Progress& from);

  /// Looks at what each drain has come to, for its history, once in ten seconds of the clock; to be called
  /// about every second, by one thread.
  void look(Micros now);
  /// What a drain did over time; none: it is not running. Any thread but a loop's hot path.
  std::optional<DrainPast> past(const DrainEntry& entry, Micros now) const;

  /// Waits until every drain that works has nothing left to send, or the time is up. Main thread.
  void flush(std::chrono::milliseconds grace);
  /// Ends all drains; their loops must still run. Main thread.
  void stop();

  const DrainServices& services() const { return services_; }

  /// A drain and its account at the moment its channel was read.
  struct Account {
    DrainEntry entry;
    DrainStatus status;
    Ledger ledger;
    Micros oldest = 0;  // arrival of the oldest record that is buffered; 0: none
    std::shared_ptr<const DrainHistory> history;
  };
  struct ChannelAccount {
    ChannelPtr channel;
    uint64_t accepted = 0;
    std::vector<Account> drains;
  };
  /// All of one channel, read at one moment. Any thread but a loop's hot path.
  ChannelAccount account(const ChannelPtr& channel) const;
  /// Of one drain; none: it is not running. Any thread but a loop's hot path.
  std::optional<Account> account(const DrainEntry& entry) const;

 private:
  DrainPtr make(Loop& loop, const DrainEntry& entry, JudgedTarget judged);
  void replace_now(const DrainEntry& entry, JudgedTarget judged);
  std::optional<uint64_t> replay_now(uint64_t id, const Progress& from, JudgedTarget judged);
  static Account account_of(const Drain& drain, const Ledger& ledger);

  EventLoops& loops_;
  const DrainServices services_;
  std::atomic<uint64_t> most_batch_bytes_;
  DrainServices shared();
  void share_batch_memory();

  Micros next_look_ = 0;  // who calls look()
  mutable std::mutex mutex_;
  std::map<uint64_t, DrainPtr> drains_;            // by id; guarded by mutex_
  std::map<const Loop*, size_t> drains_per_loop_;  // guarded by mutex_
};

}  // namespace tailrace

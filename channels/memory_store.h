#pragma once
// The store without a data dir: every log in memory, within one budget for the process.

#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "channels/memory_log.h"

namespace tailrace {

/// Owns a thread that keeps time (age of records) and the budget: while the process is over it, the biggest
/// log gives up its oldest chunk. An append never takes another channel's lock for that (architecture, 3.8).
/// Outlives its logs.
class MemoryStore final : public Store {
 public:
  struct Options {
    LogLimits limits;
    uint64_t budget = 512u << 20;        // TAILRACE_MEMORY_BYTES
    AppendObserver* observer = nullptr;  // outlives the store
  };
  explicit MemoryStore(Options options);
  ~MemoryStore() override;

  std::unique_ptr<Log> open(Channel& channel) override;
  void set_limits(const StoreLimits& limits) override;

 private:
  class Registered;
  void keep_house(const std::stop_token& stop);
  void shrink(const std::stop_token& stop);

  const Position first_;
  AppendObserver* const observer_;
  MemoryPressure pressure_;

  std::mutex mutex_;
  LogLimits limits_;  // guarded by mutex_
  std::condition_variable_any changed_;
  std::unordered_set<MemoryLog*> logs_;  // guarded by mutex_
  Mono next_expiry_{};                   // guarded by mutex_
  std::jthread keeper_;                  // last: it uses all of the above
};

}  // namespace tailrace

#include "channels/memory_store.h"

#include <queue>

#include "base/thread_name.h"

namespace tailrace {

/// A log that the store knows as long as it lives.
class MemoryStore::Registered final : public MemoryLog {
 public:
  Registered(MemoryStore& store, const Channel& channel)
      : MemoryLog(channel, {}, store.first_, store.observer_, store.pressure_), store_(store) {
    const std::lock_guard lock(store_.mutex_);
    set_limits(store_.limits_);
    store_.logs_.insert(this);
  }
  ~Registered() override {
    const std::lock_guard lock(store_.mutex_);
    store_.logs_.erase(this);
  }

 private:
  MemoryStore& store_;
};

MemoryStore::MemoryStore(Options options)
    // Above every number of an earlier start, however many records that one took (architecture, rule 1).
    : first_{uint64_t(wall_now() / 1'000'000) << 20},
      observer_(options.observer),
      pressure_{options.budget, [this] { changed_.notify_one(); }},
      limits_(options.limits),
      keeper_([this](const std::stop_token& stop) { keep_house(stop); }) {}

MemoryStore::~MemoryStore() {
  keeper_.request_stop();
  keeper_.join();
}

std::unique_ptr<Log> MemoryStore::open(Channel& channel) {
  return std::make_unique<Registered>(*this, channel);
}

void MemoryStore::set_limits(const StoreLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits.log;
  for (MemoryLog* log : logs_) log->set_limits(limits_);
  next_expiry_ = {};
  pressure_.limit = limits.memory_bytes;
  pressure_.note();
}

void MemoryStore::keep_house(const std::stop_token& stop) {
  name_this_thread("memory keeper");
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // A rise may slip in between the look and the sleep, hence the short sleep.
    const bool over =
        changed_.wait_for(lock, stop, std::chrono::seconds(1), [this] { return pressure_.over.load(); });
    if (over) shrink(stop);
    // Batches in flight pin the rest; look again when some may have gone.
    if (pressure_.over) changed_.wait_for(lock, stop, std::chrono::milliseconds(50), [] { return false; });
    if (mono_now() < next_expiry_) continue;
    next_expiry_ = mono_now() + std::chrono::minutes(1);
    for (MemoryLog* log : logs_) log->expire(wall_now());
  }
}

void MemoryStore::shrink(const std::stop_token& stop) {
  // A little below the bound, so that not every further chunk wakes this thread.
  const uint64_t budget = pressure_.limit, enough = budget - budget / 16;
  std::priority_queue<std::pair<uint64_t, MemoryLog*>> biggest;
  for (MemoryLog* log : logs_) biggest.emplace(log->totals().bytes, log);
  while (!biggest.empty() && chunk_memory().used > enough && !stop.stop_requested()) {
    MemoryLog* log = biggest.top().second;
    biggest.pop();
    if (log->shrink()) biggest.emplace(log->totals().bytes, log);
  }
  pressure_.over = false;
  pressure_.note();
}

}  // namespace tailrace

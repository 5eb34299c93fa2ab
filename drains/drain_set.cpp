#include "drains/drain_set.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "base/log.h"
#include "drains/http_drain.h"
#include "drains/syslog_drain.h"
#include "drains/target.h"

namespace tailrace {

namespace {

constexpr Micros kBetweenLooks = 10'000'000;
constexpr int kLooksAtOnce = 64;  // under the set's lock
constexpr uint64_t kLeastHistory = 4096, kMostHistory = 256 * 1024;

/// Not by the address policy: one that was allowed when it was added keeps its place, and its health says
/// what each connect finds.
JudgedTarget judge_stored(const DrainEntry& entry) {
  static const AddressPolicy any = *AddressPolicy::parse("0.0.0.0/0,::/0", "");
  return judge_drain(entry.url, entry.options, any);
}

}  // namespace

DrainSet::DrainSet(EventLoops& loops, DrainServices services)
    : loops_(loops), services_(services), most_batch_bytes_(services.batch_memory) {}
DrainSet::~DrainSet() = default;

/// What a drain is given: with its share of the memory of batches.
DrainServices DrainSet::shared() {
  DrainServices services = services_;
  services.most_batch_bytes = &most_batch_bytes_;
  return services;
}

/// With the lock held, after a drain came or went.
void DrainSet::share_batch_memory() {
  most_batch_bytes_ = std::max<uint64_t>(services_.batch_memory / std::max<size_t>(drains_.size(), 1),
                                         DeliveryPolicy::kFirstBytes);
}

void DrainSet::drain_added(const DrainEntry& entry) {
  JudgedTarget judged = judge_stored(entry);
  if (!judged.error.empty()) {
    // The API judges before it adds; this is the catalog of a later version.
    log_error("a drain cannot be started", "drain=" + entry.token + " reason=\"" + judged.error + "\"");
    return;
  }
  add(entry, std::move(judged));
}

void DrainSet::add(const DrainEntry& entry, JudgedTarget judged) {
  const std::lock_guard lock(mutex_);
  Loop* loop = &loops_[0];
  for (size_t i = 1; i < loops_.size(); ++i)
    if (drains_per_loop_[&loops_[i]] < drains_per_loop_[loop]) loop = &loops_[i];
  ++drains_per_loop_[loop];
  const RecordFilterPtr wanted = judged.options.wanted;
  const DrainPtr drain = make(*loop, entry, std::move(judged));
  drain->attach(wanted);
  drains_[entry.id] = drain;
  share_batch_memory();
  asio::post(loop->io, [drain] {
    if (const Micros since = drain->entry().paused) drain->hold(since, false);
    drain->start();
  });
}

DrainPtr DrainSet::make(Loop& loop, const DrainEntry& entry, JudgedTarget judged) {
  if (judged.target.is_http()) return std::make_shared<HttpDrain>(loop, entry, std::move(judged), shared());
  return std::make_shared<SyslogDrain>(loop, entry, std::move(judged), shared());
}

void DrainSet::drain_removed(const DrainEntry& entry) {
  const std::lock_guard lock(mutex_);
  const auto found = drains_.find(entry.id);
  if (found == drains_.end()) return;
  --drains_per_loop_[&found->second->loop()];
  asio::post(found->second->loop().io, [drain = found->second] { drain->stop(); });
  drains_.erase(found);
  share_batch_memory();
}

void DrainSet::drain_replaced(const DrainEntry& entry) {
  JudgedTarget judged = judge_stored(entry);
  {
    const std::lock_guard lock(mutex_);
    const auto found = drains_.find(entry.id);
    if (found != drains_.end() && judged.error.empty()) {
      asio::post(found->second->loop().io,
                 [this, entry, judged = std::move(judged)] { replace_now(entry, judged); });
      return;
    }
  }
  drain_removed(entry);
  drain_added(entry);
}

/// On the drain's loop.
void DrainSet::replace_now(const DrainEntry& entry, JudgedTarget judged) {
  const std::lock_guard lock(mutex_);
  const auto found = drains_.find(entry.id);
  if (found == drains_.end()) return;
  const DrainPtr drain = found->second;
  const RecordFilterPtr wanted = judged.options.wanted;
  const DrainPtr next = make(drain->loop(), entry, std::move(judged));
  next->succeed(*drain, wanted);
  found->second = next;
  drain->stop();
  if (entry.paused) next->hold(entry.paused, false);
  next->start();
}

void DrainSet::drain_paused(const DrainEntry& entry) {
  const std::lock_guard lock(mutex_);
  const auto found = drains_.find(entry.id);
  if (found == drains_.end()) return;
  // Whoever has taken its place by then.
  asio::post(found->second->loop().io, [this, id = entry.id, paused = entry.paused] {
    DrainPtr drain;
    {
      const std::lock_guard again(mutex_);
      const auto now = drains_.find(id);
      if (now != drains_.end()) drain = now->second;
    }
    if (drain && paused) drain->hold(paused, true);
    if (drain && !paused) drain->resume();
  });
}

std::optional<uint64_t> DrainSet::replay(const DrainEntry& entry, const Progress& from) {
  JudgedTarget judged = judge_stored(entry);  // here, where it may take its time
  if (!judged.error.empty()) return std::nullopt;
  std::future<std::optional<uint64_t>> done;
  {
    const std::lock_guard lock(mutex_);
    const auto found = drains_.find(entry.id);
    if (found == drains_.end()) return std::nullopt;
    std::packaged_task<std::optional<uint64_t>()> task(
        [this, id = entry.id, from, judged = std::move(judged)] { return replay_now(id, from, judged); });
    done = task.get_future();
    asio::post(found->second->loop().io, std::move(task));
  }
  return done.get();
}

/// On the drain's loop, which is also that of whoever took its place meanwhile.
std::optional<uint64_t> DrainSet::replay_now(uint64_t id, const Progress& from, JudgedTarget judged) {
  const std::lock_guard lock(mutex_);
  const auto found = drains_.find(id);
  if (found == drains_.end()) return std::nullopt;
  const DrainPtr drain = found->second;
  const RecordFilterPtr wanted = judged.options.wanted;
  const DrainPtr next = make(drain->loop(), drain->entry(), std::move(judged));
  const uint64_t again = next->take_over(*drain, from, wanted);
  if (!again) return again;
  found->second = next;
  drain->stop();
  next->start();
  return again;
}

void DrainSet::channel_removed(const ChannelPtr&) {}

void DrainSet::look(Micros now) {
  if (now < next_look_ && now >= next_look_ - kBetweenLooks) return;
  next_look_ = now - now % kBetweenLooks + kBetweenLooks;
  for (uint64_t last = 0;;) {
    const std::lock_guard lock(mutex_);
    const uint64_t most = std::clamp(services_.history_memory / std::max<size_t>(drains_.size(), 1),
                                     kLeastHistory, kMostHistory);
    auto drain = drains_.upper_bound(last);
    for (int i = 0; i < kLooksAtOnce; ++i, ++drain) {
      if (drain == drains_.end()) return;
      drain->second->look(now);
      drain->second->hold_history_bound(most);
      last = drain->first;
    }
  }
}

std::optional<DrainPast> DrainSet::past(const DrainEntry& entry, Micros now) const {
  const std::lock_guard lock(mutex_);
  const auto found = drains_.find(entry.id);
  if (found == drains_.end()) return std::nullopt;
  return found->second->past(now);
}

void DrainSet::flush(std::chrono::milliseconds grace) {
  const Mono end = mono_now() + grace;
  const auto behind = [this] {
    const std::lock_guard lock(mutex_);
    // A paused one waits for its far end's owner, not for us.
    return std::ranges::any_of(drains_, [](const auto& item) {
      return item.second->status().state != DrainState::paused && item.second->cursor().lag().records > 0;
    });
  };
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, drain] : drains_) asio::post(drain->loop().io, [drain] { drain->hurry(); });
  }
  while (mono_now() < end && behind()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void DrainSet::stop() {
  std::map<uint64_t, DrainPtr> drains;
  {
    const std::lock_guard lock(mutex_);
    drains.swap(drains_);
  }
  for (auto& [id, drain] : drains) {
    std::promise<void> done;
    asio::post(drain->loop().io, [&] {
      drain->stop();
      done.set_value();
    });
    done.get_future().wait();
  }
}

DrainSet::Account DrainSet::account_of(const Drain& drain, const Ledger& ledger) {
  return {drain.entry(), drain.status(), ledger, drain.cursor().lag().oldest, drain.shared_history()};
}

std::optional<DrainSet::Account> DrainSet::account(const DrainEntry& entry) const {
  const std::lock_guard lock(mutex_);
  const auto found = drains_.find(entry.id);
  if (found == drains_.end()) return std::nullopt;
  return account_of(*found->second, found->second->cursor().ledger());
}

DrainSet::ChannelAccount DrainSet::account(const ChannelPtr& channel) const {
  ChannelAccount account;
  account.channel = channel;
  // The set's lock first, so that no drain ends between its line and its name.
  const std::lock_guard lock(mutex_);
  for (const LedgerLine& line : channel->log->ledger(account.accepted)) {
    const auto found = drains_.find(line.drain);
    if (found == drains_.end()) continue;
    account.drains.push_back(account_of(*found->second, line.ledger));
  }
  std::ranges::sort(account.drains, {}, [](const Account& a) { return a.entry.id; });
  return account;
}

}  // namespace tailrace

#include "ingest/repeats.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tailrace {

PostKey Repeats::key(std::string_view writer, std::string_view frame_id, std::string_view body) const {
  XXH3_state_t state;
  XXH3_128bits_reset_withSeed(&state, seed_);
  for (const std::string_view piece : {writer, frame_id, body}) {
    const uint64_t size = piece.size();  // so that no two splits of the same bytes are alike
    XXH3_128bits_update(&state, &size, sizeof size);
    XXH3_128bits_update(&state, piece.data(), piece.size());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.low64, hash.high64};
}

Repeats::Answer Repeats::ask(const PostKey& key, Waiter& waiter, Mono now) {
  Shard& here = shard(key);
  const std::lock_guard lock(here.mutex);
  forget(here, now);
  const auto [found, is_new] = here.entries.try_emplace(key);
  Entry& entry = found->second;
  if (is_new) return {Answer::Kind::first, Claim(*this, key)};
  if (entry.judged()) return {Answer::Kind::known, {}, entry.verdict()};
  if (!entry.extra) entry.extra = std::make_unique<Extra>();
  entry.extra->waiters.push_back(&waiter);
  return {Answer::Kind::waiting, {}};
}

void Repeats::withdraw(const PostKey& key, Waiter& waiter) {
  Shard& here = shard(key);
  const std::lock_guard lock(here.mutex);
  const auto found = here.entries.find(key);
  if (found != here.entries.end() && found->second.extra) std::erase(found->second.extra->waiters, &waiter);
}

void Repeats::finish(const PostKey& key, const Verdict* verdict, Mono now) {
  std::vector<Waiter*> waiters;
  Shard& here = shard(key);
  {
    const std::lock_guard lock(here.mutex);
    const auto found = here.entries.find(key);
    Entry& entry = found->second;
    if (entry.extra) waiters = std::move(entry.extra->waiters);
    if (verdict && verdict->status() < 429) {
      entry.until = now + kKept;
      entry.accepted = verdict->accepted;
      entry.extra.reset();
      if (verdict->rejected.total())
        entry.extra = std::make_unique<Extra>(Extra{verdict->rejected, verdict->too_large, {}});
      here.judged.push_back(key);
      forget(here, now);
    } else {
      here.entries.erase(found);
    }
  }
  for (Waiter* waiter : waiters) waiter->judged(verdict);
}

void Repeats::forget(Shard& here, Mono now) {
  while (!here.judged.empty()) {
    const auto oldest = here.entries.find(here.judged.front());
    const bool due = oldest->second.until <= now;
    if (!due && here.judged.size() <= most_) return;
    if (!due) forgotten_early_.Increment();
    here.entries.erase(oldest);
    here.judged.pop_front();
  }
}

}  // namespace tailrace

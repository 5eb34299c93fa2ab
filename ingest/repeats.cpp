#include "ingest/repeats.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace tailrace {
namespace {

void put(uint64_t value, uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = uint8_t(value >> 8 * i);
}

uint64_t get(const uint8_t* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value |= uint64_t{bytes[i]} << 8 * i;
  return value;
}

}  // namespace

std::array<uint8_t, 16> PostKey::bytes() const {
  std::array<uint8_t, 16> bytes;
  put(low, bytes.data());
  put(high, bytes.data() + 8);
  return bytes;
}

PostKey PostKey::of(const std::array<uint8_t, 16>& bytes) {
  return {get(bytes.data()), get(bytes.data() + 8)};
}

void Repeats::load(std::span<const PostVerdict> posts, Mono now, Micros wall) {
  // The newest first: it is the one that stands if there are two, and the last to be left out.
  std::vector<const PostVerdict*> newest;
  newest.reserve(posts.size());
  for (const PostVerdict& post : posts) newest.push_back(&post);
  std::ranges::stable_sort(newest, std::ranges::greater(), &PostVerdict::arrival);
  for (const PostVerdict* post : newest) {
    // A clock that was set back since then makes none count longer.
    const auto age = std::chrono::microseconds(std::max<Micros>(wall - post->arrival, 0));
    if (age >= kKept) return;
    const PostKey key = PostKey::of(post->key);
    Shard& here = shard(key);
    const std::lock_guard lock(here.mutex);
    if (here.entries.contains(key)) continue;
    if (here.judged.size() >= most_) {
      forgotten_early_.Increment();
      continue;
    }
    Entry& entry = here.entries[key];
    entry.until = now + (kKept - age);
    entry.accepted = post->accepted;
    if (!post->rejected.empty())
      entry.extra = std::make_unique<Extra>(Extra{rejections_of(post->rejected), false, {}});
    here.judged.push_front(key);
  }
}

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
    if (verdict && remembers(*verdict)) {
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

size_t Repeats::entries() {
  size_t all = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.entries.size();
  }
  return all;
}

}  // namespace tailrace

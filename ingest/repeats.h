#pragma once
// POSTs that come twice: a sender that saw no answer sends again what may have been taken.

#include <prometheus/counter.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "channels/posts.h"
#include "ingest/verdict.h"

namespace tailrace {

/// Names one POST: who sent it, its frame id, and its body. Two different ones are the same with a chance of
/// 2^-128, and nobody can look for them: the hash is seeded.
struct PostKey {
  uint64_t low = 0, high = 0;
  bool operator==(const PostKey&) const = default;

  /// As a store keeps it.
  std::array<uint8_t, 16> bytes() const;
  static PostKey of(const std::array<uint8_t, 16>& bytes);
};

/// Remembers the verdicts of POSTs that had an id, for five minutes each (contract section 3). One for the
/// process, thread-safe; no call waits.
///
/// A verdict that asks the sender to come again (429, 503) is not remembered. Beyond the bound the oldest are
/// forgotten early, and counted: that costs a repeat its recognition and nothing else.
class Repeats {
 public:
  static constexpr auto kKept = std::chrono::minutes(5);
  static constexpr size_t kEntryBytes = 96;  // what one costs, with its place in table and queue

  /// `entries`: how many verdicts at most; `forgotten_early` outlives it. `seed`: random, secret, and the
  /// same at each start that load()s.
  Repeats(size_t entries, prometheus::Counter& forgotten_early, uint64_t seed = random_bits())
      : seed_(seed), most_(entries / kShards + 1), forgotten_early_(forgotten_early) {}

  /// Verdicts of before this start, each for the rest of its five minutes. Once, before the first ask().
  void load(std::span<const PostVerdict> posts, Mono now, Micros wall);

  static bool remembers(const Verdict& verdict) { return verdict.status() < 429; }

  /// `writer`: token or user. `body` as it came, compressed or not.
  PostKey key(std::string_view writer, std::string_view frame_id, std::string_view body) const;

  /// Somebody whose twin is being judged.
  class Waiter {
   public:
    virtual ~Waiter() = default;
    /// Once, on any thread. Without a verdict: the first one ended without (its server stops).
    virtual void judged(const Verdict* verdict) = 0;
  };

  /// The right, and the duty, to judge the first one. Without finish() its twins are told so at its end.
  class Claim {
   public:
    Claim() = default;
    Claim(Claim&& other) noexcept : repeats_(std::exchange(other.repeats_, nullptr)), key_(other.key_) {}
    Claim& operator=(Claim&& other) noexcept {
      std::swap(repeats_, other.repeats_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Claim() {
      if (repeats_) repeats_->finish(key_, nullptr, mono_now());
    }
    void finish(const Verdict& verdict, Mono now) {
      if (repeats_) std::exchange(repeats_, nullptr)->finish(key_, &verdict, now);
    }

   private:
    friend class Repeats;
    Claim(Repeats& repeats, const PostKey& key) : repeats_(&repeats), key_(key) {}
    Repeats* repeats_ = nullptr;
    PostKey key_;
  };

  /// What came of asking about a POST: it is the first (`claim`), or its twin's verdict is known, or `waiter`
  /// will hear.
  struct Answer {
    enum class Kind : uint8_t { first, known, waiting };
    Kind kind;
    Claim claim;
    Verdict verdict{};
  };
  Answer ask(const PostKey& key, Waiter& waiter, Mono now);
  /// Verdicts that are remembered, and how many may be.
  size_t entries();
  size_t most() const { return most_ * kShards; }

  /// `waiter` is about to go, and will not be called. It may have been.
  void withdraw(const PostKey& key, Waiter& waiter);

 private:
  static constexpr size_t kShards = 16;

  struct Extra {
    Rejections rejected;
    bool too_large = false;
    std::vector<Waiter*> waiters;
  };
  struct Entry {
    Mono until{};  // when it is forgotten; nothing yet while it is not judged
    uint64_t accepted = 0;
    std::unique_ptr<Extra> extra;  // few have one

    bool judged() const { return until != Mono{}; }
    Verdict verdict() const {
      return {accepted, extra ? extra->rejected : Rejections{}, {}, extra && extra->too_large};
    }
  };
  struct Hash {
    size_t operator()(const PostKey& key) const { return key.low; }
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<PostKey, Entry, Hash> entries;
    std::deque<PostKey> judged;  // oldest first; each stands in `entries`
  };

  Shard& shard(const PostKey& key) { return shards_[key.high % kShards]; }
  void forget(Shard& shard, Mono now);
  void finish(const PostKey& key, const Verdict* verdict, Mono now);

  const uint64_t seed_;
  const size_t most_;  // of judged ones, in each shard
  prometheus::Counter& forgotten_early_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tailrace

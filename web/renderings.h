#pragma once
// The work that readers of one channel share: a record is judged and written once for all who asked for the
// same.

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "channels/chunk.h"
#include "web/rendering.h"
#include "web/tail_filter.h"
#include "web/tail_text.h"

namespace tailrace {

/// Of all readers on all loops. Thread-safe; what of() gave stands by itself, also when this has gone.
///
/// What is kept is bounded, and what was not asked for the longest goes first. What one reader alone has
/// asked for (he is behind all others, or has no company) takes a quarter of the bytes at most, so that he
/// who reads a whole history does not drive out what others share: that is what was there already when
/// somebody asked. What went is made again for whoever asks, from where he is on.
class Renderings {
 public:
  static constexpr size_t kBytes = 16 << 20;
  explicit Renderings(size_t most_bytes = kBytes) : most_(most_bytes) {}
  Renderings(const Renderings&) = delete;
  Renderings& operator=(const Renderings&) = delete;

  /// What `filter` (null: all) wants of `slice`. Costs a look-up if somebody has asked for that before.
  RenderedSlice of(const TailFilterPtr& filter, TailForm form, const Slice& slice);
  /// How many records of it that is; of() costs a look-up then.
  uint64_t matching(const TailFilterPtr& filter, TailForm form, const Slice& slice) {
    return of(filter, form, slice).records();
  }

  /// Records judged, and written if they were wanted, since the start.
  uint64_t evaluations() const { return evaluations_.load(std::memory_order_relaxed); }
  /// Memory that is kept for further readers.
  size_t bytes() const;

 private:
  struct Kept {
    std::shared_ptr<Rendering> rendering;
    size_t bytes = 0;
    bool shared = false;
  };
  using List = std::list<Kept>;  // what was asked for last comes first
  struct Hash {
    size_t operator()(const Rendering::Key& key) const;
  };

  std::shared_ptr<Rendering> find(const TailFilterPtr& filter, TailForm form, const Slice& slice);
  void account(Rendering& rendering, size_t bytes, bool shared);
  void evict(List& from, size_t& bytes, List& gone);

  const size_t most_;
  std::atomic<uint64_t> evaluations_{0};
  mutable std::mutex mutex_;  // never held while something is judged
  std::unordered_map<Rendering::Key, List::iterator, Hash> kept_;
  List alone_, shared_;
  size_t alone_bytes_ = 0, shared_bytes_ = 0;
};

}  // namespace tailrace

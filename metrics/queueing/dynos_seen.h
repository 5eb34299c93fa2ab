#pragma once
// Which dynos the router named lately, of one channel: how many there are to share the work.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tailrace {

/// A hash table from a dyno's name to when it was last seen, 16 bytes each, at most half full. Names are not
/// kept: one of up to 8 bytes is its own key, of a longer one 63 bits of hash are. Not thread-safe; a
/// thread's own, merged for a scrape.
///
/// Dynos that were not seen for 60 s make room before the table grows; beyond kMost further ones are ignored.
class DynosSeen {
 public:
  static constexpr size_t kMost = 1024;
  static constexpr Micros kLately = 60'000'000;

  /// A router line with this `dyno=` arrived then; an empty name is none. A dyno that is known costs a few
  /// ns.
  void add(std::string_view dyno, Micros arrival) {
    const uint64_t key = key_of(dyno);
    if (key == 0) return;
    if (Slot* slot = find(key))
      slot->seen = arrival;
    else
      add_new(key, arrival);
  }

  void merge(const DynosSeen& other);

  /// How many were seen within the 60 s before `now` (or after it, by other threads' clock readings).
  size_t count(Micros now) const;

  /// Forgets those that were not, and gives memory back.
  void expire(Micros now);

  /// Bytes on the heap.
  size_t memory() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    uint64_t key = 0;  // 0: free
    Micros seen = 0;
  };

  static uint64_t key_of(std::string_view name);
  static bool lately(Micros seen, Micros now) { return now - seen < kLately && seen - now < kLately; }

  // A number stands in the upper half of `web.12`, whose product would hardly spread.
  size_t home(uint64_t key) const { return ((key ^ key >> 32) * 0x9e3779b97f4a7c15) >> shift_; }
  Slot* find(uint64_t key) {
    if (slots_.empty()) return nullptr;
    for (size_t at = home(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return &slots_[at];
      if (slots_[at].key == 0) return nullptr;
    }
  }
  bool full() const { return 2 * (used_ + 1) > slots_.size(); }
  void add_new(uint64_t key, Micros arrival);
  void rebuild(size_t slots, auto&& keep);
  void place(Slot slot);

  std::vector<Slot> slots_;  // a power of two, or none
  size_t used_ = 0;
  int shift_ = 64;   // 64 - log2 of the slots
  Micros full_ = 0;  // when there was no room last; not tried again for a second
};

}  // namespace tailrace

#pragma once
// Finds a series' place in an array by its hash: one probe and no allocation when it is known.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailrace {

/// Open addressing, at most half full. The array is its owner's, who says what lies at a place. Not
/// thread-safe.
class SeriesIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// The place for which is_it(place) says yes; kNone if there is none with this hash.
  template <class F>
  uint32_t find(uint64_t hash, F&& is_it) const {
    if (slots_.empty()) return kNone;
    const size_t mask = slots_.size() - 1;
    for (size_t i = hash & mask; slots_[i].place != kNone; i = (i + 1) & mask)
      if (slots_[i].check == check_of(hash) && is_it(slots_[i].place)) return slots_[i].place;
    return kNone;
  }

  /// `hash_of(place)` for growing.
  template <class F>
  void insert(uint64_t hash, uint32_t place, F&& hash_of) {
    if (2 * (used_ + 1) > slots_.size()) {
      std::vector<Slot> before(slots_.empty() ? 8 : 2 * slots_.size());
      before.swap(slots_);
      for (const Slot& slot : before)
        if (slot.place != kNone) put(hash_of(slot.place), slot.place);
    }
    put(hash, place);
    ++used_;
  }

  /// Of places 0 to `places`, after some went.
  template <class F>
  void rebuild(uint32_t places, F&& hash_of) {
    slots_ = std::vector<Slot>();
    used_ = 0;
    for (uint32_t place = 0; place < places; ++place) insert(hash_of(place), place, hash_of);
  }

  size_t memory() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t check = 0;  // saves a look at the array
    uint32_t place = kNone;
  };
  static uint32_t check_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

  void put(uint64_t hash, uint32_t place) {
    const size_t mask = slots_.size() - 1;
    size_t i = hash & mask;
    while (slots_[i].place != kNone) i = (i + 1) & mask;
    slots_[i] = {check_of(hash), place};
  }

  std::vector<Slot> slots_;  // a power of two
  size_t used_ = 0;
};

}  // namespace tailrace

#include "metrics/queueing/dynos_seen.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tailrace {
namespace {

constexpr size_t kFewest = 8;  // slots
constexpr Micros kTryAgain = 1'000'000;
constexpr uint64_t kHashed = uint64_t{1} << 63;

template <class T>
uint64_t load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint64_t hash_of(std::string_view name) {
  uint64_t hash = name.size();
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  };
  size_t at = 0;
  for (; at + 8 < name.size(); at += 8) mix(load<uint64_t>(name.data() + at));
  mix(load<uint64_t>(name.data() + name.size() - 8));
  return hash;
}

}  // namespace

// Texts are below 0x80, so that a short name and a hash are seldom the same.
uint64_t DynosSeen::key_of(std::string_view name) {
  const size_t n = name.size();
  const char* p = name.data();
  if (n > 8) return hash_of(name) | kHashed;
  if (n == 8) return load<uint64_t>(p);
  if (n >= 4) return load<uint32_t>(p) | load<uint32_t>(p + n - 4) << (n - 4) * 8;
  uint64_t key = 0;
  for (size_t i = 0; i < n; ++i) key |= uint64_t{static_cast<uint8_t>(p[i])} << i * 8;
  return key;
}

void DynosSeen::add_new(uint64_t key, Micros arrival) {
  if (used_ == kMost && full_ <= arrival && arrival - full_ < kTryAgain) return;
  if (full()) expire(arrival);
  if (used_ == kMost)
    full_ = arrival;
  else
    place({key, arrival});
}

void DynosSeen::merge(const DynosSeen& other) {
  for (const Slot& theirs : other.slots_) {
    if (theirs.key == 0) continue;
    if (Slot* mine = find(theirs.key))
      mine->seen = std::max(mine->seen, theirs.seen);
    else if (used_ < kMost)
      place(theirs);
  }
}

size_t DynosSeen::count(Micros now) const {
  return static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(),
                                           [&](const Slot& s) { return s.key != 0 && lately(s.seen, now); }));
}

void DynosSeen::expire(Micros now) {
  const size_t left = count(now);
  if (left == used_) return;
  rebuild(left == 0 ? 0 : std::max(kFewest, std::bit_ceil(2 * left)),
          [&](const Slot& slot) { return lately(slot.seen, now); });
}

void DynosSeen::place(Slot slot) {
  if (full()) rebuild(std::max(kFewest, 2 * slots_.size()), [](const Slot&) { return true; });
  size_t at = home(slot.key);
  while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
  ++used_;
}

void DynosSeen::rebuild(size_t slots, auto&& keep) {
  const std::vector<Slot> before = std::move(slots_);
  slots_ = std::vector<Slot>(slots);
  shift_ = 64 - std::countr_zero(slots);
  used_ = 0;
  for (const Slot& slot : before)
    if (slot.key != 0 && keep(slot)) place(slot);
}

}  // namespace tailrace

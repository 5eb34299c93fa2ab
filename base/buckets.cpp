#include "base/buckets.h"

#include <algorithm>

#include "base/varint.h"

namespace tailrace {
namespace {

uint32_t saturating(uint32_t a, uint32_t b) {
  return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

}  // namespace

void Buckets::insert_growing(uint32_t bucket) {
  if (!counts_) {
    uint32_t lowest = bucket, highest = bucket;
    for (uint32_t i = 0; i < used_; ++i) {
      lowest = std::min<uint32_t>(lowest, samples_[i]);
      highest = std::max<uint32_t>(highest, samples_[i]);
    }
    const uint32_t wanted = capacity_ ? capacity_ * 2u : 8u;
    const uint32_t window = (highest / kBlock - lowest / kBlock + 1) * kBlock;
    if (wanted * sizeof(uint16_t) < window * sizeof(uint32_t)) {
      auto grown = std::make_unique_for_overwrite<uint16_t[]>(wanted);
      std::copy_n(samples_.get(), used_, grown.get());
      samples_ = std::move(grown);
      capacity_ = static_cast<uint16_t>(wanted);
      samples_[used_++] = static_cast<uint16_t>(bucket);
      return;
    }
    make_dense(lowest, highest);
  }
  cover(bucket, bucket);
  counts_[bucket - base_] = saturating(counts_[bucket - base_], 1);
}

void Buckets::insert(uint32_t bucket, uint32_t values) {
  for (; values && !counts_; --values) insert(bucket);
  if (!values) return;
  cover(bucket, bucket);
  counts_[bucket - base_] = saturating(counts_[bucket - base_], values);
}

// From the list to the window, which then covers at least [lowest, highest].
void Buckets::make_dense(uint32_t lowest, uint32_t highest) {
  for (uint32_t i = 0; i < used_; ++i) {
    lowest = std::min<uint32_t>(lowest, samples_[i]);
    highest = std::max<uint32_t>(highest, samples_[i]);
  }
  cover(lowest, highest);
  for (uint32_t i = 0; i < used_; ++i) ++counts_[samples_[i] - base_];
  samples_.reset();
  used_ = capacity_ = 0;
}

void Buckets::cover(uint32_t lowest, uint32_t highest) {
  if (counts_ && lowest >= base_ && highest < uint32_t{base_} + width_) return;
  if (counts_) {
    lowest = std::min<uint32_t>(lowest, base_);
    highest = std::max<uint32_t>(highest, base_ + width_ - 1u);
  }
  const uint32_t base = lowest / kBlock * kBlock;
  const uint32_t width = (highest / kBlock + 1) * kBlock - base;
  auto grown = std::make_unique<uint32_t[]>(width);
  if (counts_) std::copy_n(counts_.get(), width_, grown.get() + (base_ - base));
  counts_ = std::move(grown);
  base_ = static_cast<uint16_t>(base);
  width_ = static_cast<uint16_t>(width);
}

void Buckets::merge(const Buckets& other) {
  for (uint32_t i = 0; i < other.used_; ++i) insert(other.samples_[i]);
  if (!other.counts_) return;
  const uint32_t lowest = other.base_, highest = other.base_ + other.width_ - 1u;
  if (counts_)
    cover(lowest, highest);
  else
    make_dense(lowest, highest);
  uint32_t* into = counts_.get() + (other.base_ - base_);
  for (uint32_t i = 0; i < other.width_; ++i) into[i] = saturating(into[i], other.counts_[i]);
}

std::unique_ptr<uint16_t[]> Buckets::sorted_samples() const {
  auto sorted = std::make_unique_for_overwrite<uint16_t[]>(used_);
  std::copy_n(samples_.get(), used_, sorted.get());
  std::sort(sorted.get(), sorted.get() + used_);
  return sorted;
}

uint32_t Buckets::nth(uint64_t rank) const {
  if (!counts_) return sorted_samples()[std::clamp<uint64_t>(rank, 1, used_) - 1];
  uint32_t last = base_;
  for (uint32_t i = 0; i < width_; ++i) {
    if (!counts_[i]) continue;
    last = base_ + i;
    if (counts_[i] >= rank) break;
    rank -= counts_[i];
  }
  return last;
}

uint64_t Buckets::below(uint32_t bucket) const {
  if (!counts_) {
    return static_cast<uint64_t>(
        std::count_if(samples_.get(), samples_.get() + used_, [&](uint16_t s) { return s < bucket; }));
  }
  uint64_t values = 0;
  for (uint32_t i = 0; i < width_ && base_ + i < bucket; ++i) values += counts_[i];
  return values;
}

// How many buckets, then of each how far it is behind the last one (the first: its number) and its values.
// Nearly all have one value in a short list, so that bit goes with the distance.
void Buckets::encode(std::string& out) const {
  uint64_t filled = 0;
  for_each([&](uint32_t, uint32_t) { ++filled; });
  put_varint(out, filled);
  uint32_t last = 0;
  for_each([&](uint32_t bucket, uint32_t values) {
    put_varint(out, uint64_t{bucket - last} << 1 | (values > 1));
    if (values > 1) put_varint(out, values);
    last = bucket;
  });
}

bool Buckets::decode(std::string_view& text, uint64_t& values) {
  uint64_t filled = 0;
  values = 0;
  if (!take_varint(text, filled) || filled > kBuckets) return false;
  uint64_t bucket = 0;
  for (uint64_t i = 0; i < filled; ++i) {
    uint64_t step = 0, of_it = 1;
    if (!take_varint(text, step) || (step & 1 && !take_varint(text, of_it))) return false;
    if (i && step < 2) return false;  // the same one again
    bucket += step >> 1;
    if (step >> 1 >= kBuckets || bucket >= kBuckets || !of_it || of_it > UINT32_MAX) return false;
    insert(static_cast<uint32_t>(bucket), static_cast<uint32_t>(of_it));
    values += of_it;
  }
  return true;
}

void Buckets::clear() {
  std::fill_n(counts_.get(), width_, 0u);
  used_ = 0;
}

}  // namespace tailrace

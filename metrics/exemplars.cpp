#include "metrics/exemplars.h"

#include <algorithm>
#include <tuple>

namespace tailrace {
namespace {

// A total order, so that the outcome of merging does not depend on its order.
auto rank(Micros time, std::string_view id, double value) {
  return std::tuple(time, id, value);
}

}  // namespace

bool is_exemplar_id(std::string_view request_id) {
  return !request_id.empty() && request_id.size() <= kMaxExemplarId &&
         std::ranges::all_of(request_id, [](char c) { return c > ' ' && c <= '~'; });
}

void Exemplars::take(size_t bucket, std::string_view request_id, double value, Micros line_time) {
  if (!is_exemplar_id(request_id)) return;
  uint8_t& place = place_[bucket];
  if (place == 0) {
    kept_.emplace_back();
    place = static_cast<uint8_t>(kept_.size());
  } else if (const Exemplar& old = kept_[place - 1u];
             rank(old.time, old.request_id, old.value) >= rank(line_time, request_id, value)) {
    return;
  }
  Exemplar& kept = kept_[place - 1u];
  kept.request_id.assign(request_id);
  kept.value = value;
  kept.time = line_time;
}

void Exemplars::merge(const Exemplars& other) {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket)
    if (const Exemplar* theirs = other.of(bucket))
      take(bucket, theirs->request_id, theirs->value, theirs->time);
}

size_t Exemplars::memory() const {
  size_t bytes = kept_.capacity() * sizeof(Exemplar);
  for (const Exemplar& kept : kept_)
    if (kept.request_id.capacity() > std::string().capacity()) bytes += kept.request_id.capacity() + 1;
  return bytes;
}

}  // namespace tailrace

#include "web/renderings.h"

#include <functional>

namespace tailrace {

size_t Renderings::Hash::operator()(const Rendering::Key& key) const {
  const size_t filter = std::hash<std::string_view>()(key.filter);
  return (filter ^ (key.chunk * 4 + size_t(key.form))) * 0x9e3779b97f4a7c15u;
}

RenderedSlice Renderings::of(const TailFilterPtr& filter, TailForm form, const Slice& slice) {
  if (slice.empty()) return {};
  const auto rendering = find(filter, form, slice);
  Rendering::Asked asked = rendering->of(slice);
  if (asked.judged) evaluations_.fetch_add(asked.judged, std::memory_order_relaxed);
  if (asked.judged || asked.first_hit) account(*rendering, asked.bytes, asked.first_hit);
  return std::move(asked.slice);
}

std::shared_ptr<Rendering> Renderings::find(const TailFilterPtr& filter, TailForm form, const Slice& slice) {
  const Rendering::Key key{slice.chunk->serial, filter ? std::string_view(filter->key()) : std::string_view(),
                           form};
  const std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(key); found != kept_.end()) {
    List& list = found->second->shared ? shared_ : alone_;
    list.splice(list.begin(), list, found->second);
    return found->second->rendering;
  }
  alone_.push_front({std::make_shared<Rendering>(*slice.chunk, filter, form)});
  const auto& rendering = alone_.front().rendering;
  kept_.emplace(rendering->key(), alone_.begin());
  return rendering;
}

/// What it takes now, and whether it is others' too.
void Renderings::account(Rendering& rendering, size_t bytes, bool shared) {
  List gone;  // freed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(rendering.key());
  if (found == kept_.end() || found->second->rendering.get() != &rendering) return;
  Kept& kept = *found->second;
  (kept.shared ? shared_bytes_ : alone_bytes_) += bytes - kept.bytes;
  kept.bytes = bytes;
  if (shared && !kept.shared) {
    kept.shared = true;
    alone_bytes_ -= bytes;
    shared_bytes_ += bytes;
    shared_.splice(shared_.begin(), alone_, found->second);
  }
  while (alone_bytes_ > most_ / 4) evict(alone_, alone_bytes_, gone);
  while (alone_bytes_ + shared_bytes_ > most_) evict(shared_, shared_bytes_, gone);
}

void Renderings::evict(List& from, size_t& bytes, List& gone) {
  bytes -= from.back().bytes;
  kept_.erase(from.back().rendering->key());
  gone.splice(gone.end(), from, std::prev(from.end()));
}

size_t Renderings::bytes() const {
  const std::lock_guard lock(mutex_);
  return alone_bytes_ + shared_bytes_;
}

}  // namespace tailrace

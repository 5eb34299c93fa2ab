#include "channels/ring.h"

#include <algorithm>

namespace tailrace {

size_t Ring::write(const Batch& batch, std::vector<Slice>& slices) {
  const uint64_t before = ordinal_;
  try {
    return write_all(batch, slices);
  } catch (...) {
    take_back(before);  // there is no memory for the rest
    slices.clear();
    throw;
  }
}

size_t Ring::write_all(const Batch& batch, std::vector<Slice>& slices) {
  size_t made = 0;
  for (const NewRecord& record : batch) {
    const auto size = uint32_t(entry_size(record.text_size()));
    made += make_room(size);
    const ChunkRef& ref = chunks_.back();
    Chunk& chunk = *ref;
    if (slices.empty() || slices.back().chunk != ref) slices.push_back({ref, chunk.end, chunk.end, 0, next_});
    write_entry(record, batch.arrival, chunk.data() + chunk.end);
    chunk.end += size;
    ++chunk.count;
    chunk.newest = batch.arrival;
    ++next_.value;
    ++ordinal_;
    slices.back().end_at = chunk.end;
    ++slices.back().records;
  }
  return made;
}

/// True: a new chunk was made for it.
bool Ring::make_room(uint32_t bytes) {
  uint32_t capacity = kMinChunk;
  if (!chunks_.empty()) {
    const Chunk& last = *chunks_.back();
    if (last.capacity - last.end >= bytes && last.past() == next_) return false;
    capacity = std::min(last.capacity * 2, kMaxChunk);
  }
  chunks_.push_back(Chunk::make(std::max(capacity, bytes), next_, ordinal_));
  bytes_ += chunks_.back()->capacity;
  return true;
}

void Ring::take_back(uint64_t ordinal) {
  while (!chunks_.empty() && chunks_.back()->ordinal >= ordinal) {
    bytes_ -= chunks_.back()->capacity;
    chunks_.pop_back();
  }
  ordinal_ = std::min(ordinal_, ordinal);
  if (chunks_.empty()) return;
  // The numbers that are gone make the next record begin a chunk: what was written here stays as it is.
  Chunk& last = *chunks_.back();
  last.end = last.offset_of(ordinal_);
  last.count = uint32_t(ordinal_ - last.ordinal);
}

const ChunkRef* Ring::chunk_of(uint64_t ordinal) const {
  if (ordinal >= ordinal_) return nullptr;
  // The last one that begins at or before it.
  const auto after =
      std::ranges::upper_bound(chunks_, ordinal, {}, [](const ChunkRef& c) { return c->ordinal; });
  return after == chunks_.begin() ? nullptr : &*std::prev(after);
}

uint64_t Ring::ordinal_behind(Position position) const {
  const auto chunk = std::ranges::upper_bound(
      chunks_, position, {}, [](const ChunkRef& c) { return Position{c->past().value - 1}; });
  if (chunk == chunks_.end()) return ordinal_;
  const Chunk& c = **chunk;
  return position < c.first ? c.ordinal : c.ordinal + (position.value - c.first.value) + 1;
}

std::vector<Slice> Ring::slices(uint64_t from, uint64_t until) const {
  std::vector<Slice> all;
  while (from < until) {
    const ChunkRef& chunk = *chunk_of(from);
    all.push_back(cut(chunk, from, chunk->offset_of(from), until, UINT32_MAX));
    from += all.back().records;
  }
  return all;
}

Micros Ring::arrival(uint64_t ordinal) const {
  const Chunk& chunk = **chunk_of(ordinal);
  return Record(chunk.data() + chunk.offset_of(ordinal)).arrival();
}

ChunkRef Ring::pop_front() {
  ChunkRef chunk = std::move(chunks_.front());
  chunks_.pop_front();
  bytes_ -= chunk->capacity;
  return chunk;
}

}  // namespace tailrace

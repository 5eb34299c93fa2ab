#include "channels/chunk.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

namespace tailrace {
namespace {

constexpr int kClasses = std::countr_zero(kMaxChunk) - std::countr_zero(kMinChunk) + 1;
constexpr uint64_t kKeepFree = 64u << 20;  // beyond it, memory goes back to the allocator

int class_of(uint32_t capacity) {
  return std::countr_zero(capacity) - std::countr_zero(kMinChunk);
}

std::atomic<uint64_t> used_bytes{0}, free_bytes{0};

/// Chunks of one size that wait to be used again; the last one freed is the warmest.
class FreeList {
 public:
  void* take() {
    const std::lock_guard lock(mutex_);
    if (chunks_.empty()) return nullptr;
    void* memory = chunks_.back();
    chunks_.pop_back();
    return memory;
  }
  void give(void* memory) {
    const std::lock_guard lock(mutex_);
    chunks_.push_back(memory);
  }

 private:
  std::mutex mutex_;
  std::vector<void*> chunks_;
};

std::array<FreeList, kClasses>& free_lists() {
  static auto* lists = new std::array<FreeList, kClasses>;  // outlives every chunk
  return *lists;
}

}  // namespace

uint64_t Chunk::next_serial() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

ChunkRef Chunk::make(uint32_t bytes, Position first, uint64_t ordinal) {
  const uint32_t capacity = room_for(bytes);
  void* memory = free_lists()[size_t(class_of(capacity))].take();
  if (memory)
    free_bytes.fetch_sub(capacity, std::memory_order_relaxed);
  else
    memory = std::aligned_alloc(64, kHeader + capacity);
  if (!memory) throw std::bad_alloc();
  used_bytes.fetch_add(capacity, std::memory_order_relaxed);
  auto* chunk = new (memory) Chunk;
  chunk->capacity = capacity;
  chunk->first = first;
  chunk->ordinal = ordinal;
  return ChunkRef(chunk);
}

uint32_t Chunk::offset_of(uint64_t wanted) const {
  if (wanted == end_ordinal()) return end;
  uint32_t at = 0;
  for (uint64_t n = wanted - ordinal; n > 0; --n) at += uint32_t(Record(data() + at).stride());
  return at;
}

Slice cut(const ChunkRef& chunk, uint64_t ordinal, uint32_t at, uint64_t limit, uint32_t max_bytes) {
  Slice slice{chunk, at, at, 0, {chunk->first.value + (ordinal - chunk->ordinal)}};
  if (chunk->end - at <= max_bytes && limit >= chunk->end_ordinal()) {
    slice.end_at = chunk->end;
    slice.records = uint32_t(chunk->end_ordinal() - ordinal);
    return slice;
  }
  while (slice.end_at < chunk->end && ordinal + slice.records < limit) {
    const auto size = uint32_t(Record(chunk->data() + slice.end_at).stride());
    if (slice.records && slice.bytes() + size > max_bytes) break;
    slice.end_at += size;
    ++slice.records;
  }
  return slice;
}

Slice compacted(const Slice& slice) {
  if (slice.empty() || Chunk::room_for(slice.bytes()) * 2 > slice.chunk->capacity) return slice;
  const Chunk& from = *slice.chunk;
  Slice own = slice;
  own.chunk = Chunk::make(slice.bytes(), slice.first, from.ordinal + (slice.first.value - from.first.value));
  std::memcpy(own.chunk->data(), from.data() + slice.begin_at, slice.bytes());
  own.begin_at = 0;
  own.end_at = own.chunk->end = slice.bytes();
  own.chunk->count = slice.records;
  own.chunk->newest = from.newest;
  return own;
}

void ChunkRef::release() {
  if (!chunk_ || chunk_->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const uint32_t capacity = chunk_->capacity;
  chunk_->~Chunk();
  used_bytes.fetch_sub(capacity, std::memory_order_relaxed);
  if (free_bytes.load(std::memory_order_relaxed) > kKeepFree) {
    std::free(chunk_);
    return;
  }
  free_bytes.fetch_add(capacity, std::memory_order_relaxed);
  free_lists()[size_t(class_of(capacity))].give(chunk_);
}

ChunkMemory chunk_memory() {
  return {used_bytes.load(std::memory_order_relaxed), free_bytes.load(std::memory_order_relaxed)};
}

}  // namespace tailrace

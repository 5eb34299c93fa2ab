#include "channels/chunk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
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

ChunkRef Chunk::make(uint32_t bytes, Position first) {
  const uint32_t capacity = std::clamp(std::bit_ceil(bytes), kMinChunk, kMaxChunk);
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
  return ChunkRef(chunk);
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

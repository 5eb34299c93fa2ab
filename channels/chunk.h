#pragma once
// A stretch of one channel's log in memory.
//
// A chunk holds entries with consecutive numbers. The log that owns it appends behind its end, under the
// log's lock; what lies before an end that was read under that lock never changes, so a Slice is read without
// a lock. Chunks are shared by reference count and their memory is recycled: fresh pages cost more than the
// append.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "channels/position.h"
#include "channels/record.h"

namespace tailrace {

/// Sizes double from the first to the last, so that a quiet channel is cheap.
inline constexpr uint32_t kMinChunk = 512, kMaxChunk = 64 * 1024;

class ChunkRef;

/// Lives until the last ChunkRef goes; then its memory returns to a free list of its size.
/// Invariants: (1) a byte that was written never changes; (2) entry i has the number first + i and the
/// ordinal ordinal + i; (3) end and count change under the owning log's lock alone, and only grow where
/// somebody may have read.
class Chunk {
 public:
  /// Room for at least `bytes`, rounded up to a power of two between kMinChunk and kMaxChunk.
  static ChunkRef make(uint32_t bytes, Position first, uint64_t ordinal = 0);
  /// The room that make() gives.
  static uint32_t room_for(uint32_t bytes) { return std::clamp(std::bit_ceil(bytes), kMinChunk, kMaxChunk); }

  std::byte* data() { return reinterpret_cast<std::byte*>(this) + kHeader; }
  const std::byte* data() const { return reinterpret_cast<const std::byte*>(this) + kHeader; }

  uint32_t capacity = 0, end = 0, count = 0;
  Position first;
  uint64_t ordinal = 0;  // how many records its channel had accepted before the first one
  Micros newest = 0;     // arrival of the last entry
  /// No other chunk of this process has it, or had it.
  const uint64_t serial = next_serial();

  Position past() const { return {first.value + count}; }
  uint64_t end_ordinal() const { return ordinal + count; }
  bool holds(uint64_t wanted) const { return wanted >= ordinal && wanted < end_ordinal(); }
  /// Where the entry with an ordinal, which is here or next, begins; a walk from the first.
  uint32_t offset_of(uint64_t wanted) const;

  static constexpr size_t kHeader = 64;

 private:
  friend class ChunkRef;
  static uint64_t next_serial();

  std::atomic<uint32_t> references_{0};
};
static_assert(sizeof(Chunk) <= Chunk::kHeader);

/// Bytes of chunk memory in use, and held ready in the free lists, of the whole process.
struct ChunkMemory {
  uint64_t used = 0, free = 0;
};
ChunkMemory chunk_memory();

class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(Chunk* chunk) : chunk_(chunk) { retain(); }
  ChunkRef(const ChunkRef& other) : chunk_(other.chunk_) { retain(); }
  ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  ChunkRef& operator=(ChunkRef other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~ChunkRef() { release(); }

  Chunk* operator->() const { return chunk_; }
  Chunk& operator*() const { return *chunk_; }
  explicit operator bool() const { return chunk_ != nullptr; }
  bool operator==(const ChunkRef&) const = default;

 private:
  void retain() {
    if (chunk_) chunk_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  void release();

  Chunk* chunk_ = nullptr;
};

/// Consecutive records of one chunk, pinned: reading it needs no lock and outlives eviction.
///
///   for (const Record record : slice) …
struct Slice {
  ChunkRef chunk;
  uint32_t begin_at = 0, end_at = 0;  // bytes in the chunk
  uint32_t records = 0;
  Position first;  // of its first record; record i has the number first + i

  class Iterator {
   public:
    explicit Iterator(const std::byte* at) : at_(at) {}
    Record operator*() const { return Record(at_); }
    Iterator& operator++() {
      at_ += Record(at_).stride();
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const std::byte* at_;
  };

  Iterator begin() const { return Iterator(chunk ? chunk->data() + begin_at : nullptr); }
  Iterator end() const { return Iterator(chunk ? chunk->data() + end_at : nullptr); }
  bool empty() const { return records == 0; }
  uint32_t bytes() const { return end_at - begin_at; }
  /// Behind the last record.
  Position past() const { return {first.value + records}; }
};

/// From the record with `ordinal`, which is in `chunk` at byte `at`, to the end of what is there, to `limit`
/// (an ordinal above) or to about `max_bytes`, but one record at least.
Slice cut(const ChunkRef& chunk, uint64_t ordinal, uint32_t at, uint64_t limit, uint32_t max_bytes);

/// The same records, in a chunk of their own where that is half as large at most: for what is kept for long.
Slice compacted(const Slice& slice);

}  // namespace tailrace

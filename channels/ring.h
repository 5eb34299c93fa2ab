#pragma once
// The newest records of one log, in memory: a ring of chunks.

#include <algorithm>
#include <deque>
#include <vector>

#include "channels/batch.h"
#include "channels/chunk.h"

namespace tailrace {

/// All that a log in memory keeps, and the warm end of one on disk. Not thread-safe: guarded by its log's
/// lock. What goes, and whether that is a loss, its log decides.
///
/// Invariants: (1) chunks hold consecutive ordinals up to end_ordinal(), each at least one; (2) numbers are
/// consecutive within a chunk and rise from one to the next; (3) a byte that was written never changes.
class Ring {
 public:
  Ring(Position next, uint64_t ordinal) : next_(next), ordinal_(ordinal) {}

  /// Copies the batch behind the end, in as many chunks as it takes; what it became is added to `slices`.
  /// Gives how many chunks had to be made. All or, if memory fails, nothing.
  size_t write(const Batch& batch, std::vector<Slice>& slices);
  /// Takes back what lies at `ordinal`, which is not before the oldest, and behind it, which nobody has read;
  /// its numbers are not used again, its ordinals are. (A group that failed.)
  void take_back(uint64_t ordinal);
  /// Numbers go on at `next` at the earliest.
  void skip_to(Position next) { next_ = std::max(next_, next); }

  Position next() const { return next_; }
  uint64_t end_ordinal() const { return ordinal_; }
  /// Of the oldest record here; end_ordinal() if there is none.
  uint64_t begin_ordinal() const { return chunks_.empty() ? ordinal_ : chunks_.front()->ordinal; }
  uint64_t records() const { return ordinal_ - begin_ordinal(); }
  uint64_t bytes() const { return bytes_; }

  /// The chunk that holds the record with `ordinal`; null: it is not here.
  const ChunkRef* chunk_of(uint64_t ordinal) const;
  /// The ordinal of the first record here whose number is above `position`.
  uint64_t ordinal_behind(Position position) const;
  /// All from `from`, which is here or the end, to `until`.
  std::vector<Slice> slices(uint64_t from, uint64_t until) const;
  /// When the record with `ordinal`, which is here, arrived.
  Micros arrival(uint64_t ordinal) const;

  size_t chunks() const { return chunks_.size(); }
  /// The oldest chunk; chunks() is not 0.
  const Chunk& front() const { return *chunks_.front(); }
  ChunkRef pop_front();

 private:
  size_t write_all(const Batch& batch, std::vector<Slice>& slices);
  bool make_room(uint32_t bytes);

  std::deque<ChunkRef> chunks_;
  Position next_;
  uint64_t ordinal_;
  uint64_t bytes_ = 0;  // capacities
};

}  // namespace tailrace

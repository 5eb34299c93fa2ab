#pragma once
// What one filter wants of one chunk, written in one form.

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channels/chunk.h"
#include "web/tail_filter.h"
#include "web/tail_text.h"

namespace tailrace {

class Rendering;

/// The wanted records of a slice, written. The text stays as long as this does; the slice need not. Belongs
/// to one thread, the text to all.
class RenderedSlice {
 public:
  /// How many records were wanted.
  uint64_t records() const { return records_; }
  bool empty() const { return records_ == 0; }
  size_t bytes() const;
  /// The text, in order. None of them is empty; one may end within a record.
  std::span<const std::string_view> pieces() const { return pieces_; }
  /// Leaves out the oldest `records` of them.
  void drop_front(uint64_t records);

 private:
  friend class Rendering;

  std::shared_ptr<Rendering> rendering_;  // null: it is empty
  uint32_t begin_ = 0, end_ = 0;          // records of the chunk
  uint64_t records_ = 0;
  std::vector<std::string_view> pieces_;
};

/// Grows as somebody asks for more of the chunk, in one stretch. Thread-safe: whoever asks first judges and
/// writes, under the lock that others wait at who ask for the same. What was written never moves, so it is
/// read without the lock.
class Rendering : public std::enable_shared_from_this<Rendering> {
 public:
  struct Key {
    uint64_t chunk;           // Chunk::serial
    std::string_view filter;  // TailFilter::key()
    TailForm form;
    bool operator==(const Key&) const = default;
  };

  Rendering(const Chunk& chunk, TailFilterPtr filter, TailForm form);

  /// Its own: lives as long as it does.
  const Key& key() const { return key_; }

  struct Asked {
    RenderedSlice slice;
    uint64_t judged = 0;     // records that nobody had asked for before
    size_t bytes = 0;        // memory that this takes now
    bool first_hit = false;  // the first time that everything was there
  };
  /// `slice` is of the chunk, and has records.
  Asked of(const Slice& slice);

 private:
  friend class RenderedSlice;
  /// Where a record begins: in the text, and how many wanted ones come before it. From where the first one
  /// that was asked for begins, so both may be negative.
  struct Mark {
    int32_t text = 0, records = 0;
  };
  /// Bytes of the text from `begin` to `end`, and room behind them.
  struct Piece {
    std::unique_ptr<char[]> bytes;
    size_t capacity;
    int32_t begin, end;

    static Piece make(size_t capacity, int32_t begin) {
      return {std::make_unique_for_overwrite<char[]>(capacity), capacity, begin, begin};
    }
    size_t room() const { return capacity - size_t(end - begin); }
    void add(std::string_view text) {
      std::memcpy(bytes.get() + (end - begin), text.data(), text.size());
      end += int32_t(text.size());
    }
  };

  std::string_view write(const Chunk& chunk, uint32_t begin_at, uint32_t end_at, uint32_t record,
                         std::vector<Mark>& marks) const;
  void extend(const Slice& slice);
  void prepend(const Slice& slice);
  void cut(RenderedSlice& slice);
  const Mark& mark(uint32_t record) const { return marks_[record - first_]; }
  uint32_t past() const { return first_ + uint32_t(marks_.size()) - 1; }
  size_t memory() const;

  const TailFilterPtr filter_;
  const Key key_;
  mutable std::mutex mutex_;
  bool hit_ = false;
  uint32_t first_ = 0;                  // record of the chunk
  uint32_t begin_at_ = 0, end_at_ = 0;  // bytes of the chunk
  std::vector<Mark> marks_;             // of each record, and of the one behind them
  std::vector<Piece> pieces_;
};

}  // namespace tailrace

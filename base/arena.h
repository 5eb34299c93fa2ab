#pragma once
// Memory for text that is made while records are read, and dropped all at once.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace tailrace {

/// Hands out bytes that stay where they are until clear(). Owned and used by one thread. Blocks are used
/// again, so that a warm arena does not allocate; clear() keeps at most `keep` bytes of them.
class Arena {
 public:
  static constexpr size_t kBlock = 64 * 1024;

  explicit Arena(size_t keep = 1 << 20) : keep_(keep) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `size` bytes, not initialised, for chars alone (no alignment).
  char* take(size_t size) {
    if (size > left_) next_block(size);
    char* const out = at_;
    at_ += size;
    left_ -= size;
    return out;
  }

  /// Gives back the last `unused` bytes of the last take().
  void give_back(size_t unused) {
    at_ -= unused;
    left_ += unused;
  }

  /// The pieces one behind the other.
  template <class... Pieces>
  std::string_view keep(const Pieces&... pieces) {
    const size_t size = (std::string_view(pieces).size() + ... + 0);
    char* const out = take(size);
    char* to = out;
    (put(to, pieces), ...);
    return {out, size};
  }

  /// Everything that was handed out is void.
  void clear() {
    while (held_ > keep_) {
      held_ -= blocks_.back().size;
      blocks_.pop_back();
    }
    used_ = 0;
    at_ = nullptr;
    left_ = 0;
  }

  /// Bytes of memory it holds.
  size_t held() const { return held_; }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };

  static void put(char*& to, std::string_view piece) {
    if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }

  /// The next block that has room; a kept one that is too small is passed over until clear().
  void next_block(size_t size) {
    while (used_ < blocks_.size() && blocks_[used_].size < size) ++used_;
    if (used_ == blocks_.size()) {
      const size_t fresh = std::max(size, kBlock);
      blocks_.push_back({std::make_unique_for_overwrite<char[]>(fresh), fresh});
      held_ += fresh;
    }
    at_ = blocks_[used_].bytes.get();
    left_ = blocks_[used_++].size;
  }

  const size_t keep_;
  std::vector<Block> blocks_;
  size_t used_ = 0;  // blocks handed out from, the current one included
  size_t held_ = 0;
  char* at_ = nullptr;
  size_t left_ = 0;
};

}  // namespace tailrace

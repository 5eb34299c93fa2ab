#pragma once
// Many possible counters, of which few ever count: by status, by error code.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailrace {

/// N counters in blocks of 8 that come into being when one of theirs counts. Not thread-safe.
template <size_t N>
class SparseCounters {
 public:
  void add(size_t which, uint64_t by = 1) {
    uint8_t& block = block_of_[which / 8];
    if (block == 0) {
      blocks_.emplace_back();
      block = static_cast<uint8_t>(blocks_.size());
    }
    blocks_[block - 1][which % 8] += by;
  }

  uint64_t operator[](size_t which) const {
    const uint8_t block = block_of_[which / 8];
    return block == 0 ? 0 : blocks_[block - 1][which % 8];
  }

  /// use(which, count) for each that is not zero, in order.
  template <class F>
  void for_each(F&& use) const {
    if (blocks_.empty()) return;
    for (size_t i = 0; i < block_of_.size(); ++i) {
      if (block_of_[i] == 0) continue;
      const Block& block = blocks_[block_of_[i] - 1];
      for (size_t j = 0; j < 8; ++j)
        if (block[j] != 0) use(i * 8 + j, block[j]);
    }
  }

  void merge(const SparseCounters& other) {
    other.for_each([this](size_t which, uint64_t count) { add(which, count); });
  }

 private:
  using Block = std::array<uint64_t, 8>;
  static_assert((N + 7) / 8 < 256, "a block's number fits into a byte");

  std::array<uint8_t, (N + 7) / 8> block_of_{};  // 0: not there; else one more than its place in blocks_
  std::vector<Block> blocks_;
};

}  // namespace tailrace

#pragma once
// How many different things were seen, in bounded memory.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailrace {

/// Keeps the smallest kKept hashes (k minimum values): exact below that, then an estimate whose error is
/// about 3 % (one standard deviation) and that never sinks. Not thread-safe.
class Distinct {
 public:
  static constexpr size_t kKept = 1024;

  /// Whether it is new, as far as can be told. `hash`: 64 good bits.
  bool add(uint64_t hash);
  uint64_t count() const { return count_; }
  /// Empties it, and gives the memory back.
  void clear() { *this = Distinct(); }
  size_t memory() const { return kept_.capacity() * sizeof(uint64_t); }

 private:
  std::vector<uint64_t> kept_;  // ascending
  uint64_t count_ = 0;
};

}  // namespace tailrace

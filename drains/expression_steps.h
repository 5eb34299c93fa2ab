#pragma once
// A regular expression as steps, several of which may be taken at once.

#include <cstdint>
#include <optional>
#include <vector>

#include "drains/expression_tree.h"

namespace tailrace {

/// The automaton that is not yet deterministic. A value; lives while the expression is parsed, on the thread
/// that does it. Has 4,000 steps at most; the indexes in them are of `all`.
struct ExpressionSteps {
  struct Step {
    enum class Kind : uint8_t { bytes, fork, look, done };
    Kind kind = Kind::done;
    uint8_t first = 0, last = 0;  // of bytes
    ExpressionTree::Look look{};
    uint32_t next = 0, other = 0;  // a fork has both
  };

  std::vector<Step> all;
  uint32_t start = 0;

  /// None: there would be too many.
  static std::optional<ExpressionSteps> of(const ExpressionTree& tree);
};

}  // namespace tailrace

#pragma once
// What the text of a regular expression says.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drains/code_points.h"
#include "drains/expression.h"

namespace tailrace {

/// An expression as a tree, each node of which owns its parts. A value; lives while the expression is parsed,
/// on the thread that does it.
struct ExpressionTree {
  enum class Kind : uint8_t { empty, set, any_byte, look, sequence, choice, repeat };
  enum class Look : uint8_t { begin_text, end_text, begin_line, end_line, word_edge, no_word_edge };
  struct Read;
  static constexpr int kUnbounded = -1;

  Kind kind = Kind::empty;
  Look look{};
  int least = 0, most = 0;  // of a repeat; most may be kUnbounded
  CodePoints ranges{};      // of a set
  std::vector<ExpressionTree> parts{};

  /// Reads what RE2 has found to be an expression.
  static Read read(std::string_view text, Expression::Room& room);
};

struct ExpressionTree::Read {
  ExpressionTree tree;
  std::string error;  // if there is one, the tree says nothing
};

}  // namespace tailrace

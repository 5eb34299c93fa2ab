#pragma once
// From the steps of a regular expression to its table.

#include <memory>

#include "drains/expression.h"
#include "drains/expression_steps.h"

namespace tailrace {

/// The complete automaton: each state is a set of steps that are taken at once. It has 4,096 states and 128
/// KiB at most, and what `room` has left, from which it is taken. Null: it would be larger.
std::shared_ptr<const Expression> determinize(const ExpressionSteps& steps, Expression::Room& room);

}  // namespace tailrace

#include "drains/expression.h"

#include <re2/re2.h>

#include <cstring>
#include <utility>

#include "drains/determinizer.h"
#include "drains/expression_steps.h"
#include "drains/expression_tree.h"

namespace tailrace {

Expression::Parsed Expression::parse(const std::string& text, Room& room) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(1 << 20);
  const re2::RE2 checked(text, options);
  if (!checked.ok()) return {nullptr, checked.error()};
  const auto [tree, error] = ExpressionTree::read(text, room);
  if (!error.empty()) return {nullptr, error};
  if (const auto steps = ExpressionSteps::of(tree))
    if (auto made = determinize(*steps, room)) return {std::move(made), {}};
  return {nullptr, kTooComplex};
}

bool Expression::matches(std::string_view text) const {
  const auto* at = reinterpret_cast<const uint8_t*>(text.data());
  const auto* const end = at + text.size();
  uint16_t state = start_;
  while (at != end) {
    if (state == idle_) {
      if (only_waker_ >= 0) {
        const void* found = std::memchr(at, only_waker_, size_t(end - at));
        if (!found) break;
        at = static_cast<const uint8_t*>(found);
      } else {
        while (at != end && !wakes_[*at]) ++at;
        if (at == end) break;
      }
    }
    if (state <= matched_) break;
    state = next_[state + class_of_[*at++]];
  }
  return at_end_[state / classes_];
}

}  // namespace tailrace

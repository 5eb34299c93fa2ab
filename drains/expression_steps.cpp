#include "drains/expression_steps.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tailrace {
namespace {

using Node = ExpressionTree;
using Step = ExpressionSteps::Step;

constexpr size_t kMostSteps = 4'000;
constexpr uint32_t kNoStep = UINT32_MAX;

/// From the end to the begin: each piece is told what follows it. On the stack of ExpressionSteps::of.
class Compiler {
 public:
  std::vector<Step> steps;
  bool too_large = false;

  uint32_t add(const Step& step) {
    too_large |= steps.size() >= kMostSteps;
    if (!too_large) steps.push_back(step);
    return static_cast<uint32_t>(steps.size() - 1);
  }

  uint32_t compile(const Node& node, uint32_t next) {
    if (too_large) return next;
    switch (node.kind) {
      case Node::Kind::empty:
        return next;
      case Node::Kind::any_byte:
        return bytes(0, 0xff, next);
      case Node::Kind::look:
        return add({.kind = Step::Kind::look, .look = node.look, .next = next});
      case Node::Kind::set:
        return set(node.ranges, next);
      case Node::Kind::sequence:
        for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) next = compile(*part, next);
        return next;
      case Node::Kind::choice: {
        uint32_t all = kNoStep;
        for (const Node& part : node.parts) all = fork(all, compile(part, next));
        return all;
      }
      case Node::Kind::repeat:
        return repeat(node, next);
    }
    return next;
  }

 private:
  uint32_t bytes(uint32_t first, uint32_t last, uint32_t next) {
    return add({.kind = Step::Kind::bytes, .first = uint8_t(first), .last = uint8_t(last), .next = next});
  }
  uint32_t fork(uint32_t one, uint32_t other) {
    return one == kNoStep ? other : add({.kind = Step::Kind::fork, .next = one, .other = other});
  }

  uint32_t repeat(const Node& node, uint32_t next) {
    const Node& part = node.parts.front();
    int copies = node.least;
    if (node.most == ExpressionTree::kUnbounded) {
      const uint32_t again = add({.kind = Step::Kind::fork, .next = next, .other = next});
      const uint32_t body = compile(part, again);
      if (too_large) return next;
      steps[again].other = body;
      next = copies > 0 ? body : again;
      copies -= copies > 0;
    } else {
      const uint32_t out = next;
      for (int i = node.least; i < node.most && !too_large; ++i) next = fork(out, compile(part, next));
    }
    for (; copies > 0 && !too_large; --copies) next = compile(part, next);
    return next;
  }

  uint32_t set(CodePoints ranges, uint32_t next) {
    std::ranges::sort(ranges);
    CodePoints merged;
    for (const auto& [first, last] : ranges)
      if (!merged.empty() && first <= merged.back().second + 1)
        merged.back().second = std::max(merged.back().second, last);
      else
        merged.emplace_back(first, last);
    uint32_t all = kNoStep;
    for (const auto& [first, last] : merged) {
      if (first < 0x80) all = fork(all, bytes(first, std::min<CodePoint>(last, 0x7f), next));
      if (last >= 0x80) all = utf8(all, std::max<CodePoint>(first, 0x80), last, next);
    }
    // A set of nothing: a byte that cannot be.
    return all == kNoStep ? bytes(1, 0, next) : all;
  }

  /// Of RE2's too: where all of them are meant, longer forms than needed pass.
  uint32_t utf8(uint32_t all, CodePoint first, CodePoint last, uint32_t next) {
    if (first == 0x80 && last == kLastCodePoint) {
      const uint32_t one = bytes(0x80, 0xbf, next), two = bytes(0x80, 0xbf, one);
      all = fork(all, bytes(0xc2, 0xdf, one));
      all = fork(all, bytes(0xe0, 0xef, two));
      return fork(all, bytes(0xf0, 0xf4, bytes(0x80, 0xbf, two)));
    }
    for (const CodePoint most : {0x7ffu, 0xffffu})
      if (first <= most && last > most) return utf8(utf8(all, first, most, next), most + 1, last, next);
    for (int i = 1; i < 4; ++i) {
      const CodePoint low = (1u << (6 * i)) - 1;
      if ((first & ~low) == (last & ~low)) continue;
      if (first & low) return utf8(utf8(all, first, first | low, next), (first | low) + 1, last, next);
      if ((last & low) != low)
        return utf8(utf8(all, first, (last & ~low) - 1, next), last & ~low, last, next);
    }
    std::string begin, end;
    append_utf8(begin, first);
    append_utf8(end, last);
    for (size_t i = begin.size(); i-- > 0;) next = bytes(uint8_t(begin[i]), uint8_t(end[i]), next);
    return fork(all, next);
  }
};

}  // namespace

std::optional<ExpressionSteps> ExpressionSteps::of(const ExpressionTree& tree) {
  Compiler compiler;
  const uint32_t done = compiler.add({});
  const uint32_t start = compiler.compile(tree, done);
  if (compiler.too_large) return std::nullopt;
  return ExpressionSteps{std::move(compiler.steps), start};
}

}  // namespace tailrace

#include "drains/determinizer.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <utility>
#include <vector>

namespace tailrace {
namespace {

using Look = ExpressionTree::Look;
using Step = ExpressionSteps::Step;

bool is_word(int byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
         byte == '_';
}

constexpr int kEndOfText = -1;

}  // namespace

/// Makes one table, once. On the stack of determinize(); borrows steps and room.
class Determinizer {
 public:
  Determinizer(const std::vector<Step>& steps, uint32_t start, Expression::Room& room)
      : steps_(steps), start_(start), room_(room), seen_(steps.size(), 0) {}

  std::shared_ptr<const Expression> make() {
    auto made = std::make_shared<Expression>();
    divide_bytes(*made);
    states_ = {nullptr, nullptr};  // kNever, kMatched
    Key first{Before::begin, {}};
    begin_set();
    const bool matched = close(start_, first.steps, nullptr, true);
    const uint16_t start = matched ? kMatched : state_of(std::move(first));
    for (size_t state = 0; state < states_.size(); ++state) {
      const size_t classes = made->classes_;
      if (states_.size() > kMostStates || states_.size() * classes > std::min(room_.cells, kMostCells) ||
          room_.steps == 0)
        return nullptr;
      made->next_.resize((state + 1) * classes, static_cast<uint16_t>(state));
      made->at_end_.push_back(state == kMatched);
      if (state <= kMatched) continue;
      made->at_end_.back() = step(*states_[state], kEndOfText) == kMatched;
      for (size_t c = 0; c < classes; ++c)
        made->next_[state * classes + c] = step(*states_[state], example_[c]);
    }
    room_.cells -= made->next_.size();
    for (uint16_t& next : made->next_) next = static_cast<uint16_t>(next * made->classes_);
    made->start_ = static_cast<uint16_t>(start * made->classes_);
    made->matched_ = static_cast<uint16_t>(kMatched * made->classes_);
    find_idle(*made);
    return made;
  }

 private:
  static constexpr size_t kMostStates = 4'096, kMostCells = 64 * 1024;
  static constexpr uint16_t kNever = 0, kMatched = 1;  // states are numbers here
  enum class Before : uint8_t { begin, line_end, word, other };
  struct Key {
    Before before = Before::other;
    std::vector<uint32_t> steps;
    auto operator<=>(const Key&) const = default;
  };
  struct Between {
    Before before;
    int next;  // a byte, or kEndOfText
  };

  bool has(Look a, Look b) const {
    return std::ranges::any_of(
        steps_, [&](const Step& s) { return s.kind == Step::Kind::look && (s.look == a || s.look == b); });
  }

  void divide_bytes(Expression& made) {
    std::bitset<257> begins;
    for (const Step& step : steps_)
      if (step.kind == Step::Kind::bytes && step.first <= step.last)
        begins.set(step.first), begins.set(size_t(step.last) + 1);
    lines_ = has(Look::begin_line, Look::end_line);
    words_ = has(Look::word_edge, Look::no_word_edge);
    if (lines_) begins.set('\n'), begins.set('\n' + 1);
    if (words_)
      for (int byte = 1; byte < 256; ++byte)
        if (is_word(byte) != is_word(byte - 1)) begins.set(size_t(byte));
    example_ = {0};
    for (size_t byte = 0; byte < 256; ++byte) {
      if (byte > 0 && begins[byte]) example_.push_back(int(byte));
      made.class_of_[byte] = static_cast<uint8_t>(example_.size() - 1);
    }
    made.classes_ = example_.size();
  }

  void begin_set() { ++round_; }

  static bool holds(Look look, const Between& at) {
    const bool edge = (at.before == Before::word) != is_word(at.next);
    switch (look) {
      case Look::begin_text:
        return at.before == Before::begin;
      case Look::end_text:
        return at.next == kEndOfText;
      case Look::begin_line:
        return at.before == Before::begin || at.before == Before::line_end;
      case Look::end_line:
        return at.next == kEndOfText || at.next == '\n';
      case Look::word_edge:
        return edge;
      case Look::no_word_edge:
        return !edge;
    }
    return false;
  }

  /// Adds what is reached from `step` without a byte; `at`: looks are decided, else they are kept. True: it
  /// has matched.
  bool close(uint32_t step, std::vector<uint32_t>& out, const Between* at, bool at_begin) {
    stack_.assign(1, step);
    while (!stack_.empty()) {
      const uint32_t one = stack_.back();
      stack_.pop_back();
      if (std::exchange(seen_[one], round_) == round_) continue;
      if (room_.steps) --room_.steps;
      const Step& s = steps_[one];
      switch (s.kind) {
        case Step::Kind::done:
          return true;
        case Step::Kind::fork:
          stack_.push_back(s.next), stack_.push_back(s.other);
          break;
        case Step::Kind::bytes:
          out.push_back(one);
          break;
        case Step::Kind::look:
          if (at) {
            if (holds(s.look, *at)) stack_.push_back(s.next);
          } else if (at_begin || s.look != Look::begin_text) {
            out.push_back(one);
          }
          break;
      }
    }
    return false;
  }

  Before before_of(int byte) const {
    return lines_ && byte == '\n' ? Before::line_end : words_ && is_word(byte) ? Before::word : Before::other;
  }

  uint16_t step(const Key& from, int byte) {
    std::vector<uint32_t> decided;
    begin_set();
    const Between at{from.before, byte};
    for (const uint32_t one : from.steps)
      if (close(one, decided, &at, false)) return kMatched;
    if (byte == kEndOfText) return kNever;
    Key to{before_of(byte), {}};
    begin_set();
    for (const uint32_t one : decided) {
      const Step& s = steps_[one];
      if (room_.steps) --room_.steps;
      if (byte < s.first || byte > s.last) continue;
      if (close(s.next, to.steps, nullptr, false)) return kMatched;
    }
    if (close(start_, to.steps, nullptr, false)) return kMatched;
    return state_of(std::move(to));
  }

  uint16_t state_of(Key key) {
    if (key.steps.empty()) return kNever;
    std::ranges::sort(key.steps);
    const auto [found, is_new] = numbers_.try_emplace(std::move(key), static_cast<uint16_t>(states_.size()));
    if (is_new && states_.size() <= kMostStates) states_.push_back(&found->first);
    return found->second;
  }

  /// Where nothing has begun to match: the state that most bytes lead to from there.
  static void find_idle(Expression& made) {
    const auto next = [&](uint16_t state, size_t byte) { return made.next_[state + made.class_of_[byte]]; };
    made.idle_ = next(made.start_, 0);
    if (made.idle_ <= made.matched_) return;
    int wakers = 0;
    for (size_t byte = 0; byte < 256; ++byte) {
      if (next(made.idle_, byte) == made.idle_) continue;
      made.wakes_[byte] = 1;
      ++wakers;
      made.only_waker_ = int(byte);
    }
    if (wakers != 1) made.only_waker_ = -1;
  }

  const std::vector<Step>& steps_;
  const uint32_t start_;
  Expression::Room& room_;
  std::vector<uint32_t> seen_;  // the round it was seen in
  uint32_t round_ = 0;
  std::vector<uint32_t> stack_;
  bool lines_ = false, words_ = false;
  std::vector<int> example_;  // of each class
  std::map<Key, uint16_t> numbers_;
  std::vector<const Key*> states_;  // in it
};

std::shared_ptr<const Expression> determinize(const ExpressionSteps& steps, Expression::Room& room) {
  return Determinizer(steps.all, steps.start, room).make();
}

}  // namespace tailrace

#include "drains/expression.h"

#include <re2/re2.h>

#include <algorithm>
#include <bitset>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

namespace tailrace {
namespace {

using CodePoint = uint32_t;
constexpr CodePoint kLast = 0x10ffff;
constexpr int kUnbounded = -1;
constexpr auto kTooComplex = "it is too complex";

/// Code points from first to second. Not sorted, may overlap.
using Ranges = std::vector<std::pair<CodePoint, CodePoint>>;

Ranges negated(Ranges ranges) {
  std::ranges::sort(ranges);
  Ranges out;
  CodePoint next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) out.emplace_back(next, first - 1);
    next = std::max(next, last + 1);
  }
  if (next <= kLast) out.emplace_back(next, kLast);
  return out;
}

/// Where letters other than ASCII's have a partner of the other case.
constexpr std::pair<CodePoint, CodePoint> kCased[] = {
    {0xb5, 0x58f},      {0x10a0, 0x10ff},   {0x13a0, 0x13fd},   {0x1c80, 0x1fff},   {0x2126, 0x218f},
    {0x24b6, 0x24e9},   {0x2c00, 0x2d2f},   {0xa640, 0xa7ff},   {0xab30, 0xabbf},   {0xff21, 0xff5a},
    {0x10400, 0x105bf}, {0x10c80, 0x10cff}, {0x118a0, 0x118df}, {0x16e40, 0x16e7f}, {0x1e900, 0x1e943}};

void append_utf8(std::string& out, CodePoint c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xc0 | c >> 6), out += char(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += char(0xe0 | c >> 12), out += char(0x80 | (c >> 6 & 63)), out += char(0x80 | (c & 63));
  } else {
    out += char(0xf0 | c >> 18), out += char(0x80 | (c >> 12 & 63));
    out += char(0x80 | (c >> 6 & 63)), out += char(0x80 | (c & 63));
  }
}

// ---- what an expression is -------------------------------------------------------------------------------

enum class Look : uint8_t { begin_text, end_text, begin_line, end_line, word_edge, no_word_edge };

struct Node {
  enum class Kind : uint8_t { empty, set, any_byte, look, sequence, choice, repeat };
  Kind kind = Kind::empty;
  Look look{};
  int least = 0, most = 0;
  Ranges ranges{};
  std::vector<Node> parts{};
};

struct Flags {
  bool any_case = false, lines = false, dot_all = false;
};

/// Reads what RE2 has found to be an expression.
class Reader {
 public:
  Reader(std::string_view text, Expression::Room& room) : text_(text), room_(room) {}

  Node read() { return read_choice({}); }
  const std::string& error() const { return error_; }

 private:
  using Kind = Node::Kind;

  bool at_end() const { return at_ >= text_.size(); }
  bool next_is(std::string_view what) const {
    return text_.substr(std::min(at_, text_.size())).starts_with(what);
  }
  bool take(std::string_view what) { return next_is(what) && (at_ += what.size(), true); }
  char next_byte() { return at_end() ? '\0' : text_[at_++]; }

  CodePoint next_code_point() {
    const auto lead = static_cast<uint8_t>(next_byte());
    if (lead < 0x80) return lead;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    CodePoint c = lead & (0x3fu >> more);
    for (int i = 0; i < more; ++i) c = c << 6 | (static_cast<uint8_t>(next_byte()) & 0x3fu);
    return c;
  }

  Node read_choice(Flags flags) {
    Node choice{.kind = Kind::choice};
    Node sequence{.kind = Kind::sequence};
    while (!at_end() && !next_is(")") && error_.empty()) {
      if (take("|"))
        choice.parts.push_back(std::exchange(sequence, {.kind = Kind::sequence}));
      else if (std::optional<Node> part = read_part(flags))
        sequence.parts.push_back(read_repeats(std::move(*part)));
      else if (!sequence.parts.empty())  // what stands behind flags repeats what stands before them
        sequence.parts.back() = read_repeats(std::move(sequence.parts.back()));
    }
    choice.parts.push_back(std::move(sequence));
    return choice.parts.size() == 1 ? std::move(choice.parts.front()) : std::move(choice);
  }

  /// None: it was flags for what follows.
  std::optional<Node> read_part(Flags& flags) {
    if (take("(")) return read_group(flags);
    if (next_is("[")) return read_class(flags);
    if (take("^")) return Node{.kind = Kind::look, .look = flags.lines ? Look::begin_line : Look::begin_text};
    if (take("$")) return Node{.kind = Kind::look, .look = flags.lines ? Look::end_line : Look::end_text};
    if (take("."))
      return Node{.kind = Kind::set, .ranges = flags.dot_all ? Ranges{{0, kLast}} : negated({{'\n', '\n'}})};
    if (take("\\A")) return Node{.kind = Kind::look, .look = Look::begin_text};
    if (take("\\z")) return Node{.kind = Kind::look, .look = Look::end_text};
    if (take("\\b")) return Node{.kind = Kind::look, .look = Look::word_edge};
    if (take("\\B")) return Node{.kind = Kind::look, .look = Look::no_word_edge};
    if (take("\\C")) return Node{.kind = Kind::any_byte};
    Node set{.kind = Kind::set};
    read_member(set.ranges, flags);
    return set;
  }

  std::optional<Node> read_group(Flags& flags) {
    Flags inside = flags;
    if (take("?P<")) {
      while (!at_end() && next_byte() != '>') continue;
    } else if (take("?")) {
      bool on = true;
      for (char c = next_byte(); c != ':'; c = next_byte()) {
        if (c == ')') return flags = inside, std::nullopt;
        if (c == '-') on = false;
        if (c == 'i') inside.any_case = on;
        if (c == 'm') inside.lines = on;
        if (c == 's') inside.dot_all = on;
        if (at_end()) break;
      }
    }
    Node group = read_choice(inside);
    take(")");
    return group;
  }

  Node read_repeats(Node part) {
    for (;;) {
      Node repeat{.kind = Kind::repeat};
      if (take("*"))
        repeat.most = kUnbounded;
      else if (take("+"))
        repeat.least = 1, repeat.most = kUnbounded;
      else if (take("?"))
        repeat.most = 1;
      else if (!read_counts(repeat))
        return part;
      take("?");
      repeat.parts.push_back(std::move(part));
      part = std::move(repeat);
    }
  }

  /// `{2}`, `{2,}`, `{2,5}`; else it is text.
  bool read_counts(Node& repeat) {
    const size_t before = at_;
    if (!take("{")) return false;
    const auto number = [&] {
      int value = -1;
      while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9')
        value = std::min(std::max(value, 0) * 10 + (text_[at_++] - '0'), 10'000);
      return value;
    };
    repeat.least = repeat.most = number();
    if (take(",")) repeat.most = number();  // -1: kUnbounded
    if (repeat.least >= 0 && take("}")) return true;
    at_ = before;
    return false;
  }

  /// One literal, or `\d` and its like.
  void read_member(Ranges& out, const Flags& flags) {
    if (read_perl_class(out, flags)) return;
    const CodePoint c = read_literal();
    add(out, {{c, c}}, flags);
  }

  CodePoint read_literal() {
    if (!take("\\")) return next_code_point();
    const char c = next_byte();
    switch (c) {
      case 'a':
        return '\a';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'x':
        return read_hex();
      case 'p':
      case 'P':
      case 'Q':
        if (error_.empty()) error_ = std::string("\\") + c + " is not taken here";
        return 0;
      default:
        break;
    }
    if (c >= '0' && c <= '7') {
      CodePoint value = CodePoint(c - '0');
      for (int i = 0; i < 2 && !at_end() && text_[at_] >= '0' && text_[at_] <= '7'; ++i)
        value = value * 8 + CodePoint(next_byte() - '0');
      return value;
    }
    --at_;
    return next_code_point();
  }

  CodePoint read_hex() {
    const bool braces = take("{");
    CodePoint value = 0;
    for (int i = 0; braces ? !at_end() && !take("}") : i < 2; ++i) {
      const char c = next_byte();
      value = (value << 4 | CodePoint(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10)) & 0x1fffff;
    }
    return std::min(value, kLast);
  }

  static const Ranges* perl_class(char c) {
    static const Ranges digits{{'0', '9'}}, spaces{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}},
        words{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    return c == 'd' ? &digits : c == 's' ? &spaces : c == 'w' ? &words : nullptr;
  }

  bool read_perl_class(Ranges& out, const Flags& flags) {
    if (!next_is("\\") || at_ + 1 >= text_.size()) return false;
    const char c = text_[at_ + 1];
    const Ranges* const found = perl_class(static_cast<char>(c | 0x20));
    if (!found) return false;
    at_ += 2;
    add(out, *found, flags, c < 'a');
    return true;
  }

  bool read_named_class(Ranges& out, const Flags& flags) {
    static const std::map<std::string_view, Ranges> named{
        {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
        {"ascii", {{0, 0x7f}}},
        {"blank", {{'\t', '\t'}, {' ', ' '}}},
        {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
        {"digit", {{'0', '9'}}},
        {"graph", {{'!', '~'}}},
        {"lower", {{'a', 'z'}}},
        {"print", {{' ', '~'}}},
        {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"space", {{'\t', '\r'}, {' ', ' '}}},
        {"upper", {{'A', 'Z'}}},
        {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
    if (!next_is("[:")) return false;
    const size_t end = text_.find(":]", at_ + 2);
    if (end == std::string_view::npos) return false;
    std::string_view name = text_.substr(at_ + 2, end - at_ - 2);
    const bool negative = name.starts_with('^');
    name.remove_prefix(negative);
    const auto found = named.find(name);
    if (found == named.end()) return false;
    at_ = end + 2;
    add(out, found->second, flags, negative);
    return true;
  }

  Node read_class(const Flags& flags) {
    take("[");
    const bool negative = take("^");
    Ranges ranges;
    for (bool first = true; !at_end() && error_.empty() && (first || !next_is("]")); first = false) {
      if (read_named_class(ranges, flags) || read_perl_class(ranges, flags)) continue;
      const CodePoint begin = read_literal();
      CodePoint end = begin;
      if (next_is("-") && at_ + 1 < text_.size() && text_[at_ + 1] != ']') take("-"), end = read_literal();
      if (begin <= end) add(ranges, {{begin, end}}, flags);
    }
    take("]");
    return {.kind = Node::Kind::set, .ranges = negative ? negated(std::move(ranges)) : std::move(ranges)};
  }

  void add(Ranges& out, const Ranges& ranges, const Flags& flags, bool negative = false) {
    Ranges all = ranges;
    if (flags.any_case)
      for (const auto& [first, last] : ranges) add_other_cases(all, first, last);
    if (negative) all = negated(std::move(all));
    out.insert(out.end(), all.begin(), all.end());
  }

  void add_other_cases(Ranges& out, CodePoint first, CodePoint last) {
    for (CodePoint c = std::max<CodePoint>(first, 'A'); c <= std::min<CodePoint>(last, 'z'); ++c) {
      const CodePoint letter = c | 0x20;
      if (letter < 'a' || letter > 'z') continue;
      out.emplace_back(c ^ 0x20, c ^ 0x20);
      if (letter == 'k') out.emplace_back(0x212a, 0x212a);
      if (letter == 's') out.emplace_back(0x17f, 0x17f);
    }
    if (last < 0x80) return;
    // RE2 knows Unicode's cases. Each place where letters have any is asked about.
    if (room_.steps < kAsked) return void(error_ = kTooComplex);
    room_.steps -= kAsked;
    std::string token = "(?i)[\\x{";
    const auto hex = [](CodePoint c) {
      char digits[12];
      std::snprintf(digits, sizeof digits, "%X", c);
      return std::string(digits);
    };
    token += hex(first) + "}-\\x{" + hex(last) + "}]";
    const re2::RE2 partners(token, re2::RE2::Quiet);
    std::string one;
    const auto ask = [&](CodePoint c) {
      one.clear();
      append_utf8(one, c);
      if (partners.Match(one, 0, one.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0)) out.emplace_back(c, c);
    };
    for (CodePoint c = 'A'; c <= 'z'; ++c) ask(c);
    for (const auto& [begin, end] : kCased)
      for (CodePoint c = begin; c <= end; ++c) ask(c);
  }

  static constexpr size_t kAsked = 60'000;  // steps of an automaton that cost as much

  const std::string_view text_;
  Expression::Room& room_;
  size_t at_ = 0;
  std::string error_;
};

// ---- its steps -------------------------------------------------------------------------------------------

struct Step {
  enum class Kind : uint8_t { bytes, fork, look, done };
  Kind kind = Kind::done;
  uint8_t first = 0, last = 0;  // of bytes
  Look look{};
  uint32_t next = 0, other = 0;  // a fork has both
};
constexpr size_t kMostSteps = 4'000;
constexpr uint32_t kNoStep = UINT32_MAX;

/// From the end to the begin: each piece is told what follows it.
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
    if (node.most == kUnbounded) {
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

  uint32_t set(Ranges ranges, uint32_t next) {
    std::ranges::sort(ranges);
    Ranges merged;
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
    if (first == 0x80 && last == kLast) {
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

bool is_word(int byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
         byte == '_';
}

constexpr int kEndOfText = -1;

}  // namespace

// ---- the automaton ---------------------------------------------------------------------------------------

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

Expression::Parsed Expression::parse(const std::string& text, Room& room) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(1 << 20);
  const re2::RE2 checked(text, options);
  if (!checked.ok()) return {nullptr, checked.error()};
  Reader reader(text, room);
  const Node node = reader.read();
  if (!reader.error().empty()) return {nullptr, reader.error()};
  Compiler compiler;
  const uint32_t done = compiler.add({});
  const uint32_t start = compiler.compile(node, done);
  if (!compiler.too_large)
    if (auto made = Determinizer(compiler.steps, start, room).make()) return {std::move(made), {}};
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

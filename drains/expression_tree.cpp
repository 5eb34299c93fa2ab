#include "drains/expression_tree.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace tailrace {
namespace {

using Node = ExpressionTree;
using Look = ExpressionTree::Look;
constexpr int kUnbounded = ExpressionTree::kUnbounded;

struct Flags {
  bool any_case = false, lines = false, dot_all = false;
};

/// Goes through the text once, from its begin. On the stack of ExpressionTree::read; borrows text and room.
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
      return Node{.kind = Kind::set,
                  .ranges = flags.dot_all ? CodePoints{{0, kLastCodePoint}} : negated({{'\n', '\n'}})};
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
  void read_member(CodePoints& out, const Flags& flags) {
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
    return std::min(value, kLastCodePoint);
  }

  static const CodePoints* perl_class(char c) {
    static const CodePoints digits{{'0', '9'}}, spaces{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}},
        words{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    return c == 'd' ? &digits : c == 's' ? &spaces : c == 'w' ? &words : nullptr;
  }

  bool read_perl_class(CodePoints& out, const Flags& flags) {
    if (!next_is("\\") || at_ + 1 >= text_.size()) return false;
    const char c = text_[at_ + 1];
    const CodePoints* const found = perl_class(static_cast<char>(c | 0x20));
    if (!found) return false;
    at_ += 2;
    add(out, *found, flags, c < 'a');
    return true;
  }

  bool read_named_class(CodePoints& out, const Flags& flags) {
    static const std::map<std::string_view, CodePoints> named{
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
    CodePoints ranges;
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

  void add(CodePoints& out, const CodePoints& ranges, const Flags& flags, bool negative = false) {
    CodePoints all = ranges;
    if (flags.any_case)
      for (const auto& [first, last] : ranges)
        if (!add_other_cases(all, first, last, room_.steps)) error_ = Expression::kTooComplex;
    if (negative) all = negated(std::move(all));
    out.insert(out.end(), all.begin(), all.end());
  }

  const std::string_view text_;
  Expression::Room& room_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

ExpressionTree::Read ExpressionTree::read(std::string_view text, Expression::Room& room) {
  Reader reader(text, room);
  ExpressionTree tree = reader.read();
  return {std::move(tree), reader.error()};
}

}  // namespace tailrace

#include "drains/filter.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"
#include "channels/syslog_names.h"
#include "drains/amount.h"
#include "drains/expression.h"
#include "drains/pairs.h"

namespace tailrace {
namespace {

constexpr size_t kMostBytes = 2048, kMostTexts = 1024, kMostTerms = 32, kMostExpressions = 8;

enum class Op : uint8_t { equal, unequal, less, at_most, more, at_least, matches };

bool is_order(Op op) {
  return op == Op::less || op == Op::at_most || op == Op::more || op == Op::at_least;
}

template <class T>
bool compare(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::equal:
      return a == b;
    case Op::unequal:
      return a != b;
    case Op::less:
      return a < b;
    case Op::at_most:
      return a <= b;
    case Op::more:
      return a > b;
    default:
      return a >= b;
  }
}

// ---- what a filter is ------------------------------------------------------------------------------------

enum class Field : uint8_t { severity, facility, app, procid, host, msgid };

/// One condition. Costs rise in the order of its subjects.
struct Term {
  enum class Subject : uint8_t { field, message, pair, matched_message };

  Subject subject = Subject::message;
  bool negated = false;
  Op op = Op::equal;
  Field field = Field::app;
  int number = 0;    // of a severity or a facility
  Amount amount;     // of `<` and its like
  std::string key;   // `status=`
  std::string text;  // what is looked for, or compared with
  std::shared_ptr<const Expression> expression;
  size_t at = 0;  // in the filter's text

  /// Nanoseconds for each byte of a record, as measured with the worst messages.
  double dearest() const {
    const double expressions = op == Op::matches ? 2.2 : 0;
    if (subject == Subject::field || subject == Subject::matched_message) return expressions;
    return expressions + 0.2 + 0.04 * double(subject == Subject::pair ? key.size() : text.size());
  }

  bool holds(const Record& record, std::string_view message) const { return is(record, message) != negated; }

 private:
  bool is(const Record& record, std::string_view message) const;
  bool field_is(const Record& record) const;
  bool pair_is(std::optional<std::string_view> value) const;
};
using Terms = std::vector<Term>;

bool Term::is(const Record& record, std::string_view message) const {
  switch (subject) {
    case Subject::field:
      return field_is(record);
    case Subject::message:
      return find_text(message, text) != std::string_view::npos;
    case Subject::pair:
      return pair_is(find_pair(message, key));
    default:
      return expression->matches(message);
  }
}

bool Term::field_is(const Record& record) const {
  if (field == Field::severity) return compare(op, record.severity(), number);
  if (field == Field::facility) return compare(op, record.facility(), number);
  const std::string_view value = field == Field::app      ? record.app()
                                 : field == Field::procid ? record.procid()
                                 : field == Field::host   ? record.host()
                                                          : record.msgid();
  if (op == Op::matches) return expression->matches(value);
  const bool same = value.starts_with(text) &&
                    (value.size() == text.size() || (field == Field::procid && value[text.size()] == '.'));
  return same == (op == Op::equal);
}

bool Term::pair_is(std::optional<std::string_view> value) const {
  if (!value) return op == Op::unequal;
  if (op == Op::matches) return expression->matches(*value);
  if (!is_order(op)) return (*value == text) == (op == Op::equal);
  const std::optional<Amount> its = parse_amount(*value);
  if (!its) return false;
  if (amount.kind == Amount::Kind::plain) return compare(op, its->number, amount.number);
  return its->kind == amount.kind && compare(op, its->value, amount.value);
}

class TermFilter final : public RecordFilter {
 public:
  explicit TermFilter(std::vector<Terms> lists) : lists_(std::move(lists)) {
    for (Terms& terms : lists_) {
      std::ranges::sort(terms, {}, &Term::subject);
      for (const Term& term : terms) dearest_ += term.dearest();
    }
  }

  double dearest() const override { return dearest_; }
  bool wants(const Record& record) const override {
    std::string_view message = record.message();
    if (message.ends_with('\n')) message.remove_suffix(1);  // so that `$` is where people see the end
    return std::ranges::any_of(lists_, [&](const Terms& terms) {
      return std::ranges::all_of(terms, [&](const Term& term) { return term.holds(record, message); });
    });
  }

 private:
  std::vector<Terms> lists_;  // one of them must hold
  double dearest_ = 0;
};

// ---- the parser ------------------------------------------------------------------------------------------

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20;
}

struct Severity {
  std::string_view name;
  int number;
};
constexpr Severity kOtherSeverities[] = {
    {"emergency", 0}, {"critical", 2}, {"error", 3}, {"warn", 4}, {"informational", 6}};

template <size_t N>
std::optional<int> number_of(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto it = std::ranges::find_if(names, [&](std::string_view name) { return iequals(name, text); });
  if (it != names.end()) return static_cast<int>(it - names.begin());
  const std::optional<uint64_t> number = parse_u64(text);
  return number && *number < N ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// Reads a filter's text from left to right. The first error stays.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  ParsedFilter parse() {
    if (text_.size() > kMostBytes) return {nullptr, "filter: takes 2K at most"};
    if (!is_utf8(text_)) return {nullptr, "filter: takes UTF-8"};
    while (error_.empty() && skip_blanks()) read_part();
    if (error_.empty() && lists_.back().empty()) start_ = at_, fail("a term is missing", at_);
    if (error_.empty()) compile_all();
    if (!error_.empty()) return {nullptr, error_};
    return {std::make_shared<TermFilter>(std::move(lists_)), {}};
  }

 private:
  using Subject = Term::Subject;

  bool at_end() const { return at_ == text_.size(); }
  bool at_blank() const { return at_end() || is_blank(text_[at_]); }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) { return next_is(c) && ++at_; }
  bool skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
    return !at_end();
  }
  /// Where the next blank is.
  size_t word_end() const {
    size_t end = at_;
    while (end < text_.size() && !is_blank(text_[end])) ++end;
    return end;
  }

  void fail(std::string_view what, size_t at) {
    if (!error_.empty()) return;
    size_t end = std::max(start_, std::min(at, text_.size()));
    while (end < text_.size() && !is_blank(text_[end])) ++end;  // the term, as far as it was read
    std::string term(text_.substr(start_, std::min<size_t>(end - start_, 60)));
    while (!is_utf8(term)) term.pop_back();
    error_ = "filter: " + term + (term.empty() ? "" : ": ") + std::string(what) + " (at " +
             std::to_string(at + 1) + ")";
  }

  /// A term, or what stands between lists.
  void read_part() {
    start_ = at_;
    const std::string_view word = text_.substr(at_, word_end() - at_);
    if (word == "or") {
      if (lists_.back().empty()) return fail("a term is missing before it", at_);
      at_ += word.size();
      lists_.emplace_back();
      return;
    }
    for (const std::string_view other : {"and", "AND", "OR", "not", "NOT"})
      if (word == other)
        return fail("between terms stands a blank or `or`, before one that shall not hold `-`", at_);
    if (++terms_ > kMostTerms) return fail("32 terms at most", at_);
    Term term;
    term.at = at_;
    term.negated = take('-');
    read_term(term);
    if (error_.empty() && !at_blank()) fail("a blank is missing behind it", at_);
    if (term.op != Op::matches) texts_ += term.text.size();
    if ((texts_ += term.key.size()) > kMostTexts) fail("texts of 1K together at most", term.at);
    if (error_.empty()) lists_.back().push_back(std::move(term));
  }

  void read_term(Term& term) {
    if (at_blank() || next_is('-')) return fail("a term is missing behind -", at_);
    if (next_is('"')) {
      term.text = quoted(true);
      if (error_.empty() && term.text.empty()) fail("a text is missing", at_ - 1);
    } else if (next_is('/')) {
      read_expression(term);
    } else if (next_is('(')) {
      fail("terms are not grouped; a text that begins so stands in quotes", at_);
    } else {
      read_word(term);
    }
  }

  /// What stands in quotes, with or without `\"` and `\\` resolved.
  std::string quoted(bool resolved) {
    const size_t begin = ++at_, end = closing_quote(text_, begin);
    if (end == std::string_view::npos) {
      fail("the quote is not closed", begin - 1);
      return {};
    }
    at_ = end + 1;
    std::string out(text_.substr(begin, end - begin));
    if (resolved)
      for (size_t i = 0; i + 1 < out.size(); ++i)
        if (out[i] == '\\' && (out[i + 1] == '"' || out[i + 1] == '\\')) out.erase(i, 1);
    return out;
  }

  /// `/…/` and `/…/i`. `\/` in it is a slash, which RE2 knows itself.
  void read_expression(Term& term) {
    const size_t begin = ++at_;
    while (!at_end() && text_[at_] != '/') at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    if (at_end()) return fail("the / that ends it is missing", begin - 1);
    if (at_ == begin) return fail("an expression is missing", at_);
    term.text = text_.substr(begin, at_ - begin);
    ++at_;
    term.subject = Subject::matched_message;
    term.op = Op::matches;
    if (take('i')) term.text.insert(0, "(?i)");
    if (!at_blank()) fail("behind / stands i or a blank; a text with / stands in quotes", at_);
  }

  /// A text without quotes, `NAME OP VALUE`, or `@FIELD OP VALUE`.
  void read_word(Term& term) {
    const size_t end = word_end();
    const std::string_view word = text_.substr(at_, end - at_);
    size_t length = 0;  // of the name
    while (length < word.size() && std::string_view("=<>~").find(word[length]) == std::string_view::npos)
      ++length;
    const bool has_operator = length < word.size();
    if (has_operator && length > 0 && word[length - 1] == '!') --length;
    const std::string_view name = word.substr(0, length);
    if (const size_t quote = name.find('"'); quote != std::string_view::npos)
      return fail("a quote stands within a word", at_ + quote);
    const size_t name_at = at_;
    at_ += length;
    if (!has_operator) {
      if (name.starts_with('@')) return fail("an operator is missing", at_);
      term.text = name;
      return;
    }
    read_operator(term);
    if (name.empty()) return fail("a name is missing", name_at);
    const size_t value_at = at_;
    std::string value = read_value();
    if (!error_.empty()) return;
    if (name.starts_with('@')) return judge_field(term, name, std::move(value), value_at);
    term.subject = Subject::pair;
    (term.key = name) += '=';
    if (is_order(term.op)) {
      const std::optional<Amount> amount = parse_amount(value);
      if (!amount) return fail("a number is missing", value_at);
      term.amount = *amount;
    }
    judge_text(term, std::move(value), value_at);
  }

  void read_operator(Term& term) {
    const size_t at = at_;
    const bool inverted = take('!');
    if (take('='))
      term.op = inverted ? Op::unequal : Op::equal;
    else if (inverted)
      fail("!= is the only operator with !", at);
    else if (take('<'))
      term.op = take('=') ? Op::at_most : Op::less;
    else if (take('>'))
      term.op = take('=') ? Op::at_least : Op::more;
    else if (take('~'))
      term.op = Op::matches;
  }

  std::string read_value() {
    if (next_is('"')) return quoted(false);
    const size_t begin = at_;
    at_ = word_end();
    return std::string(text_.substr(begin, at_ - begin));
  }

  void judge_text(Term& term, std::string value, size_t at) {
    if (term.op == Op::matches && value.empty()) return fail("an expression is missing", at);
    term.text = std::move(value);
  }

  void judge_field(Term& term, std::string_view name, std::string value, size_t at) {
    static constexpr std::string_view kNames[] = {"@severity", "@facility", "@app",
                                                  "@procid",   "@host",     "@msgid"};
    const auto it = std::ranges::find(kNames, name);
    if (it == std::end(kNames))
      return fail("a record has app, procid, severity, facility, host and msgid", term.at);
    term.subject = Subject::field;
    term.field = static_cast<Field>(it - std::begin(kNames));
    const bool severity = term.field == Field::severity, facility = term.field == Field::facility;
    if (term.op == Op::matches ? severity || facility : is_order(term.op) && !severity)
      return fail(severity   ? "a severity takes = != < <= > >="
                  : facility ? "a facility takes = !="
                             : "it takes = != ~",
                  at);
    if (severity || facility) {
      const std::optional<int> number = severity ? parse_severity(value) : number_of(kFacilityNames, value);
      if (!number) return fail(severity ? "a severity is missing" : "a facility is missing", at);
      term.number = *number;
    }
    judge_text(term, std::move(value), at);
  }

  void compile_all() {
    Expression::Room room;
    size_t expressions = 0;
    for (Terms& terms : lists_)
      for (Term& term : terms) {
        if (term.op != Op::matches) continue;
        start_ = at_ = term.at;
        if (++expressions > kMostExpressions) return fail("8 expressions at most", at_);
        auto [expression, error] = Expression::parse(term.text, room);
        if (!expression) return fail(is_utf8(error) ? error : "no expression", at_);
        term.expression = std::move(expression);
      }
  }

  const std::string_view text_;
  size_t at_ = 0;
  size_t start_ = 0;  // of the term that is read
  size_t terms_ = 0, texts_ = 0;
  std::vector<Terms> lists_{1};
  std::string error_;
};

}  // namespace

std::optional<int> parse_severity(std::string_view text) {
  for (const auto& [name, number] : kOtherSeverities)
    if (iequals(name, text)) return number;
  return number_of(kSeverityNames, text);
}

ParsedFilter parse_filter(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace tailrace

#pragma once
// Regular expressions whose cost is known before they run.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace {

/// A regular expression as a complete automaton, made when it is parsed: a text costs one look into a table
/// for each of its bytes, whatever both are. An expression whose automaton would be large is refused instead.
/// Immutable; any thread.
///
/// The language is RE2's (which checks it), as UTF-8, without \p, \P and \Q: what matches here matches there.
class Expression {
 public:
  struct Parsed;
  /// What the expressions of one filter may use together; what parse() uses it takes from this.
  struct Room {
    size_t cells = 128 * 1024;  // of the tables, 2 bytes each; one has 64 Ki at most
    size_t steps = 4'000'000;   // of making it; about 2 ns each
  };

  static constexpr auto kTooComplex = "it is too complex";  // an error

  static Parsed parse(const std::string& text, Room& room);

  /// Whether it matches anywhere in `text`.
  bool matches(std::string_view text) const;

  size_t states() const { return at_end_.size(); }
  size_t cells() const { return next_.size(); }

 private:
  friend class Determinizer;
  static constexpr uint16_t kNever = 0;

  // A state is where its row begins in the table.
  size_t classes_ = 0;
  uint16_t matched_ = 0;
  uint16_t start_ = kNever;
  uint16_t idle_ = kNever;               // where it is while nothing has begun to match
  int only_waker_ = -1;                  // the byte that leaves `idle_`, if it is one
  std::array<uint8_t, 256> wakes_{};     // bytes that do
  std::array<uint8_t, 256> class_of_{};  // bytes that are never told apart have one class
  std::vector<uint16_t> next_;           // [state + class]
  std::vector<bool> at_end_;             // [state / classes_]: it matches if the text ends here
};

struct Expression::Parsed {
  std::shared_ptr<const Expression> expression;  // null: there is an error
  std::string error;
};

}  // namespace tailrace

#pragma once
// Keys from the bytes that a terminal sends.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace {

struct Key {
  enum Kind : uint8_t {
    character,  // `text` is it, in UTF-8
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    backspace,
    interrupt,  // ^C
    suspend,    // ^Z
    redraw,     // ^L
    other,
  };
  Kind kind = other;
  std::string text;
  bool operator==(const Key&) const = default;
};

/// One terminal's. What is begun and not whole waits for the rest.
class KeyReader {
 public:
  std::vector<Key> add(std::string_view bytes);
  /// Nothing came for a moment: an ESC that waits is the key itself.
  std::vector<Key> quiet();
  bool waiting() const { return !begun_.empty(); }

 private:
  std::string begun_;
};

}  // namespace tailrace

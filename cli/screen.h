#pragma once
// A screen of cells, and what a terminal must be sent so that it shows it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace {

/// How a cell looks; colours are of the 256.
struct Style {
  int16_t color = -1;  // -1: the terminal's own
  bool bold = false, reverse = false, dim = false;
  bool operator==(const Style&) const = default;
};

/// What is put where. Text is UTF-8; whatever would move the cursor, change the terminal or turn the
/// direction of writing is shown as `?`, whoever wrote it.
class Screen {
 public:
  Screen(int rows, int columns);

  int rows() const { return rows_; }
  int columns() const { return columns_; }

  /// Writes `text` from there on, at most `width` columns of it and none beyond the edge; what does not fit
  /// ends in `…`. Returns the column behind it.
  int put(int row, int column, std::string_view text, Style style = {}, int width = 1 << 20);
  /// Ends at `end`, the column behind it.
  void put_right(int row, int end, std::string_view text, Style style = {}, int width = 1 << 20);
  void fill(int row, Style style);

  /// One row without its blanks at the end, for tests and for output that is no terminal.
  std::string text(int row) const;
  std::string text() const;

  /// What makes a terminal that shows `before` show this; everything if its size is another. Without colour:
  /// bold and reverse alone.
  std::string changes_from(const Screen* before, bool color) const;

 private:
  struct Cell {
    std::string glyph = " ";  // empty: covered by the wide one to the left
    Style style;
    bool operator==(const Cell&) const = default;
  };
  const Cell& at(int row, int column) const { return cells_[size_t(row * columns_ + column)]; }
  Cell& at(int row, int column) { return cells_[size_t(row * columns_ + column)]; }

  int rows_, columns_;
  std::vector<Cell> cells_;
};

/// Columns that a text takes on a screen.
int screen_width(std::string_view text);

}  // namespace tailrace

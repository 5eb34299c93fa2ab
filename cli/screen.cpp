#include "cli/screen.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tailrace {
namespace {

struct Glyph {
  std::string_view bytes;
  int width = 1;
};

constexpr std::pair<uint32_t, uint32_t> wide_ranges[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xa960, 0xa97f}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd}};
// No width of their own, or a direction for others.
constexpr std::pair<uint32_t, uint32_t> unshown_ranges[] = {
    {0x0, 0x1f},      {0x7f, 0x9f},     {0xad, 0xad},      {0x300, 0x36f},   {0x483, 0x489},
    {0x591, 0x5bd},   {0x610, 0x61a},   {0x61c, 0x61c},    {0x64b, 0x65f},   {0x1160, 0x11ff},
    {0x180b, 0x180f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},  {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x20d0, 0x20ff}, {0xd800, 0xdfff},  {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}};

bool in(uint32_t code, std::span<const std::pair<uint32_t, uint32_t>> ranges) {
  return std::ranges::any_of(ranges,
                             [&](auto& range) { return code >= range.first && code <= range.second; });
}

/// Takes the next one off `text`, which is not empty.
Glyph next(std::string_view& text) {
  const uint8_t first = uint8_t(text[0]);
  const size_t length = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  uint32_t code = length == 1 ? first : first & (0x7f >> length);
  bool good = length > 0 && length <= text.size();
  for (size_t i = 1; good && i < length; ++i) {
    good = (uint8_t(text[i]) & 0xc0) == 0x80;
    code = code << 6 | (uint8_t(text[i]) & 0x3f);
  }
  const Glyph unshown{"?", 1};
  const std::string_view bytes = text.substr(0, good ? length : 1);
  text.remove_prefix(bytes.size());
  if (!good || in(code, unshown_ranges) || code > 0x10ffff) return unshown;
  return {bytes, in(code, wide_ranges) ? 2 : 1};
}

std::string sgr(const Style& style, bool color) {
  std::string out = "\x1b[0";
  if (style.bold) out += ";1";
  if (style.dim) out += ";2";
  if (style.reverse) out += ";7";
  if (color && style.color >= 0) out += ";38;5;" + std::to_string(style.color);
  return out + "m";
}

std::string moved(int row, int column) {
  return "\x1b[" + std::to_string(row + 1) + ";" + std::to_string(column + 1) + "H";
}

}  // namespace

int screen_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) width += next(text).width;
  return width;
}

Screen::Screen(int rows, int columns)
    : rows_(std::max(rows, 1)), columns_(std::max(columns, 1)), cells_(size_t(rows_) * size_t(columns_)) {}

int Screen::put(int row, int column, std::string_view text, Style style, int width) {
  if (row < 0 || row >= rows_ || column < 0) return column;
  const int end = std::min(columns_, width > columns_ ? columns_ : column + width);
  const bool fits = column + screen_width(text) <= end;
  while (!text.empty() && column < end) {
    const Glyph glyph = next(text);
    if (!fits && column + glyph.width >= end) {  // the last one that has room
      at(row, column) = {"…", style};
      return column + 1;
    }
    at(row, column) = {std::string(glyph.bytes), style};
    if (glyph.width == 2) at(row, column + 1) = {"", style};
    column += glyph.width;
  }
  return column;
}

void Screen::put_right(int row, int end, std::string_view text, Style style, int width) {
  const int taken = std::min(screen_width(text), width);
  put(row, std::max(0, end - taken), text, style, taken);
}

void Screen::fill(int row, Style style) {
  if (row < 0 || row >= rows_) return;
  for (int column = 0; column < columns_; ++column) at(row, column) = {" ", style};
}

std::string Screen::text(int row) const {
  std::string out;
  for (int column = 0; column < columns_; ++column) out += at(row, column).glyph;
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string Screen::text() const {
  std::string out;
  for (int row = 0; row < rows_; ++row) out += text(row) + "\n";
  return out;
}

std::string Screen::changes_from(const Screen* before, bool color) const {
  const bool all = !before || before->rows_ != rows_ || before->columns_ != columns_;
  std::string out = all ? "\x1b[0m\x1b[2J" : "";
  Style style{.color = -2};  // none that a cell has
  for (int row = 0; row < rows_; ++row) {
    int cursor = -1;  // where the terminal's is in this row, as far as known
    for (int column = 0; column < columns_; ++column) {
      const Cell& cell = at(row, column);
      const Cell& old = all ? cell : before->at(row, column);
      if (cell.glyph.empty() || (all ? cell == Cell() : cell == old)) continue;
      if (cursor != column) out += moved(row, column);
      if (cell.style != style) out += sgr(style = cell.style, color);
      out += cell.glyph;
      cursor = column + 1 + (column + 1 < columns_ && at(row, column + 1).glyph.empty());
    }
  }
  return out.empty() ? out : out + "\x1b[0m";
}

}  // namespace tailrace

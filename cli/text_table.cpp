#include "cli/text_table.h"

#include <algorithm>
#include <cstdint>

namespace tailrace {
namespace {

// Of UTF-8, as if every character took one.
size_t columns(const std::string& text) {
  return size_t(std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(row.size(), 1);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string& cell = row[i].empty() ? "-" : row[i];
      out += cell;
      if (i + 1 < row.size()) out.append(widths[i] - columns(cell) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string counted(uint64_t count, const std::string& what) {
  std::string digits = std::to_string(count);
  for (size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, ",");
  return digits + " " + what + (count == 1 ? "" : "s");
}

}  // namespace tailrace

#pragma once
// Rows of cells, one below the other.

#include <string>
#include <vector>

namespace tailrace {

/// Columns two blanks apart, `-` for a cell that is empty. The first row is the heading; all have its length.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

/// `1 drain`, `2 drains`, `1,284 records`.
std::string counted(uint64_t count, const std::string& what);

}  // namespace tailrace

#pragma once
// What a check found, one line each.

#include <string>
#include <vector>

namespace tailrace {

struct Findings {
  std::vector<std::string> problems;  // the router would not start, or not do what it is told to
  std::vector<std::string> warnings;  // it would, and somebody should know
};

}  // namespace tailrace

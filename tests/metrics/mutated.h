#pragma once
// Lines that are nearly right, for scanners and their twins.

#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace tailrace {

/// `line` with 1 to 6 changes: a byte of `spice` set or put in, some bytes cut out, one of `names` put in,
/// the end cut off, a piece of itself put in.
inline std::string mutated(std::string line, std::mt19937& random, std::string_view spice,
                           std::span<const std::string> names) {
  const auto below = [&](size_t n) { return random() % n; };
  for (size_t n = 1 + below(6); n > 0 && !line.empty(); --n) {
    const size_t at = below(line.size());
    switch (below(6)) {
      case 0:
        line[at] = spice[below(spice.size())];
        break;
      case 1:
        line.insert(at, 1, spice[below(spice.size())]);
        break;
      case 2:
        line.erase(at, 1 + below(8));
        break;
      case 3:
        line.insert(at, names[below(names.size())]);
        break;
      case 4:
        line.resize(at);
        break;
      case 5:
        line.insert(at, line.substr(below(line.size()), below(90)));
        break;
    }
  }
  return line;
}

}  // namespace tailrace

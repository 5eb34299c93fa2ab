#pragma once
// Which quantiles every summary shows.

#include <array>

namespace tailrace {

inline constexpr std::array kQuantiles = {0.5, 0.95, 0.99, 1.0};

}  // namespace tailrace

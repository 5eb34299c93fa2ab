#pragma once
// What the API may do at the moment.

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace tailrace {

/// TAILRACE_API_STATE. `read_only`: changes are refused, reading and sessions go on. `disabled`: nothing of
/// the API is answered.
enum class ApiState : uint8_t { normal, read_only, disabled };
inline constexpr std::array<std::string_view, 3> kApiStates{"normal", "read_only", "disabled"};
inline std::string_view to_string(ApiState state) {
  return kApiStates[size_t(state)];
}

}  // namespace tailrace

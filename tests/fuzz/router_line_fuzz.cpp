// Whatever the bytes are, the reader of router lines, its portable form and its slow twin agree.

#include "metrics/lines/router_line.h"
#include "tests/metrics/router_twin.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tailrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const RouterLine fast = scan_router_line(text);
  if (!(fast == scan_router_line_portably(text))) __builtin_trap();
  if (!twin_same(fast, scan_router_line_slowly(text))) __builtin_trap();
  std::string host;
  for (const auto& [name, value] : twin_pairs(std::string(text))) {
    if (name != "host") continue;
    host = value;
    break;
  }
  if (router_value(text, "host") != host) __builtin_trap();
  return 0;
}

// Whatever the bytes are, the scanner, its portable form and its slow twin agree.

#include "metrics/lines/router_line.h"
#include "tests/metrics/router_twin.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const tailrace::RouterLine fast = tailrace::scan_router_line(line);
  if (!(fast == tailrace::scan_router_line_portably(line))) __builtin_trap();
  if (!tailrace::twin_same(fast, tailrace::scan_router_line_slowly(line))) __builtin_trap();
  return 0;
}

// Whatever the bytes are, the reader of l2met's pairs, its portable form and its slow twin agree, and the
// prefilter misses nothing.

#include "metrics/lines/sample_line.h"
#include "tests/metrics/sample_twin.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tailrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static SampleLine fast, portable;
  scan_sample_line(text, fast);
  scan_sample_line_portably(text, portable);
  if (!(fast == portable)) __builtin_trap();
  if (!twin_same(fast, scan_sample_line_slowly(std::string(text)))) __builtin_trap();
  const bool found = !fast.pairs.empty() || fast.empty || fast.not_a_number || fast.negative;
  if (found && !may_have_samples(text)) __builtin_trap();
  return 0;
}

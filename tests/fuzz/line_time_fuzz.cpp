// Whatever TIME fields come, one a line, and whatever came before: each is read as parse_rfc3339() reads it.

#include "base/time_text.h"
#include "metrics/lines/line_time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  tailrace::LineTime times;
  while (!text.empty()) {
    const std::string_view time = text.substr(0, text.find('\n'));
    text.remove_prefix(time.size() < text.size() ? time.size() + 1 : text.size());
    if (times.read(time, -7) != tailrace::parse_rfc3339(time).value_or(-7)) __builtin_trap();
  }
  return 0;
}

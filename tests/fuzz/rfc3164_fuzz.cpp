// Whatever the frame is, the BSD syslog parser agrees with its slow twin, and its fields can stand in an RFC
// 5424 header.

#include "channels/record.h"
#include "tests/ingest/rfc3164_twin.h"

using namespace tailrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr Micros kNow = 1'795'247'154'000'000;  // 2026-11-21
  if (size > 2'000) return 0;                     // the twin is slow, and knows no bound on the header
  const std::string frame(reinterpret_cast<const char*>(data), size);
  const auto fast = parse_bsd(frame, kNow);
  if (fast != SlowBsd(kNow).parse(frame)) __builtin_trap();
  if (!fast) return 0;
  for (const std::string& field : {fast->time, fast->host, fast->app, fast->procid}) {
    if (field.empty()) __builtin_trap();
    for (const char c : field)
      if (uint8_t(c) <= ' ' || c == 0x7f) __builtin_trap();
  }
  if (!frame.ends_with(fast->message)) __builtin_trap();
  return 0;
}

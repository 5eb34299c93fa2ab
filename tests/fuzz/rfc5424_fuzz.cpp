// Whatever the frame is, the RFC 5424 parser agrees with its slow twin; structured data aside, it loses no
// byte.

#include "tests/ingest/rfc5424_twin.h"

using namespace tailrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(data), size);
  if (size > 16'000) return 0;  // the twin knows no bound on the header
  auto fast = parse(frame);
  const auto slow = parse_slowly(frame);
  if (fast.has_value() != slow.has_value()) __builtin_trap();
  if (!fast) return 0;
  if (fast->sd != "-" || slow->message.starts_with('-')) {
    if (!slow->message.ends_with(fast->message)) __builtin_trap();
    return 0;
  }
  fast->sd.clear();
  if (!(*fast == *slow)) __builtin_trap();
  return 0;
}

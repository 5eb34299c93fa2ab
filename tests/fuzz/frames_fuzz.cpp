// Whatever the bytes are and however they are cut, the stream scanner finds what its slow twin finds; so do
// the scanners of whole bodies.

#include "tests/ingest/frame_twin.h"

using namespace tailrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::vector<size_t> portions{size_t(data[0]) % 7 + 1, size_t(data[1]) % 61 + 1};
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Found fast = scan_stream(bytes, portions), slow = scan_slowly(bytes);
  if (fast.frames != slow.frames || fast.rejected != slow.rejected) __builtin_trap();
  if (!(scan_body(bytes, next_in_body) == scan_body_slowly(bytes))) __builtin_trap();
  if (!(scan_body(bytes, next_line) == scan_lines_slowly(bytes))) __builtin_trap();
  return 0;
}

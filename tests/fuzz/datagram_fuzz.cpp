// The record in a datagram is what the slow twin finds.

#include "ingest/syslog_udp.h"
#include "tests/ingest/datagram_twin.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (tailrace::record_in_datagram(bytes) != tailrace::record_slowly(bytes)) __builtin_trap();
  // A count that is right is rare in random bytes.
  const std::string counted = std::to_string(size) + " " + bytes;
  if (tailrace::record_in_datagram(counted) != tailrace::record_slowly(counted)) __builtin_trap();
  return 0;
}

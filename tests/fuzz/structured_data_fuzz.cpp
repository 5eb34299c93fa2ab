// Whatever the structured data is: the tokens in it agree with the slow twin, none is left, and what is left
// is structured data.

#include "ingest/rfc5424.h"
#include "tests/ingest/structured_data_twin.h"

using namespace tailrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string frame = "<13>1 T h a p - " + std::string(reinterpret_cast<const char*>(data), size);
  Syslog syslog;
  if (!parse_rfc5424(frame, syslog)) return 0;
  const std::string sd(syslog.sd);
  const SdResult fast = strip(sd);
  if (!(fast == strip_slowly(sd))) __builtin_trap();
  if (find_tokens(fast.left).remove) __builtin_trap();
  if (fast.left == "-") return 0;
  const std::string again = "<13>1 T h a p - [first@1]" + fast.left;
  if (!parse_rfc5424(again, syslog) || syslog.sd != "[first@1]" + fast.left) __builtin_trap();
  return 0;
}

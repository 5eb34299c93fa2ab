// Whatever the bytes are, the request parser makes the same of them in one piece and in any pieces.

#include "tests/net/request_feed.h"

using namespace tailrace;
using namespace tailrace::testing;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t portions[] = {size_t(data[0]) % 7 + 1, size_t(data[1]) % 61 + 1}, bytewise[] = {1},
               whole[] = {size_t(-1)};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  HttpLimits limits;  // small, so that they are met
  limits.head_bytes = 300;
  limits.head_fields = 6;
  limits.body_bytes = 200;
  const auto once = feed_requests(bytes, whole, limits);
  if (once != feed_requests(bytes, portions, limits)) __builtin_trap();
  if (once != feed_requests(bytes, bytewise, limits)) __builtin_trap();
  for (const FedRequest& fed : once)
    if (fed.body.size() > limits.body_bytes) __builtin_trap();
  return 0;
}

#include <time.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "net/http_parser.h"

namespace tailrace {

std::chrono::seconds parse_retry_after(std::string_view text) {
  constexpr int64_t kMost = 3600;
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos)
    return std::chrono::seconds(std::min<uint64_t>(parse_u64(text).value_or(kMost), kMost));
  if (text.size() > 64) return {};
  const std::string date(text);
  // The three forms of RFC 9110 section 5.6.7.
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    tm parts{};
    const char* end = ::strptime(date.c_str(), form, &parts);
    if (!end || *end) continue;
    const int64_t left = int64_t(::timegm(&parts)) - wall_now() / 1'000'000;
    return std::chrono::seconds(std::clamp<int64_t>(left, 0, kMost));
  }
  return {};
}

}  // namespace tailrace

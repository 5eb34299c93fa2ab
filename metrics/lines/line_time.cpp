#include "metrics/lines/line_time.h"

#include <cstring>

#include "base/time_text.h"

namespace tailrace {
namespace {

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

}  // namespace

Micros LineTime::read(std::string_view time, Micros arrival) {
  // Behind the prefix come two digits of seconds, a fraction or none, and the zone.
  if (zone_size_ == 0 || time.size() < kPrefix + 2 + zone_size_ ||
      std::memcmp(time.data(), prefix_.data(), kPrefix) != 0 ||
      std::memcmp(time.data() + time.size() - zone_size_, zone_.data(), zone_size_) != 0)
    return read_anew(time, arrival);
  const char *p = time.data() + kPrefix, *end = time.data() + time.size() - zone_size_;
  if (!is_digit(p[0]) || !is_digit(p[1])) return read_anew(time, arrival);
  const int64_t second = (p[0] - '0') * 10 + (p[1] - '0');
  if (second > 60) return read_anew(time, arrival);
  p += 2;
  int64_t fraction = 0;
  if (p < end) {
    if (*p++ != '.' || p == end) return read_anew(time, arrival);
    for (int64_t unit = 100'000; p < end; ++p, unit /= 10) {
      if (!is_digit(*p)) return read_anew(time, arrival);
      fraction += (*p - '0') * unit;
    }
  }
  return minute_ + second * 1'000'000 + fraction;
}

Micros LineTime::read_anew(std::string_view time, Micros arrival) {
  if (time == "-") return arrival;
  const auto parsed = parse_rfc3339(time);
  if (!parsed) return arrival;
  // Keep the minute: this very text without its seconds.
  const size_t zone = time.find_last_of("+-Zz");
  const std::string_view zone_text = time.substr(zone);
  zone_size_ = zone_text.size();
  std::memcpy(prefix_.data(), time.data(), kPrefix);
  std::memcpy(zone_.data(), zone_text.data(), zone_size_);
  std::array<char, kPrefix + 2 + 6> minute;
  std::memcpy(minute.data(), prefix_.data(), kPrefix);
  std::memcpy(minute.data() + kPrefix, "00", 2);
  std::memcpy(minute.data() + kPrefix + 2, zone_.data(), zone_size_);
  minute_ = *parse_rfc3339({minute.data(), kPrefix + 2 + zone_size_});
  return *parsed;
}

}  // namespace tailrace

#include "metrics/lines/line_time.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/time_text.h"

namespace tailrace {
namespace {

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

}  // namespace

// Heroku's form, `01.234567` between prefix and zone, without a loop.
bool LineTime::read_micros(std::string_view time, Micros& out) const {
  if constexpr (std::endian::native != std::endian::little) return false;
  const auto load = [](const char* at) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
  };
  const char* text = time.data();
  if (load(text) != load(prefix_.data()) || load(text + 8) != load(prefix_.data() + 8) ||
      text[kPrefix - 1] != prefix_[kPrefix - 1])
    return false;
  if (load(text + time.size() - 8) >> (64 - 8 * zone_size_) != zone_word_) return false;

  const auto tens = static_cast<unsigned>(text[kPrefix] - '0'),
             ones = static_cast<unsigned>(text[kPrefix + 1] - '0');
  if (tens > 5 || ones > 9 || text[kPrefix + 2] != '.') return false;
  // Two zeros, then the six digits: pairs, fours and all are summed at once.
  const uint64_t digits = (load(text + kPrefix + 1) & ~uint64_t{0xffff}) | 0x3030;
  const uint64_t values = digits ^ 0x3030303030303030;
  if ((((values + 0x7676767676767676) | values) & 0x8080808080808080) != 0) return false;
  uint64_t sum = (values * 10 + (values >> 8)) & 0x00ff00ff00ff00ff;
  sum = (sum * 100 + (sum >> 16)) & 0x0000ffff0000ffff;
  sum = (sum * 10'000 + (sum >> 32)) & 0xffffffff;
  out = minute_ + static_cast<int64_t>(tens * 10 + ones) * 1'000'000 + static_cast<int64_t>(sum);
  return true;
}

Micros LineTime::read(std::string_view time, Micros arrival) {
  if (Micros out; zone_size_ != 0 && time.size() == kPrefix + 9 + zone_size_ && read_micros(time, out))
    return out;
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
  zone_word_ = 0;
  std::memcpy(&zone_word_, zone_text.data(), zone_size_);
  std::array<char, kPrefix + 2 + 6> minute;
  std::memcpy(minute.data(), prefix_.data(), kPrefix);
  std::memcpy(minute.data() + kPrefix, "00", 2);
  std::memcpy(minute.data() + kPrefix + 2, zone_.data(), zone_size_);
  minute_ = *parse_rfc3339({minute.data(), kPrefix + 2 + zone_size_});
  return *parsed;
}

}  // namespace tailrace

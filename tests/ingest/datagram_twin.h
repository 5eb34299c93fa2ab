#pragma once
// The slow, obvious twin of record_in_datagram.

#include <string>

namespace tailrace {

inline std::string record_slowly(std::string datagram) {
  for (size_t digits = 1; digits <= 5; ++digits) {
    // A count is what one would write in front of the rest.
    if (datagram.size() < digits + 2 || datagram[digits] != ' ' || datagram[digits + 1] != '<') continue;
    const std::string rest = datagram.substr(digits + 1);
    if (datagram == std::to_string(rest.size()) + " " + rest) datagram = rest;
    break;
  }
  for (const std::string& end : {std::string("\r\n"), std::string("\n"), std::string(1, '\0')}) {
    const size_t size = datagram.size(), n = end.size();
    if (size >= n && datagram.substr(size - n) == end) return datagram.substr(0, size - n);
  }
  return datagram;
}

}  // namespace tailrace

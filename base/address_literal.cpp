#include <charconv>
#include <string>

#include "base/address_policy.h"

namespace tailrace {
namespace {

using boost::asio::ip::address;

/// A number as inet_aton reads it: decimal, `0` octal, `0x` hexadecimal.
std::optional<uint64_t> c_number(std::string_view text) {
  int base = 10;
  if (text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    text.remove_prefix(2);
    base = 16;
    if (text.empty()) return 0;  // some resolvers take `0x` for zero
  } else if (text.size() >= 2 && text[0] == '0') {
    base = 8;
  }
  uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view without_final_dot(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

std::optional<uint32_t> v4_literal(std::string_view host) {
  host = without_final_dot(host);
  uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    const size_t dot = host.find('.');
    const auto number = c_number(host.substr(0, dot));
    if (!number) return std::nullopt;
    if (dot == std::string_view::npos) {
      // The last part fills all bytes that are left.
      const uint64_t most = UINT32_MAX >> (8 * part);
      if (*number > most) return std::nullopt;
      return value | uint32_t(*number);
    }
    if (*number > 255) return std::nullopt;
    value |= uint32_t(*number) << (24 - 8 * part);
    host.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<address> literal_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  }
  if (host.find(':') != std::string_view::npos) {
    if (host.find('%') != std::string_view::npos) return std::nullopt;
    boost::system::error_code ec;
    const auto v6 = boost::asio::ip::make_address_v6(std::string(host), ec);
    if (ec) return std::nullopt;
    return v6;
  }
  if (const auto v4 = v4_literal(host)) return boost::asio::ip::address_v4(*v4);
  return std::nullopt;
}

bool ends_in_number(std::string_view host) {
  host = without_final_dot(host);
  const std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.empty()) return false;
  return label.find_first_not_of("0123456789") == std::string_view::npos || c_number(label).has_value();
}

}  // namespace tailrace

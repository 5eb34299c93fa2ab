#include "base/address_policy.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "base/text.h"

namespace tailrace {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::make_network_v6;
using boost::asio::ip::network_v6;

constexpr const char* kDenied[] = {
    // IPv4: RFC 6890 and its successors in IANA's special-purpose registry
    "0.0.0.0/8",        // this network
    "10.0.0.0/8",       // private
    "100.64.0.0/10",    // shared, and a cloud's metadata (100.100.100.200)
    "127.0.0.0/8",      // loopback
    "168.63.129.16",    // a cloud's host agent
    "169.254.0.0/16",   // link-local, metadata
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments
    "192.0.2.0/24",     // documentation
    "192.88.99.0/24",   // 6to4 relays
    "192.168.0.0/16",   // private
    "198.18.0.0/15",    // benchmarks
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, broadcast
    // IPv6
    "::/96",            // unspecified, loopback, IPv4-compatible
    "::ffff:0:0:0/96",  // IPv4-translated
    "64:ff9b:1::/48",   // local NAT64
    "100::/64",         // discard
    "2001:2::/48",      // benchmarks
    "2001:10::/28",     // ORCHID
    "2001:20::/28",     // ORCHIDv2
    "2001:db8::/32",    // documentation
    "3fff::/20",        // documentation
    "5f00::/16",        // segment routing
    "fc00::/7",         // unique local, metadata (fd00:ec2::254)
    "fe80::/10",        // link-local
    "fec0::/10",        // site-local
    "ff00::/8",         // multicast
};

address_v6 as_v6(const address& a) {
  if (a.is_v4()) return boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, a.to_v4());
  return address_v6(a.to_v6().to_bytes());  // without the zone
}

std::optional<network_v6> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  boost::system::error_code ec;
  const address base = boost::asio::ip::make_address(std::string(text.substr(0, slash)), ec);
  if (ec || (base.is_v6() && base.to_v6().scope_id() != 0)) return std::nullopt;
  const unsigned most = base.is_v4() ? 32 : 128;
  unsigned length = most;
  if (slash != std::string_view::npos) {
    const auto given = parse_u64(text.substr(slash + 1));
    if (!given || *given > most) return std::nullopt;
    length = unsigned(*given);
  }
  return make_network_v6(as_v6(base), static_cast<unsigned short>(length + (128 - most))).canonical();
}

bool contains(const network_v6& network, const address_v6& a) {
  const auto base = network.address().to_bytes(), bytes = a.to_bytes();
  const size_t whole = network.prefix_length() / 8, bits = network.prefix_length() % 8;
  if (!std::equal(base.begin(), base.begin() + long(whole), bytes.begin())) return false;
  return bits == 0 || (base[whole] ^ bytes[whole]) >> (8 - bits) == 0;
}

bool any_contains(const std::vector<network_v6>& networks, const address_v6& a) {
  return std::ranges::any_of(networks, [&](const network_v6& n) { return contains(n, a); });
}

/// The IPv4 addresses that packets to `a` may end at.
std::vector<address_v4> embedded(const address_v6& a) {
  const auto b = a.to_bytes();
  const auto v4 = [&b](size_t at, uint8_t mask = 0) {
    return address_v4(address_v4::bytes_type{uint8_t(b[at] ^ mask), uint8_t(b[at + 1] ^ mask),
                                             uint8_t(b[at + 2] ^ mask), uint8_t(b[at + 3] ^ mask)});
  };
  static const network_v6 nat64 = *parse_network("64:ff9b::/96");
  static const network_v6 teredo = *parse_network("2001::/32");
  if (contains(nat64, a)) return {v4(12)};
  if (contains(teredo, a)) return {v4(4), v4(12, 0xff)};
  if (b[0] == 0x20 && b[1] == 0x02) return {v4(2)};  // 6to4
  if ((b[8] & ~2) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe && b[0] != 0)
    return {v4(12)};  // ISATAP
  return {};
}

bool add_all(std::vector<network_v6>& networks, std::string_view text) {
  bool good = true;
  for_each_piece(text, ',', [&](std::string_view piece) {
    const auto network = parse_network(piece);
    if (network) networks.push_back(*network);
    good &= network.has_value();
  });
  return good;
}

}  // namespace

AddressPolicy::AddressPolicy() {
  for (const char* range : kDenied) deny_.push_back(*parse_network(range));
  *this = on_machine_with(own_addresses());
}

AddressPolicy::Addresses AddressPolicy::own_addresses() {
  Addresses own;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return own;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  for (const ifaddrs* at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr) continue;
    if (at->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4;
      std::memcpy(&v4, at->ifa_addr, sizeof v4);
      own.emplace_back(address_v4(ntohl(v4.sin_addr.s_addr)));
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6;
      std::memcpy(&v6, at->ifa_addr, sizeof v6);
      address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      own.emplace_back(address_v6(bytes));
    }
  }
  return own;
}

AddressPolicy AddressPolicy::on_machine_with(const Addresses& own) const {
  AddressPolicy other = *this;
  other.own_.clear();
  for (const address& one : own) other.own_.push_back(make_network_v6(as_v6(one), 128));
  return other;
}

Result<AddressPolicy> AddressPolicy::parse(std::string_view allow, std::string_view deny) {
  AddressPolicy policy;
  if (!add_all(policy.allow_, allow) || !add_all(policy.deny_, deny))
    return make_error_code(boost::system::errc::invalid_argument);
  return policy;
}

bool AddressPolicy::allows(const address& a) const {
  const address_v6 v6 = as_v6(a);
  if (any_contains(allow_, v6)) return true;
  if (any_contains(deny_, v6) || any_contains(own_, v6)) return false;
  return std::ranges::all_of(embedded(v6), [this](const address_v4& inner) { return allows(inner); });
}

}  // namespace tailrace

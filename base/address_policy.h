#pragma once
// Which addresses drains may reach (contract section 2, TAILRACE_DRAIN_ALLOW and _DENY; reliability notes
// B3).

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace {

/// The address that a host text stands for without any name server: RFC 4291 for IPv6 (brackets allowed, no
/// zone), and for IPv4 each notation that inet_aton takes: `127.1`, `0x7f000001`, `0177.0.0.1`, `2130706433`,
/// a final dot.
std::optional<boost::asio::ip::address> literal_address(std::string_view host);

/// Whether the last label is a number, so that resolvers may take the host for an IPv4 address. One that is,
/// and is no literal_address(), is a name nobody should look up.
bool ends_in_number(std::string_view host);

/// Immutable once built; read from every thread. Deny by default: loopback, private, link-local, shared,
/// multicast, reserved, documentation and metadata ranges, the machine's own addresses, and IPv6 forms that
/// embed any of them (v4-mapped, NAT64, 6to4, Teredo). A further denied range adds to that; an allowed range
/// is an exception from all of it.
class AddressPolicy {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;

  AddressPolicy();  // the built-in list, and the machine's addresses as they are now

  /// `10.0.0.0/8,fd00::/8,192.0.2.1`; the error names nothing, the caller has the text.
  static Result<AddressPolicy> parse(std::string_view allow, std::string_view deny);

  bool allows(const boost::asio::ip::address& address) const;

  /// Of the machine, now; empty if they cannot be read.
  static Addresses own_addresses();
  /// The same policy on a machine that has these.
  AddressPolicy on_machine_with(const Addresses& own) const;

 private:
  std::vector<boost::asio::ip::network_v6> allow_, deny_, own_;  // IPv4 as v4-mapped
};

}  // namespace tailrace

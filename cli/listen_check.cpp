#include "cli/listen_check.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <type_traits>
#include <vector>

#include "net/listener.h"

namespace tailrace {
namespace {

namespace ip = boost::asio::ip;

/// `::` listens on IPv4 too.
bool covers(const ip::address& all, const ip::address& one) {
  return all == one || (all.is_unspecified() && (all.is_v6() || one.is_v4()));
}

/// All addresses of one protocol, held until all have been tried: two of ours that collide show.
template <class Protocol>
class Tried {
 public:
  void add(const std::string& variable, const std::string& text, Findings& out) {
    const auto at = parse_endpoint(text);
    if (!at) return;
    const std::string name = variable + "=" + text + ": ";
    const typename Protocol::endpoint place(at->address(), at->port());
    typename Protocol::socket socket(io_);
    boost::system::error_code failed;
    socket.open(place.protocol(), failed);
    // As the listeners do; for UDP it would let two have the same one.
    if constexpr (std::is_same_v<Protocol, ip::tcp>)
      if (!failed) socket.set_option(ip::tcp::socket::reuse_address(true), failed);
    if (!failed) socket.bind(place, failed);
    if constexpr (std::is_same_v<Protocol, ip::tcp>)
      if (!failed && place.port() != 0) twice(name, place, out);
    if (failed == boost::asio::error::address_in_use) {
      if (!twice(name, place, out)) out.warnings.push_back(name + "in use by another process");
    } else if (failed) {
      out.problems.push_back(name + failed.message());
    }
    held_.push_back({variable, place, std::move(socket)});
  }

 private:
  struct Held {
    std::string variable;
    typename Protocol::endpoint place;
    typename Protocol::socket socket;
  };

  /// Whether one of ours wants it already; told.
  bool twice(const std::string& name, const typename Protocol::endpoint& place, Findings& out) const {
    for (const Held& other : held_) {
      if (place.port() == 0 || other.place.port() != place.port()) continue;
      if (!covers(other.place.address(), place.address()) && !covers(place.address(), other.place.address()))
        continue;
      out.problems.push_back(name + "the same address as " + other.variable);
      return true;
    }
    return false;
  }

  boost::asio::io_context io_;
  std::vector<Held> held_;
};

}  // namespace

void check_listeners(const Settings& settings, Findings& out) {
  Tried<ip::tcp> tcp;
  Tried<ip::udp> udp;
  tcp.add("TAILRACE_HTTP_LISTEN", settings.http_listen, out);
  tcp.add("TAILRACE_ADMIN_LISTEN", settings.admin_listen, out);
  if (!settings.https_listen.empty()) tcp.add("TAILRACE_HTTPS_LISTEN", settings.https_listen, out);
  for (const SyslogListen& one : settings.syslog_listen) tcp.add("TAILRACE_SYSLOG_LISTEN", one.address, out);
  for (const SyslogListen& one : settings.syslog_tls_listen)
    tcp.add("TAILRACE_SYSLOG_TLS_LISTEN", one.address, out);
  for (const SyslogListen& one : settings.syslog_udp_listen)
    udp.add("TAILRACE_SYSLOG_UDP_LISTEN", one.address, out);
}

}  // namespace tailrace

#pragma once
// Host names to addresses, by c-ares on the caller's loop.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/loops.h"
#include "net/connector.h"
#include "net/failure.h"

namespace tailrace {

/// All addresses of `name`, from /etc/hosts or from `name_servers` (`host:port,…`; empty: the system's), in
/// the order they should be tried. Each look-up has a c-ares channel to itself, hence sockets and timers:
/// one that hangs holds up no other, and cancelling it is dropping it.
asio::awaitable<NetResult<std::vector<asio::ip::address>>> resolve(Loop& loop, std::string name,
                                                                   std::string name_servers,
                                                                   std::chrono::milliseconds deadline,
                                                                   std::shared_ptr<ConnectCancel> cancel);

/// Whether c-ares takes the text as a list of name servers.
bool are_name_servers(const std::string& text);

}  // namespace tailrace

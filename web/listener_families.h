#pragma once
// What listeners count: answers by status, and how TLS handshakes ended.

#include <string_view>
#include <vector>

#include "metrics/exposition.h"
#include "net/http_server.h"

namespace tailrace {

/// The listeners of the process; set before the first scrape.
struct ListenerCounts {
  struct Http {
    std::string_view listener;
    const HttpServer* server;
  };
  struct Tls {
    std::string_view listener;
    const HandshakeCounts* handshakes;
  };
  std::vector<Http> http;
  std::vector<Tls> tls;
};

void write_listener_families(ExpositionWriter& out, const ListenerCounts& listeners);

}  // namespace tailrace

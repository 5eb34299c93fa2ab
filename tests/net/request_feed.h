#pragma once
// Bytes of a connection as the server feeds them to the request parser, in pieces of given sizes.

#include <span>
#include <string>
#include <vector>

#include "net/http_parser.h"

namespace tailrace::testing {

/// What came of one request: its parts if it is whole, the refusal if it was refused.
struct FedRequest {
  std::string head;  // method, target and fields, a line each
  std::string body;
  int fault = 0;
  bool whole = false, keep_alive = false;
  bool operator==(const FedRequest&) const = default;
};

/// `portions` are the sizes of the pieces, over and over. Ends at the first refusal.
inline std::vector<FedRequest> feed_requests(std::string_view bytes, std::span<const size_t> portions,
                                             const HttpLimits& limits) {
  std::vector<FedRequest> all;
  Budget bodies(1u << 30);
  std::string held;
  size_t turn = 0;
  const auto more = [&] {
    if (bytes.empty()) return false;
    const std::string_view piece = bytes.substr(0, portions[turn++ % portions.size()]);
    held += piece;
    bytes.remove_prefix(piece.size());
    return true;
  };
  while (!bytes.empty() || !held.empty()) {
    HttpRequest request;
    HttpRequestParser parser(limits, request);
    FedRequest fed;
    bool fresh = !held.empty();
    const auto next = [&] { return std::exchange(fresh, false) || more(); };
    while (!parser.fault() && !parser.head_done() && next()) held.erase(0, parser.feed_head(held));
    if (parser.head_done()) {
      fed.head = request.method + "\n" + request.target + "\n";
      for (const auto& [name, value] : request.headers) fed.head += name + ":" + value + "\n";
      fed.keep_alive = parser.keep_alive();
      if (parser.admit_body(bodies)) {
        fresh = true;
        while (!parser.fault() && !parser.done() && next()) held.erase(0, parser.feed_body(held));
      }
      fed.whole = !parser.fault() && parser.done();
      if (fed.whole) fed.body = request.body;
    }
    if (parser.fault()) fed.fault = parser.fault()->status;
    all.push_back(std::move(fed));
    if (!all.back().whole) break;
  }
  return all;
}

}  // namespace tailrace::testing

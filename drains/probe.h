#pragma once
// Tries a drain's far end once, for its owner: how far it comes, step by step.

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "drains/drain.h"
#include "drains/target.h"

namespace tailrace {

struct ProbeReport {
  struct Step {
    std::string step;  // resolve, connect, handshake, send
    double seconds = 0;
    bool ok = false;
    std::string outcome;  // in words: no secret, and nothing of the far end's body
  };
  bool ok = false;
  int status = 0;           // HTTP's; 0: none
  std::vector<Step> steps;  // those that were tried
};

/// On a connection of its own, which ends with it: resolves, connects, shakes hands, and sends one marked
/// record, as the drain would send it. It counts nowhere. Takes 25 s at most, as the steps' deadlines add up.
/// `services` outlive it; `tls` is the drain's own, of tls_of().
asio::awaitable<ProbeReport> probe(Loop& loop, DrainServices services, ClientTls tls, JudgedTarget judged,
                                   std::string drain_token);

/// May read long texts in PEM: not for a loop.
ClientTls tls_of(const DrainServices& services, const DrainOptions& options);

}  // namespace tailrace

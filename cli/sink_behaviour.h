#pragma once
// How a sink treats its senders: the third party, simulated.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace {

/// A value. Changing a sink's touches open connections too.
struct SinkBehaviour {
  enum Mode : uint8_t {
    ok,
    refuse,       // an orderly stop: what is on its way is still read (a second at most); then connects are
                  // refused
    close,        // a crash: connections are reset, and each further one as soon as it is accepted
    close_mid,    // HTTP: breaks off in the middle of an answer; syslog: behind what it read first
    hang,         // accepts, then reads nothing, not even a handshake
    hang_answer,  // HTTP: reads, never answers
    status,       // HTTP: reads, answers `code`, counts nothing unless that is a 2xx
    slow,         // waits `delay` before each answer (HTTP) or read (syslog)
    drip,         // HTTP: its answer comes a byte in each `delay`
    bomb,         // HTTP: 200 with a body that never ends
    head,         // HTTP: 200 with a head that never ends
    tls,          // handshakes as `handshake` says; connections that are there end in an orderly way
  };
  enum Handshake : uint8_t {
    good,
    expired,      // a certificate that ended yesterday
    wrong_host,   // a good one, for another host
    self_signed,  // by no authority
    stall,        // handshakes are never answered
    old,          // speaks TLS 1.1 and nothing newer
  };

  Mode mode = ok;
  int code = 503;
  std::chrono::milliseconds delay{100};
  std::chrono::seconds retry_after{0};  // of a status; 0: it does not say
  Handshake handshake = good;

  bool operator==(const SinkBehaviour&) const = default;
};

/// `ok`, `refuse`, `close`, `close=mid`, `hang`, `hang=answer`, `status=503`, `status=429/7s` (with
/// Retry-After), `slow=100ms`, `drip`, `bomb`, `head`, `tls=expired`, `tls=wrong-host`, `tls=self-signed`,
/// `tls=stall`, `tls=1.1`. None for anything else.
std::optional<SinkBehaviour> parse_sink_behaviour(std::string_view text);

/// The text that gives it.
std::string to_string(const SinkBehaviour& behaviour);

/// It speaks of HTTP answers.
bool needs_http(const SinkBehaviour& behaviour);

}  // namespace tailrace

#pragma once
// A drain's far end that counts and verifies what it gets, and fails on command: for the demo, tests and
// operators.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/sink_account.h"
#include "cli/sink_behaviour.h"
#include "cli/sink_certificate.h"

namespace tailrace {

/// Listens on 127.0.0.1 or another literal address, on a thread and an event loop of its own. start() and
/// stop() by one thread; all else by any.
class Sink {
 public:
  enum class Protocol : uint8_t { http, syslog };
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 0;  // 0: any free one
    Protocol protocol = Protocol::http;
    bool tls = false;
    std::optional<SinkCertificate> certificate = {};  // with TLS; none: it makes its own
  };

  /// Throws std::runtime_error if the certificate is no good.
  explicit Sink(Options options);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Binds, listens and runs; an address in use is an error here.
  Result<void> start();
  /// Closes everything. Idempotent; port() and counts() stay.
  void stop();
  uint16_t port() const;
  /// Of the authority that signed its own certificate, PEM; empty without.
  std::string authority() const;
  /// The port stays bound in every mode. Back to ok, hanging connections go on where they were.
  void set_mode(SinkBehaviour behaviour);
  void set_mode(SinkBehaviour::Mode mode) { set_mode(SinkBehaviour{.mode = mode}); }

  SinkCounts counts() const;
  SinkTimeline timeline() const;
  uint64_t received() const { return counts().received; }
  uint64_t missing() const { return counts().missing; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace

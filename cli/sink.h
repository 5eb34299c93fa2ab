#pragma once
// A drain's far end that counts and verifies what it gets, and fails on command: for the demo, tests and
// operators.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace tailrace {

/// How a sink treats its senders. Changing it touches open connections too.
struct SinkBehaviour {
  enum Mode : uint8_t {
    ok,
    refuse,  // an orderly stop: what is on its way is still read (a second at most); then connects are
             // refused
    close,   // a crash: connections are reset, and each further one as soon as it is accepted
    hang,    // accepts, then reads and answers nothing
    status,  // HTTP: reads, answers `code`, counts nothing
    slow,    // waits `delay` before each answer (HTTP) or read (syslog)
  };
  Mode mode = ok;
  int code = 503;
  std::chrono::milliseconds delay{100};
};

struct SinkCounts {
  uint64_t received = 0;  // frames taken: read (syslog), or answered 2xx (HTTP)
  uint64_t bytes = 0;     // of these frames
  uint64_t unique = 0;    // different numbers among them (`seq=CCCC-N` or `seq=N`)
  uint64_t missing = 0;   // holes between lowest and highest, per source
  uint64_t repeated = 0;
  uint64_t reordered = 0;
  uint64_t unnumbered = 0;   // router notices among them
  uint64_t notices = 0;      // frames that are an L10 of the router
  uint64_t requests = 0;     // HTTP, whole ones
  uint64_t turned_away = 0;  // HTTP requests not answered 2xx, connections closed at once
  uint64_t connections = 0;
  uint64_t malformed = 0;  // connections or bodies that made no sense
};

/// Listens on 127.0.0.1 or another literal address, on a thread and an event loop of its own. start() and
/// stop() by one thread; all else by any.
class Sink {
 public:
  enum class Protocol : uint8_t { http, syslog };
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 0;  // 0: any free one
    Protocol protocol = Protocol::http;
  };

  explicit Sink(Options options);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Binds, listens and runs; an address in use is an error here.
  Result<void> start();
  /// Closes everything. Idempotent; port() and counts() stay.
  void stop();
  uint16_t port() const;
  /// The port stays bound in every mode. Back to ok, hanging connections go on where they were.
  void set_mode(SinkBehaviour behaviour);
  void set_mode(SinkBehaviour::Mode mode) { set_mode(SinkBehaviour{.mode = mode}); }

  SinkCounts counts() const;
  uint64_t received() const { return counts().received; }
  uint64_t missing() const { return counts().missing; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace

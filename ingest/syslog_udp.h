#pragma once
// Syslog over UDP (RFC 5426).

#include <boost/asio/ip/udp.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/loops.h"
#include "base/result.h"
#include "ingest/intake.h"
#include "ingest/kernel_drops.h"

namespace tailrace {

/// The record that a datagram is (RFC 5426 section 3.1); empty: it stands for none. What some senders keep of
/// the framing of streams is no part of it: an octet count in front that names exactly what follows, if that
/// begins with `<`, and at the end one newline, with a carriage return or without, or one NUL.
std::string_view record_in_datagram(std::string_view datagram);

/// The UDP listeners: one socket each, on one loop, with buffers of its own. Nothing is ever answered. While
/// lagging drains want to run, and while there is more than a few batches, the kernel's buffer holds what
/// comes; what it cannot hold it drops, and kernel_drops() tells how much. Made, started and stopped by the
/// main thread.
class SyslogUdp {
 public:
  /// `intakes` has one per loop. What comes while `store` has no room is dropped, and counted. All outlive
  /// this.
  SyslogUdp(EventLoops& loops, std::vector<std::unique_ptr<Intake>>& intakes, const Store& store);
  ~SyslogUdp();

  /// Binds one listener more, before start(). With a token's id every record is that token's; while no such
  /// token exists they are rejected. An address in use is an error.
  error_code listen(const asio::ip::udp::endpoint& at, std::string token_id);

  void start();
  /// Waits until what had arrived is taken, and closes. Once, and only while the loops run.
  void stop();

  struct Listening {
    std::string address;    // really bound, `host:port`
    size_t receive_buffer;  // bytes, as the kernel granted them
  };
  std::vector<Listening> listening() const;

  struct Drops {
    std::string address;
    uint64_t datagrams;
  };
  /// Of each listener since it was opened; without those of which /proc says nothing. Blocks; any thread.
  std::vector<Drops> kernel_drops();

 private:
  class Receiver;

  EventLoops& loops_;
  std::vector<std::unique_ptr<Intake>>& intakes_;
  const Store& store_;
  std::vector<std::shared_ptr<Receiver>> receivers_;
  std::mutex drops_mutex_;  // a reading and what it leads to are one step
  std::vector<KernelDrops> drops_;
};

}  // namespace tailrace

#pragma once
// How a sink shakes hands: as it should, and in each of the ways that a client must refuse.

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "cli/sink_behaviour.h"
#include "cli/sink_certificate.h"

namespace tailrace {

/// Made once, then read by the sink's thread.
class SinkTls {
 public:
  /// With a certificate of its own authority, for localhost and `address`. Throws std::runtime_error.
  explicit SinkTls(const std::string& address);
  /// With the user's, as PEM texts. It can be neither expired nor for another host. Throws
  /// boost::system::system_error if they are no good.
  explicit SinkTls(const SinkCertificate& given);

  /// Null: it cannot shake hands so; always for `stall`, which is not to shake hands.
  boost::asio::ssl::context* context(SinkBehaviour::Handshake how) const { return contexts_[how].get(); }
  /// Its own authority's certificate, PEM; empty with the user's.
  const std::string& authority() const { return authority_; }

 private:
  void add(SinkBehaviour::Handshake how, const SinkCertificate& certificate);

  std::array<std::unique_ptr<boost::asio::ssl::context>, 6> contexts_;
  std::string authority_;
};

}  // namespace tailrace

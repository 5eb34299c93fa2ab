#include "cli/sink_tls.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>

namespace tailrace {
namespace {

namespace ssl = boost::asio::ssl;
using B = SinkBehaviour;

}  // namespace

SinkTls::SinkTls(const std::string& address) {
  const SinkAuthority authority;
  SinkAuthority::Wanted wanted;
  wanted.names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"};
  if (address != "127.0.0.1" && address != "::1") wanted.names.push_back("IP:" + address);
  const SinkCertificate good = authority.sign(wanted);
  add(B::good, good);
  add(B::old, good);
  SinkAuthority::Wanted bad = wanted;
  bad.first_day = -31, bad.last_day = -1;
  add(B::expired, authority.sign(bad));
  bad = wanted;
  bad.names = {"DNS:elsewhere.invalid"};
  add(B::wrong_host, authority.sign(bad));
  bad = wanted;
  bad.by_itself = true;
  add(B::self_signed, authority.sign(bad));
  authority_ = authority.certificate();
}

SinkTls::SinkTls(const SinkCertificate& given) {
  add(B::good, given);
  add(B::old, given);
  SinkAuthority::Wanted bad;
  bad.names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"};
  bad.by_itself = true;
  add(B::self_signed, SinkAuthority().sign(bad));
}

void SinkTls::add(SinkBehaviour::Handshake how, const SinkCertificate& certificate) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  context->use_certificate_chain(boost::asio::buffer(certificate.certificate));
  context->use_private_key(boost::asio::buffer(certificate.key), ssl::context::pem);
  SSL_CTX* native = context->native_handle();
  if (how == B::old) {
    // Without a lower security level OpenSSL 3 does not speak it at all.
    ::SSL_CTX_set_security_level(native, 0);
    SSL_CTX_set_min_proto_version(native, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(native, TLS1_1_VERSION);
  } else {
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  }
  contexts_[how] = std::move(context);
}

}  // namespace tailrace

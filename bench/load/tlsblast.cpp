// tlsblast: TLS handshakes, one connection after the other, as fast as they go. Counts those that were
// resumed.
//
//   tlsblast --port P [--version 1.2|1.3] [--resume] [--count N]
//
// With TLS 1.3 each connection waits for one ticket, which a server sends when its side of the handshake is
// done.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

SSL_SESSION* newest = nullptr;

int keep(SSL*, SSL_SESSION* session) {
  SSL_SESSION_free(newest);
  newest = session;
  return 1;
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "tlsblast: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0, count = 1000, version = TLS1_3_VERSION;
  bool resume = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : (die("a flag lacks its value"), nullptr); };
    if (flag == "--port")
      port = std::atoi(value());
    else if (flag == "--count")
      count = std::atoi(value());
    else if (flag == "--version")
      version = std::strcmp(value(), "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    else if (flag == "--resume")
      resume = true;
    else
      die("--port P [--version 1.2|1.3] [--resume] [--count N]");
  }

  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);  // a read returns behind a ticket
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep);

  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(uint16_t(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int resumed = 0;
  for (int i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0), on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) die("cannot connect");
    SSL* ssl = SSL_new(context);
    if (resume && newest) SSL_set_session(ssl, newest);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1) die("no handshake");
    resumed += SSL_session_reused(ssl);
    char byte;
    if (version == TLS1_3_VERSION) SSL_read(ssl, &byte, 1);
    SSL_shutdown(ssl);  // in order, else its session would not be resumed
    SSL_free(ssl);
    ::close(fd);
  }
  std::printf("%d handshakes, %d resumed\n", count, resumed);
  return resumed >= (resume ? count - 1 : 0) ? 0 : 1;
}

#include "cli/certificate_check.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include "base/time_text.h"
#include "net/client_tls.h"

namespace tailrace {
namespace {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* thing) const { Free(thing); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
struct FileCloser {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using File = std::unique_ptr<BIO, FileCloser>;

constexpr Micros soon = Micros{14} * 24 * 3600 * 1'000'000;

std::string named(const char* variable, const std::string& path) {
  return std::string(variable) + "=" + path + ": ";
}

/// None: it is told.
File opened(const char* variable, const std::string& path, Findings& out) {
  errno = 0;
  File file(BIO_new_file(path.c_str(), "r"));
  struct stat about{};
  const bool is_file = file && ::stat(path.c_str(), &about) == 0 && !S_ISDIR(about.st_mode);
  if (is_file) return file;
  const char* reason = file ? "is a directory" : errno ? std::strerror(errno) : "cannot be opened";
  out.problems.push_back(named(variable, path) + reason);
  ERR_clear_error();
  return nullptr;
}

std::vector<Certificate> certificates_in(BIO* file) {
  std::vector<Certificate> all;
  while (X509* one = PEM_read_bio_X509(file, nullptr, nullptr, nullptr)) all.emplace_back(one);
  ERR_clear_error();  // how it says that there are no more
  return all;
}

Micros time_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return Micros{::timegm(&parts)} * 1'000'000;
}

/// The variable's file: its certificates, the first of them the one that is shown.
std::vector<Certificate> check_chain(const char* variable, const std::string& path, Micros now,
                                     Findings& out) {
  const File file = opened(variable, path, out);
  if (!file) return {};
  std::vector<Certificate> chain = certificates_in(file.get());
  if (chain.empty()) out.problems.push_back(named(variable, path) + "takes a PEM file with a certificate");
  for (const Certificate& one : chain) {
    const Micros begins = time_of(X509_get0_notBefore(one.get())),
                 ends = time_of(X509_get0_notAfter(one.get()));
    if (ends <= now)
      out.problems.push_back(named(variable, path) + "expired at " + rfc3339_seconds(ends));
    else if (ends - now < soon)
      out.warnings.push_back(named(variable, path) + "expires at " + rfc3339_seconds(ends));
    if (begins > now)
      out.problems.push_back(named(variable, path) + "is valid from " + rfc3339_seconds(begins));
  }
  return chain;
}

Key check_key(const std::string& path, Findings& out) {
  const File file = opened("TAILRACE_TLS_KEY", path, out);
  if (!file) return nullptr;
  // An encrypted key must not ask for its passphrase on a terminal.
  Key key(PEM_read_bio_PrivateKey(file.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  ERR_clear_error();
  if (!key)
    out.problems.push_back(named("TAILRACE_TLS_KEY", path) +
                           "takes a PEM file with a key that needs no passphrase");
  struct stat about{};
  if (::stat(path.c_str(), &about) == 0 && (about.st_mode & S_IROTH))
    out.warnings.push_back(named("TAILRACE_TLS_KEY", path) + "everybody on this machine may read it");
  return key;
}

}  // namespace

void check_server_tls(const TlsFiles& files, Micros now, Findings& out) {
  const size_t before = out.problems.size();
  std::vector<Certificate> chain;
  Key key;
  if (!files.cert.empty()) chain = check_chain("TAILRACE_TLS_CERT", files.cert, now, out);
  if (!files.key.empty()) key = check_key(files.key, out);
  if (!chain.empty() && key && X509_check_private_key(chain.front().get(), key.get()) != 1)
    out.problems.push_back(named("TAILRACE_TLS_KEY", files.key) + "is not the key of TAILRACE_TLS_CERT");
  ERR_clear_error();
  if (!files.client_ca.empty()) check_chain("TAILRACE_TLS_CLIENT_CA", files.client_ca, now, out);
  if (out.problems.size() != before || files.cert.empty() || files.key.empty()) return;
  // What only OpenSSL's own rules object to, such as a key that is too short.
  if (std::string error; !ServerTls::open(files, error)) out.problems.push_back(error);
}

void check_authorities(const std::string& file, Findings& out) {
  if (!file.empty() && !opened("SSL_CERT_FILE", file, out)) return;
  try {
    const ClientTls usable(file);
  } catch (const std::exception& error) {
    out.problems.push_back(file.empty()
                               ? std::string("the system's authorities: ") + error.what()
                               : named("SSL_CERT_FILE", file) + "takes a PEM file with certificates");
  }
}

}  // namespace tailrace

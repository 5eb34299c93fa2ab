#pragma once
// Certificates that a sink makes for itself: good ones, and each kind of bad one.

#include <memory>
#include <string>
#include <vector>

using X509 = struct x509_st;
using EVP_PKEY = struct evp_pkey_st;

namespace tailrace {

/// PEM texts.
struct SinkCertificate {
  std::string certificate, key;
};

/// An authority with a key of its own (EC, P-256), for a month. Throws std::runtime_error if OpenSSL will
/// not.
class SinkAuthority {
 public:
  SinkAuthority();

  struct Wanted {
    std::vector<std::string> names;     // subjectAltName: `DNS:localhost`, `IP:127.0.0.1`
    int first_day = -1, last_day = 30;  // from today
    bool by_itself = false;             // signed by its own key instead of the authority's
  };
  SinkCertificate sign(const Wanted& wanted) const;
  /// What a client must trust.
  const std::string& certificate() const { return pem_; }

 private:
  struct Free {
    void operator()(X509* certificate) const;
    void operator()(EVP_PKEY* key) const;
  };
  using Certificate = std::unique_ptr<X509, Free>;
  using Key = std::unique_ptr<EVP_PKEY, Free>;

  static Key new_key();
  static Certificate new_certificate(EVP_PKEY* key, const std::string& name, int first_day, int last_day);

  Key key_;
  Certificate certificate_;
  std::string pem_;
};

}  // namespace tailrace

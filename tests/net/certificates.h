#pragma once
// Certificates made on the spot: an authority, and what it signs, good or not.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace tailrace::testing {

struct Certificate {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> x509;
};

struct CertificateOptions {
  std::string name =
      "localhost";               // the subject's, and its only alternative name unless `alternative` is given
  std::string alternative = {};  // `DNS:…` or `IP:…`
  long from = -3600, until = 3600;  // seconds from now
  bool authority = false;
};

inline Certificate make_certificate(const CertificateOptions& options, const Certificate* issuer = nullptr) {
  Certificate out;
  out.key.reset(EVP_EC_gen("P-256"), ::EVP_PKEY_free);
  out.x509.reset(X509_new(), ::X509_free);
  X509* x = out.x509.get();
  static long serial = 1;
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), options.from);
  X509_gmtime_adj(X509_getm_notAfter(x), options.until);
  X509_set_pubkey(x, out.key.get());
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1, 0);
  X509* const signer = issuer ? issuer->x509.get() : x;
  X509_set_issuer_name(x, X509_get_subject_name(signer));
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, signer, x, nullptr, nullptr, 0);
  const auto extend = [&](int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, options.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!options.authority)
    extend(NID_subject_alt_name, options.alternative.empty() ? "DNS:" + options.name : options.alternative);
  X509_sign(x, issuer ? issuer->key.get() : out.key.get(), EVP_sha256());
  return out;
}

/// A PEM file that goes with the object.
class PemFile {
 public:
  explicit PemFile(const Certificate& certificate) {
    char path[] = "/tmp/tailrace-test-XXXXXX";
    FILE* file = ::fdopen(::mkstemp(path), "w");
    PEM_write_X509(file, certificate.x509.get());
    ::fclose(file);
    path_ = path;
  }
  PemFile(const PemFile&) = delete;
  ~PemFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tailrace::testing

#include "cli/sink_certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace tailrace {
namespace {

void must(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot make a certificate");
}

template <class Write>
std::string pem(Write&& write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> out(::BIO_new(::BIO_s_mem()), ::BIO_free);
  must(out && write(out.get()) == 1);
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return std::string(text, size_t(length));
}

std::string certificate_pem(X509* certificate) {
  return pem([&](BIO* out) { return ::PEM_write_bio_X509(out, certificate); });
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  must(extension && ::X509_add_ext(certificate, extension, -1) == 1);
  ::X509_EXTENSION_free(extension);
}

}  // namespace

void SinkAuthority::Free::operator()(X509* certificate) const {
  ::X509_free(certificate);
}
void SinkAuthority::Free::operator()(EVP_PKEY* key) const {
  ::EVP_PKEY_free(key);
}

SinkAuthority::Key SinkAuthority::new_key() {
  Key key(EVP_EC_gen("P-256"));
  must(key != nullptr);
  return key;
}

SinkAuthority::Certificate SinkAuthority::new_certificate(EVP_PKEY* key, const std::string& name,
                                                          int first_day, int last_day) {
  Certificate made(::X509_new());
  must(made && ::X509_set_version(made.get(), X509_VERSION_3) == 1);
  uint64_t serial = 0;
  must(::RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  must(::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(made.get()), serial >> 1 | 1) == 1);
  must(::X509_time_adj_ex(::X509_getm_notBefore(made.get()), first_day, 0, nullptr));
  must(::X509_time_adj_ex(::X509_getm_notAfter(made.get()), last_day, 0, nullptr));
  must(::X509_set_pubkey(made.get(), key) == 1);
  must(::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()), int(name.size()), -1,
                                    0) == 1);
  return made;
}

SinkAuthority::SinkAuthority() : key_(new_key()) {
  certificate_ = new_certificate(key_.get(), "tailrace sink authority", -60, 30);
  X509* self = certificate_.get();
  must(::X509_set_issuer_name(self, ::X509_get_subject_name(self)) == 1);
  extend(self, self, NID_basic_constraints, "critical,CA:TRUE");
  extend(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(self, self, NID_subject_key_identifier, "hash");
  must(::X509_sign(self, key_.get(), ::EVP_sha256()) != 0);
  pem_ = certificate_pem(self);
}

SinkCertificate SinkAuthority::sign(const Wanted& wanted) const {
  const Key key = new_key();
  const Certificate made = new_certificate(key.get(), "tailrace sink", wanted.first_day, wanted.last_day);
  X509* issuer = wanted.by_itself ? made.get() : certificate_.get();
  must(::X509_set_issuer_name(made.get(), ::X509_get_subject_name(issuer)) == 1);
  std::string names;
  for (const std::string& name : wanted.names) names += (names.empty() ? "" : ",") + name;
  extend(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(made.get(), issuer, NID_ext_key_usage, "serverAuth");
  extend(made.get(), issuer, NID_subject_key_identifier, "hash");
  extend(made.get(), issuer, NID_authority_key_identifier, "keyid");
  extend(made.get(), issuer, NID_subject_alt_name, names);
  must(::X509_sign(made.get(), wanted.by_itself ? key.get() : key_.get(), ::EVP_sha256()) != 0);
  return {certificate_pem(made.get()), pem([&](BIO* out) {
            return ::PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace tailrace

#pragma once
// Certificates, keys and authorities in files: whether they can be used, go together, and for how long.

#include <string>

#include "base/clock.h"
#include "cli/findings.h"
#include "net/server_tls.h"

namespace tailrace {

/// The files of TAILRACE_TLS_CERT, _KEY and _CLIENT_CA; those that are empty are not looked at. One that ends
/// within 14 days of `now` is a warning.
void check_server_tls(const TlsFiles& files, Micros now, Findings& out);

/// SSL_CERT_FILE; empty: the system's authorities.
void check_authorities(const std::string& file, Findings& out);

}  // namespace tailrace

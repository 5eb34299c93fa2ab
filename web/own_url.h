#pragma once
// How this listener is called from outside.

#include <string>

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// Whether the browser that asked came by TLS, as far as can be known behind a proxy. Wrongly said of a plain
/// connection, it would drop a cookie.
bool came_by_tls(const WebServices& services, const HttpRequest& request);

/// `https://HOST`, as the request was addressed.
std::string own_url(const WebServices& services, const HttpRequest& request);

}  // namespace tailrace

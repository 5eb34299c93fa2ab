#include "web/own_url.h"

#include "base/text.h"

namespace tailrace {

bool came_by_tls(const WebServices& services, const HttpRequest& request) {
  const std::string_view forwarded = request.headers.get("x-forwarded-proto");
  if (!forwarded.empty()) return iequals(forwarded.substr(0, forwarded.find_first_of(", ")), "https");
  if (request.headers.get("origin").starts_with("https://")) return true;
  constexpr std::string_view kHttps = "https://";
  std::string_view url = services.public_url;
  if (!url.starts_with(kHttps)) return false;
  url.remove_prefix(kHttps.size());
  return iequals(url.substr(0, url.find('/')), request.headers.get("host"));
}

std::string own_url(const WebServices& services, const HttpRequest& request) {
  std::string host(request.headers.get("host"));
  if (host.empty()) {
    const auto address = request.local.address();
    host = (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + ":" +
           std::to_string(request.local.port());
  }
  return (came_by_tls(services, request) ? "https://" : "http://") + host;
}

}  // namespace tailrace

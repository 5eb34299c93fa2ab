#include "web/access.h"

#include "base/text.h"

namespace tailrace {
namespace {

bool changes(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool foreign(const HttpRequest& request) {
  const std::string_view site = request.headers.get("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  std::string_view origin = request.headers.get("origin");
  if (origin.empty()) return false;
  const size_t scheme = origin.find("://");
  if (scheme == origin.npos) return true;  // `null` too
  return !iequals(origin.substr(scheme + 3), request.headers.get("host"));
}

}  // namespace

HttpGate own_origin_gate() {
  return [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (changes(request.method) && foreign(request)) return http_error(403, "foreign origin");
    return std::nullopt;
  };
}

HttpGate full_api_gate(const Catalog& catalog) {
  return [&catalog](const HttpRequest& request) -> std::optional<HttpResponse> {
    const std::string_view authorization = request.headers.get("authorization");
    const size_t blank = authorization.find(' ');
    if (blank != authorization.npos && iequals(authorization.substr(0, blank), "basic")) {
      const std::string decoded = from_base64(authorization.substr(blank + 1)).value_or("");
      if (const size_t colon = decoded.find(':'); colon != decoded.npos) {
        const auto permissions = catalog.authenticate(decoded.substr(0, colon), decoded.substr(colon + 1));
        if (permissions)
          return permissions->full_api
                     ? std::nullopt
                     : std::optional(http_error(403, "this credential may not use the API"));
      }
    }
    HttpResponse response = http_error(401, "Not Authorized");
    response.headers.add("WWW-Authenticate", "Basic realm=\"tailrace\"");
    return response;
  };
}

}  // namespace tailrace

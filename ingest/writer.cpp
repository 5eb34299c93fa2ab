#include "ingest/writer.h"

#include "base/text.h"

namespace tailrace {

std::optional<Writer> writer_of(const Catalog& catalog, std::string_view authorization,
                                HttpResponse& refusal) {
  const size_t blank = authorization.find(' ');
  const std::string_view scheme = authorization.substr(0, blank);
  std::string_view rest = blank == authorization.npos ? "" : authorization.substr(blank);
  while (rest.starts_with(' ')) rest.remove_prefix(1);

  if (iequals(scheme, "bearer")) {
    if (TokenPtr token = catalog.token(rest)) return Writer{std::move(token), {}};
  } else if (iequals(scheme, "basic")) {
    const std::string decoded = from_base64(rest).value_or("");
    const size_t colon = decoded.find(':');
    if (colon != decoded.npos) {
      const std::string user = decoded.substr(0, colon);
      const std::string_view password = std::string_view(decoded).substr(colon + 1);
      if (user == "token") {
        if (TokenPtr token = catalog.token(password)) return Writer{std::move(token), {}};
      } else if (const auto permissions = catalog.authenticate(user, password)) {
        if (permissions->any_channel || permissions->full_api) return Writer{nullptr, user};
        refusal = http_error(403, "Credential not permitted to write to any channel.");
        return std::nullopt;
      }
    }
  }
  refusal = http_error(401, "a token or a credential is needed");
  refusal.headers.add("WWW-Authenticate", "Basic realm=\"tailrace\"");
  return std::nullopt;
}

}  // namespace tailrace

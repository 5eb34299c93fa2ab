#include "web/access.h"

#include <algorithm>

#include "base/ids.h"
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

struct Credentials {
  std::string user, password;
};

/// What an Authorization field says; a bearer's token is Logplex's user `token` with that password.
std::optional<Credentials> credentials_of(const HttpRequest& request, bool bearer) {
  const std::string_view authorization = request.headers.get("authorization");
  const size_t blank = authorization.find(' ');
  if (blank == authorization.npos) return std::nullopt;
  const std::string_view scheme = authorization.substr(0, blank);
  std::string_view rest = authorization.substr(blank);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (bearer && iequals(scheme, "bearer")) return Credentials{"token", std::string(rest)};
  if (!iequals(scheme, "basic")) return std::nullopt;
  const std::string decoded = from_base64(rest).value_or("");
  const size_t colon = decoded.find(':');
  if (colon == decoded.npos) return std::nullopt;
  return Credentials{decoded.substr(0, colon), decoded.substr(colon + 1)};
}

HttpResponse not_authorised() {
  HttpResponse response = http_error(401, "Not Authorized");
  response.headers.add("WWW-Authenticate", "Basic realm=\"tailrace\"");
  return response;
}

HttpResponse not_now(std::string_view why) {
  HttpResponse response = http_error(503, why);
  response.headers.add("Retry-After", "30");
  return response;
}

enum class Use : uint8_t { reading, by_method };

HttpGate in_state(const std::atomic<ApiState>& state, Use use, HttpGate gate) {
  return [&state, use, gate = std::move(gate)](const HttpRequest& request) -> std::optional<HttpResponse> {
    const ApiState now = state.load(std::memory_order_relaxed);
    if (now == ApiState::disabled) return not_now("API temporarily disabled");
    if (now == ApiState::read_only && use == Use::by_method && changes(request.method))
      return not_now("API temporarily in read-only mode");
    return gate(request);
  };
}

}  // namespace

HttpGate own_origin_gate() {
  return [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (changes(request.method) && foreign(request)) return http_error(403, "foreign origin");
    return std::nullopt;
  };
}

HttpStamp request_id_stamp() {
  return [](const HttpRequest& request, HttpFields& fields) {
    if (!request.target.starts_with("/v3/")) return;
    const std::string_view sent = request.headers.get("request-id");
    const bool sane = !sent.empty() && sent.size() <= 128 &&
                      std::ranges::all_of(sent, [](char c) { return c > ' ' && c < 0x7f; });
    fields.add("Request-Id", sane ? std::string(sent) : new_uuid());
  };
}

std::optional<Permissions> permissions_of(const Catalog& catalog, const HttpRequest& request) {
  const auto given = credentials_of(request, false);
  return given ? catalog.authenticate(given->user, given->password) : std::nullopt;
}

bool may_read_channel(const Catalog& catalog, const HttpRequest& request, std::string_view channel_id) {
  const auto permissions = permissions_of(catalog, request);
  return permissions && permissions->may_read(channel_id);
}

HttpResponse may_not_read() {
  return http_error(403, "this credential may not read this channel");
}

HttpGate full_api_gate(const Catalog& catalog) {
  return [&catalog](const HttpRequest& request) -> std::optional<HttpResponse> {
    const auto permissions = permissions_of(catalog, request);
    if (!permissions) return not_authorised();
    if (!permissions->full_api) return http_error(403, "this credential may not use the API");
    return std::nullopt;
  };
}

HttpGate channel_gate(const Catalog& catalog) {
  return [&catalog](const HttpRequest& request) -> std::optional<HttpResponse> {
    const auto permissions = permissions_of(catalog, request);
    if (!permissions) return not_authorised();
    if (!permissions->may_read(request.param("c"))) return may_not_read();
    return std::nullopt;
  };
}

HttpGate api_gate(const Catalog& catalog) {
  return [&catalog](const HttpRequest& request) -> std::optional<HttpResponse> {
    const auto permissions = permissions_of(catalog, request);
    if (!permissions) return not_authorised();
    if (!permissions->full_api && permissions->read.empty())
      return http_error(403, "this credential may not use the API");
    return std::nullopt;
  };
}

ApiGates::ApiGates(const Catalog& catalog, const std::atomic<ApiState>& state)
    : full_api(in_state(state, Use::by_method, full_api_gate(catalog))),
      channel(in_state(state, Use::reading, channel_gate(catalog))),
      readers(in_state(state, Use::reading, api_gate(catalog))) {}

HttpGate channel_scrape_gate(const Catalog& catalog) {
  return [&catalog](const HttpRequest& request) -> std::optional<HttpResponse> {
    const std::string_view channel = request.param("c");
    const auto given = credentials_of(request, true);
    if (!given) return not_authorised();
    bool known = false, may = false;
    if (given->user == "token") {
      if (const TokenPtr token = catalog.token(given->password)) {
        known = true;
        may = token->channel->id == channel;
      }
    }
    if (!known) {
      const auto permissions = catalog.authenticate(given->user, given->password);
      if (!permissions) return not_authorised();
      may = permissions->full_api || permissions->may_read(channel);
    }
    if (may) return std::nullopt;
    return http_error(403, "this credential may not scrape this channel");
  };
}

}  // namespace tailrace

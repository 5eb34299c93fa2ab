#include "web/access.h"

#include <algorithm>
#include <vector>

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

/// What an Authorization field says; a bearer's token is Logplex's user `token` with that password.
std::optional<UserPassword> credentials_of(const HttpRequest& request, bool bearer) {
  const std::string_view authorization = request.headers.get("authorization");
  const size_t blank = authorization.find(' ');
  if (blank == authorization.npos) return std::nullopt;
  const std::string_view scheme = authorization.substr(0, blank);
  std::string_view rest = authorization.substr(blank);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (bearer && iequals(scheme, "bearer")) return UserPassword{"token", std::string(rest)};
  if (!iequals(scheme, "basic")) return std::nullopt;
  const std::string decoded = from_base64(rest).value_or("");
  const size_t colon = decoded.find(':');
  if (colon == decoded.npos) return std::nullopt;
  return UserPassword{decoded.substr(0, colon), decoded.substr(colon + 1)};
}

/// The values of our cookies. There may be several, of which one is another site's of the same host.
std::vector<std::string_view> login_cookies(const HttpRequest& request) {
  const std::string ours = Access::cookie_name(request);
  std::vector<std::string_view> values;
  for (const auto& [name, value] : request.headers) {
    if (!iequals(name, "cookie")) continue;
    for_each_piece(value, ';', [&](std::string_view piece) {
      const size_t equals = piece.find('=');
      if (equals != piece.npos && piece.substr(0, equals) == ours) values.push_back(piece.substr(equals + 1));
    });
  }
  return values;
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

/// Judges who is somebody.
template <class Judge>
HttpGate gate_of(const Access& access, Judge judge) {
  return [&access, judge](const HttpRequest& request) -> std::optional<HttpResponse> {
    const auto who = access.who(request);
    if (!who) return not_authorised(request);
    if (who->by == Access::By::cookie && changes(request.method) && !names_own_origin(request))
      return names_no_origin();
    return judge(who->permissions, request);
  };
}

HttpResponse may_not_scrape() {
  return http_error(403, "this credential may not scrape this channel");
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

std::string Access::cookie_name(const HttpRequest& request) {
  const std::string_view host = request.headers.get("host");
  const size_t digits = host.find_last_not_of("0123456789");
  const bool has_port = digits != host.npos && host[digits] == ':' && digits + 1 < host.size();
  return has_port ? "tailrace_session_" + std::string(host.substr(digits + 1)) : "tailrace_session";
}

std::optional<Access::Who> Access::who(const HttpRequest& request) const {
  if (request.headers.has("authorization")) {
    auto given = basic_of(request);
    auto permissions = given ? catalog_.authenticate(given->user, given->password) : std::nullopt;
    if (!permissions) return std::nullopt;
    return Who{std::move(given->user), std::move(*permissions), By::basic};
  }
  for (const std::string_view value : login_cookies(request))
    if (const auto account = logins_.use(value, mono_now()))
      return Who{account->user, account->permissions, By::cookie};
  return std::nullopt;
}

std::optional<Access::Login> Access::sign_in(const std::string& user, std::string_view password) const {
  for (;;) {
    const uint64_t removals = logins_.removals();
    auto permissions = catalog_.authenticate(user, password);
    if (!permissions) return std::nullopt;
    if (auto cookie = logins_.begin({user, *permissions}, removals, mono_now()))
      return Login{{user, std::move(*permissions), By::cookie}, std::move(*cookie)};
  }
}

void Access::sign_out(const HttpRequest& request) const {
  for (const std::string_view value : login_cookies(request)) logins_.end(value);
}

void Access::credential_removed(std::string_view id) const {
  // Who signed in under the admin's name is the admin, whatever older credential had that name.
  if (id != admin_) logins_.credential_removed(id);
}

std::optional<UserPassword> basic_of(const HttpRequest& request) {
  return credentials_of(request, false);
}

bool has_login_cookie(const HttpRequest& request) {
  return !login_cookies(request).empty();
}

bool names_own_origin(const HttpRequest& request) {
  return !foreign(request) &&
         (!request.headers.get("origin").empty() || request.headers.get("sec-fetch-site") == "same-origin");
}

HttpResponse names_no_origin() {
  return http_error(403, "a change by cookie names its origin");
}

HttpResponse not_authorised(const HttpRequest& request) {
  HttpResponse response = http_error(401, "Not Authorized");
  if (request.headers.get("sec-fetch-dest") != "empty")
    response.headers.add("WWW-Authenticate", "Basic realm=\"tailrace\"");
  return response;
}

std::optional<Permissions> permissions_of(const Access& access, const HttpRequest& request) {
  auto who = access.who(request);
  return who ? std::optional(std::move(who->permissions)) : std::nullopt;
}

bool may_read_channel(const Access& access, const HttpRequest& request, std::string_view channel_id) {
  const auto permissions = permissions_of(access, request);
  return permissions && permissions->may_read(channel_id);
}

HttpResponse may_not_read() {
  return http_error(403, "this credential may not read this channel");
}

HttpGate full_api_gate(const Access& access) {
  return gate_of(access,
                 [](const Permissions& permissions, const HttpRequest&) -> std::optional<HttpResponse> {
                   if (permissions.full_api) return std::nullopt;
                   return http_error(403, "this credential may not use the API");
                 });
}

HttpGate channel_gate(const Access& access) {
  return gate_of(
      access, [](const Permissions& permissions, const HttpRequest& request) -> std::optional<HttpResponse> {
        if (permissions.may_read(request.param("c"))) return std::nullopt;
        return may_not_read();
      });
}

HttpGate api_gate(const Access& access) {
  return gate_of(access,
                 [](const Permissions& permissions, const HttpRequest&) -> std::optional<HttpResponse> {
                   if (permissions.full_api || !permissions.read.empty()) return std::nullopt;
                   return http_error(403, "this credential may not use the API");
                 });
}

ApiGates::ApiGates(const Access& access, const std::atomic<ApiState>& state)
    : full_api(in_state(state, Use::by_method, full_api_gate(access))),
      channel(in_state(state, Use::reading, channel_gate(access))),
      readers(in_state(state, Use::reading, api_gate(access))) {}

HttpGate channel_scrape_gate(const Access& access) {
  const HttpGate reader = gate_of(
      access, [](const Permissions& permissions, const HttpRequest& request) -> std::optional<HttpResponse> {
        if (permissions.may_read(request.param("c"))) return std::nullopt;
        return may_not_scrape();
      });
  return [&access, reader](const HttpRequest& request) -> std::optional<HttpResponse> {
    const auto given = credentials_of(request, true);
    const TokenPtr token =
        given && given->user == "token" ? access.catalog().token(given->password) : nullptr;
    if (!token) return reader(request);
    if (token->channel->id == request.param("c")) return std::nullopt;
    return may_not_scrape();
  };
}

}  // namespace tailrace

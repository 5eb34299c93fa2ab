#include "web/login_routes.h"

#include <memory>

#include "base/text.h"
#include "web/api_answer.h"
#include "web/credential_routes.h"
#include "web/json_body.h"
#include "web/own_url.h"
#include "web/wrong_tries.h"

namespace tailrace {
namespace {

using nlohmann::json;

HttpResponse not_kept(HttpResponse response) {
  response.headers.add("Cache-Control", "no-store");
  return response;
}

HttpResponse too_many(std::chrono::nanoseconds wait) {
  HttpResponse response = http_error(429, "too many wrong passwords");
  response.headers.add("Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return response;
}

/// On any loop; nothing here blocks.
class LoginRoutes {
 public:
  explicit LoginRoutes(WebServices& services) : services_(services) {}

  HttpResponse sign_in(const HttpRequest& request) const {
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    JsonFields fields(*body);
    const auto user = fields.text("user"), password = fields.text("password");
    if (!user) fields.refuse("user: takes a text");
    if (!password) fields.refuse("password: takes a text");
    if (!fields.good()) return http_error(422, fields.error());
    HttpResponse refusal;
    const auto login = judge(request, {*user, *password}, refusal);
    if (!login) return refusal;
    return with_cookie(request, *login, json_response(200, told(login->who)));
  }

  HttpResponse show(const HttpRequest& request) const {
    return json_response(200, told(services_.access.who(request)));
  }

  HttpResponse sign_out(const HttpRequest& request) const {
    if (has_login_cookie(request) && !names_own_origin(request)) return names_no_origin();
    services_.access.sign_out(request);
    HttpResponse response(204);
    response.headers.add("Set-Cookie", cookie_text(request, "", std::chrono::seconds(0)));
    return response;
  }

  /// Where a browser asks for the credential, and goes on to the page.
  HttpResponse ask(const HttpRequest& request) const {
    if (!request.headers.has("authorization")) return not_authorised(request);
    HttpResponse refusal;
    const auto login = judge(request, basic_of(request).value_or(UserPassword{}), refusal);
    if (!login) return refusal;
    HttpResponse response(303);
    response.headers.add("Location", "/");
    return with_cookie(request, *login, std::move(response));
  }

 private:
  std::optional<Access::Login> judge(const HttpRequest& request, const UserPassword& given,
                                     HttpResponse& refusal) const {
    const auto from = request.peer.address();
    if (const auto wait = tries_.take(from, mono_now()); wait.count() > 0) {
      refusal = too_many(wait);
      return std::nullopt;
    }
    auto login = services_.access.sign_in(given.user, given.password);
    if (login)
      tries_.give_back(from);
    else
      refusal = not_authorised(request);
    return login;
  }

  json told(const std::optional<Access::Who>& who) const {
    return {{"user", who ? json(who->user) : json(nullptr)},
            {"permissions", who ? permissions_json(who->permissions) : json::array()},
            {"by", !who                            ? json(nullptr)
                   : who->by == Access::By::cookie ? "cookie"
                                                   : "basic"},
            {"version", TAILRACE_VERSION},
            {"api_state", to_string(services_.api_state.load(std::memory_order_relaxed))}};
  }

  std::string cookie_text(const HttpRequest& request, std::string_view value,
                          std::chrono::seconds life) const {
    std::string text = Access::cookie_name(request);
    ((text += '=') += value) += "; Path=/; HttpOnly; SameSite=Strict; Max-Age=";
    text += std::to_string(life.count());
    if (came_by_tls(services_, request)) text += "; Secure";
    return text;
  }

  HttpResponse with_cookie(const HttpRequest& request, const Access::Login& login,
                           HttpResponse response) const {
    response.headers.add("Set-Cookie", cookie_text(request, login.cookie, Logins::kLife));
    return response;
  }

  WebServices& services_;
  mutable WrongTries tries_;
};

}  // namespace

void add_login_routes(HttpRoutes& routes, WebServices& services) {
  const auto answers = std::make_shared<const LoginRoutes>(services);
  using Method = HttpResponse (LoginRoutes::*)(const HttpRequest&) const;
  const auto add = [&](const char* method, const char* path, Method make) {
    routes.add(method, path, [answers, make](HttpExchange& exchange) {
      return exchange.respond(not_kept(((*answers).*make)(exchange.request)));
    });
  };
  add("POST", "/v3/login", &LoginRoutes::sign_in);
  add("GET", "/v3/login", &LoginRoutes::show);
  add("DELETE", "/v3/login", &LoginRoutes::sign_out);
  add("GET", "/login", &LoginRoutes::ask);
}

}  // namespace tailrace

#include "web/credential_routes.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "channels/errc.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/json_body.h"
#include "web/paging.h"

namespace tailrace {
namespace {

using nlohmann::json;

constexpr size_t kMostPermissions = 1000, kShortestPassword = 12, kLongestPassword = 255;
constexpr std::string_view kRead = "read:";

json credential_json(const Credential& credential) {
  return {{"id", credential.id},
          {"name", credential.name},
          {"permissions", permissions_json(credential.permissions)}};
}

/// What can be sent as a Basic credential's user, or stand in a path. `token` is a token's.
bool good_user(std::string_view id) {
  return good_channel_id(id) && id.find(':') == id.npos && id != "token";
}

bool good_password(std::string_view password) {
  const auto control = [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; };
  return password.size() >= kShortestPassword && password.size() <= kLongestPassword &&
         std::ranges::none_of(password, control);
}

Permissions permissions_in(const std::vector<std::string>& texts, JsonFields& fields) {
  Permissions permissions;
  if (texts.empty()) fields.refuse("permissions: takes at least one");
  if (texts.size() > kMostPermissions)
    fields.refuse("permissions: takes at most " + std::to_string(kMostPermissions));
  for (const std::string& text : texts) {
    if (text == "full_api")
      permissions.full_api = true;
    else if (text == "any_channel")
      permissions.any_channel = true;
    else if (text.starts_with(kRead) && good_channel_id(text.substr(kRead.size())))
      permissions.read.push_back(text.substr(kRead.size()));
    else
      fields.refuse("permissions: takes full_api, any_channel and read:CHANNEL");
  }
  std::ranges::sort(permissions.read);
  const auto repeated = std::ranges::unique(permissions.read);
  permissions.read.erase(repeated.begin(), repeated.end());
  return permissions;
}

/// The answers, on a thread that may block.
class CredentialRoutes {
 public:
  explicit CredentialRoutes(WebServices& services) : catalog_(services.catalog), access_(services.access) {}

  HttpResponse list(const HttpRequest& request) const {
    const auto page = page_of(request);
    if (!page) return http_error(422, kPageLimits);
    json shown = json::array(), next = nullptr;
    for (const Credential& credential : catalog_.credentials()) {
      if (!page->after.empty() && credential.id <= page->after) continue;
      if (shown.size() == page->limit) {
        next = shown.back()["id"];
        break;
      }
      shown.push_back(credential_json(credential));
    }
    return json_response(200, {{"credentials", shown}, {"next", next}});
  }

  HttpResponse show(const HttpRequest& request) const {
    const std::vector<Credential> all = catalog_.credentials();
    const auto found = std::ranges::find(all, request.param("id"), &Credential::id);
    return found == all.end() ? http_error(404, "Not Found") : json_response(200, credential_json(*found));
  }

  HttpResponse add(const HttpRequest& request) const {
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    JsonFields fields(*body);
    const auto id = fields.text("id");
    const std::string name = fields.text("name").value_or("");
    // Who names it and no user means it by that name, if that can be one.
    Credential credential{.id = id                ? *id
                                : good_user(name) ? name
                                                  : random_hex(8),
                          .name = name,
                          .permissions = {},
                          .password_hash = {}};
    const auto given = fields.text("password");
    if (!good_user(credential.id))
      fields.refuse("id: " + std::string(kGoodName) + ", no colon, and not token");
    if (!credential.name.empty() && !good_name(credential.name))
      fields.refuse("name: " + std::string(kGoodName));
    if (given && !good_password(*given))
      fields.refuse("password: takes 12 to 255 bytes without control characters");
    credential.permissions =
        permissions_in(fields.texts("permissions").value_or(std::vector<std::string>{}), fields);
    if (!fields.good()) return http_error(422, fields.error());

    const std::string password = given ? *given : random_hex(20);
    auto done = catalog_.add_credential(credential, password);
    if (!done && !id && done.error() == make_error_code(ChannelErrc::exists)) {
      credential.id = random_hex(8);
      done = catalog_.add_credential(credential, password);
    }
    if (!done) return refused_change(done.error());
    json shown = credential_json(credential);
    if (!given) shown["password"] = password;  // told this once
    HttpResponse response = json_response(201, shown);
    response.headers.add("Location", "/v3/credentials/" + percent_encoded(credential.id));
    return response;
  }

  HttpResponse remove(const HttpRequest& request) const {
    const std::string_view id = request.param("id");
    const auto done = catalog_.remove_credential(id);
    if (!done) return refused_change(done.error());
    access_.credential_removed(id);
    return {204, "", "", {}};
  }

 private:
  Catalog& catalog_;
  const Access& access_;
};

}  // namespace

json permissions_json(const Permissions& permissions) {
  json words = json::array();
  if (permissions.full_api) words.push_back("full_api");
  if (permissions.any_channel) words.push_back("any_channel");
  for (const std::string& channel : permissions.read) words.push_back(std::string(kRead) + channel);
  return words;
}

void add_credential_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<CredentialRoutes> blocking(routes, std::make_shared<const CredentialRoutes>(services),
                                            services.blocking, gate);
  blocking.add("GET", "/v3/credentials", &CredentialRoutes::list);
  blocking.add("POST", "/v3/credentials", &CredentialRoutes::add);
  blocking.add("GET", "/v3/credentials/:id", &CredentialRoutes::show);
  blocking.add("DELETE", "/v3/credentials/:id", &CredentialRoutes::remove);
}

}  // namespace tailrace

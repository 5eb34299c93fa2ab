#include "web/channel_json.h"

#include <algorithm>

#include "base/ids.h"
#include "web/api_answer.h"

namespace tailrace {

using nlohmann::json;

namespace {

constexpr size_t kMostTokens = 1000;

}  // namespace

json token_json(const Token& token) {
  json body{{"name", token.name}, {"token", token.id}};
  if (token.strict) body["strict"] = true;
  return body;
}

json flags_json(const Channel& channel) {
  json flags = json::object();
  if (channel.no_tail) flags["no_tail"] = true;
  if (channel.no_history) flags["no_history"] = true;
  return flags;
}

std::optional<std::vector<std::string>> token_names(JsonFields& fields) {
  auto names = fields.texts("tokens");
  if (!names) return names;
  if (names->size() > kMostTokens)
    fields.refuse("tokens: takes at most " + std::to_string(kMostTokens) + " names");
  if (!std::ranges::all_of(*names, [](const std::string& name) { return good_token_name(name); }))
    fields.refuse("tokens: each " + std::string(kGoodTokenName));
  return names;
}

std::optional<HttpResponse> make_token(Catalog& catalog, const HttpRequest& request, HttpResponse nameless,
                                       TokenPtr& token) {
  const auto body = json_object(request.body);
  if (!body) return http_error(400, "invalid JSON");
  JsonFields fields(*body);
  const auto name = fields.text("name");
  if (!name || !good_token_name(*name)) return nameless;
  const std::string id = fields.text("token").value_or("");
  if (!id.empty() && !is_token_id(id)) fields.refuse("token: takes t.<uuid>");
  const bool strict = fields.flag("strict").value_or(false);
  if (!fields.good()) return http_error(422, fields.error());
  const auto made = catalog.add_token(request.param("c"), *name, {id, strict});
  if (!made) return refused_change(made.error());
  token = *made;
  return std::nullopt;
}

}  // namespace tailrace

#include "cli/api_call.h"

#include <nlohmann/json.hpp>

#include "cli/line_text.h"
#include "cli/output.h"

namespace tailrace {

ApiFailure bad_answer(std::string_view what) {
  return {exit_failure, 0, std::string(what) + ": not the answer that this command understands"};
}

ApiResult<std::string> find_channel(ApiClient& api, const std::string& app) {
  const auto by_id = api.get("/v3/channels/" + percent_encoded(app));
  if (by_id) return app;
  // Who may read some channels alone is refused any other id, which may be the name of one of them.
  const bool refused = by_id.error().status == 403;
  if (by_id.error().status != 404 && !refused) return by_id.error();

  const auto by_name = api.get("/v3/channels?name=" + percent_encoded(app));
  if (!by_name) return by_name.error();
  const auto json = nlohmann::json::parse(by_name->body, nullptr, false);
  if (!json.is_object() || !json.contains("channels") || !json["channels"].is_array())
    return bad_answer("channels");
  std::vector<std::string> ids;
  for (const auto& channel : json["channels"]) {
    if (!channel.is_object() || !channel.contains("channel") || !channel["channel"].is_string()) continue;
    if (channel.value("name", nlohmann::json()) == app) ids.push_back(channel["channel"]);
  }
  if (ids.empty() && refused) return by_id.error();
  if (ids.empty()) return ApiFailure{exit_not_found, 0, "no channel has the id or the name '" + app + "'"};
  if (ids.size() > 1) {
    std::string list;
    for (const std::string& id : ids) list += (list.empty() ? "" : ", ") + id;
    return ApiFailure{exit_usage, 0,
                      "several channels have the name '" + app + "': take an id, one of " + list};
  }
  return ids.front();
}

int fail(const ApiFailure& failure) {
  complain(one_line(failure.text));
  if (failure.status == 401) {
    complain("give the credential with TAILRACE_AUTH=user:password or --auth");
  } else if (failure.exit_code == exit_unreachable) {
    complain("is it running? TAILRACE_URL or --url says where");
  }
  return failure.exit_code;
}

}  // namespace tailrace

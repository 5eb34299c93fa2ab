#include "web/openapi.h"

#include <algorithm>

#include "web/json_body.h"

namespace tailrace {
namespace {

using nlohmann::json;
using Who = RouteEntry::Who;

json reference(std::string_view kind, std::string_view name) {
  return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
}

/// `/v3/channels/:c` as `/v3/channels/{c}`; `names` are those in braces.
std::string path_of(std::string_view pattern, std::vector<std::string>& names) {
  std::string path;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != ':') {
      path += pattern[at++];
      continue;
    }
    const size_t end = std::min(pattern.find('/', at), pattern.size());
    names.emplace_back(pattern.substr(at + 1, end - at - 1));
    path += "{" + names.back() + "}";
    at = end;
  }
  return path;
}

/// `get_v3_channels_c`
std::string operation_id(const RouteEntry& entry) {
  std::string id;
  for (const char c : entry.method) id += char(c | 0x20);
  for (const char c : entry.path)
    if (c == '/' || c == '-' || c == '.')
      id += '_';
    else if (c != ':')
      id += c;
  return id;
}

bool is_api(Who who) {
  return who == Who::reader || who == Who::channel_reader || who == Who::full_api;
}

json security_of(Who who) {
  const auto scheme = [](const char* name) { return json{{name, json::array()}}; };
  if (who == Who::anyone) return json::array();
  json all = json::array({scheme("credential")});
  if (who != Who::writer) all.push_back(scheme("cookie"));
  if (who == Who::writer || who == Who::scraper) {
    all.push_back(scheme("token"));
    all.push_back(scheme("bearer_token"));
  }
  return all;
}

/// Of credentials, which.
const char* permission_of(Who who) {
  switch (who) {
    case Who::anyone:
      return "none";
    case Who::writer:
      return "any_channel";
    case Who::scraper:
    case Who::channel_reader:
      return "read:{c}";
    case Who::reader:
      return "read";
    case Who::full_api:
      return "full_api";
  }
  return "";
}

json answers_of(const RouteEntry& entry) {
  json answers = json::object();
  const auto add = [&](const RouteEntry::Answer& answer) {
    json& one = answers[std::to_string(answer.status)];
    one["description"] = answer.status < 400 ? "Done" : "Refused";
    if (answer.type.empty()) return;
    one["content"][std::string(answer.type)]["schema"] =
        answer.schema.empty() ? json{{"type", "string"}} : reference("schemas", answer.schema);
  };
  const auto add_error = [&](int status) {
    if (!answers.contains(std::to_string(status))) add({status, "application/json", "Error"});
  };
  for (const RouteEntry::Answer& answer : entry.answers) add(answer);
  if (entry.who != Who::anyone) add_error(401);
  if (entry.who != Who::anyone || entry.method != "GET") add_error(403);
  if (entry.path.find(':') != entry.path.npos) add_error(404);
  if (!entry.body.empty() && is_api(entry.who)) {
    add_error(400);
    add_error(422);
    add_error(404);
  }
  if (!entry.query.empty() && is_api(entry.who)) add_error(422);
  if (is_api(entry.who)) add_error(503);
  return answers;
}

json operation_of(const RouteEntry& entry, const std::vector<std::string>& names) {
  json operation{{"operationId", operation_id(entry)},
                 {"summary", entry.summary},
                 {"security", security_of(entry.who)},
                 {"responses", answers_of(entry)},
                 {"x-permission", permission_of(entry.who)},
                 {"x-listeners", entry.on_public ? json{"public", "admin"} : json{"admin"}}};
  json parameters = json::array();
  for (const std::string& name : names)
    parameters.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  for (const std::string_view name : entry.query) parameters.push_back(reference("parameters", name));
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (entry.body == "Records") {
    json& content = operation["requestBody"]["content"];
    for (const char* type :
         {"application/logplex-1", "application/x-logplex-1", "text/plain", "application/x-ndjson"})
      content[type]["schema"] = {{"type", "string"}};
  } else if (!entry.body.empty()) {
    operation["requestBody"]["content"]["application/json"]["schema"] = reference("schemas", entry.body);
  }
  return operation;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return char(c | 0x20); });
  return out;
}

}  // namespace

std::string openapi_text() {
  json paths = json::object();
  for (const RouteEntry& entry : route_entries()) {
    std::vector<std::string> names;
    const std::string path = path_of(entry.path, names);
    paths[path][lower(entry.method)] = operation_of(entry, names);
  }
  const json document{{"openapi", "3.1.0"},
                      {"info",
                       {{"title", "Tailrace"},
                        {"version", TAILRACE_VERSION},
                        {"description", "A log router and metrics pipeline. Errors are {\"error\":TEXT}."}}},
                      {"servers", json::array({{{"url", "/"}}})},
                      {"paths", std::move(paths)},
                      {"components", json::parse(openapi_components())}};
  return document.dump();
}

void add_openapi_route(HttpRoutes& routes) {
  routes.add("GET", "/openapi.json", [text = openapi_text()](HttpExchange& exchange) {
    HttpResponse response(200, "application/json", text);
    return exchange.respond(std::move(response));
  });
}

}  // namespace tailrace

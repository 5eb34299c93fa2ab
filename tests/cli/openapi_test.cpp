// The document of the API against the tables of routes.

#include "web/openapi.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "cli/node.h"
#include "cli/settings.h"

using namespace tailrace;

namespace {

using Routes = std::set<std::string>;

Routes told(bool on_public) {
  Routes all;
  for (const RouteEntry& entry : route_entries())
    if (entry.on_public || !on_public) all.insert(std::string(entry.method) + " " + std::string(entry.path));
  return all;
}

/// Without the console's files, which are no API.
Routes built(const HttpRoutes& routes) {
  Routes all;
  for (const HttpRoutes::Route& route : routes.all())
    if (route.pattern != "/" && !route.pattern.starts_with("/assets/"))
      all.insert(route.method + " " + route.pattern);
  return all;
}

std::string missing(const Routes& from, const Routes& in) {
  std::string text;
  for (const std::string& route : from)
    if (!in.contains(route)) text += route + "\n";
  return text;
}

}  // namespace

TEST_CASE("openapi: every route of both listeners has its entry, and every entry its route") {
  const SettingValues flags{{"TAILRACE_HTTP_LISTEN", "127.0.0.1:0"},
                            {"TAILRACE_ADMIN_LISTEN", "127.0.0.1:0"},
                            {"TAILRACE_SYSLOG_LISTEN", "off"},
                            {"TAILRACE_THREADS", "1"}};
  const auto settings = read_settings(flags, {}, read_small_file);
  REQUIRE_MESSAGE(settings.settings, settings.error);
  Node::Failure failure;
  const auto node = Node::open(*settings.settings, failure);
  REQUIRE_MESSAGE(node, failure.text);
  CHECK(missing(built(node->public_routes()), told(true)) == "");
  CHECK(missing(told(true), built(node->public_routes())) == "");
  CHECK(missing(built(node->admin_routes()), told(false)) == "");
  CHECK(missing(told(false), built(node->admin_routes())) == "");
  CHECK(told(false).size() == route_entries().size());  // none twice
}

TEST_CASE("openapi: what the entries name is there") {
  const nlohmann::json document = nlohmann::json::parse(openapi_text());
  const nlohmann::json& components = document["components"];
  for (const RouteEntry& entry : route_entries()) {
    CAPTURE(std::string(entry.path));
    for (const std::string_view parameter : entry.query) {
      CAPTURE(std::string(parameter));
      CHECK(components["parameters"].contains(parameter));
    }
    if (!entry.body.empty() && entry.body != "Records") CHECK(components["schemas"].contains(entry.body));
    for (const RouteEntry::Answer& answer : entry.answers)
      if (!answer.schema.empty()) CHECK(components["schemas"].contains(answer.schema));
  }
}

#include "web/drain_routes.h"

#include <algorithm>

#include "base/time_text.h"
#include "drains/target.h"
#include "web/api_answer.h"
#include "web/drain_health.h"
#include "web/drain_probe.h"
#include "web/json_body.h"
#include "web/off_loop.h"

namespace tailrace {
namespace {

using nlohmann::json;

/// The answers, on a thread that may block.
class DrainRoutes {
 public:
  explicit DrainRoutes(WebServices& services) : services_(services), catalog_(services.catalog) {}

  HttpResponse list(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    json drains = json::array();
    for (const DrainEntry& entry : catalog_.drains(*channel)) {
      json drain = drain_json(entry);
      drain["paused"] = entry.paused;
      // One without a URL, or that cannot be started, has no state.
      if (const auto account = services_.drains.account(entry)) {
        drain["state"] = to_string(account->status.state);
        drain["since"] = rfc3339_json(account->status.since);
      }
      drains.push_back(std::move(drain));
    }
    return json_response(200, {{"drains", drains}});
  }

  HttpResponse health(const HttpRequest& request) const {
    const auto account = running(request);
    return account ? json_response(200, health_json(*account, wall_now())) : http_error(404, "Not Found");
  }

  HttpResponse dead_letters(const HttpRequest& request) const {
    const auto account = running(request);
    return account ? json_response(200, dead_letters_json(*account->history)) : http_error(404, "Not Found");
  }

 private:
  /// The drain that the request names. None: there is none, or one that does not run, since it has no URL.
  std::optional<DrainSet::Account> running(const HttpRequest& request) const {
    const auto entry = find_drain(catalog_, request);
    return entry ? services_.drains.account(*entry) : std::nullopt;
  }

  WebServices& services_;
  Catalog& catalog_;
};

using Method = HttpResponse (DrainRoutes::*)(const HttpRequest&) const;

asio::awaitable<void> answer(std::shared_ptr<const DrainRoutes> self, Method method, asio::thread_pool& pool,
                             HttpExchange& exchange) {
  HttpResponse response = co_await off_loop(pool, [&] { return ((*self).*method)(exchange.request); });
  co_await exchange.respond(std::move(response));
}

}  // namespace

json drain_json(const DrainEntry& drain) {
  json body{{"id", drain.id}, {"token", drain.token}};
  if (!drain.url.empty()) body["url"] = shown_drain_url(drain.url);
  return body;
}

std::optional<DrainEntry> find_drain(const Catalog& catalog, const HttpRequest& request) {
  const ChannelPtr channel = catalog.channel(request.param("c"));
  if (!channel) return std::nullopt;
  const std::string_view wanted = request.param("d");
  const std::vector<DrainEntry> drains = catalog.drains(*channel);
  const auto found = std::ranges::find_if(drains, [&](const DrainEntry& drain) {
    return drain.token == wanted || std::to_string(drain.id) == wanted;
  });
  return found == drains.end() ? std::nullopt : std::optional(*found);
}

void add_drain_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  const auto self = std::make_shared<const DrainRoutes>(services);
  const auto add = [&](const char* method, const char* pattern, Method handler) {
    routes.add(
        method, pattern,
        [self, handler, &pool = services.blocking](HttpExchange& exchange) {
          return answer(self, handler, pool, exchange);
        },
        gate);
  };
  add("GET", "/v3/channels/:c/drains", &DrainRoutes::list);
  routes.add(
      "POST", "/v3/channels/:c/drains/:d/test",
      [tests = std::make_shared<DrainTests>(services)](HttpExchange& exchange) {
        return tests->run(exchange);
      },
      gate);
  add("GET", "/v3/channels/:c/drains/:d/health", &DrainRoutes::health);
  add("GET", "/v3/channels/:c/drains/:d/dead_letters", &DrainRoutes::dead_letters);
}

}  // namespace tailrace

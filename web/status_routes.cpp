#include "web/status_routes.h"

#include "web/drain_health.h"
#include "web/json_body.h"
#include "web/off_loop.h"

namespace tailrace {
namespace {

using nlohmann::json;

HttpResponse health() {
  return {200, "text/plain", "ok\n", {}};
}

HttpResponse readiness(const WebServices& services) {
  const std::vector<std::string> reasons = services.unready();
  return {reasons.empty() ? 200 : 503,
          "application/json",
          dumped({{"ready", reasons.empty()}, {"reasons", reasons}}),
          {}};
}

HttpResponse ledger(const WebServices& services) {
  json channels = json::array();
  for (const ChannelPtr& channel : services.catalog.channels()) {
    const DrainSet::ChannelAccount account = services.drains.account(channel);
    json drains = json::array();
    for (const DrainSet::Account& drain : account.drains) {
      const Ledger& l = drain.ledger;
      drains.push_back({{"id", std::to_string(drain.entry.id)},
                        {"token", drain.entry.token},
                        {"accepted", l.accepted},
                        {"delivered", l.delivered},
                        {"filtered", l.filtered},
                        {"dropped", dropped_json(l.dropped)},
                        {"buffered", l.buffered}});
    }
    channels.push_back({{"channel", channel->id}, {"accepted", account.accepted}, {"drains", drains}});
  }
  return {200, "application/json", dumped({{"channels", channels}}), {}};
}

using Maker = HttpResponse (*)(WebServices&, const HttpRequest&);

asio::awaitable<void> answer(WebServices& services, Maker make, HttpExchange& exchange) {
  HttpResponse response =
      co_await off_loop(services.blocking, [&] { return make(services, exchange.request); });
  co_await exchange.respond(std::move(response));
}

}  // namespace

void add_probe_routes(HttpRoutes& routes, WebServices& services) {
  routes.add("GET", "/healthz", [](HttpExchange& exchange) { return exchange.respond(health()); });
  routes.add("GET", "/readyz",
             [&services](HttpExchange& exchange) { return exchange.respond(readiness(services)); });
}

void add_status_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  const auto add = [&](const char* path, Maker make, const HttpGate& route_gate) {
    routes.add(
        "GET", path, [&services, make](HttpExchange& exchange) { return answer(services, make, exchange); },
        route_gate);
  };
  routes.add(
      "GET", "/healthcheck",
      [&services](HttpExchange& exchange) {
        const ApiState state = services.api_state.load(std::memory_order_relaxed);
        HttpResponse response(200, "application/json", dumped({{"status", to_string(state)}}));
        return exchange.respond(std::move(response));
      },
      gate);
  routes.add("GET", "/v3/healthcheck", [&services](HttpExchange& exchange) {
    const bool ready = services.unready().empty();
    HttpResponse response(ready ? 200 : 503, "text/plain", ready ? "OK" : "SYSTEM BOOTING");
    return exchange.respond(std::move(response));
  });
  add("/v3/ledger", [](WebServices& s, const HttpRequest&) { return ledger(s); }, gate);
}

}  // namespace tailrace

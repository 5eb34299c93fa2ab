#include "web/status_routes.h"

#include "metrics/channel_families.h"
#include "metrics/process_families.h"
#include "web/drain_families.h"
#include "web/json_body.h"
#include "web/off_loop.h"
#include "web/store_families.h"

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
      json dropped = json::object();
      for (size_t r = 0; r < l.dropped.size(); ++r)
        if (l.dropped[r]) dropped[std::string(kDropReasons[r])] = l.dropped[r];
      drains.push_back({{"id", std::to_string(drain.entry.id)},
                        {"token", drain.entry.token},
                        {"accepted", l.accepted},
                        {"delivered", l.delivered},
                        {"filtered", l.filtered},
                        {"dropped", dropped},
                        {"buffered", l.buffered}});
    }
    channels.push_back({{"channel", channel->id}, {"accepted", account.accepted}, {"drains", drains}});
  }
  return {200, "application/json", dumped({{"channels", channels}}), {}};
}

void write_kernel_drops(ExpositionWriter& out, SyslogUdp& udp) {
  out.family("tailrace_ingest_kernel_drops_total", FamilyType::counter,
             "Datagrams that the kernel dropped before they could be read.");
  for (const auto& drops : udp.kernel_drops())
    out.sample({{"protocol", "udp"}, {"listener", drops.address}}, drops.datagrams);
}

HttpResponse scrape(WebServices& services, std::string_view accept) {
  const ExpositionFormat format = format_for(accept);
  HttpResponse response;
  response.content_type = content_type(format);
  ExpositionWriter out(format, [&](std::string_view part) { response.body += part; });
  services.counters.write(out);
  if (services.syslog_udp) write_kernel_drops(out, *services.syslog_udp);
  write_channel_families(out, services.metrics.snapshots(wall_now()));
  std::vector<DrainSet::ChannelAccount> accounts;
  for (const ChannelPtr& channel : services.catalog.channels())
    if (auto account = services.drains.account(channel); !account.drains.empty())
      accounts.push_back(std::move(account));
  write_drain_families(out, accounts, wall_now());
  write_listener_families(out, services.listeners);
  write_store_families(out, services.store.status());
  write_process_families(out);
  out.finish();
  return response;
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
      [](HttpExchange& exchange) {
        return exchange.respond({200, "application/json", "{\"status\":\"normal\"}", {}});
      },
      gate);
  add("/v3/ledger", [](WebServices& s, const HttpRequest&) { return ledger(s); }, gate);
  add("/metrics", [](WebServices& s, const HttpRequest& r) { return scrape(s, r.headers.get("accept")); },
      {});
}

}  // namespace tailrace

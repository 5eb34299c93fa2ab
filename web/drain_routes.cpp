#include "web/drain_routes.h"

#include <algorithm>

#include "base/text.h"
#include "base/time_text.h"
#include "channels/errc.h"
#include "drains/target.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/drain_health.h"
#include "web/drain_over_time.h"
#include "web/drain_probe.h"
#include "web/json_body.h"
#include "web/wanted_drain.h"

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
    for (const DrainEntry& drain : catalog_.drains(*channel)) drains.push_back(with_state(drain));
    return json_response(200, {{"drains", drains}});
  }

  HttpResponse show(const HttpRequest& request) const {
    const auto drain = find_drain(catalog_, request);
    return drain ? json_response(200, with_state(*drain)) : http_error(404, "Not Found");
  }

  HttpResponse add(const HttpRequest& request) const {
    WantedDrain wanted;
    if (auto answer = read_wanted_drain(services_, request, true, wanted)) return *answer;
    const auto drain = catalog_.add_drain(request.param("c"), wanted.url, wanted.choice);
    if (!drain && drain.error() == ChannelErrc::too_many_drains)
      return http_error(422, "maximum number of drains reached");
    if (!drain) return refused_change(drain.error());
    HttpResponse response = json_response(201, drain_json(*drain));
    response.headers.add("Location", "/v3/channels/" + percent_encoded(drain->channel->id) + "/drains/" +
                                         std::to_string(drain->id));
    return response;
  }

  HttpResponse replace(const HttpRequest& request) const {
    const auto found = find_drain(catalog_, request);
    if (!found) return http_error(404, "Not Found");
    WantedDrain wanted;
    if (auto answer = read_wanted_drain(services_, request, false, wanted)) return *answer;
    if (wanted.choice.since && !found->url.empty())
      return http_error(422, "since: this drain runs already; replay puts it back");
    const auto drain = catalog_.replace_drain(found->channel->id, found->id, wanted.url, wanted.choice);
    return drain ? json_response(200, drain_json(*drain)) : refused_change(drain.error());
  }

  HttpResponse remove(const HttpRequest& request) const {
    const auto found = find_drain(catalog_, request);
    if (!found) return http_error(404, "Not Found");
    const auto done = catalog_.remove_drain(found->channel->id, found->id);
    return done ? HttpResponse{204, "", "", {}} : refused_change(done.error());
  }

  HttpResponse health(const HttpRequest& request) const {
    const auto account = running(request);
    return account ? json_response(200, health_json(*account, wall_now())) : http_error(404, "Not Found");
  }

  HttpResponse dead_letters(const HttpRequest& request) const {
    const auto account = running(request);
    return account ? json_response(200, dead_letters_json(*account->history)) : http_error(404, "Not Found");
  }

  HttpResponse history(const HttpRequest& request) const {
    const auto entry = find_drain(catalog_, request);
    if (!entry) return http_error(404, "Not Found");
    const Micros now = wall_now();
    std::string error;
    const auto query = time_query(time_texts(request), now, error);
    if (!query) return http_error(422, error);
    const auto past = services_.drains.past(*entry, now);
    return past ? json_response(200, drain_past_json(*past, *query)) : http_error(404, "Not Found");
  }

  HttpResponse pause(const HttpRequest& request) const { return set_paused(request, true); }
  /// Also helps one that its far end paused.
  HttpResponse resume(const HttpRequest& request) const { return set_paused(request, false); }

  HttpResponse replay(const HttpRequest& request) const {
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    const auto drain = find_drain(catalog_, request);
    if (!drain) return http_error(404, "Unknown drain.");
    bool wrong = false;
    const auto text = text_field(*body, "since", wrong);
    const auto since = text ? begin_time(*text, wall_now()) : std::nullopt;
    if (!since) return http_error(422, kBeginTimes);
    const auto from = drain->channel->log->since(*since);
    if (!from) return http_error(503, "the data dir could not be read");
    const auto records = services_.drains.replay(*drain, *from);
    if (!records) return http_error(409, "the drain is not running");
    return json_response(200, {{"id", drain->id}, {"token", drain->token}, {"replayed", *records}});
  }

 private:
  /// The drain that the request names. None: there is none, or one that does not run, since it has no URL.
  std::optional<DrainSet::Account> running(const HttpRequest& request) const {
    const auto entry = find_drain(catalog_, request);
    return entry ? services_.drains.account(*entry) : std::nullopt;
  }

  json with_state(const DrainEntry& entry) const {
    json drain = drain_json(entry);
    drain["paused"] = entry.paused != 0;
    // One without a URL, or that cannot be started, has no state.
    if (const auto account = services_.drains.account(entry)) {
      drain["state"] = to_string(account->status.state);
      drain["since"] = rfc3339_json(account->status.since);
    }
    return drain;
  }

  HttpResponse set_paused(const HttpRequest& request, bool paused) const {
    const auto found = find_drain(catalog_, request);
    if (!found) return http_error(404, "Unknown drain.");
    const auto drain = catalog_.set_drain_paused(found->channel->id, found->id, paused);
    if (!drain) return refused_change(drain.error());
    json body = drain_json(*drain);
    body["paused"] = drain->paused != 0;
    return json_response(200, body);
  }

  WebServices& services_;
  Catalog& catalog_;
};

}  // namespace

json drain_json(const DrainEntry& drain) {
  json body{{"id", drain.id}, {"token", drain.token}};
  if (!drain.url.empty()) body["url"] = shown_drain_url(drain.url);
  if (!drain.options.empty()) body["options"] = shown_options(drain.options);
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

void add_drain_routes(HttpRoutes& routes, WebServices& services, const ApiGates& gates) {
  const auto answers = std::make_shared<const DrainRoutes>(services);
  BlockingRoutes<DrainRoutes> reading(routes, answers, services.blocking, gates.channel);
  reading.add("GET", "/v3/channels/:c/drains", &DrainRoutes::list);
  reading.add("GET", "/v3/channels/:c/drains/:d", &DrainRoutes::show);
  reading.add("GET", "/v3/channels/:c/drains/:d/health", &DrainRoutes::health);
  reading.add("GET", "/v3/channels/:c/drains/:d/dead_letters", &DrainRoutes::dead_letters);
  reading.add("GET", "/v3/channels/:c/drains/:d/history", &DrainRoutes::history);
  BlockingRoutes<DrainRoutes> changing(routes, answers, services.blocking, gates.full_api);
  changing.add("POST", "/v3/channels/:c/drains", &DrainRoutes::add);
  changing.add("PUT", "/v3/channels/:c/drains/:d", &DrainRoutes::replace);
  changing.add("DELETE", "/v3/channels/:c/drains/:d", &DrainRoutes::remove);
  const auto tests = std::make_shared<DrainTests>(services);
  routes.add(
      "POST", "/v3/channels/:c/drains/test",
      [tests](HttpExchange& exchange) { return tests->run_wanted(exchange); }, gates.full_api);
  routes.add(
      "POST", "/v3/channels/:c/drains/:d/test",
      [tests](HttpExchange& exchange) { return tests->run(exchange); }, gates.full_api);
  changing.add("POST", "/v3/channels/:c/drains/:d/pause", &DrainRoutes::pause);
  changing.add("POST", "/v3/channels/:c/drains/:d/resume", &DrainRoutes::resume);
  changing.add("POST", "/v3/channels/:c/drains/:d/replay", &DrainRoutes::replay);
}

}  // namespace tailrace

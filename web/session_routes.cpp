#include "web/session_routes.h"

#include "base/text.h"
#include "web/json_body.h"
#include "web/tail.h"

namespace tailrace {
namespace {

using nlohmann::json;

/// Absent, null, false and "0" mean history only.
bool wants_tail(const json& body) {
  const auto tail = body.find("tail");
  if (tail == body.end() || tail->is_null()) return false;
  if (tail->is_boolean()) return tail->get<bool>();
  if (tail->is_string()) return *tail != "0" && *tail != "false" && *tail != "";
  if (tail->is_number()) return *tail != 0;
  return true;
}

/// `http://HOST:PUBLIC-PORT`: the host that the request came in by, and the public listener's port.
std::string public_base(const WebServices& services, const HttpRequest& request) {
  if (!services.public_url.empty()) return services.public_url;
  std::string host(request.headers.get("host"));
  const size_t bracket = host.find(']'), colon = host.find(':', bracket == host.npos ? 0 : bracket);
  host = host.substr(0, colon);
  if (host.empty()) {
    const auto address = request.local.address();
    host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  }
  return "http://" + host + ":" + std::to_string(services.public_port);
}

HttpResponse create(WebServices& services, const HttpRequest& request) {
  const auto body = json_object(request.body);
  if (!body) return http_error(400, "invalid JSON");
  bool wrong = false;
  TailQuery query;
  const auto channel_id = text_field(*body, "channel_id", wrong);
  if (!channel_id) return http_error(wrong ? 422 : 400, "'channel_id' missing");
  const auto num = text_field(*body, "num", wrong);
  TailWishes wishes;
  wishes.ps = text_field(*body, "ps", wrong).value_or("");
  wishes.source = text_field(*body, "source", wrong).value_or("");
  if (wrong) return http_error(422, "num, ps and source must be strings");
  for (const char* later : {"grep", "exclude", "since", "after"})
    if (body->contains(later)) return http_error(422, std::string(later) + ": not built yet");
  if (num) {
    const auto count = parse_u64(*num);
    if (!count) return http_error(422, "num must be a whole number");
    query.num = *count;
  }
  ParsedTailFilter wanted = TailFilter::parse(wishes);
  if (!wanted.error.empty()) return http_error(422, wanted.error);
  query.filter = std::move(wanted.filter);
  query.follow = wants_tail(*body);
  query.channel = services.catalog.channel(*channel_id);
  if (!query.channel) return http_error(404, "channel not found");
  const auto id = services.sessions.create(std::move(query));
  if (!id) {
    HttpResponse response = http_error(503, "too many sessions");
    response.headers.add("Retry-After", "10");
    return response;
  }
  return {
      201, "application/json", dumped({{"url", public_base(services, request) + "/sessions/" + *id}}), {}};
}

asio::awaitable<void> read_session(WebServices& services, HttpExchange& exchange) {
  const std::string_view accept = exchange.request.headers.get("accept");
  for (const char* later : {"application/x-ndjson", "text/event-stream"}) {
    if (accept.find(later) == accept.npos) continue;
    co_await exchange.respond(http_error(406, std::string(later) + ": not built yet"));
    co_return;
  }
  const auto reading = services.sessions.open(exchange.request.param("id"));
  if (!reading) {
    co_await exchange.respond(http_error(404, "Not found"));
    co_return;
  }
  Tail tail(exchange, reading->query(), services.counters);
  co_await tail.run();
}

}  // namespace

void add_session_api(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  routes.add(
      "POST", "/v2/sessions",
      [&services](HttpExchange& exchange) { return exchange.respond(create(services, exchange.request)); },
      gate);
}

void add_session_reading(HttpRoutes& routes, WebServices& services) {
  routes.add("GET", "/sessions/:id",
             [&services](HttpExchange& exchange) { return read_session(services, exchange); });
}

}  // namespace tailrace

#include "web/session_routes.h"

#include "base/text.h"
#include "web/accept.h"
#include "web/access.h"
#include "web/json_body.h"
#include "web/tail.h"

namespace tailrace {
namespace {

using nlohmann::json;

/// What differs between the versions of the API.
struct SessionKind {
  int unknown_channel;  // status
  bool canary;          // history only, under a path of its own
  bool location;        // says where in a field too
  bool bare;            // the answer's body is the URL alone
};
constexpr SessionKind kV1{404, false, false, true}, kV2{404, false, false, false},
    kV3{422, false, true, false}, kCanary{404, true, false, false};

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

HttpResponse created(const WebServices& services, const HttpRequest& request, const SessionKind& kind,
                     const std::string& id) {
  const std::string url =
      kind.canary ? "/v2/canary-fetch/" + id : public_base(services, request) + "/sessions/" + id;
  if (kind.bare) return {201, "text/plain", url, {}};
  HttpResponse response{201, "application/json", dumped({{"url", url}}), {}};
  if (kind.location) response.headers.add("Location", url);
  return response;
}

HttpResponse busy() {
  HttpResponse response = http_error(503, "too many sessions");
  response.headers.add("Retry-After", "10");
  return response;
}

/// What the body asks for, in `fields`; or the answer if that will not do.
std::optional<HttpResponse> refused(const WebServices& services, const HttpRequest& request,
                                    const SessionKind& kind, TailFields& fields) {
  const auto body = json_object(request.body);
  if (!body) return http_error(400, "invalid JSON");
  fields = read_tail_fields(*body, wall_now());
  if (!fields.error.empty()) return http_error(422, fields.error);
  if (!fields.channel_id) return http_error(400, "'channel_id' missing");
  if (!may_read_channel(services.access, request, *fields.channel_id)) return may_not_read();
  fields.query.channel = services.catalog.channel(*fields.channel_id);
  if (!fields.query.channel) return http_error(kind.unknown_channel, "channel not found");
  fields.query.born = fields.query.channel->log->end().next;
  if (kind.canary) fields.query.follow = false;
  return std::nullopt;
}

asio::awaitable<void> create(WebServices& services, const SessionKind& kind, HttpExchange& exchange) {
  TailFields fields;
  if (auto answer = refused(services, exchange.request, kind, fields)) {
    co_await exchange.respond(std::move(*answer));
    co_return;
  }
  if (fields.since) {
    const Result<void> found = co_await begin_since(fields.query, *fields.since, services.blocking);
    if (!found) {
      co_await exchange.respond(http_error(503, "the data dir could not be read"));
      co_return;
    }
  }
  const auto id = services.sessions.create(std::move(fields.query));
  HttpResponse response = id ? created(services, exchange.request, kind, *id) : busy();
  co_await exchange.respond(std::move(response));
}

TailForm form_of(const HttpRequest& request) {
  return accepted_form<TailForm>(request, {{"text/plain", TailForm::text},
                                           {"application/x-ndjson", TailForm::ndjson},
                                           {"text/event-stream", TailForm::events},
                                           {"application/x-tailrace-lines", TailForm::lines}})
      .value_or(TailForm::text);
}

/// Where a reader who was here before goes on. `wrong`: he says something else.
std::optional<Position> resumption(const HttpRequest& request, bool& wrong) {
  std::string said(request.headers.get("last-event-id"));
  if (said.empty()) said = request.query("after");
  if (said.empty()) return std::nullopt;
  const auto number = parse_u64(said);
  wrong = !number;
  return number ? std::optional(Position{*number}) : std::nullopt;
}

asio::awaitable<void> read_session(WebServices& services, HttpExchange& exchange) {
  bool wrong = false;
  const auto after = resumption(exchange.request, wrong);
  auto reading = services.sessions.open(exchange.request.param("id"));
  if (wrong) {
    co_await exchange.respond(http_error(400, "Last-Event-ID: takes a record's number"));
    co_return;
  }
  if (!reading) {
    co_await exchange.respond(http_error(404, "Not found"));
    co_return;
  }
  TailQuery query = reading->query();
  if (after) {
    query.after = after;
    query.num = std::nullopt;
  }
  Tail tail(exchange, query, form_of(exchange.request), TailServices{services.counters, services.renderings});
  const bool follows = co_await tail.run_history();
  if (follows) {
    if (after) reading->came_back();
    co_await tail.follow();
  }
  if (!query.channel->removed) reading->leave_place(tail.place());
}

}  // namespace

void add_session_api(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  const auto add = [&](const char* path, const SessionKind& kind) {
    routes.add(
        "POST", path, [&services, &kind](HttpExchange& exchange) { return create(services, kind, exchange); },
        gate);
  };
  add("/sessions", kV1);
  add("/v2/sessions", kV2);
  add("/v2/canary-sessions", kCanary);
  add("/v3/sessions", kV3);
}

void add_session_reading(HttpRoutes& routes, WebServices& services) {
  for (const char* path : {"/sessions/:id", "/v2/canary-fetch/:id"})
    routes.add("GET", path, [&services](HttpExchange& exchange) { return read_session(services, exchange); });
}

}  // namespace tailrace

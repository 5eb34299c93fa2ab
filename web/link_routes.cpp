#include "web/link_routes.h"

#include <algorithm>

#include "base/text.h"
#include "base/time_text.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/json_body.h"
#include "web/links.h"
#include "web/own_url.h"
#include "web/rollup_routes.h"

namespace tailrace {
namespace {

using nlohmann::json;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

constexpr std::chrono::milliseconds kShortest = 1min, kUsual = 24h, kLongest = 30 * 24h;
constexpr Micros kSecond = 1'000'000;

/// A text, or several in a list.
std::vector<std::string> texts_of(const json& query, JsonFields& fields, const char* name) {
  const auto found = query.find(name);
  if (found != query.end() && found->is_string()) return {found->get<std::string>()};
  return fields.texts(name).value_or(std::vector<std::string>{});
}

/// What the body asks for, but for who asks; `error` if that will not do.
Link wanted_link(const json& body, Micros now, std::string& error) {
  Link link;
  JsonFields outer(body);
  const auto duration = outer.text("expires");
  const auto lasts = duration ? parse_duration(*duration) : kUsual;
  if (!lasts || *lasts < kShortest || *lasts > kLongest) outer.refuse("expires: takes 1m to 30d");
  const auto query = body.find("query");
  if (query == body.end() || !query->is_object()) outer.refuse("query: takes an object");
  if (!outer.good()) {
    error = outer.error();
    return link;
  }
  JsonFields fields(*query);
  link.expires = (now / kSecond + std::chrono::ceil<std::chrono::seconds>(*lasts).count()) * kSecond;
  link.time = {fields.text_or_number("from").value_or(""), fields.text_or_number("to").value_or(""),
               fields.text_or_number("step").value_or("")};
  link.names = texts_of(*query, fields, "name");
  link.sources = texts_of(*query, fields, "source");
  for (const std::string& name : texts_of(*query, fields, "show")) {
    const auto figure = parse_figure(name);
    if (!figure)
      fields.refuse(std::string("show: takes ") + kFigures);
    else if (std::ranges::find(link.show, *figure) == link.show.end())
      link.show.push_back(*figure);
  }
  std::string wrong_time;
  if (!time_query(link.time, now, wrong_time)) fields.refuse(wrong_time);
  if (!fields.good()) error = "query: " + fields.error();
  return link;
}

/// Nobody may keep it, and where it leads is told to nobody.
HttpResponse guarded(HttpResponse response) {
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Referrer-Policy", "no-referrer");
  if (!response.headers.has("X-Content-Type-Options"))
    response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

std::string title_of(const Link& link) {
  std::string title;
  for (const std::string& name : link.names) title += (title.empty() ? "" : ", ") + name;
  return title.empty() ? "metrics" : title;
}

/// The answers, on a thread that may block.
class LinkRoutes {
 public:
  LinkRoutes(WebServices& services, const std::string& key) : services_(services), links_(key) {}

  HttpResponse make(const HttpRequest& request) const {
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    const ChannelPtr channel = services_.catalog.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    std::string error;
    Link link = wanted_link(*body, wall_now(), error);
    if (!error.empty()) return http_error(422, error);
    const auto who = services_.access.who(request);
    const auto maker = who ? services_.catalog.credential(who->user) : std::nullopt;
    if (!maker) return may_not_read();  // it went while the request waited
    link.channel = channel->index;
    link.channel_id = channel->id;
    link.credential = maker->id;
    const auto text = links_.sign(link, maker->password_hash);
    if (!text) return http_error(422, "query: too long for a link");
    return guarded(json_response(201, {{"url", own_url(services_, request) + "/links/" + *text},
                                       {"expires", rfc3339_json(link.expires)}}));
  }

  HttpResponse show(const HttpRequest& request) const { return guarded(answer(request)); }

 private:
  HttpResponse answer(const HttpRequest& request) const {
    const Micros now = wall_now();
    std::optional<Credential> maker;
    const auto [verdict, link] = links_.open(
        request.param("link"),
        [&](std::string_view id) {
          maker = services_.catalog.credential(id);
          return maker ? std::optional(maker->password_hash) : std::nullopt;
        },
        now);
    const ChannelPtr channel =
        verdict == Links::Verdict::unknown ? nullptr : services_.catalog.channel(link.channel_id);
    if (!channel || channel->index != link.channel || !maker->permissions.may_read(channel->id))
      return http_error(404, "Not Found");
    if (verdict == Links::Verdict::over) return http_error(410, "this link has ended");
    const auto form = rollup_form(request);
    if (!form) return http_error(422, kRollupForms);
    std::string error;
    const auto time = time_query(link.time, now, error);
    if (!time) return http_error(422, error);
    const RollupQuery query{time->from, time->to, time->step, {link.names, link.sources}};
    return rollup_response(services_, *channel, {query, *form, title_of(link), link.show, false}, now);
  }

  WebServices& services_;
  const Links links_;
};

}  // namespace

void add_link_routes(HttpRoutes& routes, WebServices& services, const ApiGates& gates,
                     const std::string& key) {
  const auto answers = std::make_shared<const LinkRoutes>(services, key);
  BlockingRoutes<LinkRoutes>(routes, answers, services.blocking, gates.channel)
      .add("POST", "/v3/channels/:c/links", &LinkRoutes::make);
  const HttpGate anyone;
  BlockingRoutes<LinkRoutes>(routes, answers, services.blocking, anyone)
      .add("GET", "/links/:link", &LinkRoutes::show);
}

}  // namespace tailrace

#include "web/channel_routes.h"

#include "base/ids.h"
#include "base/text.h"
#include "drains/target.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/drain_routes.h"
#include "web/json_body.h"

namespace tailrace {
namespace {

using nlohmann::json;

json token_json(const Token& token) {
  json body{{"name", token.name}, {"token", token.id}};
  if (token.strict) body["strict"] = true;
  return body;
}

/// Ids were numbers in v2; they stay so where they are.
json id_json(const Channel& channel) {
  const auto number = parse_u64(channel.id);
  return number ? json(*number) : json(channel.id);
}

/// The answers, on a thread that may block.
class ChannelRoutes {
 public:
  explicit ChannelRoutes(WebServices& services) : services_(services), catalog_(services.catalog) {}

  HttpResponse create(const HttpRequest& request) const {
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    bool wrong = false;
    const std::string name = text_field(*body, "name", wrong).value_or("");
    if (wrong || (!name.empty() && !good_name(name)))
      return http_error(400, "Channel name must be a string.");
    std::vector<std::string> token_names;
    if (const auto tokens = body->find("tokens"); tokens != body->end() && !tokens->is_null()) {
      if (!tokens->is_array()) return http_error(422, "tokens must be a list of names");
      for (const json& token : *tokens) {
        if (!token.is_string() || !good_token_name(token.get_ref<const std::string&>()))
          return http_error(422, "tokens must be a list of names");
        token_names.push_back(token);
      }
    }
    const auto channel = catalog_.add_channel(name);
    if (!channel) return refused_change(channel.error());
    json tokens = token_names.empty() ? json::array() : json::object();
    for (const std::string& token_name : token_names) {
      const auto token = catalog_.add_token((*channel)->id, token_name);
      if (!token) return refused_change(token.error());
      tokens[token_name] = (*token)->id;
    }
    return json_response(201, {{"channel_id", id_json(**channel)}, {"tokens", tokens}});
  }

  HttpResponse show(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    json tokens = json::array(), drains = json::array();
    for (const TokenPtr& token : catalog_.tokens(*channel)) tokens.push_back(token_json(*token));
    for (const DrainEntry& drain : catalog_.drains(*channel)) drains.push_back(drain_json(drain));
    return json_response(200, {{"channel_id", id_json(*channel)},
                               {"name", channel->name()},
                               {"tokens", tokens},
                               {"drains", drains}});
  }

  HttpResponse remove(const HttpRequest& request) const {
    const auto done = catalog_.remove_channel(request.param("c"));
    return done ? HttpResponse{200, "", "", {}} : refused_change(done.error());
  }

  HttpResponse add_token(const HttpRequest& request) const {
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    bool wrong = false;
    const auto name = text_field(*body, "name", wrong);
    if (!name || !good_token_name(*name)) return http_error(422, "NAME is a required field");
    const std::string id = text_field(*body, "token", wrong).value_or("");
    if (wrong || (!id.empty() && !is_token_id(id))) return http_error(422, "token must be t.<uuid>");
    bool strict = false;
    if (const auto given = body->find("strict"); given != body->end() && !given->is_null()) {
      if (!given->is_boolean()) return http_error(422, "strict must be true or false");
      strict = *given;
    }
    const auto token = catalog_.add_token(request.param("c"), *name, {id, strict});
    if (!token) return refused_change(token.error());
    return json_response(201, token_json(**token));
  }

  HttpResponse add_drain(const HttpRequest& request) const {
    WantedDrain wanted;
    if (auto answer = wanted_drain(request, wanted)) return *answer;
    const auto drain = catalog_.add_drain(request.param("c"), wanted.url, wanted.choice);
    return drain ? json_response(201, drain_json(*drain)) : refused_change(drain.error());
  }

  HttpResponse reserve_drain(const HttpRequest& request) const {
    const auto drain = catalog_.add_drain(request.param("c"), "");
    if (!drain) return refused_change(drain.error());
    return json_response(
        201, {{"id", drain->id}, {"token", drain->token}, {"msg", "Successfully reserved drain token"}});
  }

  HttpResponse set_drain(const HttpRequest& request) const {
    const auto found = find_drain(catalog_, request);
    if (!found) return http_error(404, "Unknown drain.");
    WantedDrain wanted;
    if (auto answer = wanted_drain(request, wanted)) return *answer;
    const auto drain = catalog_.set_drain_url(found->channel->id, found->id, wanted.url, wanted.choice);
    return drain ? json_response(201, drain_json(*drain)) : refused_change(drain.error());
  }

  HttpResponse remove_drain(const HttpRequest& request) const {
    const auto found = find_drain(catalog_, request);
    if (!found) return http_error(404, "Not found");
    const auto done = catalog_.remove_drain(found->channel->id, found->id);
    return done ? HttpResponse{200, "", "", {}} : refused_change(done.error());
  }

  /// `?name=` finds by name, `?after=` pages on.
  HttpResponse list(const HttpRequest& request) const {
    constexpr size_t kPage = 1000;
    const std::string name = request.query("name"), after = request.query("after");
    json page = json::array();
    bool begun = after.empty();
    json next = nullptr;
    for (const ChannelPtr& channel : catalog_.channels()) {
      if (begun && (name.empty() || channel->name() == name)) {
        if (page.size() == kPage) {
          next = page.back()["channel"];
          break;
        }
        page.push_back({{"channel", channel->id}, {"name", channel->name()}});
      }
      if (channel->id == after) begun = true;
    }
    return json_response(200, {{"channels", page}, {"next", next}});
  }

 private:
  struct WantedDrain {
    std::string url;
    DrainChoice choice;
  };
  /// What a drain is to be; or the answer if that is no good.
  std::optional<HttpResponse> wanted_drain(const HttpRequest& request, WantedDrain& wanted) const {
    std::string& url = wanted.url;
    const auto body = json_object(request.body);
    if (!body) return http_error(400, "invalid JSON");
    bool wrong = false;
    url = text_field(*body, "url", wrong).value_or("");
    const auto host = text_field(*body, "host", wrong), port = text_field(*body, "port", wrong);
    if (url.empty() && host) url = "syslog://" + *host + ":" + port.value_or("514");
    if (wrong || url.empty()) return http_error(422, "Invalid drain destination: missing_url_param");
    wanted.choice.options = stored_options(*body);
    const JudgedTarget judged = judge_drain(url, wanted.choice.options, services_.policy);
    if (!judged.error.empty()) return http_error(422, "Invalid drain destination: " + judged.error);
    if (const auto since = text_field(*body, "since", wrong); since || wrong) {
      wanted.choice.since = since ? begin_time(*since, wall_now()) : std::nullopt;
      if (!wanted.choice.since) return http_error(422, kBeginTimes);
    }
    return std::nullopt;
  }

  WebServices& services_;
  Catalog& catalog_;
};

}  // namespace

void add_channel_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<ChannelRoutes> blocking(routes, std::make_shared<const ChannelRoutes>(services),
                                         services.blocking, gate);
  blocking.add("POST", "/channels", &ChannelRoutes::create);
  blocking.add("DELETE", "/channels/:c", &ChannelRoutes::remove);
  blocking.add("GET", "/v2/channels/:c", &ChannelRoutes::show);
  blocking.add("DELETE", "/v2/channels/:c", &ChannelRoutes::remove);
  blocking.add("POST", "/v2/channels/:c/tokens", &ChannelRoutes::add_token);
  blocking.add("POST", "/v2/channels/:c/drains", &ChannelRoutes::add_drain);
  blocking.add("POST", "/channels/:c/drains/tokens", &ChannelRoutes::reserve_drain);
  blocking.add("POST", "/v2/channels/:c/drains/:d", &ChannelRoutes::set_drain);
  blocking.add("DELETE", "/v2/channels/:c/drains/:d", &ChannelRoutes::remove_drain);
  blocking.add("GET", "/v3/channels", &ChannelRoutes::list);
}

}  // namespace tailrace

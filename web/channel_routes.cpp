#include "web/channel_routes.h"

#include "base/text.h"
#include "channels/errc.h"
#include "drains/target.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/channel_json.h"
#include "web/drain_routes.h"
#include "web/json_body.h"
#include "web/wanted_drain.h"

namespace tailrace {
namespace {

using nlohmann::json;

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
    JsonFields fields(*body);
    const std::string name = fields.text("name").value_or("");
    if (!fields.good() || (!name.empty() && !good_name(name)))
      return http_error(400, "Channel name must be a string.");
    const std::vector<std::string> names = token_names(fields).value_or(std::vector<std::string>{});
    if (!fields.good()) return http_error(422, fields.error());
    const auto channel = catalog_.add_channel(name, names);
    if (!channel) return refused_change(channel.error());
    const json tokens = names.empty() ? json::array() : tokens_json(**channel);
    return json_response(201, {{"channel_id", id_json(**channel)}, {"tokens", tokens}});
  }

  HttpResponse show(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    json tokens = json::array(), drains = json::array();
    for (const TokenPtr& token : catalog_.tokens(*channel)) tokens.push_back(token_json(*token));
    for (const DrainEntry& drain : catalog_.drains(*channel)) drains.push_back(drain_json(drain));
    json shown{
        {"channel_id", id_json(*channel)}, {"name", channel->name()}, {"tokens", tokens}, {"drains", drains}};
    if (json flags = flags_json(*channel); !flags.empty()) shown["flags"] = std::move(flags);
    return json_response(200, shown);
  }

  /// v1.
  HttpResponse info(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not found");
    json drains = json::array();
    for (const DrainEntry& drain : catalog_.drains(*channel))
      if (!drain.url.empty()) drains.push_back(shown_drain_url(drain.url));
    return json_response(200, {{"channel_id", id_json(*channel)},
                               {"tokens", tokens_json(*channel)},
                               {"drains", std::move(drains)}});
  }

  HttpResponse remove(const HttpRequest& request) const {
    const auto done = catalog_.remove_channel(request.param("c"));
    return done ? HttpResponse{200, "", "", {}} : refused_change(done.error());
  }

  /// v1.
  HttpResponse remove_in_words(const HttpRequest& request) const {
    const auto done = catalog_.remove_channel(request.param("c"));
    if (done) return {200, "text/plain", "OK", {}};
    return done.error() == ChannelErrc::not_found ? http_error(404, "Not found")
                                                  : refused_change(done.error());
  }

  HttpResponse add_token(const HttpRequest& request) const {
    TokenPtr token;
    if (auto refusal = make_token(catalog_, request, http_error(422, "NAME is a required field"), token))
      return *refusal;
    return json_response(201, token_json(*token));
  }

  /// v1: the token alone.
  HttpResponse add_bare_token(const HttpRequest& request) const {
    TokenPtr token;
    if (auto refusal = make_token(catalog_, request, http_error(400, "'name' post param missing"), token))
      return *refusal;
    return {201, "text/plain", token->id, {}};
  }

  HttpResponse add_drain(const HttpRequest& request) const {
    WantedDrain wanted;
    if (auto answer = read_wanted_drain(services_, request, false, wanted)) return *answer;
    const auto drain = catalog_.add_drain(request.param("c"), wanted.url, wanted.choice);
    if (!drain && drain.error() == ChannelErrc::not_found) return http_error(404, "No such channel");
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
    if (auto answer = read_wanted_drain(services_, request, false, wanted)) return *answer;
    const auto drain = catalog_.set_drain_url(found->channel->id, found->id, wanted.url, wanted.choice);
    return drain ? json_response(201, drain_json(*drain)) : refused_change(drain.error());
  }

  HttpResponse remove_drain(const HttpRequest& request) const {
    const auto found = find_drain(catalog_, request);
    if (!found) return http_error(404, "Not found");
    const auto done = catalog_.remove_drain(found->channel->id, found->id);
    return done ? HttpResponse{200, "", "", {}} : refused_change(done.error());
  }

 private:
  /// By name; of several with one name the oldest.
  json tokens_json(const Channel& channel) const {
    json tokens = json::object();
    for (const TokenPtr& token : catalog_.tokens(channel)) tokens.emplace(token->name, token->id);
    return tokens;
  }

  WebServices& services_;
  Catalog& catalog_;
};

}  // namespace

void add_channel_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<ChannelRoutes> blocking(routes, std::make_shared<const ChannelRoutes>(services),
                                         services.blocking, gate);
  blocking.add("POST", "/channels", &ChannelRoutes::create);
  blocking.add("GET", "/channels/:c/info", &ChannelRoutes::info);
  blocking.add("DELETE", "/channels/:c", &ChannelRoutes::remove_in_words);
  blocking.add("POST", "/channels/:c/token", &ChannelRoutes::add_bare_token);
  blocking.add("GET", "/v2/channels/:c", &ChannelRoutes::show);
  blocking.add("DELETE", "/v2/channels/:c", &ChannelRoutes::remove);
  blocking.add("POST", "/v2/channels/:c/tokens", &ChannelRoutes::add_token);
  blocking.add("POST", "/v2/channels/:c/drains", &ChannelRoutes::add_drain);
  blocking.add("POST", "/channels/:c/drains/tokens", &ChannelRoutes::reserve_drain);
  blocking.add("POST", "/v2/channels/:c/drains/:d", &ChannelRoutes::set_drain);
  blocking.add("DELETE", "/v2/channels/:c/drains/:d", &ChannelRoutes::remove_drain);
}

}  // namespace tailrace

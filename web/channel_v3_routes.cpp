#include "web/channel_v3_routes.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "channels/errc.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/channel_json.h"
#include "web/drain_routes.h"
#include "web/json_body.h"
#include "web/paging.h"

namespace tailrace {
namespace {

using nlohmann::json;

/// The order of lists: numbers as such, then chosen ids by their bytes. It depends on ids alone, so a page
/// can follow one whose last channel is gone.
auto rank_of(std::string_view id) {
  const auto number = parse_u64(id);
  return std::tuple(number ? 0 : 1, number.value_or(0), number ? std::string_view{} : id);
}

/// The answers, on a thread that may block.
class ChannelV3Routes {
 public:
  explicit ChannelV3Routes(WebServices& services) : catalog_(services.catalog), access_(services.access) {}

  HttpResponse list(const HttpRequest& request) const {
    const auto page = page_of(request);
    if (!page) return http_error(422, kPageLimits);
    const auto permissions = permissions_of(access_, request);
    if (!permissions) return may_not_read();  // it went while the request waited
    const std::string name = request.query("name");
    std::vector<ChannelPtr> wanted = readable(*permissions);
    std::erase_if(wanted, [&](const ChannelPtr& channel) {
      return (!page->after.empty() && rank_of(channel->id) <= rank_of(page->after)) ||
             (!name.empty() && channel->name() != name);
    });
    std::ranges::sort(wanted, {}, [](const ChannelPtr& channel) { return rank_of(channel->id); });
    json next = nullptr;
    if (wanted.size() > page->limit) {
      wanted.resize(page->limit);
      next = wanted.back()->id;
    }
    json channels = json::array();
    for (const ChannelPtr& channel : wanted) {
      json& entry = channels.emplace_back(json{{"channel", channel->id}, {"name", channel->name()}});
      if (json flags = flags_json(*channel); !flags.empty()) entry["flags"] = std::move(flags);
    }
    return json_response(200, {{"channels", channels}, {"next", next}});
  }

  HttpResponse show(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    const auto permissions = permissions_of(access_, request);
    if (!channel || !permissions) return http_error(404, "Not Found");
    return json_response(200, channel_json(*channel, permissions->full_api));
  }

  HttpResponse put(const HttpRequest& request) const {
    const auto body = request.body.empty() ? std::nullopt : json_object(request.body);
    if (!body) return http_error(400, "invalid payload");
    const std::string_view id = request.param("c");
    JsonFields fields(*body);
    ChannelWish wish;
    if (!good_channel_id(id)) fields.refuse("channel: " + std::string(kGoodName));
    // Logplex removes all tokens where none are named; who says something else of the channel does not mean
    // that.
    if (body->contains("tokens"))
      wish.tokens = names_of(*body, fields);
    else if (body->empty())
      wish.tokens.emplace();
    wish.name = fields.text("name");
    if (wish.name && !wish.name->empty() && !good_name(*wish.name))
      fields.refuse("name: " + std::string(kGoodName));
    read_flags(*body, fields, wish);
    if (!fields.good()) return http_error(422, fields.error());
    const auto done = catalog_.put_channel(std::string(id), std::move(wish));
    if (!done && done.error() == ChannelErrc::is_counted)
      return http_error(422, "channel: POST /channels gives numbers; choose another id");
    if (!done) return refused_change(done.error());
    return json_response(done->created ? 201 : 200, channel_json(*done->channel, true));
  }

  HttpResponse remove(const HttpRequest& request) const {
    const auto done = catalog_.remove_channel(request.param("c"));
    return done ? HttpResponse{204, "", "", {}} : refused_change(done.error());
  }

  HttpResponse tokens(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    json tokens = json::array();
    for (const TokenPtr& token : catalog_.tokens(*channel)) tokens.push_back(token_json(*token));
    return json_response(200, {{"tokens", tokens}});
  }

  HttpResponse add_token(const HttpRequest& request) const {
    TokenPtr token;
    const HttpResponse nameless = http_error(422, "name: " + std::string(kGoodTokenName));
    if (auto refusal = make_token(catalog_, request, nameless, token)) return *refusal;
    return json_response(200, token_json(*token));  // as Logplex has it
  }

  /// By its id, or by its name if no other has that.
  HttpResponse remove_token(const HttpRequest& request) const {
    const std::string_view wanted = request.param("t");
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    std::vector<std::string> found;
    for (const TokenPtr& token : catalog_.tokens(*channel)) {
      if (token->id == wanted) {
        found = {token->id};
        break;
      }
      if (token->name == wanted) found.push_back(token->id);
    }
    if (found.empty()) return http_error(404, "Not Found");
    if (found.size() > 1) return http_error(409, "several tokens have this name; take an id");
    const auto done = catalog_.remove_token(channel->id, found.front());
    return done ? HttpResponse{204, "", "", {}} : refused_change(done.error());
  }

 private:
  std::vector<ChannelPtr> readable(const Permissions& permissions) const {
    if (permissions.full_api) return catalog_.channels();
    std::vector<ChannelPtr> channels;
    for (const std::string& id : permissions.read)
      if (ChannelPtr channel = catalog_.channel(id)) channels.push_back(std::move(channel));
    return channels;
  }

  /// As Logplex shows it: what is empty is left out. Of several tokens with one name the oldest.
  json channel_json(const Channel& channel, bool with_tokens) const {
    json shown{{"channel", channel.id}};
    if (const std::string name = channel.name(); !name.empty()) shown["name"] = name;
    if (json flags = flags_json(channel); !flags.empty()) shown["flags"] = std::move(flags);
    for (const TokenPtr& token : catalog_.tokens(channel))
      shown["tokens"].emplace(token->name, with_tokens ? token->id : "***");
    for (const DrainEntry& drain : catalog_.drains(channel)) shown["drains"].push_back(drain_json(drain));
    return shown;
  }

  static std::vector<std::string> names_of(const json& body, JsonFields& fields) {
    if (body["tokens"].is_null()) fields.refuse("tokens: takes a list of texts");  // not: remove them all
    return token_names(fields).value_or(std::vector<std::string>{});
  }

  static void read_flags(const json& body, JsonFields& fields, ChannelWish& wish) {
    for (const char* name : {"no_tail", "no_history"})
      if (body.contains(name)) fields.refuse(std::string(name) + ": belongs into flags");
    const auto flags = body.find("flags");
    if (flags == body.end()) return;
    if (!flags->is_object()) return fields.refuse("flags: takes an object");
    for (const auto& [name, value] : flags->items()) {
      auto* const flag = name == "no_tail"      ? &wish.no_tail
                         : name == "no_history" ? &wish.no_history
                                                : nullptr;
      if (!flag) return fields.refuse("flags: takes no_tail and no_history");
      if (!value.is_boolean()) return fields.refuse("flags: " + name + " takes true or false");
      *flag = value.get<bool>();
    }
  }

  Catalog& catalog_;
  const Access& access_;
};

}  // namespace

void add_channel_v3_routes(HttpRoutes& routes, WebServices& services, const ApiGates& gates) {
  const auto answers = std::make_shared<const ChannelV3Routes>(services);
  BlockingRoutes<ChannelV3Routes>(routes, answers, services.blocking, gates.readers)
      .add("GET", "/v3/channels", &ChannelV3Routes::list);
  BlockingRoutes<ChannelV3Routes>(routes, answers, services.blocking, gates.channel)
      .add("GET", "/v3/channels/:c", &ChannelV3Routes::show);
  BlockingRoutes<ChannelV3Routes> full(routes, answers, services.blocking, gates.full_api);
  full.add("PUT", "/v3/channels/:c", &ChannelV3Routes::put);
  full.add("DELETE", "/v3/channels/:c", &ChannelV3Routes::remove);
  full.add("GET", "/v3/channels/:c/tokens", &ChannelV3Routes::tokens);
  full.add("POST", "/v3/channels/:c/tokens", &ChannelV3Routes::add_token);
  full.add("DELETE", "/v3/channels/:c/tokens/:t", &ChannelV3Routes::remove_token);
}

}  // namespace tailrace

#include "cli/drains.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/drain_wanted.h"
#include "cli/drain_words.h"
#include "cli/exit_code.h"
#include "cli/verb.h"

namespace tailrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view examples = R"(examples:
  tailrace drains add -a shop https://user:pass@logs.example.com/in \
      --filter 'status>=500' --gzip
  tailrace drains list -a shop       state, lag and last status of each
  tailrace drains health -a shop     how they are, why, and what to do about it
  tailrace drains test -a shop 1     tries it now, step by step
  tailrace drains pause -a shop 1
  tailrace drains resume -a shop 1
  tailrace drains replay -a shop 1 --since 15m
  tailrace drains rm -a shop 1
)";

// A verb of `drains`, of one drain or of all of a channel.
class DrainVerb : public Verb {
 public:
  DrainVerb(std::string_view name, std::string_view summary, std::string_view its_examples)
      : Verb("drains", name, summary, its_examples) {}

  void takes_drain(bool required = true) {
    takes("DRAIN", "its id or token", "drain of this channel has the id or the token", required);
  }
  const std::string& drain() const { return thing(); }
  std::string of_drain(const std::string& drain, std::string_view what) const {
    return path("/drains/" + percent_encoded(drain) + "/" + std::string(what));
  }
  std::string of_drain(std::string_view what) const { return of_drain(drain(), what); }
  // Logplex's routes, which answer with the whole drain.
  std::string v2_path() const { return "/v2/channels/" + percent_encoded(channel()) + "/drains"; }
  std::string resume_command(const std::string& drain) const {
    return "tailrace drains resume " + app_flag() + " " + drain;
  }
};

ApiResult<Json> all_drains(DrainVerb& verb) {
  auto listed = verb.list(verb.path("/drains"), "drains");
  if (!listed) return listed.error();
  Json all{{"drains", std::move(*listed)}};
  return ApiResult<Json>(boost::system::in_place_value, std::move(all));
}

int list(int argc, char** argv) {
  DrainVerb verb("list", "the drains of a channel.", "examples:\n  tailrace drains list -a shop\n");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  auto listed = all_drains(verb);
  if (!listed) return verb.failed(listed.error());
  if (verb.json()) return verb.say(*listed, {});
  for (Json& drain : (*listed)["drains"]) {
    // One without a URL, or that has gone since, has none.
    if (auto health = verb.get(verb.of_drain(json_text(drain, "id"), "health")))
      drain["health"] = std::move(*health);
  }
  return verb.say(*listed,
                  (*listed)["drains"].empty() ? "no drains\n" : drain_table((*listed)["drains"], wall_now()));
}

int health(int argc, char** argv) {
  DrainVerb verb("health", "how drains are, why, since when, and what to do about it.",
                 "examples:\n  tailrace drains health -a shop      all of the channel\n"
                 "  tailrace drains health -a shop 1\n");
  verb.takes_drain(false);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto words = [&](const Json& one) {
    return health_words(one, verb.resume_command(json_text(one, "id")), wall_now());
  };
  if (!verb.drain().empty()) {
    const auto one = verb.get(verb.of_drain("health"));
    return one ? verb.say(*one, words(*one)) : verb.failed(one.error());
  }
  const auto listed = all_drains(verb);
  if (!listed) return verb.failed(listed.error());
  Json all = Json::array();
  std::string text;
  for (const Json& drain : (*listed)["drains"]) {
    const auto one = verb.get(verb.of_drain(json_text(drain, "id"), "health"));
    if (!one && one.error().status != 404) return verb.failed(one.error());
    if (!one) continue;
    text += (text.empty() ? "" : "\n") + words(*one);
    all.push_back(*one);
  }
  return verb.say({{"drains", all}}, text.empty() ? "no drains\n" : text);
}

int add(int argc, char** argv) {
  DrainVerb verb("add", "a new drain of a channel.",
                 "examples:\n  tailrace drains add -a shop https://user:pass@logs.example.com/in\n"
                 "  tailrace drains add -a shop syslog+tls://logs.example.com:6514 \\\n"
                 "    --format rfc5424\n"
                 "  tailrace drains add -a shop https://logs.example.com/in --since oldest \\\n"
                 "    --filter '@procid=router status>=500' --zstd --header 'X-Team: shop'\n"
                 "  tailrace drains add -a shop - --header @fields.txt < url.txt\n"
                 "                             keeps secrets out of the list of processes\n");
  DrainWanted wanted;
  wanted.add_to(verb.options());
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (wanted.url == "-" && !std::getline(std::cin, wanted.url))
    return verb.line().usage_error("no URL on stdin");
  std::string wrong;
  const auto body = wanted.json(wrong);
  if (!body) return verb.line().usage_error(wrong);
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto made = verb.post(verb.v2_path(), *body);
  if (!made) return verb.failed(made.error());
  return verb.say(*made, "drain " + json_text(*made, "id") + " added: " + json_text(*made, "token") + " to " +
                             json_text(*made, "url") + "\n");
}

int remove(int argc, char** argv) {
  DrainVerb verb("rm", "ends a drain; what it had not sent stays with the channel.",
                 "examples:\n  tailrace drains rm -a shop 1\n");
  verb.takes_drain();
  verb.asks();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto listed = verb.list(verb.path("/drains"), "drains");
  if (!listed) return verb.failed(listed.error());
  const auto meant = std::ranges::find_if(*listed, [&](const Json& drain) {
    return json_text(drain, "id") == verb.drain() || json_text(drain, "token") == verb.drain();
  });
  if (meant == listed->end()) return verb.failed({exit_not_found, 404, ""});
  const std::string url = json_text(*meant, "url");
  if (!verb.may("remove drain " + verb.drain() + (url.empty() ? "" : " to " + url) + " of channel " +
                verb.app() + "?"))
    return exit_failure;
  const auto removed = verb.remove(verb.v2_path() + "/" + percent_encoded(verb.drain()));
  return removed ? verb.say(*removed, "drain " + verb.drain() + " removed\n") : verb.failed(removed.error());
}

int test(int argc, char** argv) {
  DrainVerb verb("test",
                 "resolves, connects, shakes hands and sends one marked record, and says how it went.",
                 "examples:\n  tailrace drains test -a shop 1 && echo works\n");
  verb.takes_drain();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto tried = verb.post(verb.of_drain("test"));
  if (!tried) return verb.failed(tried.error());
  const bool good = tried->contains("ok") && (*tried)["ok"] == true;
  return verb.say(*tried,
                  test_words(*tried) + "drain " + verb.drain() + (good ? " works\n" : " does not work\n"),
                  good ? exit_ok : exit_failure);
}

int pause(int argc, char** argv) {
  DrainVerb verb("pause", "sends nothing until it is resumed; records are kept, up to the channel's bounds.",
                 "examples:\n  tailrace drains pause -a shop 1\n");
  verb.takes_drain();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto paused = verb.post(verb.of_drain("pause"));
  return paused ? verb.say(*paused, "drain " + verb.drain() + " is paused\n") : verb.failed(paused.error());
}

int resume(int argc, char** argv) {
  DrainVerb verb("resume", "a paused drain goes on at once, a failing one tries at once.",
                 "examples:\n  tailrace drains resume -a shop 1\n");
  verb.takes_drain();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto resumed = verb.post(verb.of_drain("resume"));
  return resumed ? verb.say(*resumed, "drain " + verb.drain() + " goes on\n") : verb.failed(resumed.error());
}

int replay(int argc, char** argv) {
  DrainVerb verb("replay", "sends again, from then on, what the channel still keeps.",
                 "examples:\n  tailrace drains replay -a shop 1 --since 15m\n"
                 "  tailrace drains replay -a shop 1 --since 2026-11-21T12:00:00Z\n"
                 "  tailrace drains replay -a shop 1 --since oldest\n");
  std::string since;
  verb.takes_drain();
  verb.options().add_option("--since", since, "15m, a time, or oldest")->type_name("WHEN")->required();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto replayed = verb.post(verb.of_drain("replay"), {{"since", since}});
  if (!replayed) return verb.failed(replayed.error());
  const bool counted = replayed->contains("replayed") && (*replayed)["replayed"].is_number_integer();
  const std::string count = counted ? (*replayed)["replayed"].dump() : "?";
  return verb.say(*replayed, "drain " + verb.drain() + ": " + count + " records are sent again\n");
}

const std::vector<Command>& verbs() {
  static const std::vector<Command> all = {
      {"list", "state, lag and last status of each", list},
      {"add", "a new one: URL and options", add},
      {"rm", "ends one", remove},
      {"test", "tries one now, step by step", test},
      {"health", "how they are, why, and what to do about it", health},
      {"pause", "lets one rest", pause},
      {"resume", "lets it go on", resume},
      {"replay", "sends again what is still kept", replay},
  };
  return all;
}

}  // namespace

int run_drains(int argc, char** argv) {
  return run_verbs("drains", "a channel's subscriptions that send to far ends.", examples, verbs(), argc,
                   argv);
}

}  // namespace tailrace

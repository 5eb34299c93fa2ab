#include "cli/drains.h"

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "cli/api_call.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/drain_wanted.h"
#include "cli/drain_words.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/target.h"

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

// What the verbs share: the channel, the API, one drain, and how to answer.
class Verb {
 public:
  Verb(std::string_view name, std::string_view summary, std::string_view its_examples)
      : line_("drains " + std::string(name), summary, its_examples) {
    if (const char* app = std::getenv("TAILRACE_APP")) app_ = app;
    CLI::App& o = line_.options();
    o.add_option("-a,--app", app_, "channel, by id or name [TAILRACE_APP]")->type_name("APP");
    o.add_option("-o,--output", output_, "text or json: as the API says it")
        ->type_name("FORM")
        ->check(CLI::IsMember({"text", "json"}));
    o.add_option("--url", url_, "the admin listener [TAILRACE_URL]")->type_name("URL");
    o.add_option("--auth", auth_, "user:password [TAILRACE_AUTH]")->type_name("AUTH");
  }
  CLI::App& options() { return line_.options(); }
  const CommandLine& line() const { return line_; }
  void takes_drain(bool required) {
    options().add_option("DRAIN", drain_, "its id or token")->required(required);
  }

  /// The exit code, if the command ends here.
  std::optional<int> begin(int argc, char** argv) {
    if (const auto ended = line_.parse(argc, argv)) return ended;
    if (app_.empty()) return line_.usage_error("which channel? -a NAME, or TAILRACE_APP");
    return std::nullopt;
  }

  /// Finds the channel; to be called before any of the calls below.
  ApiResult<void> connect() {
    const ApiTarget target = find_target(url_, auth_);
    api_.emplace(ApiClient::Options{.url = target.url, .auth = target.auth});
    const auto channel = find_channel(*api_, app_);
    if (!channel) return channel.error();
    channel_ = *channel;
    return {};
  }
  ApiResult<Json> get(const std::string& path) { return read(api_->get(v3() + path)); }
  ApiResult<Json> post(const std::string& path, const Json& body = Json::object()) {
    return read(api_->post(v3() + path, body.dump(), "application/json"));
  }
  ApiResult<Json> create(const Json& body) {
    return read(
        api_->post("/v2/channels/" + percent_encoded(channel_) + "/drains", body.dump(), "application/json"));
  }
  ApiResult<Json> remove() {
    return read(
        api_->remove("/v2/channels/" + percent_encoded(channel_) + "/drains/" + percent_encoded(drain_)));
  }

  const std::string& drain() const { return drain_; }
  std::string drain_path(std::string_view verb) const { return drain_path(drain_, verb); }
  static std::string drain_path(const std::string& drain, std::string_view verb) {
    return "/" + percent_encoded(drain) + "/" + std::string(verb);
  }
  std::string resume_command(const std::string& drain) const {
    const bool plain = app_.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == app_.npos;
    return "tailrace drains resume -a " + (plain ? app_ : "APP") + " " + drain;
  }

  /// Says what failed. A drain that is not there is named.
  int failed(ApiFailure failure) const {
    if (failure.exit_code == exit_not_found && failure.status == 404 && !drain_.empty())
      failure.text = "no drain of this channel has the id or the token '" + drain_ + "'";
    return fail(failure);
  }
  /// The answer, as JSON or in these words.
  int say(const Json& json, const std::string& words, Exit code = exit_ok) const {
    // Whatever is not ASCII goes escaped: no text of a far end's reaches a terminal as it is.
    const std::string out =
        output_ == "json" ? json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n" : words;
    return write_stdout(out) ? code : exit_failure;
  }
  bool json() const { return output_ == "json"; }

 private:
  std::string v3() const { return "/v3/channels/" + percent_encoded(channel_) + "/drains"; }
  static ApiResult<Json> read(const ApiResult<ApiAnswer>& answer) {
    if (!answer) return answer.error();
    Json json = answer->body.empty() ? Json::object() : Json::parse(answer->body, nullptr, false);
    if (!json.is_object()) return bad_answer("drains");
    // A Json can be made of almost anything, a result too: it must be told.
    return ApiResult<Json>(boost::system::in_place_value, std::move(json));
  }

  CommandLine line_;
  std::string app_, output_ = "text", url_, auth_, drain_, channel_;
  std::optional<ApiClient> api_;
};

std::string id_of(const Json& drain) {
  const auto id = drain.find("id");
  if (id == drain.end()) return {};
  return id->is_string() ? id->get<std::string>() : id->dump();
}

ApiResult<Json> all_drains(Verb& verb) {
  auto listed = verb.get("");
  if (!listed) return listed.error();
  if (!listed->contains("drains") || !(*listed)["drains"].is_array()) return bad_answer("drains");
  for (const Json& drain : (*listed)["drains"]) {
    if (!drain.is_object()) return bad_answer("drains");
  }
  return listed;
}

int list(int argc, char** argv) {
  Verb verb("list", "the drains of a channel.", "examples:\n  tailrace drains list -a shop\n");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  auto listed = all_drains(verb);
  if (!listed) return verb.failed(listed.error());
  if (verb.json()) return verb.say(*listed, {});
  for (Json& drain : (*listed)["drains"]) {
    // One without a URL, or that has gone since, has none.
    if (auto health = verb.get(Verb::drain_path(id_of(drain), "health")))
      drain["health"] = std::move(*health);
  }
  return verb.say(*listed,
                  (*listed)["drains"].empty() ? "no drains\n" : drain_table((*listed)["drains"], wall_now()));
}

int health(int argc, char** argv) {
  Verb verb("health", "how drains are, why, since when, and what to do about it.",
            "examples:\n  tailrace drains health -a shop      all of the channel\n"
            "  tailrace drains health -a shop 1\n");
  verb.takes_drain(false);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto words = [&](const Json& one) {
    return health_words(one, verb.resume_command(one_line(id_of(one))), wall_now());
  };
  if (!verb.drain().empty()) {
    const auto one = verb.get(verb.drain_path("health"));
    return one ? verb.say(*one, words(*one)) : verb.failed(one.error());
  }
  const auto listed = all_drains(verb);
  if (!listed) return verb.failed(listed.error());
  Json all = Json::array();
  std::string text;
  for (const Json& drain : (*listed)["drains"]) {
    const auto one = verb.get(Verb::drain_path(id_of(drain), "health"));
    if (!one && one.error().status != 404) return verb.failed(one.error());
    if (!one) continue;
    text += (text.empty() ? "" : "\n") + words(*one);
    all.push_back(*one);
  }
  return verb.say({{"drains", all}}, text.empty() ? "no drains\n" : text);
}

int add(int argc, char** argv) {
  Verb verb("add", "a new drain of a channel.",
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
  const auto made = verb.create(*body);
  if (!made) return verb.failed(made.error());
  const std::string url = made->contains("url") && (*made)["url"].is_string() ? (*made)["url"] : "";
  const std::string token = made->contains("token") && (*made)["token"].is_string() ? (*made)["token"] : "";
  return verb.say(*made, one_line("drain " + id_of(*made) + " added: " + token + " to " + url) + "\n");
}

int remove(int argc, char** argv) {
  Verb verb("rm", "ends a drain; what it had not sent stays with the channel.",
            "examples:\n  tailrace drains rm -a shop 1\n");
  verb.takes_drain(true);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto removed = verb.remove();
  return removed ? verb.say(*removed, "drain " + verb.drain() + " removed\n") : verb.failed(removed.error());
}

int test(int argc, char** argv) {
  Verb verb("test", "resolves, connects, shakes hands and sends one marked record, and says how it went.",
            "examples:\n  tailrace drains test -a shop 1 && echo works\n");
  verb.takes_drain(true);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto tried = verb.post(verb.drain_path("test"));
  if (!tried) return verb.failed(tried.error());
  const bool good = tried->contains("ok") && (*tried)["ok"] == true;
  return verb.say(*tried,
                  test_words(*tried) + "drain " + verb.drain() + (good ? " works\n" : " does not work\n"),
                  good ? exit_ok : exit_failure);
}

int pause(int argc, char** argv) {
  Verb verb("pause", "sends nothing until it is resumed; records are kept, up to the channel's bounds.",
            "examples:\n  tailrace drains pause -a shop 1\n");
  verb.takes_drain(true);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto paused = verb.post(verb.drain_path("pause"));
  return paused ? verb.say(*paused, "drain " + verb.drain() + " is paused\n") : verb.failed(paused.error());
}

int resume(int argc, char** argv) {
  Verb verb("resume", "a paused drain goes on at once, a failing one tries at once.",
            "examples:\n  tailrace drains resume -a shop 1\n");
  verb.takes_drain(true);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto resumed = verb.post(verb.drain_path("resume"));
  return resumed ? verb.say(*resumed, "drain " + verb.drain() + " goes on\n") : verb.failed(resumed.error());
}

int replay(int argc, char** argv) {
  Verb verb("replay", "sends again, from then on, what the channel still keeps.",
            "examples:\n  tailrace drains replay -a shop 1 --since 15m\n"
            "  tailrace drains replay -a shop 1 --since 2026-11-21T12:00:00Z\n"
            "  tailrace drains replay -a shop 1 --since oldest\n");
  std::string since;
  verb.takes_drain(true);
  verb.options().add_option("--since", since, "15m, a time, or oldest")->type_name("WHEN")->required();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto replayed = verb.post(verb.drain_path("replay"), {{"since", since}});
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

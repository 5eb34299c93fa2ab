#include "cli/channels.h"

#include <map>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/text_table.h"
#include "cli/tokens.h"
#include "cli/verb.h"

namespace tailrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view examples = R"(examples:
  tailrace channels create shop --token app --token heroku
  tailrace channels list
  tailrace channels set -a shop --no-history on
  tailrace channels rm shop
)";

// Records by channel, as far as this credential may know.
std::map<std::string, std::string> accepted_by_channel(Verb& verb) {
  std::map<std::string, std::string> all;
  const auto ledger = verb.list("/v3/ledger", "channels");
  if (!ledger) return all;
  for (const Json& one : *ledger) all[json_text(one, "channel")] = json_text(one, "accepted");
  return all;
}

std::string flags_of(const Json& channel) {
  std::string flags;
  const auto found = channel.find("flags");
  if (found == channel.end() || !found->is_object()) return flags;
  for (const auto& [flag, on] : found->items())
    if (on == true) flags += (flags.empty() ? "" : " ") + one_line(flag);
  return flags;
}

int list(int argc, char** argv) {
  Verb verb("channels", "list", "the channels that this credential may read.",
            "examples:\n  tailrace channels list\n"
            "  tailrace channels list -o json | jq -r '.channels[].name'\n",
            Verb::Of::everything);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto channels = verb.list("/v3/channels", "channels");
  if (!channels) return verb.failed(channels.error());
  if (verb.json()) return verb.say({{"channels", *channels}}, {});
  if (channels->empty()) return verb.say({}, "no channels\n");
  const auto accepted = accepted_by_channel(verb);
  std::vector<std::vector<std::string>> rows{{"ID", "NAME", "RECORDS", "FLAGS"}};
  for (const Json& channel : *channels) {
    const std::string id = json_text(channel, "channel");
    const auto records = accepted.find(id);
    rows.push_back({id, json_text(channel, "name"), records == accepted.end() ? "" : records->second,
                    flags_of(channel)});
  }
  return verb.say({}, text_table(rows));
}

int create(int argc, char** argv) {
  Verb verb("channels", "create", "a new channel with its tokens.",
            "examples:\n  tailrace channels create shop\n"
            "  tailrace channels create shop --token app --token heroku \\\n    --id app-77\n",
            Verb::Of::everything);
  std::string name, id;
  std::vector<std::string> tokens;
  verb.options().add_option("NAME", name, "what people call it")->required();
  verb.options()
      .add_option("--token", tokens, "a token of this name [app]; again: more")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.options().add_option("--id", id, "instead of the next number")->type_name("ID");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (tokens.empty()) tokens = {"app"};
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  Json body{{"name", name}, {"tokens", tokens}};
  if (!id.empty()) {
    const auto there = verb.get("/v3/channels/" + percent_encoded(id));
    if (there) return verb.failed({exit_failure, 409, "channel " + id + " exists already"});
    if (there.error().status != 404) return verb.failed(there.error());
  }
  const auto made =
      id.empty() ? verb.post("/channels", body) : verb.put("/v3/channels/" + percent_encoded(id), body);
  if (!made) return verb.failed(made.error());
  const std::string channel = json_text(*made, id.empty() ? "channel_id" : "channel");
  std::string words = "channel " + channel + " created: " + one_line(name) + "\n";
  std::string first;
  const Json made_tokens = made->value("tokens", Json::object());
  for (const auto& [token_name, token] : made_tokens.items()) {
    if (!token.is_string()) continue;
    words += "token " + one_line(token_name) + ": " + one_line(token.get<std::string>()) + "\n";
    if (first.empty()) first = token;
  }
  if (!first.empty()) words += "a first record:\n  " + first_record(verb.url(), first) + "\n";
  return verb.say(*made, words);
}

int set(int argc, char** argv) {
  Verb verb("channels", "set", "changes a channel's name and flags; what is not said stays.",
            "examples:\n  tailrace channels set -a shop --no-history on\n"
            "  tailrace channels set -a shop --no-tail off --name storefront\n",
            Verb::Of::said_channel);
  std::string no_tail, no_history, name;
  const auto flag = [&](const char* option, std::string& value, const char* help) {
    verb.options().add_option(option, value, help)->type_name("ON")->check(CLI::IsMember({"on", "off"}));
  };
  flag("--no-tail", no_tail, "on or off: nobody may follow it");
  flag("--no-history", no_history, "on or off: readers see nothing of before");
  verb.options().add_option("--name", name, "another name")->type_name("NAME");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  Json body = Json::object();
  if (!no_tail.empty()) body["flags"]["no_tail"] = no_tail == "on";
  if (!no_history.empty()) body["flags"]["no_history"] = no_history == "on";
  if (!name.empty()) body["name"] = name;
  if (body.empty()) return verb.line().usage_error("what of it? --no-tail, --no-history or --name");
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto changed = verb.put(verb.path(), body);
  return changed ? verb.say(*changed, "channel " + one_line(verb.app()) + " changed\n")
                 : verb.failed(changed.error());
}

int remove(int argc, char** argv) {
  Verb verb("channels", "rm", "removes a channel with its tokens, its drains and its records.",
            "examples:\n  tailrace channels rm shop\n  tailrace channels rm shop --yes\n",
            Verb::Of::said_channel);
  verb.takes_channel();
  verb.asks();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto tokens = verb.list(verb.path("/tokens"), "tokens");
  if (!tokens) return verb.failed(tokens.error());
  const auto drains = verb.list(verb.path("/drains"), "drains");
  if (!drains) return verb.failed(drains.error());
  if (!verb.may("remove channel " + verb.app() + " with " + counted(tokens->size(), "token") + " and " +
                counted(drains->size(), "drain") + "?"))
    return exit_failure;
  const auto removed = verb.remove(verb.path());
  return removed ? verb.say(*removed, "channel " + one_line(verb.app()) + " removed\n")
                 : verb.failed(removed.error());
}

const std::vector<Command>& verbs() {
  static const std::vector<Command> all = {
      {"list", "those that may be read", list},
      {"create", "a new one with its tokens", create},
      {"set", "name and flags", set},
      {"rm", "removes one with all that it has", remove},
  };
  return all;
}

}  // namespace

int run_channels(int argc, char** argv) {
  return run_verbs("channels", "streams of records, one for each app.", examples, verbs(), argc, argv);
}

}  // namespace tailrace

#include "cli/tokens.h"

#include <iostream>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/text_table.h"
#include "cli/verb.h"

namespace tailrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view examples = R"(examples:
  tailrace tokens list -a shop
  tailrace tokens add -a shop worker
  tailrace tokens rm -a shop worker
)";

int list(int argc, char** argv) {
  Verb verb("tokens", "list", "the tokens of a channel.",
            "examples:\n  tailrace tokens list -a shop\n"
            "  tailrace tokens list -a shop --show      whole, as sources need them\n");
  bool show = false;
  verb.options().add_flag("--show", show, "the secrets too");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  auto tokens = verb.list(verb.path("/tokens"), "tokens");
  if (!tokens) return verb.failed(tokens.error());
  std::vector<std::vector<std::string>> rows{{"NAME", "TOKEN", "STRICT"}};
  for (Json& token : *tokens) {
    if (!show) token["token"] = shortened(json_text(token, "token"));
    const bool strict = token.value("strict", Json()) == true;
    rows.push_back({json_text(token, "name"), json_text(token, "token"), strict ? "strict" : ""});
  }
  return verb.say({{"tokens", *tokens}}, tokens->empty() ? "no tokens\n" : text_table(rows));
}

int add(int argc, char** argv) {
  Verb verb("tokens", "add", "a new token of a channel: who has it may write, under its name.",
            "examples:\n  tailrace tokens add -a shop worker\n"
            "  tailrace tokens add -a shop app --token - < token.txt\n"
            "                                    one that is in use already\n");
  Json body = Json::object();
  std::string name, token;
  bool strict = false;
  verb.options().add_option("NAME", name, "what readers see: app, heroku")->required();
  verb.options().add_flag("--strict", strict, "its records show this name, whatever they say");
  verb.options().add_option("--token", token, "this t.…, or - for a line on stdin")->type_name("TOKEN");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (token == "-" && !std::getline(std::cin, token)) return verb.line().usage_error("no token on stdin");
  body["name"] = name;
  if (!token.empty()) body["token"] = token;
  if (strict) body["strict"] = true;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto made = verb.post(verb.path("/tokens"), body);
  if (!made) return verb.failed(made.error());
  const std::string id = json_text(*made, "token");
  return verb.say(*made, "token " + json_text(*made, "name") + " added: " + id + "\na first record:\n  " +
                             first_record(verb.url(), id) + "\n");
}

int remove(int argc, char** argv) {
  Verb verb("tokens", "rm", "a source that has it can no longer write.",
            "examples:\n  tailrace tokens rm -a shop worker\n"
            "  tailrace tokens rm -a shop t.8d3fd2f0-…   where two have the same name\n");
  verb.takes("TOKEN", "its name, or itself", "token of this channel has the name");
  verb.asks();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto tokens = verb.list(verb.path("/tokens"), "tokens");
  if (!tokens) return verb.failed(tokens.error());
  std::vector<Json> meant;
  for (const Json& token : *tokens) {
    if (token.value("token", Json()) == verb.thing()) meant.assign(1, token);
    if (!meant.empty() && meant.front().value("token", Json()) == verb.thing()) break;
    if (token.value("name", Json()) == verb.thing()) meant.push_back(token);
  }
  if (meant.empty()) return verb.failed({exit_not_found, 404, ""});
  if (meant.size() > 1) {
    std::string each;
    for (const Json& token : meant) each += (each.empty() ? "" : ", ") + shortened(json_text(token, "token"));
    complain("several tokens have this name, take one itself: " + each);
    return exit_usage;
  }
  const std::string id = meant.front().value("token", std::string());
  const std::string said = "token " + json_text(meant.front(), "name") + " (" + one_line(shortened(id)) + ")";
  if (!verb.may("remove " + said + " of channel " + verb.app() + "?")) return exit_failure;
  const auto removed = verb.remove(verb.path("/tokens/" + percent_encoded(id)));
  return removed ? verb.say(*removed, said + " removed\n") : verb.failed(removed.error());
}

const std::vector<Command>& verbs() {
  static const std::vector<Command> all = {
      {"list", "names and, with --show, secrets", list},
      {"add", "a new one", add},
      {"rm", "removes one", remove},
  };
  return all;
}

}  // namespace

int run_tokens(int argc, char** argv) {
  return run_verbs("tokens", "who may write to a channel, and under which name.", examples, verbs(), argc,
                   argv);
}

std::string shortened(const std::string& secret) {
  constexpr size_t shown = 10;
  return secret.size() <= shown ? secret : secret.substr(0, shown) + "…";
}

std::string first_record(const std::string& url, const std::string& token) {
  return "echo hello | curl -s -u token:" + one_line(token) +
         " -H 'Content-Type: text/plain' \\\n    --data-binary @- " + one_line(url) + "/logs";
}

}  // namespace tailrace

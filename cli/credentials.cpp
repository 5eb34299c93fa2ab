#include "cli/credentials.h"

#include <iostream>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/text_table.h"
#include "cli/verb.h"

namespace tailrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view examples = R"(examples:
  tailrace credentials add ann --permission read:shop
  tailrace credentials list
  tailrace credentials rm 0f1e2d3c4b5a6978
)";

std::string permissions_text(const Json& credential) {
  std::string text;
  const auto found = credential.find("permissions");
  if (found == credential.end() || !found->is_array()) return text;
  for (const Json& permission : *found)
    if (permission.is_string()) text += (text.empty() ? "" : " ") + one_line(permission.get<std::string>());
  return text;
}

int list(int argc, char** argv) {
  Verb verb("credentials", "list", "those beside the admin's.", "examples:\n  tailrace credentials list\n",
            Verb::Of::everything);
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const auto credentials = verb.list("/v3/credentials", "credentials");
  if (!credentials) return verb.failed(credentials.error());
  std::vector<std::vector<std::string>> rows{{"ID", "NAME", "PERMISSIONS"}};
  for (const Json& one : *credentials)
    rows.push_back({json_text(one, "id"), json_text(one, "name"), permissions_text(one)});
  return verb.say({{"credentials", *credentials}},
                  credentials->empty() ? "no credentials beside the admin's\n" : text_table(rows));
}

int add(int argc, char** argv) {
  Verb verb("credentials", "add", "lets somebody else use the API.",
            "examples:\n  tailrace credentials add ann --permission read:shop --permission read:7\n"
            "  tailrace credentials add deploy --permission full_api --id deploy \\\n"
            "    --password - < password.txt\n",
            Verb::Of::everything);
  std::string name, id, password;
  std::vector<std::string> permissions;
  verb.options().add_option("NAME", name, "whose it is")->required();
  verb.options()
      .add_option("--permission", permissions, "full_api, any_channel or read:CHANNEL; again: more")
      ->type_name("PERMISSION")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.options().add_option("--id", id, "the user's name instead of one made up")->type_name("ID");
  verb.options().add_option("--password", password, "- for a line on stdin, else made up")->type_name("-");
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (!password.empty() && password != "-")
    return verb.line().usage_error("--password takes - alone: others see what stands here");
  if (password == "-" && !std::getline(std::cin, password))
    return verb.line().usage_error("no password on stdin");
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  // The API takes ids alone.
  constexpr std::string_view reads = "read:";
  for (std::string& permission : permissions) {
    if (!permission.starts_with(reads)) continue;
    const auto channel = verb.find(permission.substr(reads.size()));
    if (!channel) return verb.failed(channel.error());
    permission = std::string(reads) + *channel;
  }
  Json body{{"name", name}, {"permissions", permissions}};
  if (!id.empty()) body["id"] = id;
  if (!password.empty()) body["password"] = password;
  const auto made = verb.post("/v3/credentials", body);
  if (!made) return verb.failed(made.error());
  const std::string user = json_text(*made, "id"), secret = json_text(*made, "password");
  std::string words = "credential " + user + " added: " + permissions_text(*made) + "\n";
  if (!secret.empty()) words += "told this once: TAILRACE_AUTH=" + user + ":" + secret + "\n";
  return verb.say(*made, words);
}

int remove(int argc, char** argv) {
  Verb verb("credentials", "rm", "who has it can no longer use it.",
            "examples:\n  tailrace credentials rm deploy\n", Verb::Of::everything);
  verb.takes("ID", "its id", "credential has the id");
  verb.asks();
  if (const auto ended = verb.begin(argc, argv)) return *ended;
  if (const auto connected = verb.connect(); !connected) return verb.failed(connected.error());
  const std::string path = "/v3/credentials/" + percent_encoded(verb.thing());
  const auto credential = verb.get(path);
  if (!credential) return verb.failed(credential.error());
  const std::string said = "credential " + one_line(verb.thing());
  if (!verb.may("remove " + said + " (" + json_text(*credential, "name") + ")?")) return exit_failure;
  const auto removed = verb.remove(path);
  return removed ? verb.say(*removed, said + " removed\n") : verb.failed(removed.error());
}

const std::vector<Command>& verbs() {
  static const std::vector<Command> all = {
      {"list", "ids, names and permissions", list},
      {"add", "a new one with its permissions", add},
      {"rm", "removes one", remove},
  };
  return all;
}

}  // namespace

int run_credentials(int argc, char** argv) {
  return run_verbs("credentials", "who beside the admin may use the API.", examples, verbs(), argc, argv);
}

}  // namespace tailrace

#include "cli/completion.h"

#include <signal.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/api_call.h"
#include "cli/command.h"
#include "cli/completion_scripts.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/target.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  source <(tailrace completion bash)
  tailrace completion bash > ~/.local/share/bash-completion/completions/tailrace
  tailrace completion zsh > ~/.zfunc/_tailrace       with ~/.zfunc in fpath
  tailrace completion fish > ~/.config/fish/completions/tailrace.fish
)";

constexpr std::chrono::milliseconds patience{1000};

/// The words before the one that is being completed.
std::vector<std::string> words_on_stdin() {
  std::string text;
  char piece[4096];
  while (!::isatty(STDIN_FILENO) && text.size() < (64u << 10)) {
    const ssize_t n = ::read(STDIN_FILENO, piece, sizeof piece);
    if (n <= 0) break;
    text.append(piece, size_t(n));
  }
  LineBuffer lines;
  std::vector<std::string> words;
  std::string_view whole = lines.add(text);
  for (size_t end; (end = whole.find('\n')) != whole.npos; whole.remove_prefix(end + 1))
    words.emplace_back(whole.substr(0, end));
  return words;
}

/// What the line has of an option, the last of it.
std::string given(const std::vector<std::string>& words, std::string_view brief, const std::string& name) {
  std::string value;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with(name + "=")) value = words[i].substr(name.size() + 1);
    if (i + 1 < words.size() && (words[i] == name || (!brief.empty() && words[i] == brief)))
      value = words[i + 1];
  }
  return value;
}

nlohmann::json list_of(const ApiResult<ApiAnswer>& answer, const char* name, nlohmann::json& next) {
  next = nullptr;
  if (!answer) return nlohmann::json::array();
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (!json.is_object() || !json.contains(name) || !json[name].is_array()) return nlohmann::json::array();
  next = json.value("next", nlohmann::json());
  return json[name];
}

std::string text_of(const nlohmann::json& object, const char* field) {
  if (!object.is_object() || !object.contains(field)) return {};
  const auto& value = object[field];
  return value.is_string() ? value.get<std::string>() : value.is_number_integer() ? value.dump() : "";
}

/// Something that stands in a line as it is, and is no option.
bool is_plain(const std::string& word) {
  return !word.empty() && word[0] != '-' && one_line(word) == word;
}

/// Each by its name, or by its id where the name says nothing, or more than one.
std::string channels(ApiClient& api) {
  std::map<std::string, std::vector<std::string>> ids;
  nlohmann::json next = "";
  while (next.is_string()) {
    const std::string after = next.get<std::string>();
    const auto answer = api.get("/v3/channels" + (after.empty() ? "" : "?after=" + percent_encoded(after)));
    for (const auto& channel : list_of(answer, "channels", next))
      ids[text_of(channel, "name")].push_back(text_of(channel, "channel"));
  }
  std::string out;
  for (const auto& [name, its] : ids) {
    if (its.size() == 1 && is_plain(name)) {
      out += name + "\n";
    } else {
      for (const std::string& id : its)
        if (is_plain(id)) out += id + "\n";
    }
  }
  return out;
}

std::string drains(ApiClient& api, const std::string& app) {
  if (app.empty()) return {};
  const auto channel = find_channel(api, app);
  if (!channel) return {};
  nlohmann::json next;
  std::string out;
  for (const auto& drain :
       list_of(api.get("/v3/channels/" + percent_encoded(*channel) + "/drains"), "drains", next))
    if (const std::string id = text_of(drain, "id"); is_plain(id)) out += id + "\n";
  return out;
}

}  // namespace

int run_completion(int argc, char** argv) {
  std::string shell;
  CommandLine line("completion", "prints a script that completes commands, options and values.", examples);
  line.options()
      .add_option("SHELL", shell, "whose script: bash, zsh or fish")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  if (const auto ended = line.parse(argc, argv)) return *ended;
  const std::vector<CommandDescription> all = describe_commands();
  const std::string script = shell == "bash"  ? bash_completion(all)
                             : shell == "zsh" ? zsh_completion(all)
                                              : fish_completion(all);
  return write_stdout(script) ? exit_ok : exit_failure;
}

int run_complete(int argc, char** argv) {
  // Names are resolved without a deadline.
  ::signal(SIGALRM, [](int) { ::_exit(exit_ok); });
  ::alarm(unsigned(patience.count() / 1000));
  const std::vector<std::string> words = words_on_stdin();
  const std::string_view what = argc > 1 ? argv[1] : "";
  const ApiTarget target = find_target(given(words, "", "--url"), given(words, "", "--auth"));
  ApiClient api({.url = target.url, .auth = target.auth, .deadline = patience});
  std::string app = given(words, "-a", "--app");
  if (const char* standard = std::getenv("TAILRACE_APP"); standard && app.empty()) app = standard;
  const std::string found = what == "channels" ? channels(api) : what == "drains" ? drains(api, app) : "";
  return write_stdout(found) ? exit_ok : exit_failure;
}

}  // namespace tailrace

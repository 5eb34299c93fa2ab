#include "cli/verb.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "cli/api_call.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/target.h"

namespace tailrace {

Verb::Verb(std::string_view command, std::string_view verb, std::string_view summary,
           std::string_view examples, Of of)
    : command_(command), of_(of), line_(command_ + " " + std::string(verb), summary, examples) {
  CLI::App& o = options();
  if (of_ == Of::channel) {
    if (const char* app = std::getenv("TAILRACE_APP")) app_ = app;
    o.add_option("-a,--app", app_, "channel, by id or name [TAILRACE_APP]")->type_name("APP");
  } else if (of_ == Of::said_channel) {
    o.add_option("-a,--app", app_, "channel, by id or name")->type_name("APP");
  }
  o.add_option("-o,--output", output_, "text or json: as the API says it")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json"}));
  o.add_option("--url", url_, "the admin listener [TAILRACE_URL]")->type_name("URL");
  o.add_option("--auth", auth_, "user:password [TAILRACE_AUTH]")->type_name("AUTH");
}

void Verb::takes(const char* metavar, std::string_view help, std::string_view kind, bool required) {
  kind_ = kind;
  options().add_option(metavar, thing_, std::string(help))->required(required);
}

void Verb::takes_channel() {
  options().add_option("CHANNEL", app_, "its id or name")->excludes("--app");
}

void Verb::asks() {
  options().add_flag("-y,--yes", yes_, "do not ask");
}

std::optional<int> Verb::begin(int argc, char** argv) {
  exit_on_interrupt();
  if (const auto ended = line_.parse(argc, argv)) return ended;
  if (of_ == Of::channel && app_.empty()) return line_.usage_error("which channel? -a NAME, or TAILRACE_APP");
  if (of_ == Of::said_channel && app_.empty()) return line_.usage_error("which channel?");
  return std::nullopt;
}

ApiResult<void> Verb::connect() {
  const ApiTarget target = find_target(url_, auth_);
  api_.emplace(ApiClient::Options{.url = target.url, .auth = target.auth});
  if (const auto split = split_http_url(target.url))
    server_ = split->origin + (split->target == "/" ? "" : split->target);
  if (of_ == Of::everything) return {};
  const auto channel = find(app_);
  if (!channel) return channel.error();
  channel_ = *channel;
  return {};
}

ApiResult<std::string> Verb::find(const std::string& app) {
  return find_channel(*api_, app);
}

bool Verb::may(const std::string& question) const {
  if (yes_ || ::isatty(STDIN_FILENO) != 1) return true;
  write_stderr(one_line(question) + " [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

ApiResult<Verb::Json> Verb::get(const std::string& path) {
  return read(api_->get(path));
}

ApiResult<Verb::Json> Verb::post(const std::string& path, const Json& body) {
  return read(api_->post(path, body.dump(), "application/json"));
}

ApiResult<Verb::Json> Verb::put(const std::string& path, const Json& body) {
  return read(api_->put(path, body.dump(), "application/json"));
}

ApiResult<Verb::Json> Verb::remove(const std::string& path) {
  return read(api_->remove(path));
}

ApiResult<Verb::Json> Verb::list(const std::string& path, const char* key) {
  Json all = Json::array();
  for (std::string after;;) {
    const char separator = path.find('?') == path.npos ? '?' : '&';
    auto page = get(after.empty() ? path : path + separator + "after=" + percent_encoded(after));
    if (!page) return page.error();
    if (!page->contains(key) || !(*page)[key].is_array()) return bad_answer(command_);
    for (Json& one : (*page)[key]) {
      if (!one.is_object()) return bad_answer(command_);
      all.push_back(std::move(one));
    }
    const std::string next = json_text(*page, "next");
    if (next.empty() || next == after) return ApiResult<Json>(boost::system::in_place_value, std::move(all));
    after = next;
  }
}

std::string Verb::path(const std::string& rest) const {
  return "/v3/channels/" + percent_encoded(channel_) + rest;
}

std::string Verb::app_flag() const {
  const bool plain = app_.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789._-") == app_.npos &&
                     !app_.starts_with('-');
  return "-a " + (plain ? app_ : "APP");
}

int Verb::failed(ApiFailure failure) const {
  if (failure.exit_code == exit_not_found && failure.status == 404 && !thing_.empty())
    failure.text = "no " + kind_ + " '" + thing_ + "'";
  return fail(failure);
}

int Verb::say(const Json& json, const std::string& words, Exit code) const {
  // Whatever is not ASCII goes escaped: no text of a far end's reaches a terminal as it is.
  const std::string out =
      output_ == "json" ? json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n" : words;
  if (write_stdout(out)) return code;
  if (errno == EPIPE) return code;  // who reads has enough
  complain(std::string("stdout: ") + std::strerror(errno));
  return exit_failure;
}

ApiResult<Verb::Json> Verb::read(const ApiResult<ApiAnswer>& answer) const {
  if (!answer) return answer.error();
  Json json = answer->body.empty() ? Json::object() : Json::parse(answer->body, nullptr, false);
  if (!json.is_object()) return bad_answer(command_);
  // A Json can be made of almost anything, a result too: it must be told.
  return ApiResult<Json>(boost::system::in_place_value, std::move(json));
}

std::string json_text(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return one_line(found->get_ref<const std::string&>());
  return found->is_number_integer() ? found->dump() : std::string();
}

}  // namespace tailrace

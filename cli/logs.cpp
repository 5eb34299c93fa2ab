#include "cli/logs.h"

#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "base/text.h"
#include "cli/api_call.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/line_printer.h"
#include "cli/output.h"
#include "cli/session_reader.h"
#include "cli/target.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  tailrace logs -a shop                     the last 100 lines
  tailrace logs -a shop -t -p router        the router's lines, as they come
  tailrace logs -a shop -n 500 -p web       web.1, web.2 …, but not webhook.1
  tailrace logs -a shop --since 15m --grep timeout --exclude 'GET /ping'
  tailrace logs -a shop -t --filter 'status>=500 service>1s' --severity warning
  tailrace logs -a shop -t -o json | jq -r .message
)";

struct Wanted {
  std::string app, source, process, dyno, severity, filter, num, since, after;
  std::vector<std::string> grep, exclude;
  std::string form = "text", color = "auto", url, auth;
  bool tail = false, quiet = false, json = false, no_color = false, force_colors = false;

  void add_to(CLI::App& options);
  std::optional<std::string> wrong() const;
  nlohmann::ordered_json terms() const;
  SessionStream::Form stream_form() const {
    return form == "json" ? SessionStream::Form::events : SessionStream::Form::lines;
  }
  LineLook look() const;
};

void Wanted::add_to(CLI::App& o) {
  if (const char* given = std::getenv("TAILRACE_APP")) app = given;
  o.add_option("-a,--app", app, "channel, by id or name [TAILRACE_APP]")->type_name("APP");
  o.add_flag("-t,--tail,-f,--follow", tail, "go on with the lines that come");
  o.add_option("-n,--num", num, "so many lines of history [100]")->type_name("N");
  o.add_option("-p,--ps,--process-type", process, "web: web and web.1, not webhook.1")->type_name("PS");
  o.add_option("-d,--dyno,--dyno-name", dyno, "only this dyno")->type_name("DYNO");
  o.add_option("-s,--source", source, "only this source, app or heroku")->type_name("NAME");
  o.add_option("--severity", severity, "this one or worse: warning")->type_name("NAME");
  const auto several = [&](const char* name, std::vector<std::string>& values, const char* help) {
    o.add_option(name, values, help)
        ->type_name("RE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  several("--grep", grep, "the message matches; again: all do");
  several("--exclude", exclude, "it does not; again: none does");
  o.add_option("--filter", filter, "terms, as drains have them")->type_name("TERMS");
  o.add_option("--since", since, "15m ago, a time, or oldest")->type_name("WHEN");
  o.add_option("--after", after, "records behind this number")->type_name("NUMBER");
  o.add_option("-o,--output", form, "text, json: an object a line, raw: the message")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json", "raw"}));
  o.add_flag("--json", json, "as -o json");
  o.add_option("--color", color, "auto, always or never")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  o.add_flag("--no-color", no_color, "as --color never");
  o.add_flag("--force-colors", force_colors, "as --color always");
  o.add_flag("-q,--quiet", quiet, "no word of lost and new connections");
  o.add_option("--url", url, "the admin listener [TAILRACE_URL]")->type_name("URL");
  o.add_option("--auth", auth, "user:password [TAILRACE_AUTH]")->type_name("AUTH");
}

std::optional<std::string> Wanted::wrong() const {
  if (!process.empty() && !dyno.empty()) return "either -p or -d";
  if (!since.empty() && !after.empty()) return "either --since or --after";
  if (!num.empty() && !parse_u64(num)) return "-n takes a whole number, not " + num;
  if (!after.empty() && !parse_u64(after)) return "--after takes a whole number, not " + after;
  if (app.empty()) return "which channel? -a NAME, or TAILRACE_APP";
  return std::nullopt;
}

nlohmann::ordered_json Wanted::terms() const {
  auto terms = nlohmann::ordered_json::object();
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) terms[name] = value;
  };
  text("num", num);
  text("ps", dyno.empty() ? process : dyno);
  text("source", source);
  text("severity", severity);
  text("filter", filter);
  text("since", since);
  text("after", after);
  if (!grep.empty()) terms["grep"] = grep;
  if (!exclude.empty()) terms["exclude"] = exclude;
  return terms;
}

LineLook Wanted::look() const {
  LineLook look;
  look.form = form == "json" ? LineForm::json : form == "raw" ? LineForm::raw : LineForm::text;
  look.terminal = stdout_is_tty();
  look.color = use_color(no_color || color == "never"        ? ColorChoice::never
                         : force_colors || color == "always" ? ColorChoice::always
                                                             : ColorChoice::automatic);
  return look;
}

/// ^C may come between the two ends of a colour.
void interrupted_in_colour(int) {
  constexpr char plain[] = "\x1b[0m";
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, plain, sizeof plain - 1);
  ::_exit(exit_interrupted);
}

}  // namespace

int run_logs(int argc, char** argv) {
  Wanted wanted;
  CommandLine line("logs", "prints a channel's lines.", examples);
  wanted.add_to(line.options());
  if (const auto ended = line.parse(argc, argv)) return *ended;
  if (wanted.json) wanted.form = "json";
  if (const auto wrong = wanted.wrong()) return line.usage_error(*wrong);

  // Nothing is buffered between two writes, so ^C may end the process where it stands.
  const LineLook look = wanted.look();
  exit_on_interrupt();
  if (look.color && look.terminal) ::signal(SIGINT, interrupted_in_colour);
  const ApiTarget target = find_target(wanted.url, wanted.auth);
  ApiClient api({.url = target.url, .auth = target.auth});
  const auto channel = find_channel(api, wanted.app);
  if (!channel) return fail(channel.error());
  exit_when_stdout_closes();

  LinePrinter printer(look, wanted.quiet, !wanted.tail);
  SessionReader::Question question;
  question.channel = *channel;
  question.terms = wanted.terms();
  question.follow = wanted.tail;
  question.form = wanted.stream_form();
  const auto read = SessionReader(target, std::move(question), printer).run();
  (void)printer.finish();
  if (printer.trouble()) {
    complain(std::string("stdout: ") + std::strerror(printer.trouble()));
    return exit_failure;
  }
  // A field of the question is an option of the same name.
  if (!read && read.error().status == 422 && !read.error().error.empty())
    return line.usage_error("--" + read.error().error);
  return read ? exit_ok : fail(read.error());
}

}  // namespace tailrace

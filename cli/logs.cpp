#include "cli/logs.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/ids.h"
#include "base/time_text.h"
#include "cli/api_call.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/output.h"
#include "cli/target.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  tailrace logs -a shop                  the last 100 lines
  tailrace logs -a shop -t -p router     the router's lines, as they come
  tailrace logs -a shop -n 500 -p web    web.1, web.2 …, but not webhook.1
  tailrace logs -a shop -t -s app | grep ERROR
)";

struct Wanted {
  std::string app, source, process, dyno, color = "auto", url, auth;
  uint64_t num = 100;
  bool tail = false;
};

ApiResult<std::string> open_session(ApiClient& api, const Wanted& wanted, const std::string& channel,
                                    uint64_t num) {
  nlohmann::json session{{"channel_id", channel}, {"num", std::to_string(num)}};
  if (wanted.tail) session["tail"] = "1";
  if (!wanted.source.empty()) session["source"] = wanted.source;
  const std::string& process = wanted.dyno.empty() ? wanted.process : wanted.dyno;
  if (!process.empty()) session["ps"] = process;
  const auto answer = api.post("/v2/sessions", session.dump(), "application/json");
  if (!answer) return answer.error();
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (!json.is_object() || !json.contains("url") || !json["url"].is_string()) return bad_answer("session");
  return std::string(json["url"]);
}

// Prints the lines of one stream. `reader_gone` is set when stdout takes no more.
class Printer {
 public:
  explicit Printer(bool color) : color_(color), terminal_(stdout_is_tty()) {}

  bool print(std::string_view chunk) { return emit(lines_.add(chunk)); }
  bool finish() {
    const bool printed = lines_.rest().empty() || emit(std::string(lines_.rest()) + "\n");
    lines_.clear();
    return printed;
  }
  bool reader_gone() const { return reader_gone_; }

 private:
  bool emit(std::string_view lines) {
    if (lines.empty()) return true;
    if (!color_ && !terminal_) return written(lines);
    std::string out;
    while (!lines.empty()) {
      const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
      const std::string line = terminal_ ? visible(lines.substr(0, end)) : std::string(lines.substr(0, end));
      out += color_ ? colored(line) : line;
      lines.remove_prefix(end);
    }
    return written(out);
  }
  bool written(std::string_view bytes) {
    reader_gone_ = !write_stdout(bytes);
    return !reader_gone_;
  }

  LineBuffer lines_;
  bool color_, terminal_, reader_gone_ = false;
};

std::chrono::milliseconds back_off(unsigned failures) {
  const double full = std::min(30'000.0, 500.0 * double(1u << std::min(failures, 6u)));
  return std::chrono::milliseconds(int64_t(full * (0.5 + 0.5 * random_unit())));
}

// Ways of failing that trying again may cure.
bool may_pass(const ApiFailure& failure) {
  return failure.status == 0 ? failure.exit_code != exit_usage
                             : failure.status == 429 || failure.status >= 500;
}

int follow(ApiClient& api, const Wanted& wanted, const std::string& channel, Printer& printer) {
  uint64_t num = wanted.num;
  unsigned failures = 0;
  Micros broken_at = 0;  // not 0: lines since then may be missing
  for (;;) {
    ApiFailure failure;
    const auto session = open_session(api, wanted, channel, num);
    if (!session) {
      failure = session.error();
    } else if (const auto url = split_http_url(*session); !url) {
      return fail(bad_answer("session URL"));
    } else {
      ApiClient reader({.url = url->origin, .auth = {}});
      const auto streamed = reader.stream(url->target, [&](std::string_view chunk) {
        if (broken_at != 0) {
          complain("connected again; lines between " + rfc3339_seconds(broken_at) + " and " +
                   rfc3339_seconds(wall_now()) + " may be missing");
          broken_at = 0;
        }
        failures = 0;
        return printer.print(chunk);
      });
      if (printer.reader_gone()) return exit_ok;
      if (streamed && !wanted.tail) return printer.finish() ? exit_ok : exit_failure;
      failure = streamed ? ApiFailure{exit_failure, 0, "the server ended the stream"} : streamed.error();
      if (!printer.finish()) return exit_ok;
      if (wanted.tail && broken_at == 0 && (streamed || failure.exit_code != exit_unreachable))
        broken_at = wall_now();
    }
    const bool began = broken_at != 0;
    if (!wanted.tail || !began || !may_pass(failure)) return fail(failure);
    num = 0;  // history would repeat what is printed already
    const auto wait = back_off(failures++);
    complain(failure.text + "; trying again in " + duration_text(wait));
    std::this_thread::sleep_for(wait);
  }
}

}  // namespace

int run_logs(int argc, char** argv) {
  Wanted wanted;
  std::string output = "text", grep, exclude, since;
  if (const char* app = std::getenv("TAILRACE_APP")) wanted.app = app;

  CommandLine line("logs", "prints a channel's lines.", examples);
  CLI::App& o = line.options();
  o.add_option("-a,--app", wanted.app, "channel, by id or name [TAILRACE_APP]")->type_name("APP");
  o.add_flag("-t,--tail", wanted.tail, "go on with the lines that come");
  o.add_option("-n,--num", wanted.num, "lines of history [100]")->type_name("N");
  o.add_option("-s,--source", wanted.source, "only this source, app or heroku")->type_name("NAME");
  o.add_option("-p,--ps", wanted.process, "only this process type")->type_name("PS");
  o.add_option("-d,--dyno", wanted.dyno, "only this dyno")->type_name("DYNO");
  o.add_option("-o,--output", output, "text (json and raw: not built yet)")->type_name("FORM");
  o.add_option("--color", wanted.color, "auto, always or never")->type_name("WHEN");
  o.add_option("--grep", grep, "not built yet")->type_name("RE");
  o.add_option("--exclude", exclude, "not built yet")->type_name("RE");
  o.add_option("--since", since, "not built yet")->type_name("WHEN");
  o.add_option("--url", wanted.url, "the admin listener [TAILRACE_URL]")->type_name("URL");
  o.add_option("--auth", wanted.auth, "user:password [TAILRACE_AUTH]")->type_name("AUTH");
  if (const auto ended = line.parse(argc, argv)) return *ended;

  if (output == "json" || output == "raw") return not_built_yet("logs -o " + output);
  if (output != "text") return line.usage_error("-o takes text, not " + output);
  if (!grep.empty()) return not_built_yet("logs --grep");
  if (!exclude.empty()) return not_built_yet("logs --exclude");
  if (!since.empty()) return not_built_yet("logs --since");
  if (!wanted.process.empty() && !wanted.dyno.empty()) return line.usage_error("either -p or -d");
  if (wanted.color != "auto" && wanted.color != "always" && wanted.color != "never") {
    return line.usage_error("--color takes auto, always or never, not " + wanted.color);
  }
  if (wanted.app.empty()) return line.usage_error("which channel? -a NAME, or TAILRACE_APP");

  // Nothing is buffered between two writes, so ^C may end the process where it stands.
  ::signal(SIGINT, [](int) { ::_exit(exit_interrupted); });
  const ApiTarget target = find_target(wanted.url, wanted.auth);
  ApiClient api({.url = target.url, .auth = target.auth});
  const auto channel = find_channel(api, wanted.app);
  if (!channel) return fail(channel.error());
  exit_when_stdout_closes();
  Printer printer(use_color(wanted.color == "always"  ? ColorChoice::always
                            : wanted.color == "never" ? ColorChoice::never
                                                      : ColorChoice::automatic));
  return follow(api, wanted, *channel, printer);
}

}  // namespace tailrace

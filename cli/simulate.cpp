#include "cli/simulate.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time_text.h"
#include "base/url.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/routing_study_report.h"
#include "cli/signals.h"
#include "cli/simulator.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  tailrace simulate --rate 100 --duration 10s
  tailrace simulate --routing queue --routers 1 | grep router
  tailrace simulate --routers 20 --routing queue --spread constant \
      --service 50ms --slow 0.001 --slow-service 5s --unpaced \
      --duration 10m > lines
  tailrace simulate --url syslog://127.0.0.1:6001 \
      --heroku-token t.… --app-token t.…
  tailrace simulate --study docs
  tailrace simulate --url http://127.0.0.1:8601/logs --token t.…
)";

struct Wanted {
  Simulator::Options simulator;
  std::string url, routing = "random", spread = "lognormal", service, slow_service, slow_dyno_after, study,
                   token, heroku_token, app_token, app_name, duration;
  bool unpaced = false, numbered = false;
};

// Null and a reason if the URL is none of those that lines can go to.
std::unique_ptr<Outlet> open_outlet(const Wanted& wanted, std::string& wrong) {
  if (wanted.url.empty()) return stdout_outlet();
  if (wanted.url.starts_with("syslog://")) {
    const auto url = parse_url(wanted.url);
    if (url && url->port > 0) return syslog_outlet(url->host, url->port);
    wrong = "--url takes syslog://host:port";
    return nullptr;
  }
  if (!split_http_url(wanted.url)) {
    wrong = "--url takes syslog://host:port or http://host:port/logs";
    return nullptr;
  }
  const auto credential = [](const std::string& token) { return token.empty() ? "" : "token:" + token; };
  return http_outlet(wanted.url, {credential(wanted.heroku_token), credential(wanted.app_token)});
}

bool write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (out) return true;
  complain(fmt::format("simulate: {} cannot be written", path.string()));
  return false;
}

// The page keeps its text and gets new tables; where there is none it is the tables.
int run_study(const std::filesystem::path& dir, uint64_t seed,
              const std::optional<std::chrono::milliseconds>& duration) {
  RoutingStudyRuns runs;
  runs.options.seed = seed;
  if (duration) runs.options.duration = std::chrono::microseconds(*duration).count();
  runs.slow = routing_study(runs.options, true);
  runs.even = routing_study(runs.options, false);
  const std::string tables = routing_study_tables(runs);
  const std::filesystem::path page = dir / "routing-study.md";
  std::stringstream before;
  before << std::ifstream(page, std::ios::binary).rdbuf();
  const bool fine = write_file(page, with_tables(before.str(), tables).value_or(tables)) &&
                    write_file(dir / "routing-study.svg", routing_study_plot(runs));
  return fine ? exit_ok : exit_failure;
}

std::string summary(const Simulator::Counts& c) {
  return fmt::format("simulate: {} requests, {} lines: {} sent ({} bytes), {} failed, {} reconnects{}",
                     c.requests, c.lines, c.sent, c.bytes, c.failed, c.reconnects,
                     c.failed && !c.trouble.empty() ? "; last trouble: " + c.trouble : "");
}

}  // namespace

int run_simulate(int argc, char** argv) {
  Wanted wanted;
  RouterModelOptions& model = wanted.simulator.model;
  CommandLine line("simulate", "emits the lines of a router fleet.", examples);
  CLI::App& o = line.options();
  o.add_option("--url", wanted.url, "syslog://… or http://…/logs [stdout]")->type_name("URL");
  o.add_option("--rate", model.rate, "requests per second [50]")->type_name("R");
  o.add_option("--duration", wanted.duration, "such as 30s [until ^C]")->type_name("TIME");
  o.add_option("--routers", model.routers, "routers [2]")->type_name("N");
  o.add_option("--dynos", model.dynos, "dynos [8]")->type_name("N");
  o.add_option("--routing", wanted.routing, "random or queue [random]")
      ->type_name("HOW")
      ->check(CLI::IsMember({"random", "queue"}));
  o.add_option("--seed", model.seed, "the same seed, the same lines [1]")->type_name("N");
  o.add_option("--host", model.host, "host= of the requests")->type_name("NAME");
  o.add_option("--slow", model.slow_share, "share of slow requests [0.001]")->type_name("P");
  o.add_option("--service", wanted.service, "time of a usual one [25ms]")->type_name("TIME");
  o.add_option("--slow-service", wanted.slow_service, "of a slow one [12s]")->type_name("TIME");
  o.add_option("--slow-dyno", model.slow_dyno, "web.N takes longer for everything")->type_name("N");
  o.add_option("--slow-dyno-factor", model.slow_dyno_factor, "so many times as long [4.5]")->type_name("F");
  o.add_option("--slow-dyno-after", wanted.slow_dyno_after, "from then on [at once]")->type_name("TIME");
  o.add_option("--spread", wanted.spread, "lognormal, exponential or constant [lognormal]")
      ->type_name("HOW")
      ->check(CLI::IsMember({"lognormal", "exponential", "constant"}));
  o.add_option("--app-name", wanted.app_name, "APP-NAME of the app's lines [app]")->type_name("NAME");
  o.add_option("--token", wanted.token, "token for all lines")->type_name("T");
  o.add_option("--heroku-token", wanted.heroku_token, "for router and dyno lines")->type_name("T");
  o.add_option("--app-token", wanted.app_token, "for the app's own lines")->type_name("T");
  o.add_option("--study", wanted.study, "compare routings; tables and a plot go to DIR")->type_name("DIR");
  o.add_flag("--numbered", wanted.numbered, "add seq=0001-N, which sink verifies");
  o.add_flag("--unpaced", wanted.unpaced, "as fast as it goes; needs --duration");
  if (const auto ended = line.parse(argc, argv)) return *ended;

  if (!(model.rate > 0 && model.rate <= 1e6))
    return line.usage_error("--rate takes a number from 0 to 1000000");
  if (model.routers < 1 || model.routers > 1000 || model.dynos < 1 || model.dynos > 1000) {
    return line.usage_error("--routers and --dynos take a number from 1 to 1000");
  }
  model.routing =
      wanted.routing == "queue" ? RouterModelOptions::Routing::queue : RouterModelOptions::Routing::random;
  using Spread = RouterModelOptions::Spread;
  model.spread = wanted.spread == "constant"      ? Spread::constant
                 : wanted.spread == "exponential" ? Spread::exponential
                                                  : Spread::lognormal;
  for (const auto& [text, ms, name] : {std::tuple(&wanted.service, &model.service_ms, "--service"),
                                       std::tuple(&wanted.slow_service, &model.slow_ms, "--slow-service")}) {
    if (text->empty()) continue;
    const auto time = parse_duration(*text);
    if (!time) return line.usage_error(std::string(name) + " takes a time such as 50ms");
    *ms = double(time->count());
  }
  if (!(model.slow_dyno_factor > 0 && model.slow_dyno_factor <= 1e6))
    return line.usage_error("--slow-dyno-factor takes a number from 0 to 1000000");
  if (!wanted.slow_dyno_after.empty()) {
    const auto time = parse_duration(wanted.slow_dyno_after);
    if (!time) return line.usage_error("--slow-dyno-after takes a time such as 30s");
    model.slow_dyno_after = std::chrono::microseconds(*time).count();
  }
  if (!wanted.duration.empty()) {
    wanted.simulator.duration = parse_duration(wanted.duration);
    if (!wanted.simulator.duration) return line.usage_error("--duration takes a time such as 30s");
  }
  if (!wanted.study.empty()) return run_study(wanted.study, model.seed, wanted.simulator.duration);
  if (wanted.unpaced && wanted.duration.empty()) return line.usage_error("--unpaced needs --duration");
  wanted.simulator.paced = !wanted.unpaced;
  if (wanted.numbered) wanted.simulator.numbered = 1;
  if (wanted.heroku_token.empty()) wanted.heroku_token = wanted.token;
  if (wanted.app_token.empty()) wanted.app_token = wanted.token;
  if (!wanted.app_name.empty()) wanted.simulator.app_name = wanted.app_name;
  if (wanted.url.starts_with("syslog://")) {
    // On a syslog listener the token is the APP-NAME.
    if (!wanted.heroku_token.empty()) wanted.simulator.platform_name = wanted.heroku_token;
    if (!wanted.app_token.empty()) wanted.simulator.app_name = wanted.app_token;
  }
  std::string wrong;
  auto outlet = open_outlet(wanted, wrong);
  if (!outlet) return line.usage_error(wrong);

  StopSignals signals;  // before the simulator's thread, which inherits the mask
  Simulator simulator(std::move(wanted.simulator), std::move(outlet));
  simulator.start();
  int signal = 0;
  while (!simulator.finished() && !(signal = signals.wait(std::chrono::milliseconds(100)))) {
  }
  simulator.stop();
  const Simulator::Counts counts = simulator.counts();
  if (!wanted.url.empty()) complain(summary(counts));
  if (simulator.fate() != exit_ok) return simulator.fate();
  if (signal == SIGINT) return exit_interrupted;
  if (counts.failed > 0 && counts.sent == 0 && !wanted.url.empty()) return exit_unreachable;
  return counts.failed > 0 && !wanted.url.empty() ? exit_failure : exit_ok;
}

}  // namespace tailrace

#include "cli/sink_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "base/time_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/outages.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/sink.h"
#include "net/listener.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view examples = R"(examples:
  tailrace sink --listen 127.0.0.1:9601
  tailrace sink --listen 127.0.0.1:5514 --protocol syslog --verbose
  tailrace sink --listen 127.0.0.1:9601 --down 10s:5s,30s:5s --mode status=503
  tailrace sink --listen 127.0.0.1:9601 --every 20s --for 5s --mode hang --json
)";

struct Wanted {
  std::string listen = "127.0.0.1:0", protocol = "http", down, every, length, mode = "refuse", duration;
  bool verbose = false, json = false;
};

std::string as_text(const SinkCounts& c) {
  return fmt::format(
      "received {} ({} bytes): {} numbered, {} missing, {} repeated, {} reordered, {} unnumbered; {} "
      "notices; "
      "{} requests, {} turned away, {} connections, {} malformed\n",
      c.received, c.bytes, c.unique, c.missing, c.repeated, c.reordered, c.unnumbered, c.notices, c.requests,
      c.turned_away, c.connections, c.malformed);
}

std::string as_json(const SinkCounts& c) {
  return nlohmann::ordered_json{{"received", c.received},       {"bytes", c.bytes},
                                {"unique", c.unique},           {"missing", c.missing},
                                {"repeated", c.repeated},       {"reordered", c.reordered},
                                {"unnumbered", c.unnumbered},   {"notices", c.notices},
                                {"requests", c.requests},       {"turned_away", c.turned_away},
                                {"connections", c.connections}, {"malformed", c.malformed}}
             .dump() +
         "\n";
}

// The schedule that the flags give; none if they contradict each other.
std::optional<Outages> read_outages(const Wanted& wanted) {
  if (!wanted.down.empty()) return wanted.every.empty() ? Outages::parse(wanted.down) : std::nullopt;
  if (wanted.every.empty() != wanted.length.empty()) return std::nullopt;
  if (wanted.every.empty()) return Outages();
  const auto period = parse_duration(wanted.every), length = parse_duration(wanted.length);
  if (!period || !length) return std::nullopt;
  return Outages::repeated(*period, *length);
}

}  // namespace

int run_sink(int argc, char** argv) {
  Wanted wanted;
  CommandLine line("sink", "counts and verifies what a drain sends, and fails on schedule.", examples);
  CLI::App& o = line.options();
  o.add_option("--listen", wanted.listen, "address:port; port 0: any free one")->type_name("ADDR");
  o.add_option("--protocol", wanted.protocol, "http or syslog [http]")->type_name("NAME");
  o.add_option("--down", wanted.down, "from:for,… such as 10s:5s,30s:5s")->type_name("WHEN");
  o.add_option("--every", wanted.every, "down once in each such time")->type_name("TIME");
  o.add_option("--for", wanted.length, "how long, with --every")->type_name("TIME");
  o.add_option("--mode", wanted.mode, "refuse close hang status=503 slow=100ms")->type_name("HOW");
  o.add_option("--duration", wanted.duration, "such as 60s [until ^C]")->type_name("TIME");
  o.add_flag("--verbose", wanted.verbose, "counts every second");
  o.add_flag("--json", wanted.json, "counts as JSON");
  if (const auto ended = line.parse(argc, argv)) return *ended;

  Sink::Options options;
  const auto listen = parse_endpoint(wanted.listen);
  if (!listen) return line.usage_error("--listen takes address:port");
  if (wanted.protocol != "http" && wanted.protocol != "syslog") {
    return line.usage_error("--protocol takes http or syslog, not " + wanted.protocol);
  }
  options.address = listen->address().to_string();
  options.port = listen->port();
  options.protocol = wanted.protocol == "http" ? Sink::Protocol::http : Sink::Protocol::syslog;
  const auto outages = read_outages(wanted);
  if (!outages) return line.usage_error("the schedule is --down 10s:5s,30s:5s, or --every 20s --for 5s");
  const auto mode = parse_sink_mode(wanted.mode);
  if (!mode || (mode->mode == SinkBehaviour::status && options.protocol == Sink::Protocol::syslog)) {
    return line.usage_error("--mode takes refuse, close, hang, slow=100ms, and status=503 with http");
  }
  const auto duration = wanted.duration.empty()
                            ? std::optional<std::chrono::milliseconds>(std::chrono::hours(24 * 3650))
                            : parse_duration(wanted.duration);
  if (!duration) return line.usage_error("--duration takes a time such as 60s");

  StopSignals signals;  // before the sink's thread, which inherits the mask
  Sink sink(options);
  if (const auto started = sink.start(); !started) {
    complain("sink: " + wanted.listen + ": " + started.error().message());
    return exit_usage;
  }
  complain("sink: " + wanted.protocol + " on " + options.address + ":" + std::to_string(sink.port()));

  const auto report = [&] {
    return write_stdout(wanted.json ? as_json(sink.counts()) : as_text(sink.counts()));
  };
  const Mono start = mono_now();
  Mono next_report = start + 1s;
  bool down = false, reader = true;
  int signal = 0;
  while (!signal && reader && mono_now() - start < *duration) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(mono_now() - start);
    if (outages->down_at(elapsed) != down) {
      down = !down;
      sink.set_mode(down ? *mode : SinkBehaviour{});
      complain(down ? "sink: down (" + wanted.mode + ")" : "sink: up");
    }
    if (wanted.verbose && mono_now() >= next_report) reader = report(), next_report += 1s;
    signal = signals.wait(10ms);
  }
  sink.stop();
  if (reader) report();
  if (signal == SIGINT) return exit_interrupted;
  return sink.missing() > 0 ? exit_failure : exit_ok;
}

}  // namespace tailrace

#include "cli/sink_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "base/time_text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/outages.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "cli/signals.h"
#include "cli/sink.h"
#include "cli/sink_plot.h"
#include "net/listener.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;

constexpr auto between_plots = 5s;

constexpr std::string_view examples = R"(examples:
  tailrace sink --listen 127.0.0.1:9601
  tailrace sink --listen 127.0.0.1:5514 --protocol syslog --verbose
  tailrace sink --listen 127.0.0.1:9601 --plot sink.svg \
    --schedule 10s:status=429/7s,25s:hang,40s:ok,50s:slow=2s,60s:close,70s:ok
  tailrace sink --listen 127.0.0.1:9601 --tls --tls-ca ca.pem \
    --schedule 30s:tls=expired,60s:ok
  tailrace sink --listen 127.0.0.1:9601 --down 10s:5s,30s:5s --mode status=503
  tailrace sink --listen 127.0.0.1:9601 --every 20s --for 5s --mode hang --json

how it may behave:
  ok               answers 204
  refuse           takes no connection; those that are there end in order
  close            resets every connection
  close=mid        closes in the middle of an answer; with syslog behind
                   what it read first
  hang             takes connections, reads nothing, shakes no hands
  hang=answer      reads, and never answers (http)
  status=503       answers so; status=429/7s with Retry-After: 7 (http)
  slow=2s          waits before each answer, or with syslog before each read
  drip             one byte of its answer each second (http)
  bomb, head       answers 200 with a body, or a head, that never ends (http)
  tls=expired, tls=wrong-host, tls=self-signed, tls=stall, tls=1.1
                   handshakes that a client must refuse; connections that are
                   there end first
)";

struct Wanted {
  std::string listen = "127.0.0.1:0", protocol = "http", schedule, down, every, length, mode, duration, plot;
  std::string tls_cert, tls_key, tls_ca;
  bool tls = false, verbose = false, json = false;
};

std::string as_text(const SinkCounts& c) {
  return fmt::format(
      "received {} ({} bytes): {} numbered, {} missing, {} repeated, {} reordered, {} unnumbered; {} "
      "notices; "
      "lag p50 {:.3f} s, p99 {:.3f} s, at most {:.3f} s; "
      "{} requests, {} turned away, {} abandoned, {} repeated; "
      "{} connections, {} failed handshakes, {} malformed\n",
      c.received, c.bytes, c.unique, c.missing, c.repeated, c.reordered, c.unnumbered, c.notices, c.lag_p50,
      c.lag_p99, c.lag_most, c.requests, c.turned_away, c.abandoned, c.repeated_requests, c.connections,
      c.failed_handshakes, c.malformed);
}

std::string as_json(const SinkCounts& c) {
  return nlohmann::ordered_json{
             {"received", c.received},
             {"bytes", c.bytes},
             {"unique", c.unique},
             {"missing", c.missing},
             {"repeated", c.repeated},
             {"reordered", c.reordered},
             {"unnumbered", c.unnumbered},
             {"notices", c.notices},
             {"requests", c.requests},
             {"turned_away", c.turned_away},
             {"abandoned", c.abandoned},
             {"repeated_requests", c.repeated_requests},
             {"connections", c.connections},
             {"failed_handshakes", c.failed_handshakes},
             {"malformed", c.malformed},
             {"lag_seconds", {{"p50", c.lag_p50}, {"p99", c.lag_p99}, {"most", c.lag_most}}}}
             .dump() +
         "\n";
}

// What is wrong with the flags, or nothing.
std::string read_schedule(const Wanted& wanted, Outages& into) {
  const auto how = parse_sink_behaviour(wanted.mode.empty() ? "refuse" : wanted.mode);
  if (!how) return "--mode takes one of the list that --help shows, not " + wanted.mode;
  const auto every = wanted.every.empty() ? Outages::Span(0) : parse_duration(wanted.every).value_or(0ms);
  if (!wanted.every.empty() && every.count() == 0) return "--every takes a time such as 20s";
  if (!wanted.schedule.empty()) {
    if (!wanted.down.empty() || !wanted.length.empty() || !wanted.mode.empty())
      return "--schedule says it all: no --down, --for or --mode beside it";
    const auto read = Outages::schedule(wanted.schedule, every);
    if (!read)
      return "--schedule takes 10s:status=503,25s:hang,40s:ok, with times that rise, before --every's end";
    into = *read;
    return {};
  }
  if (!wanted.down.empty()) {
    const auto read = wanted.every.empty() ? Outages::down(wanted.down, *how) : std::nullopt;
    if (!read) return "--down takes 10s:5s,30s:5s, and no --every beside it";
    into = *read;
    return {};
  }
  if (wanted.every.empty() && wanted.length.empty()) return {};
  const auto length = parse_duration(wanted.length);
  const auto read = length ? Outages::repeated(every, *length, *how) : std::nullopt;
  if (!read) return "--every 20s goes with --for 5s, which is shorter";
  into = *read;
  return {};
}

std::string unfit(const Outages& outages, const Wanted& wanted) {
  for (const auto& [from, how] : outages.entries()) {
    if (wanted.protocol == "syslog" && needs_http(how)) return to_string(how) + " needs --protocol http";
    if (how.mode != SinkBehaviour::tls) continue;
    if (!wanted.tls) return to_string(how) + " needs --tls";
    if (!wanted.tls_cert.empty() &&
        (how.handshake == SinkBehaviour::expired || how.handshake == SinkBehaviour::wrong_host))
      return to_string(how) + " needs --tls without --tls-cert: the sink signs such certificates itself";
  }
  return {};
}

std::string read_tls(const Wanted& wanted, Sink::Options& into) {
  if (wanted.tls_cert.empty() != wanted.tls_key.empty()) return "--tls-cert goes with --tls-key";
  if (!wanted.tls_ca.empty() && (!wanted.tls || !wanted.tls_cert.empty()))
    return "--tls-ca is written with --tls, without --tls-cert";
  into.tls = wanted.tls;
  if (wanted.tls_cert.empty()) return {};
  into.certificate.emplace();
  for (const auto& [path, text] : {std::pair(&wanted.tls_cert, &into.certificate->certificate),
                                   std::pair(&wanted.tls_key, &into.certificate->key)}) {
    const auto read = read_small_file(*path);
    if (!read) return *path + ": cannot be read";
    *text = *read;
  }
  return {};
}

// A reader sees the old file or the new one, never half of it.
bool write_whole(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return file && std::rename(draft.c_str(), path.c_str()) == 0;
}

}  // namespace

int run_sink(int argc, char** argv) {
  Wanted wanted;
  CommandLine line("sink", "counts and verifies what a drain sends, and fails on schedule.", examples);
  CLI::App& o = line.options();
  o.add_option("--listen", wanted.listen, "address:port; port 0: any free one")->type_name("ADDR");
  o.add_option("--protocol", wanted.protocol, "http or syslog [http]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"http", "syslog"}));
  o.add_option("--schedule", wanted.schedule, "from when on how: 10s:hang,20s:ok")->type_name("WHEN");
  o.add_option("--down", wanted.down, "from:for,… such as 10s:5s,30s:5s")->type_name("WHEN");
  o.add_option("--every", wanted.every, "the schedule begins again; down once in each such time")
      ->type_name("TIME");
  o.add_option("--for", wanted.length, "how long, with --every")->type_name("TIME");
  o.add_option("--mode", wanted.mode, "how, when it is down [refuse]")->type_name("HOW");
  o.add_flag("--tls", wanted.tls, "speaks TLS, with a certificate of its own making");
  o.add_option("--tls-ca", wanted.tls_ca, "writes the authority that clients must trust")->type_name("FILE");
  o.add_option("--tls-cert", wanted.tls_cert, "TLS with this certificate")->type_name("FILE");
  o.add_option("--tls-key", wanted.tls_key, "and this key")->type_name("FILE");
  o.add_option("--plot", wanted.plot, "draws what happened, every 5 s and at the end")->type_name("FILE.svg");
  o.add_option("--duration", wanted.duration, "such as 60s [until ^C]")->type_name("TIME");
  o.add_flag("--verbose", wanted.verbose, "counts every second");
  o.add_flag("--json", wanted.json, "counts as JSON");
  if (const auto ended = line.parse(argc, argv)) return *ended;

  Sink::Options options;
  const auto listen = parse_endpoint(wanted.listen);
  if (!listen) return line.usage_error("--listen takes address:port");
  options.address = listen->address().to_string();
  options.port = listen->port();
  options.protocol = wanted.protocol == "http" ? Sink::Protocol::http : Sink::Protocol::syslog;
  wanted.tls = wanted.tls || !wanted.tls_cert.empty();
  Outages outages;
  for (const std::string& wrong :
       {read_schedule(wanted, outages), unfit(outages, wanted), read_tls(wanted, options)}) {
    if (!wrong.empty()) return line.usage_error(wrong);
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
  if (!wanted.tls_ca.empty() && !write_whole(wanted.tls_ca, sink.authority())) {
    complain("sink: " + wanted.tls_ca + ": cannot be written");
    return exit_failure;
  }
  complain("sink: " + wanted.protocol + (wanted.tls ? " over TLS" : "") + " on " + options.address + ":" +
           std::to_string(sink.port()));

  const auto report = [&] {
    return write_stdout(wanted.json ? as_json(sink.counts()) : as_text(sink.counts()));
  };
  const std::string title = "tailrace sink, " + wanted.protocol + (wanted.tls ? " over TLS" : "");
  bool drawn = true;
  const auto plot = [&] {
    if (wanted.plot.empty()) return;
    const bool now = write_whole(wanted.plot, sink_plot(sink.timeline(), sink.counts(), title));
    if (!now && drawn) complain("sink: " + wanted.plot + ": cannot be written");
    drawn = now;
  };
  const Mono start = mono_now();
  Mono next_report = start + 1s, next_plot = start;
  SinkBehaviour behaviour;
  bool reader = true;
  int signal = 0;
  while (!signal && reader && mono_now() - start < *duration) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(mono_now() - start);
    if (const SinkBehaviour next = outages.at(elapsed); next != behaviour) {
      behaviour = next;
      sink.set_mode(next);
      complain("sink: after " + duration_text(elapsed) + ": " + to_string(next));
    }
    if (wanted.verbose && mono_now() >= next_report) reader = report(), next_report += 1s;
    if (mono_now() >= next_plot) plot(), next_plot = mono_now() + between_plots;
    signal = signals.wait(10ms);
  }
  sink.stop();
  plot();
  if (reader) report();
  if (signal == SIGINT) return exit_interrupted;
  return sink.missing() > 0 || !drawn ? exit_failure : exit_ok;
}

}  // namespace tailrace

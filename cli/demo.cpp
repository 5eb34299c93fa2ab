#include "cli/demo.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/time_text.h"
#include "cli/demo_file.h"
#include "cli/exit_code.h"
#include "cli/node.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/simulator.h"
#include "cli/sink.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;

// Their past, made at the start, so that charts have something to show; and when shop's third dyno fell ill.
constexpr Micros kPast = Micros(30) * 60 * 1'000'000, kHealthy = Micros(8) * 60 * 1'000'000;

// The picky drain refuses what it gets for a while: those records are lost, and it says so.
constexpr auto kFirstRefusal = 5s, kRefusal = 6s, kBetweenRefusals = 60s;

// The flaky drain: its first outage comes soon, so that who watches sees one.
constexpr auto kFirstOutage = 10s, kOutage = 8s, kBetween = 30s;

/// Whole lines at once, the time of day before each.
void say(const std::string& text) {
  (void)write_stdout(rfc3339_micros(wall_now()).substr(11, 8) + "  " + text + "\n");
}

struct DemoApp {
  ChannelPtr channel;
  std::unique_ptr<Simulator> fleet;
};

/// One drain and the far end that counts what it gets.
struct DemoDrain {
  std::string name;
  std::unique_ptr<Sink> far_end;
  DrainEntry entry;
};

/// A router, two apps with their fleets, two drains of the first app and one of the second. Used by one
/// thread.
class Demo {
 public:
  Demo(Node& node, const DemoOptions& options) : node_(node), options_(options) {}

  bool set_up(std::string& error) {
    if (!add_app("shop", options_.rate, 1, error) || !add_app("blog", options_.rate / 5, 2, error))
      return false;
    for (DemoApp& app : apps_) app.fleet->start();
    for (DemoApp& app : apps_)
      if (!app.fleet->wait_caught_up(30s)) return error = "the apps' past took too long", false;
    next_outage_ = mono_now() + kFirstOutage;
    next_refusal_ = mono_now() + kFirstRefusal;
    return add_drain("steady", apps_[0], Sink::Protocol::http, error) &&
           add_drain("flaky", apps_[0], Sink::Protocol::syslog, error) &&
           add_drain("picky", apps_[1], Sink::Protocol::http, error);
  }

  void print_guide() const {
    std::error_code ignored;
    const std::string binary = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    std::string text = "\nTailrace demo: everything on loopback, nothing is kept; ^C ends it.\n\n";
    text += "  console  " + node_.admin_url() + "/   (log in with " + node_.storage().auth() + ")\n";
    text += "  tail     " + (binary.empty() ? "tailrace" : binary) + " logs -t -a shop -p router\n";
    text += "  metrics  curl -s " + node_.admin_url() + "/metrics | grep router_service_quantile\n";
    text += "  ledger   curl -s -u " + node_.storage().auth() + " " + node_.admin_url() + "/v3/ledger\n";
    for (const DemoDrain& drain : drains_)
      text += fmt::format("  drain    {}  {}  ({})\n", drain.entry.token, drain.entry.url, drain.name);
    text += fmt::format(
        "\n  The flaky drain is taken down in {} s, and again every {} s, for {} s each time. The picky one "
        "refuses\n"
        "  what it gets for {} s every minute. And one of shop's dynos has not been itself for {} "
        "minutes.\n\n",
        kFirstOutage.count(), kBetween.count(), kOutage.count(), kRefusal.count(),
        (kPast - kHealthy) / 60 / 1'000'000);
    (void)write_stdout(text);
  }

  /// What is due now.
  void tick(Mono now) {
    node_.tick(now);
    take_down(now);
    refuse(now);
  }

  /// Ends the fleets, lets the drains finish, and compares.
  void finish() {
    for (DemoDrain& drain : drains_) drain.far_end->set_mode(SinkBehaviour::ok);
    for (DemoApp& app : apps_) app.fleet->stop();
    node_.drains().flush(35s);
    print_ledger();
  }

 private:
  void take_down(Mono now) {
    DemoDrain& flaky = drains_[1];
    if (!down_ && !recovering_ && now >= next_outage_) {
      down_ = true;
      end_of_outage_ = now + kOutage;
      next_outage_ = now + kBetween;
      flaky.far_end->set_mode(SinkBehaviour::refuse);
      say("drain " + flaky.entry.token + " is taken down now; the tail says so");
    } else if (down_ && now >= end_of_outage_) {
      down_ = false;
      recovering_ = true;
      flaky.far_end->set_mode(SinkBehaviour::ok);
      say("drain " + flaky.entry.token + " is up again");
    } else if (recovering_ && caught_up(flaky)) {
      recovering_ = false;
      print_ledger();
    }
  }

  void refuse(Mono now) {
    DemoDrain& picky = drains_[2];
    if (!refusing_ && now >= next_refusal_) {
      refusing_ = true;
      end_of_refusal_ = now + kRefusal;
      next_refusal_ = now + kBetweenRefusals;
      picky.far_end->set_mode({.mode = SinkBehaviour::status, .code = 422});
    } else if (refusing_ && now >= end_of_refusal_) {
      refusing_ = false;
      picky.far_end->set_mode(SinkBehaviour::ok);
    }
  }

  bool add_app(const std::string& name, double rate, unsigned source, std::string& error) {
    const auto channel = node_.catalog().add_channel(name);
    if (!channel) return error = channel.error().message(), false;
    const auto app = node_.catalog().add_token((*channel)->id, "app");
    const auto heroku = node_.catalog().add_token((*channel)->id, "heroku");
    if (!app || !heroku) return error = "no token", false;
    Simulator::Options options;
    options.model.rate = rate;
    options.model.seed = source;
    options.model.host = name + ".example.com";
    options.model.dynos = unsigned(std::max(2.0, rate / 6));
    options.platform_name = (*heroku)->id;
    options.app_name = (*app)->id;
    options.numbered = source;
    options.began_ago = kPast;
    options.model.slow_share = 0;
    if (name == "shop") {
      options.model.slow_dyno = 3;
      options.model.slow_dyno_factor = 7;  // more than it can bear: requests end as H12
      options.model.slow_dyno_after = kHealthy;
      options.model.deploy_at = kHealthy;
    }
    const auto address = parse_endpoint(node_.syslog_addresses().at(0));
    if (!address) return error = address.error().message(), false;
    apps_.push_back({*channel, std::make_unique<Simulator>(
                                   options, syslog_outlet(address->address().to_string(), address->port()))});
    return true;
  }

  bool add_drain(const std::string& name, const DemoApp& app, Sink::Protocol protocol, std::string& error) {
    auto far_end = std::make_unique<Sink>(Sink::Options{.protocol = protocol});
    if (const auto started = far_end->start(); !started) return error = started.error().message(), false;
    const bool http = protocol == Sink::Protocol::http;
    const std::string url =
        fmt::format("{}://127.0.0.1:{}{}", http ? "http" : "syslog", far_end->port(), http ? "/" : "");
    const auto entry = node_.catalog().add_drain(app.channel->id, url);
    if (!entry) return error = entry.error().message(), false;
    drains_.push_back({name, std::move(far_end), *entry});
    return true;
  }

  bool caught_up(const DemoDrain& wanted) const {
    for (const auto& drain : node_.drains().account(apps_[0].channel).drains)
      if (drain.entry.id == wanted.entry.id)
        return drain.status.state == DrainState::ok && drain.ledger.buffered < options_.rate;
    return false;
  }

  void print_ledger() const {
    const auto account = node_.drains().account(apps_[0].channel);
    say(fmt::format("ledger of shop: {} records accepted", account.accepted));
    for (const auto& drain : account.drains) {
      for (const DemoDrain& ours : drains_) {
        if (ours.entry.id != drain.entry.id) continue;
        const Ledger& l = drain.ledger;
        const SinkCounts got = ours.far_end->counts();
        say(fmt::format("  {:<6}  {} accepted = {} delivered + {} filtered + {} dropped + {} buffered{}",
                        ours.name, l.accepted, l.delivered, l.filtered, l.dropped_total(), l.buffered,
                        l.balanced() ? "" : "  (DOES NOT ADD UP)"));
        say(fmt::format("          its far end counted {} records: {} missing, {} repeated, {} out of order",
                        got.unique, got.missing, got.repeated, got.reordered));
      }
    }
  }

  Node& node_;
  const DemoOptions options_;
  std::vector<DemoApp> apps_;
  std::vector<DemoDrain> drains_;
  bool down_ = false, recovering_ = false, refusing_ = false;
  Mono next_outage_{}, end_of_outage_{}, next_refusal_{}, end_of_refusal_{};
};

}  // namespace

int run_demo(const Settings& wanted, const DemoOptions& options) {
  StopSignals signals(StopSignals::Hangup::waited_for);
  Settings settings = wanted;
  // Its drains are its own, on this machine.
  settings.router_by_dyno = true;
  settings.drain_allow += settings.drain_allow.empty() ? "127.0.0.0/8" : ",127.0.0.0/8";
  if (settings.syslog_listen.empty()) settings.syslog_listen.push_back({"127.0.0.1:0", std::nullopt});
  Node::Failure failure;
  const auto node = Node::open(settings, failure);
  if (!node) {
    complain(failure.text);
    return failure.code;
  }
  node->start();
  Demo demo(*node, options);
  if (std::string error; !demo.set_up(error)) {
    complain(error);
    node->stop(0ms);
    return exit_failure;
  }
  if (const auto written = write_demo_file({node->admin_url(), node->storage().auth(), int(::getpid())});
      !written)
    complain("the tail command will need TAILRACE_AUTH: " + written.error().message());
  demo.print_guide();
  int signal = 0;
  while ((signal = signals.wait(100ms)) == 0 || signal == SIGHUP) {
    if (signal == SIGHUP) node->reread();
    demo.tick(mono_now());
  }
  remove_demo_file(int(::getpid()));
  say("ending");
  demo.finish();
  node->stop(1s);
  return exit_ok;
}

}  // namespace tailrace

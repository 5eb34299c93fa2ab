#include "cli/routing_study.h"

#include <algorithm>
#include <cmath>

#include "base/sketch.h"
#include "cli/router_model.h"
#include "metrics/lines/router_line.h"
#include "metrics/lines/sample_line.h"
#include "metrics/queueing/queueing_window.h"

namespace tailrace {
namespace {

constexpr Micros kSecond = 1'000'000, kWarmUp = 60 * kSecond;

Percentiles percentiles_of(const Sketch& sketch) {
  if (sketch.count() == 0) return {};
  return {sketch.sum() / static_cast<double>(sketch.count()), sketch.quantile(0.5), sketch.quantile(0.95),
          sketch.quantile(0.99), sketch.max()};
}

// Of nearest rank. Sorts.
Percentiles percentiles_of(std::vector<Micros>& all) {
  if (all.empty()) return {};
  std::sort(all.begin(), all.end());
  const auto rank = [&](uint64_t percent) {
    return static_cast<double>(all[(all.size() * percent + 99) / 100 - 1]) / kSecond;
  };
  Micros sum = 0;
  for (const Micros one : all) sum += one;
  return {static_cast<double>(sum) / kSecond / static_cast<double>(all.size()), rank(50), rank(95), rank(99),
          rank(100)};
}

// Reads the lines as the metrics do, and notes the truth beside.
class Observer {
 public:
  void take(const SimulatedLine& line) {
    if (line.procid == "router")
      take_router_line(line);
    else if (!line.platform && may_have_samples(line.message))
      take_app_line(line);
  }

  RoutingStudyRun result(double seconds, unsigned dynos) {
    run_.took = percentiles_of(took_);
    run_.told_wait = percentiles_of(told_wait_);
    run_.app_wait = percentiles_of(app_wait_);
    numbers_.seconds = seconds;
    numbers_.service = {service_.count(), service_.sum()};
    numbers_.wait = {told_wait_.count(), told_wait_.sum()};
    numbers_.app = {app_wait_.count(), app_wait_.sum()};
    numbers_.dynos = dynos_.count(last_);
    numbers_.requests = run_.requests;
    run_.queueing = Queueing::of(numbers_);
    run_.really_took = percentiles_of(really_took_);
    run_.really_waited = percentiles_of(really_waited_);
    run_.busy = static_cast<double>(served_) / kSecond / seconds / dynos;
    return run_;
  }

 private:
  void take_router_line(const SimulatedLine& line) {
    const RouterLine said = scan_router_line(line.message);
    ++run_.requests;
    run_.timeouts += said.code == code_number("H12");
    took_.insert(std::max(0.0, said.wait) + std::max(0.0, said.service));
    if (said.service != kAbsent) service_.insert(said.service);
    if (said.wait != kAbsent) told_wait_.insert(said.wait);
    if (said.queue != kAbsent) numbers_.depth.add(said.queue);
    dynos_.add(said.dyno, line.at);
    last_ = line.at;

    const RequestTimes& times = line.times;
    really_took_.push_back(times.took());
    if (!times.served) return;
    really_waited_.push_back(times.waited());
    served_ += times.ended - times.begun;
    run_.late += times.waited() > times.ended - times.begun;
  }

  void take_app_line(const SimulatedLine& line) {
    scan_sample_line(line.message, sample_);
    for (const SamplePair& pair : sample_.pairs)
      if (pair.kind == SeriesKind::measure && is_app_queue(pair.name, pair.unit))
        app_wait_.insert(pair.value);
  }

  RoutingStudyRun run_;
  QueueingNumbers numbers_;
  Sketch took_, service_, told_wait_, app_wait_;
  DynosSeen dynos_;
  SampleLine sample_;
  Micros last_ = 0, served_ = 0;
  std::vector<Micros> really_took_, really_waited_;
};

RoutingStudyRun run(const RoutingStudyOptions& options, unsigned routers, double slow_share) {
  RouterModelOptions model_options;
  model_options.routers = std::max(1u, routers);
  model_options.routing = routers ? RouterModelOptions::Routing::queue : RouterModelOptions::Routing::random;
  model_options.zero_queue = true, model_options.seed = options.seed;
  model_options.dynos = options.dynos, model_options.rate = options.rate;
  model_options.spread = RouterModelOptions::Spread::constant;
  model_options.service_ms = options.service_ms, model_options.slow_ms = options.slow_ms;
  model_options.slow_share = slow_share;
  model_options.broken_share = 0, model_options.crash_every_s = 0, model_options.dyno_lines = false;

  RouterModel model(model_options);
  Observer observer;
  SimulatedLine line = model.next();
  while (line.at < kWarmUp) line = model.next();
  for (; line.at < kWarmUp + options.duration; line = model.next()) observer.take(line);
  RoutingStudyRun result = observer.result(static_cast<double>(options.duration) / kSecond, options.dynos);
  result.routers = routers, result.slow_share = slow_share;
  return result;
}

}  // namespace

std::vector<RoutingStudyRun> routing_study(const RoutingStudyOptions& options, bool with_slow) {
  const double slow_share = with_slow ? options.slow_share : 0;
  std::vector<RoutingStudyRun> runs;
  for (const unsigned routers : options.routers) runs.push_back(run(options, routers, slow_share));
  runs.push_back(run(options, 0, slow_share));
  return runs;
}

}  // namespace tailrace

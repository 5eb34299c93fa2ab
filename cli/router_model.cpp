#include "cli/router_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time_text.h"

namespace tailrace {
namespace {

constexpr Micros second = 1'000'000;
constexpr Micros report_every = 20 * second;
constexpr double memory_quota_mb = 512;

struct Page {
  std::string_view method, path;  // `{}` becomes a number
  double weight;
};
constexpr std::array<Page, 8> pages = {{{"GET", "/", 20},
                                        {"GET", "/products/{}", 30},
                                        {"GET", "/search?q=shoes&page={}", 15},
                                        {"GET", "/api/v1/stock/{}", 15},
                                        {"POST", "/cart/{}/items", 8},
                                        {"PUT", "/api/v1/profiles/{}", 4},
                                        {"POST", "/orders", 5},
                                        {"DELETE", "/cart/{}", 3}}};

int64_t millis(Micros t) {
  return (t + 500) / 1000;
}

std::string_view description(std::string_view code) {
  if (code == "H10") return "App crashed";
  if (code == "H12") return "Request timeout";
  if (code == "H13") return "Connection closed without response";
  return "Server Request Interrupted";
}

// Of a number above 0: 2 atanh((m - 1) / (m + 1)) + e ln 2, for m * 2^e with m about 1. To the last bit or
// nearly.
double natural_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) m *= 2, --exponent;
  const double s = (m - 1) / (m + 1), square = s * s;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return 2 * s * sum + exponent * 0.69314718055994531;
}

std::string dyno_name(size_t dyno) {
  return "web." + std::to_string(dyno + 1);
}

}  // namespace

uint64_t Dice::bits() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Dice::exponential(double mean) {
  return -mean * natural_log(1 - unit());
}

double Dice::lognormal(double median, double sigma) {
  // Box and Muller's normal.
  const double radius = std::sqrt(-2 * std::log1p(-unit())), angle = 2 * 3.141592653589793 * unit();
  return median * std::exp(sigma * radius * std::cos(angle));
}

RouterModel::RouterModel(RouterModelOptions options) : options_(std::move(options)), dice_(options_.seed) {
  dynos_.resize(std::max(1u, options_.dynos));
  routers_.resize(std::max(1u, options_.routers));
  for (Router& router : routers_) router.given.resize(dynos_.size());
  for (size_t i = 0; i < dynos_.size(); ++i) {
    dynos_[i].id = "heroku.15253441." + uuid();
    dynos_[i].memory_mb = 150 + 150 * dice_.unit();
    if (options_.dyno_lines) schedule(Micros(dice_.unit() * report_every), Step::report, i);
  }
  if (options_.crash_every_s > 0) {
    schedule(Micros(dice_.exponential(options_.crash_every_s) * second), Step::crash, 0);
  }
  if (options_.deploy_at >= 0) schedule(options_.deploy_at, Step::deploy, 0);
  schedule_arrival();
}

SimulatedLine RouterModel::next() {
  while (lines_.empty()) step();
  SimulatedLine first = std::move(lines_.front());
  lines_.pop_front();
  return first;
}

void RouterModel::schedule(Micros at, Step step, uint64_t subject, uint64_t incarnation) {
  events_.push({at, order_++, step, subject, incarnation});
}

void RouterModel::step() {
  const Event event = events_.top();
  events_.pop();
  now_ = event.at;
  switch (event.step) {
    case Step::arrival:
      return arrive();
    case Step::timeout:
      return time_out(event.subject);
    case Step::crash:
      return crash();
    case Step::recover:
      return recover(unsigned(event.subject));
    case Step::report:
      return report(unsigned(event.subject));
    case Step::deploy:
      line(190, false, "api", "Deploy 4f2a91c8 by ops@example.com");
      return line(190, false, "api", "Release v42 created by user ops@example.com");
    case Step::finish:
      if (dynos_[event.subject].incarnation == event.incarnation) finish(unsigned(event.subject));
  }
}

void RouterModel::schedule_arrival() {
  next_arrival_ += dice_.exponential(double(second) / options_.rate);
  schedule(Micros(next_arrival_), Step::arrival, 0);
}

double RouterModel::service_ms() {
  const bool slow = dice_.chance(options_.slow_share);
  const double typical = slow ? options_.slow_ms : options_.service_ms;
  switch (options_.spread) {
    case RouterModelOptions::Spread::constant:
      return typical;
    case RouterModelOptions::Spread::exponential:
      return dice_.exponential(typical);
    case RouterModelOptions::Spread::lognormal:
      break;
  }
  return std::max(1.0, dice_.lognormal(typical, slow ? options_.slow_sigma : options_.service_sigma));
}

void RouterModel::arrive() {
  schedule_arrival();
  const uint64_t id = ++arrived_;
  Request request;
  request.router = unsigned(dice_.below(routers_.size()));
  request.times.arrived = now_;
  double weight = dice_.unit() * 100;
  while (request.page + 1u < pages.size() && (weight -= pages[request.page].weight) > 0) ++request.page;
  request.service = Micros(service_ms() * 1000 + 0.5);
  request.found = routers_[request.router].waiting.size();
  if (dice_.chance(options_.broken_share)) {
    request.broken = "H13";
  } else if (dice_.chance(options_.broken_share)) {
    request.broken = "H18";
  }
  if (std::none_of(dynos_.begin(), dynos_.end(), [](const Dyno& dyno) { return dyno.up; })) {
    return router_line(request, "H10", 503, false);
  }
  requests_.emplace(id, request);
  schedule(now_ + options_.deadline, Step::timeout, id);
  if (!route(id)) routers_[request.router].waiting.push_back(id);
}

// False: no dyno for it now.
bool RouterModel::route(uint64_t id) {
  const Router& router = routers_[requests_.at(id).router];
  candidates_.clear();
  for (unsigned d = 0; d < dynos_.size(); ++d) {
    const bool wanted = options_.routing == RouterModelOptions::Routing::random || router.given[d] == 0;
    if (dynos_[d].up && wanted) candidates_.push_back(d);
  }
  if (candidates_.empty()) return false;
  dispatch(id, candidates_[dice_.below(candidates_.size())]);
  return true;
}

void RouterModel::dispatch(uint64_t id, unsigned dyno) {
  Request& request = requests_.at(id);
  request.dyno = int(dyno);
  request.times.dispatched = now_;
  ++routers_[request.router].given[dyno];
  dynos_[dyno].work.push_back(id);
  if (dynos_[dyno].work.size() == 1) serve_next(dyno);
}

void RouterModel::serve_next(unsigned d) {
  Dyno& dyno = dynos_[d];
  // Whoever gave up while waiting is not served.
  while (!dyno.work.empty() && requests_.at(dyno.work.front()).abandoned) remove_from_dyno(d);
  if (dyno.work.empty()) return;
  Request& request = requests_.at(dyno.work.front());
  request.times.begun = now_;
  const bool slowed = d + 1 == options_.slow_dyno && now_ >= options_.slow_dyno_after;
  const Micros takes = slowed ? Micros(double(request.service) * options_.slow_dyno_factor) : request.service;
  const Micros until = request.broken.empty() ? takes : takes / 2;
  schedule(now_ + until, Step::finish, d, dyno.incarnation);
}

void RouterModel::remove_from_dyno(unsigned d) {
  requests_.erase(dynos_[d].work.front());
  dynos_[d].work.pop_front();
}

void RouterModel::finish(unsigned d) {
  const Request request = requests_.at(dynos_[d].work.front());
  remove_from_dyno(d);
  serve_next(d);  // what waits here comes before what its router may send now
  if (!request.abandoned) {
    if (request.broken.empty()) {
      const int status = status_of(request);
      app_line(request, status);
      router_line(request, "", status, true);
    } else {
      router_line(request, request.broken, 503, false);
    }
    freed(request.router, d);
  }
}

// A router learns that a request of its own has left the dyno.
void RouterModel::freed(unsigned r, unsigned dyno) {
  Router& router = routers_[r];
  --router.given[dyno];
  if (router.waiting.empty() || router.given[dyno] != 0 || !dynos_[dyno].up) return;
  const uint64_t id = router.waiting.front();
  router.waiting.pop_front();
  dispatch(id, dyno);
}

void RouterModel::time_out(uint64_t id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  Request& request = found->second;
  if (request.dyno < 0) {
    auto& waiting = routers_[request.router].waiting;
    waiting.erase(std::find(waiting.begin(), waiting.end(), id));
    router_line(request, "H12", 503, false);
    requests_.erase(found);
  } else {
    request.abandoned = true;
    router_line(request, "H12", 503, false);
    freed(request.router, unsigned(request.dyno));
  }
}

void RouterModel::crash() {
  schedule(now_ + Micros(dice_.exponential(options_.crash_every_s) * second), Step::crash, 0);
  const bool all = dice_.chance(0.2);  // a bad release
  const size_t victim = dice_.below(dynos_.size());
  for (unsigned d = 0; d < dynos_.size(); ++d) {
    Dyno& dyno = dynos_[d];
    if (!dyno.up || (!all && d != victim)) continue;
    dyno.up = false;
    ++dyno.incarnation;
    line(45, true, dyno_name(d), "Process exited with status 137");
    line(45, true, dyno_name(d), "State changed from up to crashed");
    line(45, true, dyno_name(d), "State changed from crashed to starting");
    schedule(now_ + 3 * second + Micros(dice_.unit() * 5 * second), Step::recover, d);
    while (!dyno.work.empty()) {
      const Request request = requests_.at(dyno.work.front());
      remove_from_dyno(d);
      if (request.abandoned) continue;
      --routers_[request.router].given[d];
      router_line(request, "H13", 503, false);
    }
  }
}

void RouterModel::recover(unsigned d) {
  Dyno& dyno = dynos_[d];
  dyno.up = true;
  dyno.id = "heroku.15253441." + uuid();
  dyno.memory_mb = 150 + 50 * dice_.unit();
  line(45, true, dyno_name(d), "State changed from starting to up");
  for (Router& router : routers_) {
    if (router.waiting.empty()) continue;
    const uint64_t id = router.waiting.front();
    router.waiting.pop_front();
    dispatch(id, d);
  }
}

void RouterModel::report(unsigned d) {
  schedule(now_ + report_every, Step::report, d);
  Dyno& dyno = dynos_[d];
  if (!dyno.up) return;
  constexpr double minutes[3] = {1, 5, 15};
  for (int i = 0; i < 3; ++i) {
    const double keep = std::exp(-double(report_every) / double(second) / 60 / minutes[i]);
    dyno.load[i] = dyno.load[i] * keep + double(dyno.work.size()) * (1 - keep);
  }
  dyno.memory_mb += 6 * dice_.unit() - 2;  // it leaks a little, as they do
  if (dyno.memory_mb > 1.2 * memory_quota_mb) dyno.memory_mb = 200;
  const double swap = std::max(0.0, dyno.memory_mb - memory_quota_mb), cache = 8 * dice_.unit();
  const std::string head = "source=" + dyno_name(d) + " dyno=" + dyno.id;
  line(134, true, dyno_name(d),
       fmt::format("{} sample#load_avg_1m={:.2f} sample#load_avg_5m={:.2f} sample#load_avg_15m={:.2f}", head,
                   dyno.load[0], dyno.load[1], dyno.load[2]));
  line(134, true, dyno_name(d),
       fmt::format("{} sample#memory_total={:.2f}MB sample#memory_rss={:.2f}MB sample#memory_cache={:.2f}MB "
                   "sample#memory_swap={:.2f}MB sample#memory_pgpgin={}pages sample#memory_pgpgout={}pages "
                   "sample#memory_quota={:.2f}MB",
                   head, dyno.memory_mb + cache, dyno.memory_mb - swap, cache, swap,
                   80'000 + dice_.below(9000), 40'000 + dice_.below(9000), memory_quota_mb));
  if (dyno.memory_mb + cache > memory_quota_mb) {
    line(45, true, dyno_name(d),
         fmt::format("Process running mem={:.0f}M({:.1f}%)", dyno.memory_mb,
                     100 * dyno.memory_mb / memory_quota_mb));
    line(45, true, dyno_name(d), "Error R14 (Memory quota exceeded)");
  }
}

int RouterModel::status_of(const Request& request) {
  const double x = dice_.unit();
  if (x < 0.003) return 500;
  if (x < 0.015) return 404;
  if (pages[request.page].method == "POST") return x < 0.4 ? 302 : 201;
  return x < 0.08 ? 304 : 200;
}

// Field order as in Heroku's own lines; readers count on it.
void RouterModel::router_line(const Request& request, std::string_view code, int status, bool answered) {
  const Page& page = pages[request.page];
  const std::string path = fmt::format(fmt::runtime(page.path), dice_.below(100'000));
  std::string text;
  if (code == "H18") text = "sock=backend ";
  text += code.empty() ? "at=info" : fmt::format("at=error code={} desc=\"{}\"", code, description(code));
  const bool dispatched = request.dyno >= 0;
  const std::string dyno = dispatched ? dyno_name(size_t(request.dyno)) : "";
  RequestTimes times = request.times;
  times.ended = now_, times.served = answered;
  std::string queue;
  if (options_.routing == RouterModelOptions::Routing::queue) {
    const Micros left = dispatched ? times.dispatched : now_;
    queue = fmt::format(" queue={} wait={}ms", request.found, millis(left - times.arrived));
  } else if (options_.zero_queue) {
    queue = " queue=0 wait=0ms";
  }
  const std::string connect = dispatched ? std::to_string(dice_.below(3)) + "ms" : "";
  const std::string service = dispatched ? std::to_string(millis(now_ - times.dispatched)) + "ms" : "";
  const std::string bytes = answered ? std::to_string(int64_t(dice_.lognormal(4000, 1.2)))
                            : code == "H13" || code == "H12" ? "0"
                                                             : "";
  constexpr std::string_view tails[] = {"protocol=https", "protocol=http1.1 tls=true tls_version=tls1.3",
                                        "protocol=http2.0 tls=true tls_version=tls1.3"};
  fmt::format_to(
      std::back_inserter(text),
      " method={} path=\"{}\" host={} request_id={} fwd=\"{}.{}.{}.{}\" dyno={}{} connect={} service={} "
      "status={} bytes={} {}",
      page.method, path, options_.host, uuid(), 1 + dice_.below(222), dice_.below(256), dice_.below(256),
      dice_.below(256), dyno, queue, connect, service, status, bytes, tails[dice_.below(3)]);
  line(158, true, "router", std::move(text));
  lines_.back().times = times;
}

void RouterModel::app_line(const Request& request, int status) {
  if (!options_.app_lines) return;
  const double ms = double(request.service) / 1000;
  line(190, false, dyno_name(size_t(request.dyno)),
       fmt::format("method={} status={} duration={:.2f} view={:.2f} db={:.2f} measure#db.query={:.0f}ms "
                   "measure#queue={:.1f}ms",
                   pages[request.page].method, status, ms, ms * 0.4, ms * 0.3, ms * 0.3,
                   double(request.times.waited()) / 1000));
}

void RouterModel::line(uint8_t priority, bool platform, std::string procid, std::string message) {
  lines_.push_back({now_, priority, platform, std::move(procid), std::move(message), {}});
}

std::string RouterModel::uuid() {
  const uint64_t a = dice_.bits(), b = dice_.bits();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                     0x8000 | (b >> 48 & 0x3fff), b & 0xffffffffffff);
}

std::string rendered(const SimulatedLine& line, Micros start, std::string_view app_name) {
  return fmt::format("<{}>1 {} host {} {} - - {}", line.priority, rfc3339_micros(start + line.at), app_name,
                     line.procid, line.message);
}

}  // namespace tailrace

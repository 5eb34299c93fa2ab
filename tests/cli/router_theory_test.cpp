// The model against queueing theory: what is known in closed form must come out.

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "cli/router_model.h"

using namespace tailrace;

namespace {

using Routing = RouterModelOptions::Routing;
using Spread = RouterModelOptions::Spread;

constexpr double kService = 0.05;  // seconds, mean

RouterModelOptions fleet(Routing routing, unsigned routers, unsigned dynos, double load, Spread spread) {
  RouterModelOptions options;
  options.routing = routing, options.routers = routers, options.dynos = dynos, options.spread = spread;
  options.service_ms = kService * 1000, options.rate = load * dynos / kService;
  options.slow_share = 0, options.broken_share = 0, options.crash_every_s = 0;
  options.app_lines = false, options.dyno_lines = false;
  options.deadline = Micros(1) << 50;
  return options;
}

struct Estimate {
  double mean = 0, error = 0;  // standard error of the mean
};

using Figure = double (*)(const RequestTimes&, double);

/// Means of 40 long batches, which hardly depend on each other; the first of 41 is the way into balance.
Estimate of_batches(const std::array<double, 41>& means) {
  Estimate e;
  for (size_t i = 1; i <= 40; ++i) e.mean += means[i] / 40;
  double squares = 0;
  for (size_t i = 1; i <= 40; ++i) squares += (means[i] - e.mean) * (means[i] - e.mean);
  e.error = std::sqrt(squares / 39 / 40);
  return e;
}

/// The figures of one run, each a function of a request and `bound`.
template <size_t N>
std::array<Estimate, N> measured(const RouterModelOptions& options, uint64_t requests,
                                 const std::array<Figure, N>& figures, double bound = 0) {
  RouterModel model(options);
  std::array<std::array<double, 41>, N> means{};
  const uint64_t batch = requests / 40;
  for (size_t b = 0; b <= 40; ++b) {
    for (uint64_t i = 0; i < batch; ++i) {
      const RequestTimes times = model.next().times;
      for (size_t f = 0; f < N; ++f) means[f][b] += figures[f](times, bound) / double(batch);
    }
  }
  std::array<Estimate, N> all;
  for (size_t f = 0; f < N; ++f) all[f] = of_batches(means[f]);
  return all;
}

double waited(const RequestTimes& t, double) {
  return double(t.waited()) / 1e6;
}
double has_waited(const RequestTimes& t, double) {
  return t.waited() > 0;
}
double waited_in_dyno(const RequestTimes& t, double) {
  return double(t.begun - t.dispatched) / 1e6;
}
double took_longer(const RequestTimes& t, double bound) {
  return double(t.took()) / 1e6 > bound;
}

Estimate mean_wait(const RouterModelOptions& options, uint64_t requests) {
  return measured<1>(options, requests, {waited})[0];
}

// Within four standard errors, and those within 4 % of the value, so that the check means something.
void check(const Estimate& e, double theory) {
  CAPTURE(e.mean);
  CAPTURE(e.error);
  CAPTURE(theory);
  CHECK(std::abs(e.mean - theory) < 4 * e.error);
  CHECK(e.error < 0.04 * theory);
}

// Pollaczek and Khinchine: the mean wait of M/G/1.
double mg1_wait(double rate, double mean, double mean_square) {
  return rate * mean_square / 2 / (1 - rate * mean);
}

// Erlang's C: the chance that one of `servers` is not free.
double erlang_c(unsigned servers, double offered) {
  double blocked = 1;  // Erlang's B, built up server by server
  for (unsigned k = 1; k <= servers; ++k) blocked = offered * blocked / (k + offered * blocked);
  const double load = offered / servers;
  return blocked / (1 - load * (1 - blocked));
}

constexpr uint64_t kRequests = 100'000;

}  // namespace

TEST_CASE("chance makes an M/M/1 of every dyno") {
  for (const unsigned dynos : {1u, 10u}) {
    for (const double load : {0.3, 0.7}) {
      CAPTURE(dynos);
      CAPTURE(load);
      const auto options = fleet(Routing::random, 3, dynos, load, Spread::exponential);
      // The whole time has an exponential distribution: its 90th percentile is ln 10 means.
      const auto [wait, longer] =
          measured<2>(options, 2 * kRequests, {waited, took_longer}, std::log(10) * kService / (1 - load));
      check(wait, load * kService / (1 - load));
      check(longer, 0.1);
    }
  }
}

TEST_CASE("constant service: M/D/1, half of that wait") {
  for (const double load : {0.3, 0.7}) {
    const auto options = fleet(Routing::random, 1, 4, load, Spread::constant);
    check(mean_wait(options, kRequests), load * kService / (1 - load) / 2);
  }
}

TEST_CASE("rare slow requests: M/G/1, and the mean wait is mostly theirs") {
  auto options = fleet(Routing::random, 1, 1, 0.4, Spread::constant);
  options.slow_share = 0.01, options.slow_ms = 1000;
  const double mean = 0.99 * kService + 0.01, square = 0.99 * kService * kService + 0.01;
  const double wait = mg1_wait(options.rate, mean, square);
  CHECK(wait > 4 * mg1_wait(options.rate, kService, kService * kService));
  check(mean_wait(options, 4 * kRequests), wait);
}

TEST_CASE("one router with a queue: M/M/c, who waits and for how long") {
  for (const unsigned dynos : {2u, 10u}) {
    for (const double load : {0.6, 0.8}) {
      CAPTURE(dynos);
      CAPTURE(load);
      const auto options = fleet(Routing::queue, 1, dynos, load, Spread::exponential);
      const double waits = erlang_c(dynos, load * dynos);
      const auto [chance, wait, dyno] =
          measured<3>(options, 3 * kRequests, {has_waited, waited, waited_in_dyno});
      check(chance, waits);
      check(wait, waits * kService / dynos / (1 - load));
      CHECK(dyno.mean == 0);
    }
  }
}

TEST_CASE("one dyno: where requests wait changes nothing of how long they do, on average") {
  for (const unsigned routers : {1u, 2u, 20u}) {
    const auto options = fleet(Routing::queue, routers, 1, 0.6, Spread::exponential);
    check(mean_wait(options, kRequests), 0.6 * kService / 0.4);
  }
}

TEST_CASE("the wait grows with the routers, from M/M/c's to M/M/1's") {
  const unsigned dynos = 10;
  const double load = 0.7;
  double before = erlang_c(dynos, load * dynos) * kService / dynos / (1 - load);
  for (const unsigned routers : {2u, 5u, 20u}) {
    CAPTURE(routers);
    const Estimate e = mean_wait(fleet(Routing::queue, routers, dynos, load, Spread::exponential), kRequests);
    CHECK(e.mean - 4 * e.error > before);
    before = e.mean + 4 * e.error;
  }
  const double chance = load * kService / (1 - load);
  CHECK(before < chance);
  // With thousands hardly any request finds another one of its own router.
  check(mean_wait(fleet(Routing::queue, 5000, dynos, load, Spread::exponential), kRequests), chance);
}

TEST_CASE("Little: requests at the dynos are the rate times the time there") {
  RouterModel model(fleet(Routing::random, 1, 5, 0.6, Spread::exponential));
  double service = 0;
  Micros last = 0;
  for (uint64_t i = 0; i < kRequests; ++i) {
    const SimulatedLine line = model.next();
    service += double(line.times.ended - line.times.dispatched) / 1e6;
    last = line.at;
  }
  // Each dyno holds load / (1 - load) of them.
  CHECK(service / (double(last) / 1e6) / 5 == doctest::Approx(0.6 / 0.4).epsilon(0.05));
}

#pragma once
// A fleet of routers and dynos as a discrete model; its by-product are the log lines of a Heroku app.

#include <cstdint>
#include <deque>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace tailrace {

/// Uniform random bits and the distributions made of them; the same seed, the same numbers. All but
/// lognormal() are made of sums, products and quotients alone, so that they are the same with every C
/// library.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t bits();  // splitmix64
  double unit() { return double(bits() >> 11) * 0x1p-53; }
  uint64_t below(uint64_t n) { return bits() % n; }
  bool chance(double p) { return unit() < p; }
  double exponential(double mean);
  double lognormal(double median, double sigma);

 private:
  uint64_t state_;
};

struct RouterModelOptions {
  enum class Routing : uint8_t { random, queue };
  enum class Spread : uint8_t { lognormal, exponential, constant };

  unsigned routers = 2, dynos = 8;
  Routing routing = Routing::random;
  double rate = 50;  // requests per second over all routers
  uint64_t seed = 1;
  std::string host = "shop.example.com";

  // How long a dyno needs for a request: the median of the lognormal, the mean of the others.
  Spread spread = Spread::lognormal;
  double service_ms = 25, service_sigma = 0.8;
  double slow_share = 0.001, slow_ms = 12'000, slow_sigma = 1;  // the rare report or upload
  Micros deadline = 30'000'000;
  // One dyno that takes so many times as long for everything, from some time on.
  unsigned slow_dyno = 0;  // `web.N`; 0: none
  double slow_dyno_factor = 4.5;
  Micros slow_dyno_after = 0;
  Micros deploy_at = -1;         // the platform tells of a new release then; negative: never
  double broken_share = 0.0005;  // of requests, for each of H13 and H18
  double crash_every_s = 180;    // mean time between crashes in the fleet; 0: none
  bool app_lines = true;         // one of the app's own per request
  bool dyno_lines = true;        // load and memory of each dyno every 20 s
  bool zero_queue = false;       // `queue=0 wait=0ms` with random routing too, as in lines until 2013
};

/// What really became of a request, which no line tells; a router line carries that of its own.
struct RequestTimes {
  Micros arrived = 0;     // at its router
  Micros dispatched = 0;  // to a dyno, where it may wait again
  Micros begun = 0;       // to be served
  Micros ended = 0;       // with whatever its router line says
  bool served = false;    // to its end, within the deadline

  Micros waited() const { return begun - arrived; }
  Micros took() const { return ended - arrived; }
};

/// One line as its sender would log it. `at` counts from the start of the model and never goes back.
struct SimulatedLine {
  Micros at = 0;
  uint8_t priority = 158;
  bool platform = true;  // heroku's, else the app's
  std::string procid;    // `router`, `web.3`
  std::string message;
  RequestTimes times{};  // of a router line
};

/// Requests arrive as a Poisson process, each at a router of its own chance; a dyno serves one at a time, in
/// the order in which they came to it. `random`: a router hands a request to any dyno, where it waits its
/// turn; the wait is part of `service`. `queue`: a router hands a request to one of the dynos that have none
/// of its own, and queues it while there is no such dyno; that wait is `wait`. Routers do not know of each
/// other, so that their requests meet in a dyno and wait there too, as part of `service`: with one router
/// none ever does, with many `queue` comes near `random`.
///
/// A request that is not answered 30 s after it came is H12, wherever it is then; the dyno works on, for
/// nobody. A crashed dyno breaks what it has (H13) and is passed over until it is up; with all of them down a
/// request is H10. Used by one thread.
class RouterModel {
 public:
  explicit RouterModel(RouterModelOptions options);

  /// The next line. There always is one.
  SimulatedLine next();
  /// Requests that arrived so far.
  uint64_t requests() const { return arrived_; }

 private:
  enum class Step : uint8_t { arrival, finish, timeout, crash, recover, report, deploy };
  struct Event {
    Micros at;
    uint64_t order;  // ties go by age
    Step step;
    uint64_t subject;  // a request, or a dyno
    uint64_t incarnation;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct Request {
    unsigned router = 0;
    int dyno = -1;  // -1: waits in its router
    Micros service = 0;
    RequestTimes times;
    size_t found = 0;         // requests in its router's queue when it came
    bool abandoned = false;   // H12 is out; the dyno may still be at it
    std::string_view broken;  // H13 or H18 instead of an answer
    uint8_t page = 0;
  };
  struct Dyno {
    std::deque<uint64_t> work;  // the front one is being served
    bool up = true;
    uint64_t incarnation = 0;  // finishes of an earlier one are void
    std::string id;            // heroku.<app>.<uuid>
    double load[3] = {};
    double memory_mb = 0;
  };
  struct Router {
    std::deque<uint64_t> waiting;
    std::vector<unsigned> given;  // per dyno: its own requests there, as far as it knows
  };

  void step();
  void schedule(Micros at, Step step, uint64_t subject, uint64_t incarnation = 0);
  void schedule_arrival();
  void arrive();
  bool route(uint64_t id);
  void dispatch(uint64_t id, unsigned dyno);
  void serve_next(unsigned dyno);
  void finish(unsigned dyno);
  void time_out(uint64_t id);
  void crash();
  void recover(unsigned dyno);
  void report(unsigned dyno);
  void freed(unsigned router, unsigned dyno);
  void remove_from_dyno(unsigned dyno);

  void router_line(const Request& request, std::string_view code, int status, bool answered);
  void app_line(const Request& request, int status);
  void line(uint8_t priority, bool platform, std::string procid, std::string message);
  double service_ms();
  int status_of(const Request& request);
  std::string uuid();

  const RouterModelOptions options_;
  Dice dice_;
  Micros now_ = 0;
  double next_arrival_ = 0;  // in us; not rounded, so that many a second are as many
  uint64_t order_ = 0, arrived_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::unordered_map<uint64_t, Request> requests_;
  std::vector<Dyno> dynos_;
  std::vector<Router> routers_;
  std::vector<unsigned> candidates_;  // of one route(), kept for its memory
  std::deque<SimulatedLine> lines_;
};

/// `<158>1 TIME host APP PROCID - - MSG`, RFC 5424 without a newline.
std::string rendered(const SimulatedLine& line, Micros start, std::string_view app_name);

}  // namespace tailrace

#pragma once
// How busy an app's dynos are and how long requests wait, from what the last 60 s of lines say.
//
// What each figure can tell, and what it cannot:
//
//   rate         requests that ended, per second.
//   concurrency  requests at the dynos at one time, on average: by Little's law the time they spent there per
//                second. A request counts when it ends, so one of 30 s shows all at once, and late.
//   saturation   concurrency per dyno. Of requests that are being served and those that wait in a dyno's own
//                queue, since `service` holds both: 0.5 is 1 request at a dyno half of the time; above the
//                number of requests that a dyno serves at once (1 for a single thread) some wait all the
//                time.
//   wait, depth  what the router's own queue did. With random assignment there is no such queue and both are
//                0 or absent however long requests wait: they wait in the dyno, and no router line says so.
//                With a queue per router they are the queues' alone, not what came after in the dyno. `depth`
//                is the mean number found waiting / rate, as if there were one queue: with N of them, which
//                no line tells, it is N times too small.
//   app          `measure#queue`: the app's clock when it begins minus X-Request-Start. The whole wait,
//   wherever
//                it was; the one figure that holds with every routing. As exact as both clocks.
//
// Dynos are those that router lines named lately. One without a request for 60 s is not among them, and one
// that was removed is, for up to 60 s.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailrace {

struct CountSum {
  uint64_t count = 0;
  double sum = 0;

  void add(double value) { ++count, sum += value; }
  void merge(const CountSum& other) { count += other.count, sum += other.sum; }
  double mean() const;  // NaN without a value
};

/// What came of one channel in the last `seconds`; plain numbers, all threads together.
struct QueueingNumbers {
  double seconds = 0;      // how much of the last 60 s is known
  uint64_t requests = 0;   // router lines
  CountSum service, wait;  // seconds, of those that say so
  CountSum depth;          // `queue=`: the requests that each found in its router's queue
  CountSum app;            // `measure#queue`, seconds
  size_t dynos = 0;
};

/// NaN where nothing is known; never negative, never infinite.
struct Queueing {
  double rate = 0;         // per second
  double concurrency = 0;  // requests
  size_t dynos = 0;
  double saturation = 0;                // requests per dyno
  double wait = 0, depth = 0, app = 0;  // mean seconds in a queue, by where they come from

  static Queueing of(const QueueingNumbers& numbers);
};

/// Whether a `measure#` pair is the app-side time in queue; the unit as SeriesKey has it.
constexpr bool is_app_queue(std::string_view name, std::string_view unit) {
  return name == "queue" && unit == "seconds";
}

}  // namespace tailrace

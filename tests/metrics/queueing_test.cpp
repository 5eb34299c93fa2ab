#include "metrics/queueing/queueing.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <span>
#include <string>

#include "metrics/queueing/queueing_families.h"
#include "metrics/queueing/queueing_window.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kStart = 1'700'000'000 * kSecond;  // on a step's border

std::string scrape(const ChannelQueueing& channel) {
  std::string text;
  ExpositionWriter out(ExpositionFormat::prometheus_text, [&](std::string_view part) { text += part; });
  write_queueing_families(out, {&channel, 1});
  out.finish();
  return text;
}

// A router line; `depth` negative: it has no queue=.
void add_request(QueueingWindow& window, Micros arrival, std::string_view dyno, double depth) {
  window.add_dyno(arrival, dyno);
  const std::array depths = {depth};
  window.add_requests(arrival, 1, 0, std::span(depths).first(depth < 0 ? 0 : 1));
}

}  // namespace

TEST_CASE("Little's law over what the lines say") {
  QueueingNumbers n;
  n.seconds = 60, n.requests = 1200, n.dynos = 4;
  n.service = {1190, 119}, n.wait = {1200, 24}, n.depth = {1200, 600}, n.app = {100, 3};
  const Queueing q = Queueing::of(n);
  CHECK(q.rate == 20);
  CHECK(q.concurrency == doctest::Approx(119.0 / 60));
  CHECK(q.saturation == doctest::Approx(119.0 / 240));
  CHECK(q.wait == doctest::Approx(0.02));
  CHECK(q.depth == doctest::Approx(0.5 / 20));
  CHECK(q.app == doctest::Approx(0.03));
}

TEST_CASE("what is not known is NaN, and what is nothing is 0") {
  const Queueing none = Queueing::of({});
  for (const double figure : {none.rate, none.concurrency, none.saturation, none.wait, none.depth, none.app})
    CHECK(std::isnan(figure));

  QueueingNumbers idle;
  idle.seconds = 60;
  const Queueing q = Queueing::of(idle);
  CHECK(q.rate == 0);
  CHECK(q.concurrency == 0);
  for (const double figure : {q.saturation, q.wait, q.depth, q.app}) CHECK(std::isnan(figure));
}

TEST_CASE("threads' shares make one window") {
  QueueingWindow a, b;
  // 10 requests a second for two minutes, every third by the other thread, over 3 dynos; depths 0 and 1.
  for (int i = 0; i < 1200; ++i) {
    const std::string dyno = "web." + std::to_string(i % 3 + 1);
    add_request(i % 3 ? a : b, kStart + i * kSecond / 10, dyno, i % 2);
  }
  a.add_app_queue(kStart + 100 * kSecond, 0.25);
  b.add_app_queue(kStart + 110 * kSecond, -0.001);
  const Micros now = kStart + 120 * kSecond;
  QueueingTotal total;
  a.merge_into(total, now);
  b.merge_into(total, now);
  const QueueingNumbers n = total.numbers(now, {10, 5}, {});
  CHECK(n.seconds == doctest::Approx(56));  // the newest step has just begun
  CHECK(n.requests == 560);
  CHECK(n.dynos == 3);
  CHECK(n.app.count == 2);
  CHECK(n.app.sum == 0.25);
  CHECK(n.depth.mean() == 0.5);
  CHECK(Queueing::of(n).rate == doctest::Approx(10));

  // A minute later nothing is left but the knowledge that nothing came.
  QueueingTotal later;
  a.merge_into(later, now + 60 * kSecond);
  b.merge_into(later, now + 60 * kSecond);
  const Queueing q = Queueing::of(later.numbers(now + 60 * kSecond, {}, {}));
  CHECK(q.rate == 0);
  CHECK(q.dynos == 0);
  CHECK(a.memory() + b.memory() == 0);
}

TEST_CASE("the rate is right at every moment, from the first lines on") {
  QueueingWindow window;
  for (int i = 0; i < 2000; ++i) {
    const Micros now = kStart + 3 * kSecond + i * kSecond / 10;
    add_request(window, now, "web.1", -1);
    QueueingTotal total;
    window.merge_into(total, now);
    const double rate = Queueing::of(total.numbers(now, {}, {})).rate;
    if (i >= 40) {
      CHECK(rate == doctest::Approx(10).epsilon(0.03));
    } else {
      CHECK(rate <= 10.3);
    }
  }
}

TEST_CASE("lines that come late or after the clock was set back") {
  QueueingWindow window;
  add_request(window, kStart, "web.1", -1);
  add_request(window, kStart - 70 * kSecond, "web.1", -1);  // was over before it came
  QueueingTotal total;
  window.merge_into(total, kStart);
  CHECK(total.requests == 1);
  add_request(window, kStart - 3600 * kSecond, "web.1", -1);
  QueueingTotal back;
  window.merge_into(back, kStart - 3600 * kSecond);
  CHECK(back.requests == 1);
  CHECK(back.numbers(kStart - 3600 * kSecond, {}, {}).seconds == 4);
}

TEST_CASE("only measure#queue in seconds is the app's time in queue") {
  CHECK(is_app_queue("queue", "seconds"));
  CHECK_FALSE(is_app_queue("queue", ""));
  CHECK_FALSE(is_app_queue("queue", "jobs"));
  CHECK_FALSE(is_app_queue("db.queue", "seconds"));
}

TEST_CASE("families: what is unknown leaves no trace") {
  QueueingNumbers n;
  CHECK(scrape({"7", Queueing::of(n)}) == "");
  n.app = {4, 1};
  CHECK(scrape({"7", Queueing::of(n)}).find("tailrace_queue_seconds{channel=\"7\",from=\"app\"} 0.25\n") !=
        std::string::npos);
  CHECK(scrape({"7", Queueing::of(n)}).find("tailrace_router") == std::string::npos);

  n.seconds = 50, n.requests = 100, n.service = {100, 150}, n.dynos = 4;
  const std::string text = scrape({"7", Queueing::of(n)});
  for (const char* line :
       {"# TYPE tailrace_router_request_rate gauge\n", "tailrace_router_request_rate{channel=\"7\"} 2\n",
        "tailrace_router_concurrency{channel=\"7\"} 3\n", "tailrace_router_dynos{channel=\"7\"} 4\n",
        "tailrace_router_saturation_ratio{channel=\"7\"} 0.75\n"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(text.find("from=\"wait\"") == std::string::npos);
  CHECK(text.find("NaN") == std::string::npos);
}

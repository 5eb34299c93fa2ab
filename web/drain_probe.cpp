#include "web/drain_probe.h"

#include <nlohmann/json.hpp>

#include "drains/probe.h"
#include "web/api_answer.h"
#include "web/drain_routes.h"

namespace tailrace {
namespace {

using nlohmann::json;

constexpr auto kBetween = std::chrono::seconds(1);

json report_json(const ProbeReport& report) {
  json steps = json::array();
  for (const auto& step : report.steps)
    steps.push_back(
        {{"step", step.step}, {"seconds", step.seconds}, {"ok", step.ok}, {"outcome", step.outcome}});
  json body{{"ok", report.ok}, {"steps", std::move(steps)}};
  if (report.status) body["status"] = report.status;
  return body;
}

asio::awaitable<void> respond(HttpExchange& exchange, HttpResponse response) {
  co_await exchange.respond(std::move(response));
}

}  // namespace

/// One test under way, until it goes.
class DrainTests::Test {
 public:
  Test(std::shared_ptr<DrainTests> tests, uint64_t drain) : tests_(std::move(tests)), drain_(drain) {}
  Test(const Test&) = delete;
  ~Test() { tests_->end(drain_); }

  static asio::awaitable<void> report(std::shared_ptr<Test>, HttpExchange& exchange,
                                      asio::awaitable<ProbeReport> probe) {
    const ProbeReport found = co_await std::move(probe);
    HttpResponse response = json_response(200, report_json(found));
    co_await exchange.respond(std::move(response));
  }

 private:
  const std::shared_ptr<DrainTests> tests_;
  const uint64_t drain_;
};

std::optional<HttpResponse> DrainTests::begin(const DrainEntry& drain, JudgedTarget& judged) {
  judged = judge_drain(drain.url, drain.options, services_.policy);
  if (!judged.error.empty()) return http_error(422, judged.error);
  const Mono now = mono_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(tests_, [&](const auto& test) { return test.second <= now; });
  const auto found = tests_.find(drain.id);
  if (found != tests_.end())
    return http_error(409, found->second == Mono::max() ? "a test of this drain is under way"
                                                        : "this drain was tested within the last second");
  tests_[drain.id] = Mono::max();
  return std::nullopt;
}

void DrainTests::end(uint64_t drain) {
  const std::lock_guard lock(mutex_);
  tests_[drain] = mono_now() + kBetween;
}

asio::awaitable<void> DrainTests::run(HttpExchange& exchange) {
  const std::optional<DrainEntry> drain = find_drain(services_.catalog, exchange.request);
  if (!drain || drain->url.empty()) return respond(exchange, http_error(404, "Not Found"));
  JudgedTarget judged;
  if (auto refusal = begin(*drain, judged)) return respond(exchange, std::move(*refusal));
  const auto test = std::make_shared<Test>(shared_from_this(), drain->id);
  return Test::report(test, exchange,
                      probe(exchange.loop(), services_.drains.services(), std::move(judged), drain->token));
}

}  // namespace tailrace

#include "web/drain_probe.h"

#include <nlohmann/json.hpp>

#include "drains/probe.h"
#include "web/api_answer.h"
#include "web/drain_routes.h"
#include "web/off_loop.h"

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

}  // namespace

/// Whom to test; it holds the drain's turn until it goes.
class DrainTests::Test {
 public:
  Test(std::shared_ptr<DrainTests> tests, const DrainEntry& drain, JudgedTarget its_target, ClientTls its_tls)
      : token(drain.token),
        judged(std::move(its_target)),
        tls(std::move(its_tls)),
        tests_(std::move(tests)),
        drain_(drain.id) {}
  Test(const Test&) = delete;
  ~Test() { tests_->end(drain_); }

  const std::string token;
  const JudgedTarget judged;
  const ClientTls tls;

 private:
  const std::shared_ptr<DrainTests> tests_;
  const uint64_t drain_;
};

DrainTests::Begun DrainTests::begin(const HttpRequest& request) {
  Begun begun;
  const auto refuse = [&](int status, const std::string& why) {
    begun.refusal = http_error(status, why);
    return std::move(begun);
  };
  const std::optional<DrainEntry> drain = find_drain(services_.catalog, request);
  if (!drain || drain->url.empty()) return refuse(404, "Not Found");
  JudgedTarget judged = judge_drain(drain->url, drain->options, services_.policy);
  if (!judged.error.empty()) return refuse(422, "Invalid drain destination: " + judged.error);
  ClientTls tls = tls_of(services_.drains.services(), judged.options);
  const Mono now = mono_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(tests_, [&](const auto& test) { return test.second <= now; });
  if (const auto found = tests_.find(drain->id); found != tests_.end())
    return refuse(409, found->second == Mono::max() ? "a test of this drain is under way"
                                                    : "this drain was tested within the last second");
  tests_[drain->id] = Mono::max();
  begun.test = std::make_shared<Test>(shared_from_this(), *drain, std::move(judged), std::move(tls));
  return begun;
}

void DrainTests::end(uint64_t drain) {
  const std::lock_guard lock(mutex_);
  tests_[drain] = mono_now() + kBetween;
}

asio::awaitable<void> DrainTests::run(HttpExchange& exchange) {
  return run(shared_from_this(), exchange);
}

asio::awaitable<void> DrainTests::run(std::shared_ptr<DrainTests> self, HttpExchange& exchange) {
  Begun begun = co_await off_loop(self->services_.blocking, [&] { return self->begin(exchange.request); });
  if (!begun.test) {
    co_await exchange.respond(std::move(begun.refusal));
    co_return;
  }
  const Test& test = *begun.test;
  auto probing = probe(exchange.loop(), self->services_.drains.services(), test.tls, test.judged, test.token);
  const ProbeReport found = co_await std::move(probing);
  HttpResponse response = json_response(200, report_json(found));
  co_await exchange.respond(std::move(response));
}

}  // namespace tailrace

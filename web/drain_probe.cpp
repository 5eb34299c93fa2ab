#include "web/drain_probe.h"

#include <nlohmann/json.hpp>

#include "drains/probe.h"
#include "web/api_answer.h"
#include "web/drain_routes.h"
#include "web/off_loop.h"
#include "web/wanted_drain.h"

namespace tailrace {
namespace {

using nlohmann::json;

constexpr auto kBetween = std::chrono::seconds(1);
/// Stands for the token of a drain that is not there yet.
constexpr std::string_view kNoDrain = "d.00000000-0000-0000-0000-000000000000";

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

/// Whom to test; it holds the turn until it goes.
class DrainTests::Test {
 public:
  Test(std::shared_ptr<DrainTests> tests, std::string what, std::string its_token, JudgedTarget its_target,
       ClientTls its_tls)
      : token(std::move(its_token)),
        judged(std::move(its_target)),
        tls(std::move(its_tls)),
        tests_(std::move(tests)),
        what_(std::move(what)) {}
  Test(const Test&) = delete;
  ~Test() { tests_->end(what_); }

  const std::string token;
  const JudgedTarget judged;
  const ClientTls tls;

 private:
  const std::shared_ptr<DrainTests> tests_;
  const std::string what_;
};

DrainTests::Begun DrainTests::begin(const HttpRequest& request) {
  const std::optional<DrainEntry> drain = find_drain(services_.catalog, request);
  if (!drain || drain->url.empty()) return {nullptr, http_error(404, "Not Found")};
  JudgedTarget judged = judge_drain(drain->url, drain->options, services_.policy);
  if (!judged.error.empty()) return {nullptr, http_error(422, "Invalid drain destination: " + judged.error)};
  return take_turn("drain " + std::to_string(drain->id), drain->token, std::move(judged));
}

DrainTests::Begun DrainTests::begin_wanted(const HttpRequest& request) {
  const ChannelPtr channel = services_.catalog.channel(request.param("c"));
  if (!channel) return {nullptr, http_error(404, "Not Found")};
  WantedDrain wanted;
  if (auto refusal = read_wanted_drain(services_, request, false, wanted))
    return {nullptr, std::move(*refusal)};
  return take_turn("channel " + channel->id, std::string(kNoDrain), std::move(wanted.judged));
}

DrainTests::Begun DrainTests::take_turn(const std::string& what, const std::string& token,
                                        JudgedTarget judged) {
  ClientTls tls = tls_of(services_.drains.services(), judged.options);
  const Mono now = mono_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(tests_, [&](const auto& test) { return test.second <= now; });
  if (const auto found = tests_.find(what); found != tests_.end())
    return {nullptr,
            http_error(409, found->second == Mono::max() ? "a test of this drain is under way"
                                                         : "this drain was tested within the last second")};
  tests_[what] = Mono::max();
  return {std::make_shared<Test>(shared_from_this(), what, token, std::move(judged), std::move(tls)), {}};
}

void DrainTests::end(const std::string& what) {
  const std::lock_guard lock(mutex_);
  tests_[what] = mono_now() + kBetween;
}

asio::awaitable<void> DrainTests::run(HttpExchange& exchange) {
  return run(shared_from_this(), &DrainTests::begin, exchange);
}

asio::awaitable<void> DrainTests::run_wanted(HttpExchange& exchange) {
  return run(shared_from_this(), &DrainTests::begin_wanted, exchange);
}

asio::awaitable<void> DrainTests::run(std::shared_ptr<DrainTests> self, Begin begin, HttpExchange& exchange) {
  Begun begun =
      co_await off_loop(self->services_.blocking, [&] { return (self.get()->*begin)(exchange.request); });
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

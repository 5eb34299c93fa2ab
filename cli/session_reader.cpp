#include "cli/session_reader.h"

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/ids.h"
#include "base/time_text.h"
#include "cli/api_call.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;

// Three heartbeats that did not come.
constexpr auto kSilence = 45s;
constexpr unsigned kTriesOfHistory = 5;
constexpr auto kLongEnough = 10s;  // a connection that lasted so long is no failure to connect

std::chrono::milliseconds back_off(unsigned failures) {
  const auto full = std::min<std::chrono::milliseconds>(30s, 250ms * (1u << std::min(failures, 7u)));
  return std::chrono::milliseconds(int64_t(double(full.count()) * (0.5 + 0.5 * random_unit())));
}

}  // namespace

SessionReader::SessionReader(const ApiTarget& target, Question question, SessionSink& sink)
    : question_(std::move(question)), sink_(sink), api_({.url = target.url, .auth = target.auth}) {}

ApiResult<void> SessionReader::run() {
  for (;;) {
    auto ended = read();
    if (ended && (*ended == Ended::enough || !question_.follow)) return {};
    if (forbidden_)
      return ApiFailure{exit_unauthorised, 0, "channel " + question_.channel + " may not be followed"};
    const ApiFailure failure =
        ended ? ApiFailure{exit_failure, 0, "the server ended the stream"} : ended.error();
    if (!begun_ || !may_pass(failure)) return failure;
    broken_ = true;
    const auto wait = back_off(failures_++);
    sink_.tell(failure.text + "; trying again in " + duration_text(wait));
    std::this_thread::sleep_for(wait);
  }
}

/// One answer, from the session that there is or a new one.
ApiResult<SessionReader::Ended> SessionReader::read() {
  const bool known = !url_.empty();
  if (!known) {
    auto url = open();
    if (!url) return url.error();
    url_ = *url;
  }
  const auto url = split_http_url(url_);
  if (!url) return bad_answer("session URL");
  ApiClient::Streaming streaming;
  streaming.headers = {{"Accept", std::string(media_type(question_.form))}};
  if (number_) streaming.headers.emplace_back("Last-Event-ID", std::to_string(*number_));
  streaming.silence = kSilence;
  std::optional<Mono> begun;
  streaming.begun = [&](const ApiAnswer& head) {
    begun = mono_now();
    begun_ = true;
    if (!head.warning.empty() && !broken_) sink_.tell(head.warning);
    if (broken_)
      sink_.tell("connected again" + (number_ ? ", behind record " + std::to_string(*number_) : ""));
    broken_ = false;
  };
  SessionStream stream(question_.form);
  auto fed = SessionStream::Fed::more;
  bool enough = false;
  streaming.chunk = [&](std::string_view chunk) {
    fed = stream.add(chunk, [&](const SessionItem& item) { return note(item); });
    enough = !sink_.flush();
    return !enough && fed == SessionStream::Fed::more;
  };
  forbidden_ = false;
  const auto answer = ApiClient({.url = url->origin, .auth = {}}).stream(url->target, streaming);
  if (begun && mono_now() - *begun > kLongEnough) failures_ = 0;
  if (fed == SessionStream::Fed::broken) {
    ApiFailure nonsense = bad_answer("session");
    nonsense.status = answer ? answer->status : 200;
    return nonsense;
  }
  if (answer) return enough ? Ended::enough : Ended::whole;
  ApiFailure failure = answer.error();
  if (failure.status == 404) {
    // The router was restarted, nobody read for too long, or the channel is gone.
    url_.clear();
    if (known) return read();
    failure.status = 0;  // the router was restarted just now
  }
  // Who has the URL may read.
  if (const size_t at = failure.text.find(url->target); at != std::string::npos)
    failure.text.erase(at, url->target.size());
  return failure;
}

bool SessionReader::note(const SessionItem& item) {
  if (item.number) number_ = item.number;
  if (item.text.empty()) return true;
  if (item.number) failures_ = 0;
  forbidden_ = !item.number && item.text.find("Error L20 (") != item.text.npos;
  sink_.take(item);
  return true;
}

bool SessionReader::may_pass(const ApiFailure& failure) const {
  if (!question_.follow && failures_ >= kTriesOfHistory) return false;
  if (failure.status == 0) return failure.exit_code != exit_usage;
  return failure.status == 408 || failure.status == 429 || failure.status >= 500;
}

ApiResult<std::string> SessionReader::open() {
  nlohmann::ordered_json body = question_.terms;
  body["channel_id"] = question_.channel;
  if (question_.follow) body["tail"] = "1";
  if (number_) {
    for (const char* beginning : {"num", "since"}) body.erase(beginning);
    body["after"] = std::to_string(*number_);
  }
  const auto answer = api_.post("/v2/sessions", body.dump(), "application/json");
  if (!answer && answer.error().status == 404)
    return ApiFailure{exit_not_found, 404,
                      "channel " + question_.channel + (begun_ ? " is no longer there" : " is not there")};
  if (!answer) return answer.error();
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (!json.is_object() || !json.contains("url") || !json["url"].is_string()) return bad_answer("session");
  return json["url"].get<std::string>();
}

}  // namespace tailrace

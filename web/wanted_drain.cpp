#include "web/wanted_drain.h"

#include <algorithm>

#include "base/time_text.h"
#include "web/json_body.h"

namespace tailrace {

std::optional<HttpResponse> read_wanted_drain(const WebServices& services, const HttpRequest& request,
                                              bool may_reserve, WantedDrain& wanted) {
  const auto body = json_object(request.body);
  if (!body) return http_error(400, "invalid JSON");
  bool wrong = false;
  std::string& url = wanted.url;
  url = text_field(*body, "url", wrong).value_or("");
  const auto host = text_field(*body, "host", wrong), port = text_field(*body, "port", wrong);
  if (url.empty() && host) url = "syslog://" + *host + ":" + port.value_or("514");
  if (may_reserve && !wrong && !body->contains("url") && url.empty()) return std::nullopt;
  if (wrong || url.empty()) return http_error(422, "Invalid drain destination: missing_url_param");
  wanted.choice.options = stored_options(*body);
  wanted.judged = judge_drain(url, wanted.choice.options, services.policy);
  if (!wanted.judged.error.empty())
    return http_error(422, "Invalid drain destination: " + wanted.judged.error);
  if (const auto since = text_field(*body, "since", wrong); since || wrong) {
    wanted.choice.since = since ? begin_time(*since, wall_now()) : std::nullopt;
    if (!wanted.choice.since) return http_error(422, kBeginTimes);
  }
  return std::nullopt;
}

std::optional<Micros> begin_time(std::string_view text, Micros now) {
  if (text == "oldest") return 0;
  if (const auto ago = parse_duration(text))
    return std::max<Micros>(0, now - std::chrono::duration_cast<std::chrono::microseconds>(*ago).count());
  return parse_rfc3339(text);
}

}  // namespace tailrace

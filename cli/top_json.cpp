#include <cmath>
#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "cli/top_view.h"

namespace tailrace {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(std::optional<double> value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json drain_json(const TopDrain& drain) {
  return {{"id", text_or_null(drain.id)},
          {"token", drain.token},
          {"state", text_or_null(drain.state)},
          {"since", drain.since ? Json(rfc3339_json(drain.since)) : Json(nullptr)},
          {"cause", text_or_null(drain.cause)},
          {"lag_seconds", drain.lag_seconds},
          {"buffered", drain.buffered},
          {"delivered", drain.delivered.value()},
          {"delivered_per_second", or_null(drain.delivered.per_second())},
          {"filtered", drain.filtered.value()},
          {"dropped", drain.dropped.value()}};
}

Json channel_json(const TopChannel& channel) {
  Json drains = Json::array();
  for (const TopDrain& drain : channel.drains) drains.push_back(drain_json(drain));
  return {{"channel", channel.id},
          {"name", channel.name},
          {"records", channel.records.value()},
          {"records_per_second", or_null(channel.records.per_second())},
          {"requests_per_second", or_null(channel.requests_per_second)},
          {"service_seconds",
           {{"p50", or_null(channel.p50)}, {"p95", or_null(channel.p95)}, {"p99", or_null(channel.p99)}}},
          {"error_share", or_null(channel.error_share())},
          {"lost", channel.lost()},
          {"drains", std::move(drains)}};
}

}  // namespace

std::string top_json(const std::vector<const TopChannel*>& channels, const TopStatus& status) {
  Json all = Json::array();
  for (const TopChannel* channel : channels) all.push_back(channel_json(*channel));
  const Json out{{"time", rfc3339_json(status.now)}, {"url", status.url}, {"channels", std::move(all)}};
  // Whatever is not ASCII goes escaped: no text of somebody else's reaches a terminal as it is.
  return out.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace tailrace

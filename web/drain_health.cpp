#include "web/drain_health.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "drains/target.h"

namespace tailrace {
namespace {

using nlohmann::json;

json time_or_null(Micros time) {
  return time ? json(rfc3339_json(time)) : json(nullptr);
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json lost_json(const LostRange& lost) {
  return {{"first", lost.first.value},
          {"records", lost.records},
          {"since", rfc3339_json(lost.since)},
          {"until", rfc3339_json(lost.until)},
          {"reason", to_string(lost.reason)}};
}

}  // namespace

json dropped_json(const Drops& dropped) {
  json reasons = json::object();
  for (size_t reason = 0; reason < dropped.size(); ++reason)
    if (dropped[reason]) reasons[std::string(kDropReasons[reason])] = dropped[reason];
  return reasons;
}

json health_json(const DrainSet::Account& drain, Micros now) {
  const DrainStatus& status = drain.status;
  const AnswerTimes times = drain.history->answer_times(mono_now());
  json answer_seconds = json::object();
  if (times.answers) answer_seconds = {{"p50", times.p50}, {"p99", times.p99}};
  json lost = json::array();
  for (const LostRange& range : drain.history->losses()) lost.push_back(lost_json(range));
  return {
      {"id", drain.entry.id},
      {"token", drain.entry.token},
      {"url", shown_drain_url(drain.entry.url)},
      {"state", to_string(status.state)},
      {"cause", text_or_null(status.cause)},
      {"since", rfc3339_json(status.since)},
      {"last_status", status.last_status ? json(status.last_status) : json(nullptr)},
      {"last_error", text_or_null(status.last_error)},
      {"next_try", time_or_null(status.next_try)},
      {"lag_records", drain.ledger.buffered},
      {"lag_seconds", drain.oldest ? double(std::max<Micros>(now - drain.oldest, 0)) / 1e6 : 0.0},
      {"accepted", drain.ledger.accepted},
      {"delivered", drain.ledger.delivered},
      {"filtered", drain.ledger.filtered},
      {"dropped", dropped_json(drain.ledger.dropped)},
      {"lost", lost},
      {"dead_letters", drain.history->dead_letters().size()},
      {"answers", times.answers},
      {"answer_seconds", answer_seconds},
  };
}

json dead_letters_json(const DrainHistory& history) {
  json letters = json::array();
  for (const DeadLetter& letter : history.dead_letters())
    letters.push_back({{"number", letter.number.value},
                       {"refused_at", rfc3339_json(letter.refused_at)},
                       {"cause", letter.cause},
                       {"bytes", letter.bytes},
                       {"record", letter.text}});
  return {{"dead_letters", letters}};
}

}  // namespace tailrace

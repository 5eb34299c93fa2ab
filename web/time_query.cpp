#include "web/time_query.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

constexpr Micros kSecond = 1'000'000, kMinute = 60 * kSecond;
constexpr Micros kLongestStep = 7 * 24 * 60 * kMinute;
constexpr Micros kMostSteps = 11'000;              // a week of minutes, and more
constexpr uint64_t kLastSecond = 253'402'300'799;  // of the year 9999

/// Of what is too long to matter, some of it.
Micros micros_of(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds longest = std::chrono::seconds(kLastSecond);
  return std::chrono::duration_cast<std::chrono::microseconds>(std::min(duration, longest)).count();
}

std::optional<Micros> time_of(std::string text, Micros now) {
  if (text == "now") return now;
  if (const auto seconds = parse_u64(text))
    return *seconds <= kLastSecond ? std::optional(static_cast<Micros>(*seconds) * kSecond) : std::nullopt;
  if (const auto ago = parse_duration(text)) return now - micros_of(*ago);
  // A `+` that was not encoded has become a blank.
  if (const size_t blank = text.rfind(' '); blank != text.npos) text[blank] = '+';
  return parse_rfc3339(text);
}

std::optional<Micros> step_of(const std::string& text) {
  std::optional<Micros> step;
  if (const auto seconds = parse_u64(text))
    step = *seconds <= kLastSecond ? static_cast<Micros>(*seconds) * kSecond : 0;
  else if (const auto duration = parse_duration(text))
    step = micros_of(*duration);
  if (!step || *step < kMinute || *step > kLongestStep || *step % kMinute) return std::nullopt;
  return step;
}

Micros begin_of(Micros time, Micros step) {
  const Micros into = time % step;
  return time - (into < 0 ? into + step : into);
}

}  // namespace

TimeTexts time_texts(const HttpRequest& request) {
  return {request.query("from"), request.query("to"), request.query("step")};
}

std::optional<TimeQuery> time_query(const TimeTexts& texts, Micros now, std::string& error) {
  TimeQuery query{0, 0, kMinute};
  const auto refuse = [&](std::string why) {
    error = std::move(why);
    return std::nullopt;
  };
  constexpr const char* kTimes = ": RFC 3339, Unix seconds, or a duration back from now such as 2h";
  if (!texts.step.empty()) {
    const auto wanted = step_of(texts.step);
    if (!wanted) return refuse("step: whole minutes up to 7d, such as 60, 10m or 1h");
    query.step = *wanted;
  }
  const auto end = texts.to.empty() ? now : time_of(texts.to, now);
  if (!end || *end < 0) return refuse(std::string("to") + kTimes);
  const auto begin = texts.from.empty() ? *end - 60 * kMinute : time_of(texts.from, now);
  if (!begin || (!texts.from.empty() && *begin < 0)) return refuse(std::string("from") + kTimes);
  if (*begin >= *end) return refuse("from: must be before to");
  query.from = begin_of(*begin, query.step);
  query.to = begin_of(*end + query.step - 1, query.step);
  if ((query.to - query.from) / query.step > kMostSteps)
    return refuse("step: more than " + std::to_string(kMostSteps) +
                  " steps; take a longer step or a later from");
  return query;
}

}  // namespace tailrace

#include "cli/drain_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time_text.h"
#include "cli/line_text.h"
#include "cli/text_table.h"

namespace tailrace {
namespace {

using Json = nlohmann::ordered_json;

const Json& at(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

// A text or a number as text; empty for anything else.
std::string text(const Json& object, const char* key) {
  const Json& value = at(object, key);
  if (value.is_string()) return one_line(value.get_ref<const std::string&>());
  return value.is_number_integer() ? value.dump() : std::string();
}

double number(const Json& object, const char* key) {
  const Json& value = at(object, key);
  return value.is_number() ? value.get<double>() : 0;
}

std::string count_text(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, ",");
  return digits;
}

std::string records_text(double count) {
  return count_text(count) + (count == 1 ? " record" : " records");
}

std::string span_text(double seconds) {
  return duration_text(std::chrono::microseconds(int64_t(std::max(seconds, 0.0) * 1e6)));
}

// Of something measured: 3.2ms, 240ms, 1.50s.
std::string time_text(double seconds) {
  if (seconds < 0.01) return fmt::format("{:.1f}ms", seconds * 1e3);
  return seconds < 1 ? fmt::format("{:.0f}ms", seconds * 1e3) : fmt::format("{:.2f}s", seconds);
}

// How long `key` lies back; a clock that is ahead of ours makes it nothing.
std::string since_text(const Json& object, const char* key, Micros now) {
  const auto since = parse_rfc3339(text(object, key));
  return since ? span_text(double(now - *since) / 1e6) : std::string();
}

std::string lag_text(const Json& health) {
  const double records = number(health, "lag_records");
  if (records == 0) return "none";
  return records_text(records) + ", " + span_text(number(health, "lag_seconds"));
}

struct Advice {
  std::string_view beginning;  // of the cause
  std::string_view text;
};

constexpr std::array<Advice, 13> advices{{
    {"by its owner", "when it may go on: {resume}"},
    {"answered 401", "check the credentials in the URL, then: {resume}"},
    {"answered 403", "check what these credentials may do, then: {resume}"},
    {"answered 404", "check the path in the URL, then: {resume}"},
    {"answered 410", "it is gone for good, says the far end; if not so: {resume}"},
    {"answered 429", "it takes less than comes; records are kept, and sent when it lets them"},
    {"answered 3", "redirects are not followed: add a drain with the URL it points to"},
    {"address not allowed", "TAILRACE_DRAIN_ALLOW says which inner addresses drains may reach"},
    {"resolve: no such name", "check the host in the URL"},
    {"resolve:", "check the name servers (TAILRACE_DNS)"},
    {"tls:", "check the far end's certificate; one of your own authority takes --tls-ca"},
    {"bad answer", "what listens there does not speak HTTP: check scheme and port of the URL"},
    {"", "see whether the far end is up; records are kept, and sent when it is"},
}};

std::string advice(const std::string& state, const std::string& cause, const std::string& resume) {
  if (state != "failing" && state != "paused") return {};
  const auto found = std::find_if(advices.begin(), advices.end(),
                                  [&](const Advice& a) { return cause.starts_with(a.beginning); });
  std::string out(found->text);
  if (const size_t hole = out.find("{resume}"); hole != out.npos) out.replace(hole, 8, resume);
  return out;
}

std::string headline(const Json& health, Micros now) {
  const std::string state = text(health, "state"), cause = text(health, "cause");
  const std::string name = "drain " + text(health, "id");
  if (state == "pending") return name + " is pending: nothing has been tried yet\n";
  std::string out = name + " has been " + state;
  if (const std::string span = since_text(health, "since", now); !span.empty()) out += " for " + span;
  return out + (cause.empty() ? "" : ": " + cause) + "\n";
}

std::string dropped_text(const Json& health) {
  double all = 0;
  std::string reasons;
  for (const auto& [reason, count] : at(health, "dropped").items()) {
    if (!count.is_number()) continue;
    all += count.get<double>();
    reasons += (reasons.empty() ? "" : ", ") + one_line(reason) + " " + count_text(count.get<double>());
  }
  return all == 0 ? "none" : records_text(all) + ": " + reasons;
}

std::string answers_text(const Json& health) {
  const double answers = number(health, "answers");
  std::string out;
  if (answers > 0) {
    const Json& times = at(health, "answer_seconds");
    out = fmt::format("{} of late: half within {}, 99 % within {}", count_text(answers),
                      time_text(number(times, "p50")), time_text(number(times, "p99")));
  }
  if (const std::string status = text(health, "last_status"); !status.empty())
    out += (out.empty() ? "" : "; ") + ("last status " + status);
  return out;
}

std::string lost_text(const Json& range) {
  return records_text(number(range, "records")) + " from number " + text(range, "first") + " on, " +
         text(range, "reason") + ", " + text(range, "since") + " to " + text(range, "until");
}

}  // namespace

std::string drain_table(const Json& drains, Micros now) {
  std::vector<std::vector<std::string>> rows{{"ID", "STATE", "SINCE", "LAG", "STATUS", "URL"}};
  for (const Json& drain : drains) {
    const Json& health = at(drain, "health");
    rows.push_back({text(drain, "id"), text(drain, "state"), since_text(drain, "since", now),
                    health.is_object() ? lag_text(health) : "", text(health, "last_status"),
                    text(drain, "url")});
  }
  return text_table(rows);
}

std::string health_words(const Json& health, const std::string& resume, Micros now) {
  std::string out = headline(health, now);
  const auto line = [&](std::string_view what, const std::string& words) {
    if (!words.empty()) out += fmt::format("  {:<11} {}\n", what, words);
  };
  const std::string state = text(health, "state"), cause = text(health, "cause");
  line("since", text(health, "since"));
  if (const auto next = parse_rfc3339(text(health, "next_try")); next && state != "ok")
    line("next try", *next > now ? "in " + span_text(double(*next - now) / 1e6) : "now");
  line("lag", lag_text(health));
  line("answers", answers_text(health));
  if (const std::string error = text(health, "last_error"); error != cause) line("last error", error);
  line("delivered", records_text(number(health, "delivered")) + " of " +
                        count_text(number(health, "accepted")) + " accepted");
  if (const double filtered = number(health, "filtered"); filtered > 0)
    line("filtered", records_text(filtered) + ", which the filter does not want");
  line("dropped", dropped_text(health));
  for (const Json& range : at(health, "lost")) line("lost", lost_text(range));
  if (const double letters = number(health, "dead_letters"); letters > 0)
    line("refused",
         records_text(letters) + " kept to be read: GET …/drains/" + text(health, "id") + "/dead_letters");
  line("url", text(health, "url"));
  line("token", text(health, "token"));
  line("what to do", advice(state, cause, resume));
  if (number(at(health, "dropped"), "overflow") > 0)
    line("", "the channel's bound was too small for this outage: TAILRACE_CHANNEL_BYTES");
  return out;
}

std::string test_words(const Json& test) {
  std::string out;
  for (const Json& step : at(test, "steps")) {
    const bool good = at(step, "ok").is_boolean() && at(step, "ok").get<bool>();
    const std::string outcome = text(step, "outcome");
    out += fmt::format("{:<10} {:>8}  {}{}\n", text(step, "step"), time_text(number(step, "seconds")),
                       good ? "ok" : "failed", outcome.empty() || outcome == "ok" ? "" : ": " + outcome);
  }
  return out;
}

}  // namespace tailrace

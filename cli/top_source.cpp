#include "cli/top_source.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/api_call.h"

namespace tailrace {
namespace {

constexpr size_t polls_per_listing = 15;  // new channels show earlier: the ledger has them

std::string path_of(const std::string& channel, std::string_view rest) {
  return "/v3/channels/" + percent_encoded(channel) + std::string(rest);
}

}  // namespace

std::optional<ApiFailure> TopSource::poll(const TopWanted& wanted) {
  auto failed = take_ledger();
  bool listing;
  {
    const std::scoped_lock lock(mutex_);
    listing = polls_ == 0 || model_.has_unnamed();
  }
  if (!failed && listing) failed = take_channels();
  if (!failed) failed = take_details(wanted);
  // Who comes back may be another, whose channels have other names.
  polls_ = failed ? 0 : (polls_ + 1) % polls_per_listing;
  return failed;
}

std::optional<ApiFailure> TopSource::take_ledger() {
  if (!ledger_) return std::nullopt;
  const auto answer = api_.get("/v3/ledger");
  if (!answer && answer.error().status == 403) return ledger_ = false, std::nullopt;
  if (!answer) return answer.error();
  const std::scoped_lock lock(mutex_);
  return model_.take_ledger(answer->body, wall_now()) ? std::nullopt : std::optional(bad_answer("ledger"));
}

std::optional<ApiFailure> TopSource::take_channels() {
  std::vector<TopModel::Named> all;
  std::string after;
  do {
    const auto answer = api_.get("/v3/channels" + (after.empty() ? "" : "?after=" + percent_encoded(after)));
    if (!answer) return answer.error();
    const auto json = nlohmann::json::parse(answer->body, nullptr, false);
    if (!json.is_object() || !json.contains("channels") || !json["channels"].is_array())
      return bad_answer("channels");
    for (const auto& one : json["channels"]) {
      if (!one.is_object() || !one.contains("channel") || !one["channel"].is_string()) continue;
      const auto name = one.value("name", nlohmann::json());
      all.push_back({one["channel"], name.is_string() ? name.get<std::string>() : ""});
    }
    const auto next = json.value("next", nlohmann::json());
    const std::string here = next.is_string() ? next.get<std::string>() : "";
    if (here == after) break;
    after = here;
  } while (!after.empty());
  const std::scoped_lock lock(mutex_);
  model_.take_channels(all);
  return std::nullopt;
}

std::optional<ApiFailure> TopSource::take_details(const TopWanted& wanted) {
  std::vector<std::string> ids = wanted.channels;
  {
    const std::scoped_lock lock(mutex_);
    std::vector<const TopChannel*> others = model_.sorted(TopSort::worst, "");
    std::ranges::stable_sort(others, {}, &TopChannel::detailed_at);
    for (const TopChannel* one : others)
      if (std::ranges::count(wanted.channels, one->id) == 0) ids.push_back(one->id);
  }
  if (!wanted.entered.empty()) take_health(wanted.entered);
  const Mono end = mono_now() + kDetails;
  for (const std::string& id : ids) {
    if (mono_now() > end) break;
    const auto answer = api_.get(path_of(id, "/prometheus"));
    if (!answer && answer.error().status == 404) continue;  // it has gone since
    if (!answer) return answer.error();
    const std::scoped_lock lock(mutex_);
    model_.take_scrape(id, answer->body, wall_now());
  }
  return std::nullopt;
}

void TopSource::take_health(const std::string& channel) {
  std::vector<std::string> drains;
  {
    const std::scoped_lock lock(mutex_);
    if (const TopChannel* its = model_.find(channel))
      for (const TopDrain& drain : its->drains) drains.push_back(drain.id.empty() ? drain.token : drain.id);
  }
  const Mono end = mono_now() + kDetails;
  for (const std::string& drain : drains) {
    if (mono_now() > end) break;
    const auto answer = api_.get(path_of(channel, "/drains/" + percent_encoded(drain) + "/health"));
    if (!answer) continue;  // the next look tells, if it is not the drain alone
    const std::scoped_lock lock(mutex_);
    model_.take_health(channel, answer->body);
  }
}

}  // namespace tailrace

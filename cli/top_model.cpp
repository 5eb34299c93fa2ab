#include "cli/top_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/time_text.h"
#include "cli/metrics_text.h"

namespace tailrace {
namespace {

using Json = nlohmann::json;

constexpr std::string_view channel_records = "tailrace_channel_records_total";

std::string text_in(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

uint64_t count_in(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

uint64_t sum_in(const Json& object, const char* field) {
  uint64_t sum = 0;
  if (const auto found = object.find(field); found != object.end() && found->is_object())
    for (const Json& count : *found)
      if (count.is_number_unsigned()) sum += count.get<uint64_t>();
  return sum;
}

/// Counters and gauges of a scrape are doubles.
uint64_t whole(double value) {
  return value > 0 && value < 1e18 ? uint64_t(value) : 0;
}

std::optional<double> number(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

TopDrain& drain_of(TopChannel& channel, std::string_view token) {
  const auto found = std::ranges::find(channel.drains, token, &TopDrain::token);
  if (found != channel.drains.end()) return *found;
  channel.drains.emplace_back().token = token;
  return channel.drains.back();
}

/// What a scrape adds up over several samples.
struct ScrapeSums {
  uint64_t requests = 0, failed = 0;
  std::map<std::string, uint64_t, std::less<>> dropped;  // by token
};

void take_drain_sample(TopDrain& drain, const MetricSample& sample, ScrapeSums& sums, Micros now) {
  if (sample.name == "tailrace_drain_state" && sample.value == 1)
    drain.state = sample.label("state");
  else if (sample.name == "tailrace_drain_state_since_seconds")
    drain.since = Micros(whole(sample.value)) * 1'000'000;
  else if (sample.name == "tailrace_drain_lag_seconds")
    drain.lag_seconds = number(sample.value).value_or(0);
  else if (sample.name == "tailrace_drain_buffered_records")
    drain.buffered = whole(sample.value);
  else if (sample.name == "tailrace_drain_delivered_records_total")
    drain.delivered.take(whole(sample.value), now);
  else if (sample.name == "tailrace_drain_filtered_records_total")
    drain.filtered.take(whole(sample.value), now);
  else if (sample.name == "tailrace_drain_dropped_records_total")
    sums.dropped[drain.token] += whole(sample.value);
}

void take_channel_sample(TopChannel& channel, const MetricSample& sample, ScrapeSums& sums, Micros now) {
  if (sample.name == channel_records) {
    channel.records.take(whole(sample.value), now);
  } else if (sample.name == "tailrace_router_request_rate") {
    channel.requests_per_second = number(sample.value);
  } else if (sample.name == "tailrace_router_requests_total") {
    sums.requests += whole(sample.value);
    if (sample.label("status").starts_with('5')) sums.failed += whole(sample.value);
  } else if (sample.name == "tailrace_router_service_quantile_seconds") {
    const std::string_view quantile = sample.label("quantile");
    if (quantile == "0.5") channel.p50 = number(sample.value);
    if (quantile == "0.95") channel.p95 = number(sample.value);
    if (quantile == "0.99") channel.p99 = number(sample.value);
  }
}

bool holds(std::string_view text, std::string_view part) {
  return std::ranges::search(text, part, [](char a, char b) {
           return std::tolower(uint8_t(a)) == std::tolower(uint8_t(b));
         }).begin() != text.end();
}

/// The greater, the further up.
std::tuple<double, double, double, double, double> weight(const TopChannel& c, TopSort sort) {
  const double errors = c.error_share().value_or(-1), p99 = c.p99.value_or(-1),
               rate = c.records.per_second().value_or(0);
  switch (sort) {
    case TopSort::worst:
      return {c.losing()               ? 2
              : c.drains_in("failing") ? 1
                                       : 0,
              c.drains_in("paused") ? 1 : 0, errors >= 0.01 ? errors : 0,
              double(c.waiting() > 0 && !c.drains_in("ok")), rate};
    case TopSort::rate:
      return {rate, 0, 0, 0, 0};
    case TopSort::latency:
      return {p99, rate, 0, 0, 0};
    case TopSort::errors:
      return {errors, rate, 0, 0, 0};
    case TopSort::loss:
      return {double(c.lost()), double(c.waiting()), rate, 0, 0};
    case TopSort::name:
      break;
  }
  return {};
}

}  // namespace

void Rated::take(uint64_t value, Micros now) {
  if (at_ != 0 && now > at_ && value >= value_) {
    step_ = value - value_;
    per_second_ = double(step_) * 1e6 / double(now - at_);
  } else if (at_ != 0 && now != at_) {  // the process began anew
    step_ = 0;
    per_second_.reset();
  }
  value_ = value;
  at_ = now;
}

std::optional<double> TopChannel::error_share() const {
  if (requests.last_step() == 0) return std::nullopt;
  return double(failed.last_step()) / double(requests.last_step());
}

uint64_t TopChannel::lost() const {
  uint64_t sum = 0;
  for (const TopDrain& drain : drains) sum += drain.dropped.value();
  return sum;
}

bool TopChannel::losing() const {
  return std::ranges::any_of(drains, [](const TopDrain& d) { return d.dropped.last_step() > 0; });
}

uint64_t TopChannel::waiting() const {
  uint64_t sum = 0;
  for (const TopDrain& drain : drains) sum += drain.buffered;
  return sum;
}

size_t TopChannel::drains_in(std::string_view state) const {
  return size_t(std::ranges::count(drains, state, &TopDrain::state));
}

std::string_view to_string(TopSort sort) {
  constexpr std::string_view names[] = {"worst", "name", "rate", "p99", "errors", "loss"};
  return names[size_t(sort)];
}

TopChannel& TopModel::channel(const std::string& id) {
  TopChannel& channel = channels_[id];
  channel.id = id;
  return channel;
}

void TopModel::take_channels(const std::vector<Named>& all) {
  std::set<std::string_view> there;
  for (const Named& one : all) {
    channel(one.id).name = one.name;
    there.insert(one.id);
  }
  std::erase_if(channels_, [&](const auto& entry) { return !there.contains(entry.first); });
  unnamed_ = false;
}

bool TopModel::take_ledger(std::string_view text, Micros now) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("channels") || !json["channels"].is_array()) return false;
  std::set<std::string, std::less<>> there;
  for (const Json& one : json["channels"]) {
    if (!one.is_object()) continue;
    const std::string id = text_in(one, "channel");
    if (id.empty()) continue;
    there.insert(id);
    if (!channels_.contains(id)) unnamed_ = true;
    TopChannel& its = channel(id);
    its.records.take(count_in(one, "accepted"), now);
    std::vector<TopDrain> drains;
    if (const auto listed = one.find("drains"); listed != one.end() && listed->is_array())
      for (const Json& ledger : *listed) {
        if (!ledger.is_object()) continue;
        TopDrain drain = std::move(drain_of(its, text_in(ledger, "token")));
        drain.token = text_in(ledger, "token");
        drain.id = text_in(ledger, "id");
        drain.buffered = count_in(ledger, "buffered");
        drain.delivered.take(count_in(ledger, "delivered"), now);
        drain.filtered.take(count_in(ledger, "filtered"), now);
        drain.dropped.take(sum_in(ledger, "dropped"), now);
        drains.push_back(std::move(drain));
      }
    its.drains = std::move(drains);  // those that are gone are gone
  }
  std::erase_if(channels_, [&](const auto& entry) { return !there.contains(entry.first); });
  return has_ledger_ = true;
}

void TopModel::take_scrape(const std::string& id, std::string_view text, Micros now) {
  const auto found = channels_.find(id);
  if (found == channels_.end()) return;
  TopChannel& its = found->second;
  its.detailed_at = now;
  its.requests_per_second.reset();
  its.p50 = its.p95 = its.p99 = std::nullopt;
  ScrapeSums sums;
  std::set<std::string, std::less<>> tokens;
  for_each_sample(text, [&](const MetricSample& sample) {
    // Counters of two moments make no rate: where there is a ledger, they are its.
    const bool of_drain = sample.name.starts_with("tailrace_drain_");
    const bool counts = sample.name.ends_with("_total") && (of_drain || sample.name == channel_records);
    if (sample.label("channel") != id || (counts && has_ledger_)) return;
    if (!of_drain) return take_channel_sample(its, sample, sums, now);
    tokens.emplace(sample.label("drain"));
    take_drain_sample(drain_of(its, sample.label("drain")), sample, sums, now);
  });
  its.requests.take(sums.requests, now);
  its.failed.take(sums.failed, now);
  for (const auto& [token, dropped] : sums.dropped) drain_of(its, token).dropped.take(dropped, now);
  std::erase_if(its.drains, [&](const TopDrain& drain) { return !tokens.contains(drain.token); });
}

void TopModel::take_health(const std::string& id, std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto found = channels_.find(id);
  if (!json.is_object() || found == channels_.end()) return;
  TopDrain& drain = drain_of(found->second, text_in(json, "token"));
  drain.state = text_in(json, "state");
  drain.cause = text_in(json, "cause");
  drain.url = text_in(json, "url");
  if (const auto since = parse_rfc3339(text_in(json, "since"))) drain.since = *since;
}

std::vector<const TopChannel*> TopModel::sorted(TopSort sort, std::string_view filter) const {
  std::vector<std::pair<std::tuple<double, double, double, double, double>, const TopChannel*>> weighed;
  weighed.reserve(channels_.size());
  for (const auto& [id, one] : channels_)
    if (holds(one.name, filter) || holds(id, filter)) weighed.emplace_back(weight(one, sort), &one);
  std::ranges::sort(weighed, [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first > b.first;
    return std::tie(a.second->name, a.second->id) < std::tie(b.second->name, b.second->id);
  });
  std::vector<const TopChannel*> all;
  all.reserve(weighed.size());
  for (const auto& [its_weight, one] : weighed) all.push_back(one);
  return all;
}

const TopChannel* TopModel::find(const std::string& id) const {
  const auto found = channels_.find(id);
  return found == channels_.end() ? nullptr : &found->second;
}

std::map<std::string, size_t, std::less<>> TopModel::drain_states() const {
  std::map<std::string, size_t, std::less<>> states;
  for (const auto& [id, one] : channels_)
    for (const TopDrain& drain : one.drains) ++states[drain.state];
  return states;
}

double TopModel::records_per_second() const {
  double sum = 0;
  for (const auto& [id, one] : channels_) sum += one.records.per_second().value_or(0);
  return sum;
}

}  // namespace tailrace

#include "metrics/series/series_counts.h"

#include <array>
#include <utility>

#include "metrics/lines/quantity.h"
#include "metrics/series/series_hash.h"

namespace tailrace {
namespace {

constexpr size_t kRemembered = 1024;  // folded series, at most

bool has_distribution(const SeriesKey& key) {
  return key.kind == SeriesKind::measure ||
         ((key.kind == SeriesKind::router_dyno || key.kind == SeriesKind::router_host) && !key.unit.empty());
}

struct DynoGauge {
  std::string_view pair, unit, name;
  SeriesKind kind;
};
constexpr std::array<DynoGauge, 8> kDynoGauges = {{
    {"memory_total", "bytes", "dyno.memory.total", SeriesKind::dyno_memory},
    {"memory_rss", "bytes", "dyno.memory.rss", SeriesKind::dyno_memory},
    {"memory_cache", "bytes", "dyno.memory.cache", SeriesKind::dyno_memory},
    {"memory_swap", "bytes", "dyno.memory.swap", SeriesKind::dyno_memory},
    {"memory_quota", "bytes", "dyno.memory.quota", SeriesKind::dyno_memory},
    {"load_avg_1m", "", "dyno.load.1m", SeriesKind::dyno_load},
    {"load_avg_5m", "", "dyno.load.5m", SeriesKind::dyno_load},
    {"load_avg_15m", "", "dyno.load.15m", SeriesKind::dyno_load},
}};

const DynoGauge* dyno_gauge(const SamplePair& pair) {
  if (pair.kind != SeriesKind::sample) return nullptr;
  for (const DynoGauge& gauge : kDynoGauges)
    if (gauge.pair == pair.name && gauge.unit == pair.unit) return &gauge;
  return nullptr;
}

// By class; 0 is none.
constexpr std::array<std::string_view, 6> kStatusNames = {"router.status.none", "router.status.1xx",
                                                          "router.status.2xx",  "router.status.3xx",
                                                          "router.status.4xx",  "router.status.5xx"};

}  // namespace

void PairsRejected::merge(const PairsRejected& other) {
  empty += other.empty;
  not_a_number += other.not_a_number;
  negative += other.negative;
  label += other.label;
}

void SeriesCounts::Counts::merge(const Counts& other) {
  if (other.count == 0) return;
  count += other.count;
  sum.merge(other.sum);
  if (std::pair(other.last_at, other.last) > std::pair(last_at, last)) {
    last = other.last;
    last_at = other.last_at;
  }
}

void SeriesCounts::add(const SampleLine& line, Stamp at, Micros arrival, OpenWindow* window,
                       Counting counting) {
  add_runtime(line, {}, at, arrival, window, counting);
}

void SeriesCounts::add_runtime(const SampleLine& line, std::string_view procid, Stamp at, Micros arrival,
                               OpenWindow* window, Counting counting) {
  if (counting == Counting::live) rejected_.merge({line.empty, line.not_a_number, line.negative, 0});
  const uint64_t of_source = source_hash(line.source);
  for (const SamplePair& pair : line.pairs) {
    const DynoGauge* gauge = procid.empty() ? nullptr : dyno_gauge(pair);
    const bool good = gauge ? add_pair({gauge->kind, gauge->name, procid, pair.unit}, source_hash(procid),
                                       pair.value, at, arrival, window, counting)
                            : add_pair({pair.kind, pair.name, line.source, pair.unit}, of_source, pair.value,
                                       at, arrival, window, counting);
    if (!good && counting == Counting::live) ++rejected_.label;
  }
}

bool SeriesCounts::add_pair(const SeriesKey& key, uint64_t of_source, double value, Stamp at, Micros arrival,
                            OpenWindow* window, Counting counting) {
  Entry* entry = entry_of(key, series_hash(of_source, key), arrival);
  if (!entry) return false;
  if (window) window->add(entry->series->id, value, at);
  if (counting == Counting::replay) return true;
  Counts& counts = entry->counts;
  ++counts.count;
  counts.sum.add(value);
  if (counts.count == 1 || std::pair(at, value) > std::pair(counts.last_at, counts.last)) {
    counts.last = value;
    counts.last_at = at;
  }
  if (has_distribution(key)) {
    if (!entry->recent) entry->recent = std::make_unique<RecentValues>();
    entry->recent->add(value, arrival);
  }
  return true;
}

void SeriesCounts::add_request(SeriesKind kind, std::string_view source, double service, uint16_t status,
                               Stamp at, Micros arrival, OpenWindow* window, Counting counting) {
  if (source.empty()) return;
  if (!good_labels({kind, "router.service", source, "seconds"})) source = kOverflowName;
  const uint64_t of_source = source_hash(source);
  if (service != kAbsent)
    add_pair({kind, "router.service", source, "seconds"}, of_source, service, at, arrival, window, counting);
  const SeriesKey key{kind, kStatusNames[status < 600 ? status / 100u : 0], source, {}};
  Entry* entry = entry_of(key, series_hash(of_source, key), arrival);
  if (!entry) return;
  if (window) window->count(entry->series->id, at);
  if (counting == Counting::live) ++entry->counts.count;
}

SeriesCounts::Entry* SeriesCounts::find(const SeriesKey& key, uint64_t hash) {
  const uint32_t place = index_.find(hash, [&](uint32_t p) { return entries_[p].series->key() == key; });
  return place == SeriesIndex::kNone ? nullptr : &entries_[place];
}

SeriesCounts::Entry* SeriesCounts::entry_of(const SeriesKey& key, uint64_t hash, Micros now) {
  if (Entry* known = find(key, hash); known && known->series->touch(now)) return known;
  if (!folded_.empty() && folded_[hash % kRemembered] == hash && folded_version_ == table_->version()) {
    const SeriesKey instead = overflow_key(key);
    if (Entry* known = find(instead, series_hash(instead)); known && known->series->touch(now)) return known;
  }
  if (!good_labels(key)) return nullptr;
  return admitted(key, hash, now);
}

SeriesCounts::Entry* SeriesCounts::admitted(const SeriesKey& key, uint64_t hash, Micros now) {
  const uint64_t version = table_->version();
  SeriesPtr series = table_->find_or_admit(key, now);
  if (series->overflow) {
    if (version != folded_version_ || folded_.empty()) folded_.assign(kRemembered, 0);
    folded_version_ = version;
    folded_[hash % kRemembered] = hash;
  }
  if (Entry* before = find(series->key(), series->hash)) {
    if (before->series != series) {  // it had expired
      left_.push_back(std::move(before->series));
      *before = {std::move(series), {}, nullptr};
    }
    return before;
  }
  const uint64_t its_hash = series->hash;
  entries_.push_back({std::move(series), {}, nullptr});
  index_.insert(its_hash, static_cast<uint32_t>(entries_.size() - 1),
                [this](uint32_t place) { return entries_[place].series->hash; });
  return &entries_.back();
}

void SeriesCounts::sweep(Micros now) {
  for (Entry& entry : entries_)
    if (entry.recent) entry.recent->expire(now);
  if (folded_version_ != table_->version()) folded_ = std::vector<uint64_t>();
  const auto leaves = [this](Entry& entry) {
    if (!entry.series->expired()) return false;
    left_.push_back(std::move(entry.series));
    return true;
  };
  if (std::erase_if(entries_, leaves) == 0) return;
  entries_.shrink_to_fit();
  index_.rebuild(static_cast<uint32_t>(entries_.size()),
                 [this](uint32_t place) { return entries_[place].series->hash; });
}

std::vector<SeriesPtr> SeriesCounts::take_series() {
  std::vector<SeriesPtr> all = std::exchange(left_, {});
  all.reserve(all.size() + entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.series);
  return all;
}

size_t SeriesCounts::memory() const {
  size_t bytes =
      entries_.capacity() * sizeof(Entry) + index_.memory() + folded_.capacity() * sizeof folded_[0];
  for (const Entry& entry : entries_)
    if (entry.recent) bytes += sizeof(RecentValues) + entry.recent->memory();
  return bytes;
}

}  // namespace tailrace

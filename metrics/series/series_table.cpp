#include "metrics/series/series_table.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "base/time_text.h"
#include "channels/channel.h"
#include "channels/log.h"
#include "metrics/series/series_hash.h"

namespace tailrace {
namespace {

constexpr size_t kJudged = 10'000;  // of admitted series, for top(); of more every second, third, …

std::string joined(const SeriesKey& key) {
  std::string text;
  text.reserve(key.name.size() + key.source.size() + key.unit.size());
  return text.append(key.name).append(key.source).append(key.unit);
}

bool users_own(SeriesKind kind) {
  return kind == SeriesKind::measure || kind == SeriesKind::count || kind == SeriesKind::sample;
}

// In a list by id, ascending.
const SeriesPtr* with_id(const std::vector<SeriesPtr>& series, SeriesId id) {
  const auto at =
      std::lower_bound(series.begin(), series.end(), id, [](const auto& s, SeriesId i) { return s->id < i; });
  return at != series.end() && (*at)->id == id ? &*at : nullptr;
}

}  // namespace

uint64_t series_hash_seed() {
  return random_bits();
}

bool good_labels(const SeriesKey& key) {
  if (key.name.empty()) return false;
  for (const std::string_view label : {key.name, key.source, key.unit})
    if (label.size() > kMaxLabel || !is_utf8(label)) return false;
  return true;
}

SeriesKey overflow_key(const SeriesKey& key) {
  if (users_own(key.kind)) return {key.kind, kOverflowName, {}, {}};
  return {key.kind, key.name, kOverflowName, key.unit};
}

AdmittedSeries::AdmittedSeries(SeriesId given, const SeriesKey& key, uint64_t its_hash, bool is_overflow,
                               Micros now)
    : id(given),
      kind(key.kind),
      overflow(is_overflow),
      hash(its_hash),
      text_(joined(key)),
      name_size_(static_cast<uint8_t>(key.name.size())),
      source_size_(static_cast<uint8_t>(key.source.size())),
      seen_(now) {}

SeriesKey AdmittedSeries::key() const {
  const std::string_view text = text_;
  return {kind, text.substr(0, name_size_), text.substr(name_size_, source_size_),
          text.substr(size_t{name_size_} + source_size_)};
}

bool AdmittedSeries::expire(Micros now, Micros idle) const {
  Micros seen = seen_.load(std::memory_order_relaxed);
  while (now - seen > idle)
    if (seen_.compare_exchange_weak(seen, kExpired, std::memory_order_relaxed)) return true;
  return seen == kExpired;
}

const SeriesPtr* SeriesTable::find(const SeriesKey& key, uint64_t hash) const {
  const uint32_t place = index_.find(hash, [&](uint32_t p) { return series_[p]->key() == key; });
  return place == SeriesIndex::kNone ? nullptr : &series_[place];
}

SeriesPtr SeriesTable::find_or_admit(const SeriesKey& key, Micros now) {
  const uint64_t hash = series_hash(key);
  const SeriesKey instead = overflow_key(key);
  const std::lock_guard lock(mutex_);
  if (const SeriesPtr* known = find(key, hash)) {
    (*known)->touch(now);  // what has expired is not in the index
    return *known;
  }
  if (key != instead) {  // else somebody chose the overflow series' own name
    if (admitted_ < limits_.channel && limits_.process.take(1)) {
      ++admitted_;
      return admit(key, hash, false, now);
    }
    fold(key, hash, now);
  }
  const uint64_t its_hash = series_hash(instead);
  if (const SeriesPtr* known = find(instead, its_hash)) {
    (*known)->touch(now);
    return *known;
  }
  return admit(instead, its_hash, true, now);
}

SeriesPtr SeriesTable::admit(const SeriesKey& key, uint64_t hash, bool overflow, Micros now) {
  series_.push_back(std::make_shared<const AdmittedSeries>(next_++, key, hash, overflow, now));
  index_.insert(hash, static_cast<uint32_t>(series_.size() - 1),
                [this](uint32_t place) { return series_[place]->hash; });
  return series_.back();
}

void SeriesTable::fold(const SeriesKey& key, uint64_t hash, Micros now) {
  if (untold_.count() == 0) untold_since_ = now;
  untold_.add(hash);
  if (!folded_.add(hash)) return;
  if (sampled_.size() == kSampled) {
    if (hash >= sampled_.rbegin()->first) return;
    sampled_.erase(std::prev(sampled_.end()));
  }
  sampled_.try_emplace(hash, key);
}

std::optional<SeriesName> SeriesTable::name(SeriesId id) const {
  if (id < first_own_series) return fixed_series_name(id);
  const std::lock_guard lock(mutex_);
  const SeriesPtr* found = with_id(series_, id);
  if (!found) found = with_id(expired_, id);
  if (!found) return std::nullopt;
  return SeriesName((*found)->key());
}

void SeriesTable::expire(Micros now) {
  const std::lock_guard lock(mutex_);
  const bool crowded =
      admitted_ > limits_.channel / 2 || limits_.process.used() > limits_.process.limit() / 2;
  const Micros idle = crowded ? kSeriesIdleCrowded : kSeriesIdle;
  expired_.clear();
  std::erase_if(series_, [&](const SeriesPtr& series) {
    if (!series->expire(now, is_dyno_gauge(series->kind) ? kDynoIdle : idle)) return false;
    if (!series->overflow) {
      --admitted_;
      limits_.process.give(1);
    }
    expired_.push_back(series);
    return true;
  });
  ++version_;  // other channels may have made room, too
  if (expired_.empty()) return;
  series_.shrink_to_fit();
  index_.rebuild(static_cast<uint32_t>(series_.size()),
                 [this](uint32_t place) { return series_[place]->hash; });
}

std::string SeriesTable::take_notice(Micros now) {
  const std::lock_guard lock(mutex_);
  // A clock that was set back must not silence it.
  if (untold_.count() == 0 || (now >= told_ && now - told_ < kNoticeEvery)) return {};
  std::string line = rfc3339_micros(now) +
                     " tailrace[metrics]: Error L16 (series limit): " + std::to_string(untold_.count()) +
                     " series folded into " + std::string(kOverflowName) + " since " +
                     rfc3339_seconds(untold_since_) + ".";
  untold_.clear();
  told_ = now;
  ++version_;  // so that shares report again what they go on folding
  return line;
}

void SeriesTable::tell(const Channel& channel, Micros now) {
  if (std::string line = take_notice(now); !line.empty()) channel.log->add_notice(std::move(line));
}

SeriesTable::Totals SeriesTable::totals() const {
  const std::lock_guard lock(mutex_);
  return {admitted_, limits_.channel.load(), folded_.count()};
}

std::vector<Offender> SeriesTable::top(size_t most) const {
  std::vector<WeightedSeries> all;
  {
    const std::lock_guard lock(mutex_);
    const size_t stride = series_.size() / kJudged + 1;
    all.reserve(series_.size() / stride + 1 + sampled_.size());
    for (size_t i = 0; i < series_.size(); i += stride)
      if (!series_[i]->overflow) all.push_back({SeriesName(series_[i]->key()), static_cast<double>(stride)});
    const double each =
        sampled_.empty() ? 0 : static_cast<double>(folded_.count()) / static_cast<double>(sampled_.size());
    for (const auto& [hash, name] : sampled_) all.push_back({name, each});
  }
  return top_offenders(all, most);
}

std::vector<SeriesPtr> SeriesTable::list(SeriesId after, size_t most) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::upper_bound(series_.begin(), series_.end(), after,
                                      [](SeriesId id, const auto& series) { return id < series->id; });
  return {first,
          first + static_cast<ptrdiff_t>(std::min<size_t>(most, static_cast<size_t>(series_.end() - first)))};
}

size_t SeriesTable::memory() const {
  const std::lock_guard lock(mutex_);
  constexpr size_t kShared = 16, kNode = 48;  // a shared_ptr's counts; a map's node
  size_t bytes = index_.memory() + folded_.memory() + untold_.memory() +
                 (series_.capacity() + expired_.capacity()) * sizeof(SeriesPtr);
  for (const auto* list : {&series_, &expired_})
    for (const SeriesPtr& series : *list) bytes += kShared + series->memory();
  for (const auto& [hash, name] : sampled_)
    bytes += kNode + sizeof name + name.name.capacity() + name.source.capacity() + name.unit.capacity();
  return bytes;
}

}  // namespace tailrace

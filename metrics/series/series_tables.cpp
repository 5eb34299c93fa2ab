#include "metrics/series/series_tables.h"

namespace tailrace {

std::shared_ptr<SeriesTable> SeriesTables::open(uint32_t channel) {
  const std::lock_guard lock(mutex_);
  auto& table = tables_[channel];
  if (!table) table = std::make_shared<SeriesTable>(limits_);
  return table;
}

std::shared_ptr<SeriesTable> SeriesTables::find(uint32_t channel) const {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(channel);
  return found == tables_.end() ? nullptr : found->second;
}

void SeriesTables::forget(uint32_t channel) {
  const std::lock_guard lock(mutex_);
  tables_.erase(channel);
}

void SeriesTables::expire(Micros now) {
  std::vector<std::shared_ptr<SeriesTable>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [channel, table] : tables_) all.push_back(table);
  }
  for (const auto& table : all) table->expire(now);
}

}  // namespace tailrace

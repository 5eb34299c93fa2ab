#include "web/trouble_since.h"

#include "web/overview.h"

namespace tailrace {
namespace {

enum class Says : uint8_t { holds, nothing, breaks };

const Cell* find(const SeriesCells& cells, SeriesId series) {
  const auto found = cells.find(fixed_series_name(series));
  return found == cells.end() || !found->second.count() ? nullptr : &found->second;
}

Says slow_in(const SeriesCells& cells) {
  const Cell* service = find(cells, series_service);
  if (!service || service->count() < kSlowRequests) return Says::nothing;
  return service->quantile(0.95) >= kSlow ? Says::holds : Says::breaks;
}

Says errors_in(const SeriesCells& cells) {
  constexpr SeriesId series_status_5xx = series_status_1xx + 4;
  uint64_t requests = 0, failed = 0;
  for (SeriesId status = series_status_none; status <= series_status_5xx; ++status) {
    const Cell* cell = find(cells, status);
    if (!cell) continue;
    requests += cell->count();
    if (status == series_status_none || status == series_status_5xx) failed += cell->count();
  }
  if (!requests) return Says::nothing;
  if (static_cast<double>(failed) < kErrorShare * static_cast<double>(requests)) return Says::breaks;
  return failed >= kErrorRequests ? Says::holds : Says::nothing;
}

std::optional<Micros> since(const RollupStore::Answer& answer, Micros now,
                            Says (*judge)(const SeriesCells&)) {
  std::optional<Micros> begin;
  for (auto window = answer.windows.rbegin(); window != answer.windows.rend(); ++window) {
    const auto& [span, cells] = *window;
    const Says says = judge(cells);
    if (says == Says::holds)
      begin = span.begin;
    else if (says == Says::breaks && span.end() <= now)
      break;
  }
  return begin;
}

}  // namespace

SeriesFilter trouble_series() {
  SeriesFilter filter;
  filter.names.push_back(fixed_series_name(series_service).name);
  for (SeriesId status = 0; status < 6; ++status)
    filter.names.push_back(fixed_series_name(series_status_none + status).name);
  filter.sources.emplace_back();
  return filter;
}

std::optional<Micros> slow_since(const RollupStore::Answer& answer, Micros now) {
  return since(answer, now, slow_in);
}

std::optional<Micros> errors_since(const RollupStore::Answer& answer, Micros now) {
  return since(answer, now, errors_in);
}

}  // namespace tailrace

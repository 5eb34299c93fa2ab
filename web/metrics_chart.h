#pragma once
// A channel's metrics over time as a picture.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/rollup/rollup_query.h"

namespace tailrace {

/// What is shown of a step's values.
enum class Figure : uint8_t { median, p95, p99, max, mean, min, count, rate, sum, last };
std::optional<Figure> parse_figure(std::string_view name);
std::string_view to_string(Figure figure);
/// For people: what a list of them may have.
inline constexpr const char* kFigures = "median, p95, p99, max, mean, min, count, rate, sum or last";

struct ChartWish {
  std::string title;         // anybody's text
  std::vector<Figure> show;  // empty: what is usual for each series
  Micros now = 0;            // a step that is not over has no rate yet
};

/// SVG on its own, without script: a panel for each unit, a line for each series and figure, none across
/// steps without a value. Bounded: of more than kMostLines lines or kMostChartSteps steps there is none, and
/// `error` says so, for people, and begins with a field.
std::optional<std::string> metrics_chart(const RollupQuery& query, const RollupSteps& steps,
                                         const ChartWish& wish, std::string& error);

inline constexpr size_t kMostLines = 32;
inline constexpr Micros kMostChartSteps = 2000;

}  // namespace tailrace

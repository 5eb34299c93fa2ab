#include "cli/top_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailrace {
namespace {

/// Three digits that count.
std::string short_number(double value, std::string_view unit) {
  if (value >= 100) return fmt::format("{:.0f}{}", value, unit);
  std::string text = fmt::format("{:.{}f}", value, value >= 10 ? 1 : 2);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text + std::string(unit);
}

}  // namespace

std::string figure(std::optional<double> value) {
  if (!value) return "-";
  const double v = std::max(*value, 0.0);
  if (v < 9999.5) return short_number(v, "");
  if (v < 999'500) return short_number(v / 1e3, "k");
  if (v < 999.5e6) return short_number(v / 1e6, "M");
  return short_number(v / 1e9, "G");
}

std::string figure(uint64_t value) {
  return value < 10'000 ? std::to_string(value) : figure(std::optional(double(value)));
}

std::string time_figure(std::optional<double> seconds) {
  if (!seconds) return "-";
  const double v = std::max(*seconds, 0.0);
  if (v == 0) return "0";
  if (v < 999.5e-6) return fmt::format("{:.0f}us", v * 1e6);
  if (v < 0.9995) return short_number(v * 1e3, "ms");
  return v < 600 ? short_number(v, "s") : short_number(v / 60, "m");
}

std::string share_figure(std::optional<double> share) {
  return share ? short_number(*share * 100, "%") : "-";
}

std::string age_figure(Micros since, Micros now) {
  if (since == 0) return "";
  const Micros seconds = std::max<Micros>(now - since, 0) / 1'000'000;
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 7200) return std::to_string(seconds / 60) + "m";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

}  // namespace tailrace

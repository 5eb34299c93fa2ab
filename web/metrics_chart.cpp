#include "web/metrics_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/plot.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

constexpr std::array<std::string_view, 10> kNames{"median", "p95",   "p99",  "max", "mean",
                                                  "min",    "count", "rate", "sum", "last"};
constexpr Micros kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr double kTop = 78, kPanel = 200, kBetween = 88, kLegendRow = 18, kLetter = 7.2;

bool counts_lines(const SeriesName& series) {
  for (const std::string_view kind : {"router.status.", "router.error.", "platform.error."})
    if (series.name.starts_with(kind)) return true;
  return series.kind == SeriesKind::count;
}

std::vector<Figure> usual(const SeriesName& series) {
  if (counts_lines(series)) return {Figure::rate};
  switch (series.kind) {
    case SeriesKind::sample:
    case SeriesKind::dyno_memory:
    case SeriesKind::dyno_load:
      return {Figure::last};
    default:
      return {Figure::median, Figure::p95, Figure::p99};
  }
}

struct Shown {
  const SeriesName* series;
  const std::map<Micros, Cell>* points;
  Figure figure;
  size_t look = 0;  // which colour and dashes
};

/// NaN: there is none.
double value_of(const Shown& line, const Cell& cell, double seconds) {
  switch (line.figure) {
    case Figure::median:
      return cell.quantile(0.5);
    case Figure::p95:
      return cell.quantile(0.95);
    case Figure::p99:
      return cell.quantile(0.99);
    case Figure::max:
      return cell.max();
    case Figure::mean:
      return cell.mean();
    case Figure::min:
      return cell.min();
    case Figure::count:
      return double(cell.count());
    case Figure::rate:
      return (line.series->kind == SeriesKind::count ? cell.sum() : double(cell.count())) / seconds;
    case Figure::sum:
      return cell.sum();
    case Figure::last:
      return cell.last();
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// What lines of one panel have in common.
std::string axis_of(const Shown& line) {
  const std::string& unit = line.series->unit;
  switch (line.figure) {
    case Figure::count:
      return "count";
    case Figure::rate:
      return line.series->kind == SeriesKind::count && !unit.empty() ? unit + " per second" : "per second";
    case Figure::sum:
      return unit.empty() ? "sum" : "sum, " + unit;
    default:
      return unit.empty() ? "value" : unit;
  }
}

struct Unit {
  double size;
  std::string name;
};

/// In which numbers up to `most` are read well.
Unit unit_for(const std::string& axis, double most) {
  const auto scaled = [&](std::string_view of, double size, std::string_view name) {
    std::string text = axis;
    text.replace(text.find(of), of.size(), name);
    return Unit{size, text};
  };
  if (axis == "seconds" || axis == "sum, seconds") {
    if (most > 0 && most < 1e-3) return scaled("seconds", 1e-6, "microseconds");
    if (most > 0 && most < 1) return scaled("seconds", 1e-3, "milliseconds");
  }
  if (axis == "bytes" || axis == "bytes per second" || axis == "sum, bytes") {
    constexpr std::array<std::string_view, 4> kSizes{"kB", "MB", "GB", "TB"};
    for (size_t i = kSizes.size(); i > 0; --i)
      if (const double size = std::pow(1024.0, double(i)); most >= size)
        return scaled("bytes", size, kSizes[i - 1]);
  }
  return {1, axis};
}

constexpr std::string_view kStyle =
    R"(.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.d1{stroke-dasharray:7 4}.d2{stroke-dasharray:2 4}.d3{stroke-dasharray:10 3 2 3}
.c0{stroke:#0969da}.c1{stroke:#bc4c00}.c2{stroke:#1a7f37}.c3{stroke:#8250df}
.c4{stroke:#cf222e}.c5{stroke:#0b7285}.c6{stroke:#9a6700}.c7{stroke:#bf3989}
.before{fill:#8c959f;fill-opacity:.14}
)";
constexpr std::string_view kDarkStyle =
    R"(.c0{stroke:#58a6ff}.c1{stroke:#ffa657}.c2{stroke:#3fb950}.c3{stroke:#bc8cff}
.c4{stroke:#ff7b72}.c5{stroke:#39c5cf}.c6{stroke:#e3b341}.c7{stroke:#f778ba}
)";

std::string class_of(const Shown& line) {
  return fmt::format("line c{} d{}", line.look % 8, line.look / 8 % 4);
}

/// One picture under construction; y grows downwards, panel by panel.
class Chart {
 public:
  Chart(const RollupQuery& query, const RollupSteps& steps, const ChartWish& wish, std::vector<Shown> lines)
      : query_(query), steps_(steps), wish_(wish), lines_(std::move(lines)) {
    time_ = {0, double(query.to - query.from), kPlotLeft, kPlotRight};
  }

  std::string draw() {
    std::vector<std::pair<std::string, std::vector<const Shown*>>> panels;
    for (const Shown& line : lines_) {
      const std::string axis = axis_of(line);
      auto found = std::ranges::find(panels, axis, [](const auto& panel) { return panel.first; });
      if (found == panels.end()) found = panels.insert(panels.end(), {axis, {}});
      found->second.push_back(&line);
    }
    std::string body;
    double top = kTop;
    for (const auto& [axis, lines] : panels) {
      body += panel(axis, lines, top);
      top += kPanel + kBetween + legend_height(lines);
    }
    if (panels.empty()) {
      const PlotPanel empty{top + 24, kPanel, top + 12};
      body += plot_frame(empty, "", {0, 1, empty.top + kPanel, empty.top}, {}) + time_axis(empty) +
              fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="middle">no values within this time</text>)"
                          "\n",
                          (kPlotLeft + kPlotRight) / 2, empty.top + kPanel / 2);
      top += kPanel + kBetween;
    }
    return plot_head(top + 6, wish_.title, said(), kStyle, kDarkStyle) + body + "</svg>\n";
  }

 private:
  std::string said() const {
    const auto text = [](Micros time) {
      const std::string whole = rfc3339_json(time);
      return whole.substr(0, 10) + " " + whole.substr(11, 5);
    };
    std::string out = text(query_.from) + " to " + text(query_.to) + " UTC, steps of " +
                      duration_text(std::chrono::microseconds(query_.step));
    if (steps_.whole_from > query_.from) out += "; shaded: not all of it is kept";
    return out;
  }

  double middle(Micros step) const { return time_.at(double(step - query_.from) + double(query_.step) / 2); }

  /// Steps that are not over have no rate, no count and no sum that could be compared.
  bool drawn(const Shown& line, Micros step) const {
    const bool whole =
        line.figure == Figure::rate || line.figure == Figure::count || line.figure == Figure::sum;
    return !whole || step + query_.step <= wish_.now;
  }

  std::vector<std::pair<Micros, double>> values(const Shown& line) const {
    std::vector<std::pair<Micros, double>> all;
    for (const auto& [step, cell] : *line.points) {
      if (!drawn(line, step)) continue;
      const double value = value_of(line, cell, double(query_.step) / double(kSecond));
      if (std::isfinite(value)) all.emplace_back(step, value);
    }
    return all;
  }

  std::string panel(const std::string& axis, const std::vector<const Shown*>& lines, double top) const {
    std::vector<std::vector<std::pair<Micros, double>>> all;
    double least = 0, most = 0;
    for (const Shown* line : lines) {
      all.push_back(values(*line));
      for (const auto& [step, value] : all.back())
        least = std::min(least, value), most = std::max(most, value);
    }
    const Unit unit = unit_for(axis, std::max(most, -least));
    const PlotPanel panel{top + 24, kPanel, top + 12};
    const auto ticks = round_ticks(least / unit.size, most > least ? most / unit.size : 1, 5);
    const PlotScale y{ticks.front(), ticks.back(), panel.top + panel.height, panel.top};
    std::string out = shade(panel) + plot_frame(panel, plot_escaped(unit.name), y, ticks) + time_axis(panel);
    for (size_t i = 0; i < lines.size(); ++i) out += line_of(*lines[i], all[i], y, unit.size);
    return out + legend(lines, panel.top + panel.height + 42);
  }

  std::string shade(const PlotPanel& panel) const {
    const Micros end = std::min(steps_.whole_from, query_.to);
    if (end <= query_.from) return "";
    return fmt::format(R"(<rect class="before" x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)"
                       "\n",
                       kPlotLeft, panel.top, time_.at(double(end - query_.from)) - kPlotLeft, panel.height);
  }

  /// Steps in a row become one line; one alone becomes a dot.
  std::string line_of(const Shown& line, const std::vector<std::pair<Micros, double>>& points,
                      const PlotScale& y, double unit) const {
    std::string path;
    Micros next = -1;
    bool alone = false;
    for (const auto& [step, value] : points) {
      const double at = y.at(value / unit);
      const bool goes_on = step == next;
      if (!goes_on && alone) path += "h0";
      path += fmt::format("{}{:.1f} {:.1f}", goes_on ? "L" : "M", middle(step), at);
      alone = !goes_on;
      next = step + query_.step;
    }
    if (alone) path += "h0";
    return fmt::format(R"(<path class="{}" d="{}"><title>{}</title></path>)"
                       "\n",
                       class_of(line), path, plot_escaped(name_of(line)));
  }

  std::string time_axis(const PlotPanel& panel) const {
    constexpr std::array<Micros, 16> kTicks{
        kMinute,   2 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute, 30 * kMinute, kHour,     2 * kHour,
        3 * kHour, 6 * kHour,   12 * kHour,  kDay,         2 * kDay,     7 * kDay,     30 * kDay, 365 * kDay};
    const Micros span = query_.to - query_.from;
    Micros tick = kTicks.back();
    for (const Micros one : kTicks) {
      if (span / one > 10) continue;
      tick = one;
      break;
    }
    const double bottom = panel.top + panel.height;
    std::string out;
    for (Micros at = (query_.from + tick - 1) / tick * tick; at <= query_.to; at += tick) {
      const std::string whole = rfc3339_json(at);
      const bool day = at % kDay == 0;
      const std::string label = day ? whole.substr(5, 5) : whole.substr(11, 5);
      out += fmt::format(
          R"(<path class="axis" d="M{0:.1f} {1:.1f}v5"/><text x="{0:.1f}" y="{2:.1f}" text-anchor="middle">{3}</text>)"
          "\n",
          time_.at(double(at - query_.from)), bottom, bottom + 20, label);
    }
    return out;
  }

  // ---- what the lines mean

  static std::string name_of(const Shown& line) {
    std::string name = line.series->name;
    if (!line.series->source.empty()) name += " of " + line.series->source;
    return name + ", " + std::string(to_string(line.figure));
  }

  /// Of a long name both ends.
  static std::string short_name(const Shown& line) {
    const std::string name = name_of(line);
    constexpr size_t kMost = 110, kEnd = 50;
    if (name.size() <= kMost) return name;
    size_t from = name.size() - kEnd, to = kMost - kEnd - 3;
    while (from < name.size() && (uint8_t(name[from]) & 0xC0) == 0x80) ++from;
    while (to > 0 && (uint8_t(name[to]) & 0xC0) == 0x80) --to;
    return name.substr(0, to) + "\xE2\x80\xA6" + name.substr(from);
  }

  struct Place {
    double x, y;
  };
  /// Where each name begins, row by row, from the first row on; and how high that is.
  static std::vector<Place> places(const std::vector<const Shown*>& lines, double& height) {
    std::vector<Place> all;
    double x = kPlotLeft, y = 0;
    for (const Shown* line : lines) {
      const double width = 32 + double(short_name(*line).size()) * kLetter;
      if (x > kPlotLeft && x + width > kPlotRight) x = kPlotLeft, y += kLegendRow;
      all.push_back({x, y});
      x += width + 16;
    }
    height = y;
    return all;
  }
  static double legend_height(const std::vector<const Shown*>& lines) {
    double height = 0;
    places(lines, height);
    return height;
  }
  static std::string legend(const std::vector<const Shown*>& lines, double top) {
    std::string out;
    double height = 0;
    const auto where = places(lines, height);
    for (size_t i = 0; i < lines.size(); ++i)
      out += fmt::format(R"(<path class="{}" d="M{:.1f} {:.1f}h22"/><text x="{:.1f}" y="{:.1f}">{}</text>)"
                         "\n",
                         class_of(*lines[i]), where[i].x, top + where[i].y - 4, where[i].x + 30,
                         top + where[i].y, plot_escaped(short_name(*lines[i])));
    return out;
  }

  const RollupQuery& query_;
  const RollupSteps& steps_;
  const ChartWish& wish_;
  const std::vector<Shown> lines_;
  PlotScale time_;
};

}  // namespace

std::optional<Figure> parse_figure(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  return found == kNames.end() ? std::nullopt : std::optional(Figure(found - kNames.begin()));
}

std::string_view to_string(Figure figure) {
  return kNames[size_t(figure)];
}

std::optional<std::string> metrics_chart(const RollupQuery& query, const RollupSteps& steps,
                                         const ChartWish& wish, std::string& error) {
  if ((query.to - query.from) / query.step > kMostChartSteps) {
    error = fmt::format("step: more than {} steps in a chart; take a longer step or a later from",
                        kMostChartSteps);
    return std::nullopt;
  }
  std::vector<Shown> lines;
  for (const auto& [name, points] : steps.series)
    for (const Figure figure : wish.show.empty() ? usual(name) : wish.show) {
      if (lines.size() == kMostLines) {
        error = fmt::format("name: more than {} lines in a chart; take fewer with name=, source= and show=",
                            kMostLines);
        return std::nullopt;
      }
      lines.push_back({&name, &points, figure, lines.size()});
    }
  return Chart(query, steps, wish, std::move(lines)).draw();
}

}  // namespace tailrace

#include "cli/sink_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "base/plot.h"

namespace tailrace {
namespace {

constexpr double kLeft = kPlotLeft, kRight = kPlotRight, kTop = 92, kRow = 18;
constexpr double kLetter = 6.2;  // about, of a band's name

struct Unit {
  double seconds;
  std::string_view name;
};

Unit unit_of(double length) {
  if (length <= 300) return {1, "s"};
  return length <= 3 * 3600 ? Unit{60, "min"} : Unit{3600, "h"};
}

double rate(const SinkTimeline& past, size_t i) {
  const double width = double(past.width().count());
  const double known = std::min(width, past.length() - double(i) * width);
  return double(past.buckets()[i].received) / std::max(known, width / 2);
}

constexpr std::string_view kStyle = R"(.band{fill:#bf8700;fill-opacity:.13}
.odd{fill-opacity:.22}
.edge{stroke:#9a6700;stroke-width:1;stroke-opacity:.55}
.name{fill:#7d4e00;font-size:11px}
.rate{fill:#0969da;fill-opacity:.75}
.missing{stroke:#cf222e;stroke-width:2;fill:none}
.repeated{stroke:#8250df;stroke-width:2;fill:none;stroke-dasharray:6 3}
.lag{stroke:#1a7f37;stroke-width:2;fill:none;stroke-linejoin:round}
.spread{fill:#1a7f37;fill-opacity:.22}
.dot{fill:#1a7f37}
)";
constexpr std::string_view kDarkStyle =
    R"(.band{fill:#d29922;fill-opacity:.16}.odd{fill-opacity:.26}.edge{stroke:#d29922}.name{fill:#e3b341}.rate{fill:#58a6ff}
.missing{stroke:#ff7b72}.repeated{stroke:#bc8cff}.lag{stroke:#3fb950}.spread,.dot{fill:#3fb950})";

// One picture under construction; y grows downwards, panel by panel.
class Picture {
 public:
  Picture(const SinkTimeline& past, const SinkCounts& counts, std::string_view title)
      : past_(past), counts_(counts), title_(title) {
    time_ = {0, std::max(past.length(), 1.0), kLeft, kRight};
    place_names();
  }

  std::string draw() {
    // The names stand between the first panel and its heading.
    const double first = kTop + 14 + double(rows_) * kRow;
    const PlotPanel rates{first, 150, kTop - 4}, numbers{first + 200, 90, first + 188},
        lags{first + 340, 150, first + 328};
    const std::string panels = received(rates) + repeats(numbers) + lag(lags);
    const double bottom = lags.top + lags.height;
    const double height = bottom + 48;
    const std::string said = summary();
    return plot_head(height, title_, said, kStyle, kDarkStyle) + bands({rates, numbers, lags}) + panels +
           time_axis(bottom) + "</svg>\n";
  }

 private:
  std::string summary() const {
    return fmt::format(
        "{} records received, {} missing, {} repeated, {} requests, {} turned away, {} connections",
        plot_number(double(counts_.received)), plot_number(double(counts_.missing)),
        plot_number(double(counts_.repeated)), plot_number(double(counts_.requests)),
        plot_number(double(counts_.turned_away)), plot_number(double(counts_.connections)));
  }

  // ---- the schedule

  // Names stand over the beginning of their band, in the first row where there is room.
  void place_names() {
    std::vector<double> ends;
    for (const auto& stretch : past_.stretches()) {
      const double width = double(stretch.name.size()) * kLetter + 8;
      const double x = std::min(time_.at(stretch.from), kRight - width);
      size_t row = 0;
      while (row < ends.size() && ends[row] > x) ++row;
      if (row == ends.size()) {
        if (row == 4) {
          names_.push_back({x, std::nullopt});
          continue;
        }
        ends.push_back(0);
      }
      ends[row] = x + width;
      names_.push_back({x, row});
    }
    rows_ = ends.size();
  }

  std::string bands(const std::vector<PlotPanel>& panels) const {
    std::string out;
    for (size_t i = 0; i < past_.stretches().size(); ++i) {
      const auto& stretch = past_.stretches()[i];
      const double from = time_.at(stretch.from), to = time_.at(stretch.to);
      const auto& [x, row] = names_[i];
      out += fmt::format("<g><title>{}, {:.1f} s to {:.1f} s</title>", plot_escaped(stretch.name),
                         stretch.from, stretch.to);
      for (const PlotPanel& panel : panels) {
        const double top = &panel == &panels.front() && row ? name_line(*row) - 10 : panel.top;
        out +=
            fmt::format(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                        i % 2 ? "band odd" : "band", from, panel.top, std::max(to - from, 0.5), panel.height);
        out += fmt::format(R"(<path class="edge" d="M{:.1f} {:.1f}V{:.1f}"/>)", from, top,
                           panel.top + panel.height);
      }
      if (row)
        out += fmt::format(R"(<text class="name" x="{:.1f}" y="{:.1f}">{}</text>)", x + 4, name_line(*row),
                           plot_escaped(stretch.name));
      out += "</g>\n";
    }
    return out;
  }

  static double name_line(size_t row) { return kTop + 20 + double(row) * kRow; }

  // ---- panels

  std::string received(const PlotPanel& panel) const {
    const double bottom = panel.top + panel.height;
    std::vector<double> rates;
    for (size_t i = 0; i < past_.buckets().size(); ++i) rates.push_back(rate(past_, i));
    std::vector<double> some;
    for (const double r : rates) {
      if (r > 0) some.push_back(r);
    }
    std::sort(some.begin(), some.end());
    const double most = some.empty() ? 1 : some.back();
    PlotScale y{0, 1, bottom, panel.top};
    y.logarithmic = !some.empty() && most > 12 * some[some.size() / 2];
    std::vector<double> ticks;
    if (y.logarithmic) {
      y.least = 1;
      while (y.least > some.front()) y.least /= 10;
      for (double tick = y.least; ticks.size() < 2 || ticks.back() < most; tick *= 10) ticks.push_back(tick);
    } else {
      ticks = round_ticks(0, most, 4);
    }
    y.most = ticks.back();
    std::string bars;
    const double width = double(past_.width().count());
    for (size_t i = 0; i < rates.size(); ++i) {
      if (rates[i] <= 0) continue;
      const double from = time_.at(double(i) * width);
      const double to = time_.at(std::min(double(i + 1) * width, past_.length()));
      const double at = std::min(y.at(rates[i]), bottom - 1.5);  // few are not none
      bars += fmt::format("M{0:.2f} {1:.2f}V{2:.2f}H{3:.2f}V{1:.2f}Z", from, bottom, at, to);
    }
    return plot_frame(
               panel,
               y.logarithmic ? "received, records per second (logarithmic)" : "received, records per second",
               y, ticks) +
           "<path class=\"rate\" d=\"" + bars + "\"/>\n";
  }

  std::string steps(const PlotScale& y, std::string_view kind, uint64_t SinkTimeline::Bucket::* what) const {
    std::string line;
    uint64_t before = 0;
    const double width = double(past_.width().count());
    for (size_t i = 0; i < past_.buckets().size(); ++i) {
      const uint64_t now = past_.buckets()[i].*what;
      if (i == 0) line = fmt::format("M{:.2f} {:.2f}", kLeft, y.at(0));
      // What a bucket brought is drawn as a slope over it.
      if (now != before) {
        line += fmt::format("H{:.2f}L{:.2f} {:.2f}", time_.at(double(i) * width),
                            time_.at(std::min(double(i + 1) * width, past_.length())), y.at(double(now)));
      }
      before = now;
    }
    if (!line.empty()) line += fmt::format("H{:.2f}", time_.at(past_.length()));
    return fmt::format(R"(<path class="{}" d="{}"/>)"
                       "\n",
                       kind, line);
  }

  std::string repeats(const PlotPanel& panel) const {
    uint64_t most = 1;
    for (const auto& bucket : past_.buckets()) most = std::max({most, bucket.missing, bucket.repeated});
    const auto ticks = round_ticks(0, double(most), 3, 1);
    const PlotScale y{0, ticks.back(), panel.top + panel.height, panel.top};
    return plot_frame(panel, "missing and repeated, records so far", y, ticks) +
           plot_legend(panel, {{"missing", "missing " + plot_number(double(counts_.missing))},
                               {"repeated", "repeated " + plot_number(double(counts_.repeated))}}) +
           steps(y, "missing", &SinkTimeline::Bucket::missing) +
           steps(y, "repeated", &SinkTimeline::Bucket::repeated);
  }

  std::string lag(const PlotPanel& panel) const {
    double least = 0, most = 0;
    bool any = false;
    for (const auto& bucket : past_.buckets()) {
      if (bucket.lags == 0) continue;
      any = true;
      least = std::min(least, bucket.lag_least), most = std::max(most, bucket.lag_most);
    }
    const double unit = any && most < 0.5 ? 1e-3 : 1;
    const auto ticks = round_ticks(least / unit, most > 0 ? most / unit : 1, 4);
    const PlotScale y{ticks.front(), ticks.back(), panel.top + panel.height, panel.top};
    std::string out = plot_frame(
        panel,
        fmt::format("lag, {}: arrival minus the record's own time", unit < 1 ? "milliseconds" : "seconds"), y,
        ticks);
    if (!any)
      return out + fmt::format(
                       R"(<text x="{}" y="{:.1f}" text-anchor="middle">no record's time could be read</text>)"
                       "\n",
                       (kLeft + kRight) / 2, panel.top + panel.height / 2);
    return out + plot_legend(panel, {{"lag", "mean"}, {"spread", "least to most"}}) +
           lag_runs({y.least * unit, y.most * unit, y.from, y.to});
  }

  // Buckets in a row become one line; where nothing came there is none.
  std::string lag_runs(const PlotScale& y) const {
    std::string spread, mean, dots;
    const auto& all = past_.buckets();
    const double width = double(past_.width().count());
    const auto middle = [&](size_t i) { return time_.at((double(i) + 0.5) * width); };
    for (size_t i = 0; i < all.size();) {
      if (all[i].lags == 0) {
        ++i;
        continue;
      }
      const size_t begin = i;
      while (i < all.size() && all[i].lags > 0) ++i;
      std::string back;
      for (size_t k = begin; k < i; ++k) {
        const double from = time_.at(double(k) * width), to = time_.at(double(k + 1) * width);
        spread +=
            fmt::format("{}{:.2f} {:.2f}H{:.2f}", k == begin ? "M" : "L", from, y.at(all[k].lag_most), to);
        back = fmt::format("L{:.2f} {:.2f}H{:.2f}", to, y.at(all[k].lag_least), from) + back;
        const double average = all[k].lag_sum / double(all[k].lags);
        mean += fmt::format("{}{:.2f} {:.2f}", k == begin ? "M" : "L", middle(k), y.at(average));
        if (i - begin == 1)
          dots += fmt::format(R"(<circle class="dot" cx="{:.2f}" cy="{:.2f}" r="2.5"/>)", middle(k),
                              y.at(average));
      }
      spread += back + "Z";
    }
    return fmt::format(R"(<path class="spread" d="{}"/>)"
                       "\n"
                       R"(<path class="lag" d="{}"/>{})"
                       "\n",
                       spread, mean, dots);
  }

  std::string time_axis(double bottom) const {
    const Unit unit = unit_of(past_.length());
    std::string out;
    for (const double tick : round_ticks(0, time_.most / unit.seconds, 9)) {
      if (tick * unit.seconds > time_.most * 1.0001) break;
      const double at = time_.at(tick * unit.seconds);
      out += fmt::format(
          R"(<path class="axis" d="M{0:.1f} {1:.1f}v5"/><text x="{0:.1f}" y="{2:.1f}" text-anchor="middle">{3}</text>)"
          "\n",
          at, bottom, bottom + 19, plot_number(tick));
    }
    return out + fmt::format(
                     R"(<text x="{}" y="{:.1f}" text-anchor="middle">time since the sink's start, {}</text>)"
                     "\n",
                     (kLeft + kRight) / 2, bottom + 38, unit.name);
  }

  const SinkTimeline& past_;
  const SinkCounts& counts_;
  const std::string title_;
  PlotScale time_;
  std::vector<std::pair<double, std::optional<size_t>>> names_;  // x and row of each stretch's
  size_t rows_ = 0;
};

}  // namespace

std::string sink_plot(const SinkTimeline& past, const SinkCounts& counts, std::string_view title) {
  return Picture(past, counts, title).draw();
}

}  // namespace tailrace

#include "cli/routing_study_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/plot.h"

namespace tailrace {
namespace {

using Runs = std::vector<RoutingStudyRun>;

// ---- tables

std::string routing_name(const RoutingStudyRun& run) {
  if (run.routers == 0) return "random";
  return run.routers == 1 ? "1 router" : fmt::format("{} routers", run.routers);
}

// `0.4`, `52`, `2,766`; what is nothing is 0.
std::string millis(double seconds) {
  const double ms = seconds * 1000;
  if (ms < 9.95) return ms < 0.05 ? "0" : fmt::format("{:.1f}", ms);
  return plot_number(std::round(ms));
}

std::string both(double tailrace, double exact) {
  return millis(tailrace) + " / " + millis(exact);
}

std::string took_table(const Runs& runs) {
  std::string out =
      "| routing | mean | p50 | p95 | p99 | max | H12 |\n"
      "|---|--:|--:|--:|--:|--:|--:|\n";
  for (const RoutingStudyRun& run : runs) {
    const Percentiles &t = run.took, &e = run.really_took;
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", routing_name(run), both(t.mean, e.mean),
                       both(t.p50, e.p50), both(t.p95, e.p95), both(t.p99, e.p99), both(t.max, e.max),
                       run.timeouts);
  }
  return out;
}

std::string wait_table(const Runs& runs) {
  std::string out =
      "| routing | `queue=`, mean | `wait=`, p99 | waited, mean | waited, p99 | `measure#queue`, mean | "
      "`measure#queue`, p99 | waited longer than served | saturation | dynos busy |\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const RoutingStudyRun& run : runs) {
    const double depth = run.queueing.depth * run.queueing.rate;
    out +=
        fmt::format("| {} | {} | {} | {} | {} | {} | {} | {:.1f} % | {:.2f} | {:.0f} % |\n",
                    routing_name(run), depth < 0.0005 ? "0" : fmt::format("{:.3f}", depth),
                    millis(run.told_wait.p99), millis(run.really_waited.mean), millis(run.really_waited.p99),
                    millis(run.app_wait.mean), millis(run.app_wait.p99),
                    100 * double(run.late) / double(run.requests), run.queueing.saturation, 100 * run.busy);
  }
  return out;
}

// ---- picture

constexpr std::string_view kStyle =
    R"(.p50{stroke:#1a7f37}.p95{stroke:#bf8700}.p99{stroke:#cf222e}.mean{stroke:#57606a;stroke-dasharray:5 3}
.real{stroke:#cf222e}.told{stroke:#0969da}.app{stroke:#8250df;stroke-dasharray:2 4}
.p50,.p95,.p99,.mean,.real,.told,.app{stroke-width:2;fill:none;stroke-linejoin:round}
.dot{stroke:none}.dot.p50{fill:#1a7f37}.dot.p95{fill:#bf8700}.dot.p99,.dot.real{fill:#cf222e}.dot.mean{fill:#57606a}
.dot.told{fill:#0969da}.dot.app{fill:#8250df}
)";
constexpr std::string_view kDarkStyle =
    R"(.p50{stroke:#3fb950}.p95{stroke:#d29922}.p99,.real{stroke:#ff7b72}.mean{stroke:#9da7b3}.told{stroke:#58a6ff}.app{stroke:#bc8cff}
.dot{stroke:none}.dot.p50{fill:#3fb950}.dot.p95{fill:#d29922}.dot.p99,.dot.real{fill:#ff7b72}.dot.mean{fill:#9da7b3}
.dot.told{fill:#58a6ff}.dot.app{fill:#bc8cff}
)";

constexpr double kInset = 50;  // of the first and the last run

double place(const Runs& runs, size_t i) {
  const double step = (kPlotRight - kPlotLeft - 2 * kInset) / double(std::max<size_t>(1, runs.size() - 1));
  return kPlotLeft + kInset + double(i) * step;
}

// One figure of all runs: a line through them, and a dot for each with its value to hover over.
template <class F>
std::string curve(const Runs& runs, const PlotScale& y, std::string_view kind, F&& seconds) {
  std::string path, dots;
  for (size_t i = 0; i < runs.size(); ++i) {
    const double value = seconds(runs[i]), x = place(runs, i), at = y.at(value * 1000);
    path += fmt::format("{}{:.1f} {:.1f}", i ? "L" : "M", x, at);
    dots += fmt::format(
        R"(<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}, {}: {} ms</title></circle>)", kind,
        x, at, routing_name(runs[i]), kind, millis(value));
  }
  return fmt::format(R"(<path class="{}" d="{}"/>)", kind, path) + "\n" + dots + "\n";
}

std::string took_panel(const PlotPanel& panel, std::string_view heading, const Runs& runs) {
  const PlotScale y{10, 10'000, panel.top + panel.height, panel.top, true};
  return plot_frame(panel, heading, y, {10, 100, 1000, 10'000}) +
         plot_legend(panel, {{"p50", "p50"}, {"mean", "mean"}, {"p95", "p95"}, {"p99", "p99"}}) +
         curve(runs, y, "p50", [](const auto& run) { return run.took.p50; }) +
         curve(runs, y, "mean", [](const auto& run) { return run.took.mean; }) +
         curve(runs, y, "p95", [](const auto& run) { return run.took.p95; }) +
         curve(runs, y, "p99", [](const auto& run) { return run.took.p99; });
}

std::string wait_panel(const PlotPanel& panel, const Runs& runs) {
  double most = 0;
  for (const RoutingStudyRun& run : runs) most = std::max(most, run.really_waited.mean * 1000);
  const auto ticks = round_ticks(0, most, 4);
  const PlotScale y{0, ticks.back(), panel.top + panel.height, panel.top, false};
  return plot_frame(panel, "mean wait with the slow ones, ms", y, ticks) +
         plot_legend(panel, {{"real", "really"}, {"app", "measure#queue"}, {"told", "wait= of the router"}}) +
         curve(runs, y, "real", [](const auto& run) { return run.really_waited.mean; }) +
         curve(runs, y, "app", [](const auto& run) { return run.app_wait.mean; }) +
         curve(runs, y, "told", [](const auto& run) { return run.told_wait.mean; });
}

std::string routing_axis(const Runs& runs, double bottom) {
  std::string out;
  for (size_t i = 0; i < runs.size(); ++i)
    out += fmt::format(
        R"(<path class="axis" d="M{0:.1f} {1:.1f}v5"/><text x="{0:.1f}" y="{2:.1f}" text-anchor="middle">{3}</text>)"
        "\n",
        place(runs, i), bottom, bottom + 19, routing_name(runs[i]));
  return out;
}

std::string of_requests(const RoutingStudyOptions& o) {
  return fmt::format("{:g} requests/s to {} dynos that serve one at a time", o.rate, o.dynos);
}

std::string rare(const RoutingStudyOptions& o) {
  return fmt::format("one in {} takes {} ms", plot_number(std::round(1 / o.slow_share)),
                     plot_number(o.slow_ms));
}

}  // namespace

std::string routing_study_tables(const RoutingStudyRuns& runs) {
  const RoutingStudyOptions& o = runs.options;
  const std::string usual = plot_number(o.service_ms) + " ms";
  return fmt::format(
      "**Response times in ms, Tailrace's / exact.** {}, {} each, but {}; {:.3g} minutes of each "
      "routing:\n\n{}\n"
      "**The same without the slow ones**, every request {}:\n\n{}\n"
      "**The wait in ms, with the slow ones:** what the router said, what was, and what tells of it:\n\n{}",
      of_requests(o), usual, rare(o), double(o.duration) / 60e6, took_table(runs.slow), usual,
      took_table(runs.even), wait_table(runs.slow));
}

std::optional<std::string> with_tables(std::string_view page, std::string_view tables) {
  constexpr std::string_view kBegin = "<!-- tables -->\n", kEnd = "<!-- end of tables -->\n";
  const size_t begin = page.find(kBegin);
  if (begin == page.npos) return std::nullopt;
  const size_t end = page.find(kEnd, begin);
  if (end == page.npos) return std::nullopt;
  return std::string(page.substr(0, begin + kBegin.size())) + std::string(tables) +
         std::string(page.substr(end));
}

std::string routing_study_plot(const RoutingStudyRuns& runs) {
  const RoutingStudyOptions& o = runs.options;
  const PlotPanel slow{104, 190, 92}, even{360, 190, 348}, wait{616, 120, 604};
  const double bottom = wait.top + wait.height;
  const std::string said =
      fmt::format("{}; each router with a queue of its own, or random assignment", of_requests(o));
  return plot_head(bottom + 40, "Response times as routers are added", said, kStyle, kDarkStyle) +
         took_panel(slow,
                    fmt::format("{} ms each, but {}: response time, ms (logarithmic)",
                                plot_number(o.service_ms), rare(o)),
                    runs.slow) +
         routing_axis(runs.slow, slow.top + slow.height) +
         took_panel(even, fmt::format("{} ms each, without exception", plot_number(o.service_ms)),
                    runs.even) +
         routing_axis(runs.even, even.top + even.height) + wait_panel(wait, runs.slow) +
         routing_axis(runs.slow, bottom) + "</svg>\n";
}

}  // namespace tailrace

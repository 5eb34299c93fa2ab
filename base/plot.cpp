#include "base/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr double kLegendLetter = 7;  // about

constexpr std::string_view kStyle =
    R"(text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#57606a}
.title{font-size:17px;font-weight:600;fill:#1f2328}
.panel{font-weight:600;fill:#1f2328}
.paper{fill:#ffffff}
.grid{stroke:#d8dee4;stroke-width:1;fill:none}
.axis{stroke:#8c959f;stroke-width:1;fill:none}
)";
constexpr std::string_view kDarkStyle =
    R"(text{fill:#9da7b3}.title,.panel{fill:#e6edf3}.paper{fill:#0d1117}.grid{stroke:#262c36}.axis{stroke:#6e7681}
)";

}  // namespace

double PlotScale::at(double value) const {
  const double v = std::clamp(value, least, most);
  const double share =
      logarithmic ? std::log(v / least) / std::log(most / least) : (v - least) / (most - least);
  return from + share * (to - from);
}

std::string plot_escaped(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  const bool utf8 = is_utf8(text);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        if (uint8_t(c) < 0x20) {
          out += ' ';
        } else if (uint8_t(c) >= 0x80 && !utf8) {
          out += kReplacement;
        } else if (text.substr(i).starts_with("\xEF\xBF\xBE") || text.substr(i).starts_with("\xEF\xBF\xBF")) {
          out += kReplacement;
          i += 2;
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string plot_number(double value) {
  if (value != std::floor(value)) return fmt::format("{:g}", value);
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return value < 0 ? "-" + digits : digits;
}

std::string plot_head(double height, std::string_view title, std::string_view said, std::string_view style,
                      std::string_view dark_style) {
  const std::string name = plot_escaped(title), description = plot_escaped(said);
  return fmt::format(
             R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" role="img">)"
             "\n<title>{2}</title>\n<desc>{3}</desc>\n<style>\n",
             kPlotWidth, height, name, description) +
         std::string(kStyle) + std::string(style) + "@media (prefers-color-scheme:dark){\n" +
         std::string(kDarkStyle) + std::string(dark_style) + "}\n</style>\n" +
         fmt::format(R"(<rect class="paper" width="{:.0f}" height="{:.0f}"/>)"
                     "\n"
                     R"(<text class="title" x="24" y="34">{}</text>)"
                     "\n"
                     R"(<text x="24" y="56">{}</text>)"
                     "\n",
                     kPlotWidth, height, name, description);
}

std::string plot_frame(const PlotPanel& panel, std::string_view heading, const PlotScale& y,
                       const std::vector<double>& ticks) {
  std::string out = fmt::format(R"(<text class="panel" x="{}" y="{:.1f}">{}</text>)"
                                "\n",
                                kPlotLeft, panel.heading, heading);
  for (const double tick : ticks) {
    const double at = y.at(tick);
    out += fmt::format(
        R"(<path class="grid" d="M{0} {1:.1f}H{2}"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)"
        "\n",
        kPlotLeft, at, kPlotRight, kPlotLeft - 8, at + 4, plot_number(tick));
  }
  return out + fmt::format(R"(<path class="axis" d="M{0} {1:.1f}V{2:.1f}H{3}"/>)"
                           "\n",
                           kPlotLeft, panel.top, panel.top + panel.height, kPlotRight);
}

std::string plot_legend(const PlotPanel& panel,
                        const std::vector<std::pair<std::string_view, std::string>>& entries) {
  std::string out;
  double end = kPlotRight;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const auto& [kind, text] = *entry;
    const double begin = end - double(text.size()) * kLegendLetter;
    out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}">{}</text>)", begin, panel.heading, text);
    out +=
        kind == "spread"
            ? fmt::format(R"(<rect class="spread" x="{:.1f}" y="{:.1f}" width="22" height="10"/>)",
                          begin - 30, panel.heading - 9)
            : fmt::format(R"(<path class="{}" d="M{:.1f} {:.1f}h22"/>)", kind, begin - 30, panel.heading - 4);
    end = begin - 50;
  }
  return out + "\n";
}

std::vector<double> round_ticks(double least, double most, int wanted, double least_step) {
  const double span = std::max(most - std::min(least, 0.0), 1e-9);
  const double rough = span / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double factor = rough / power;
  const double step = std::max(least_step, power * (factor <= 1   ? 1
                                                    : factor <= 2 ? 2
                                                    : factor <= 5 ? 5
                                                                  : 10));
  std::vector<double> out;
  const auto first = int64_t(std::floor(std::min(least, 0.0) / step));
  for (int64_t i = first; out.size() < 2 || out.back() < most; ++i) {
    const double tick = double(i) * step;
    out.push_back(std::abs(tick) < 1e6 ? std::round(tick * 1e9) / 1e9 : tick);
  }
  return out;
}

}  // namespace tailrace

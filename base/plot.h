#pragma once
// What the pictures have in common: an SVG on its own, for light and dark, without script.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace {

inline constexpr double kPlotWidth = 960, kPlotLeft = 74, kPlotRight = 936;

/// From a value to a place on an axis; what lies outside is set back to its end. Logarithmic: `least` > 0.
struct PlotScale {
  double least = 0, most = 1;  // values
  double from = 0, to = 1;     // pixels
  bool logarithmic = false;

  double at(double value) const;
};

/// Between kPlotLeft and kPlotRight; y grows downwards.
struct PlotPanel {
  double top, height;
  double heading;  // where its text stands
};

/// For element texts, whatever the bytes: what XML cannot have becomes a blank or U+FFFD.
std::string plot_escaped(std::string_view text);
/// `12,345` or `0.25`: whole numbers with their thousands apart.
std::string plot_number(double value);

/// Everything up to the panels: title and description, for readers and for programs, and the paper. `style`
/// and `dark_style` are CSS for what the panels draw.
std::string plot_head(double height, std::string_view title, std::string_view said, std::string_view style,
                      std::string_view dark_style);
/// Heading, a line for each tick, and the axes.
std::string plot_frame(const PlotPanel& panel, std::string_view heading, const PlotScale& y,
                       const std::vector<double>& ticks);
/// What its lines and areas mean, at the right end of its heading; each a class and a text. Class `spread` is
/// an area.
std::string plot_legend(const PlotPanel& panel,
                        const std::vector<std::pair<std::string_view, std::string>>& entries);

/// Round values that cover 0 or `least` to `most`, about `wanted` of them, rising, `least_step` or more
/// apart; at least two.
std::vector<double> round_ticks(double least, double most, int wanted, double least_step = 0);

}  // namespace tailrace

#pragma once
// Reads a scrape of our own: Prometheus's text format, of which only samples are looked at.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace {

struct MetricSample {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string>> labels;  // values without their escapes
  double value = 0;

  /// Empty if there is none.
  std::string_view label(std::string_view name) const;
};

/// Calls `use` with each sample; views last as long as the call. A line that is no sample, or has more than
/// 16 labels, is passed over. Whatever stands there, it ends after one pass.
void for_each_sample(std::string_view text, const std::function<void(const MetricSample&)>& use);

}  // namespace tailrace

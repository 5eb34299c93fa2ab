#pragma once
// The slow, obvious twin of sample_line.h. Shares no code with it.

#include <string>
#include <vector>

#include "metrics/lines/sample_line.h"
#include "tests/metrics/pair_twin.h"
#include "tests/metrics/quantity_twin.h"

namespace tailrace {

struct TwinSample {
  SeriesKind kind;
  std::string name;
  double value;
  std::string unit;
};

struct TwinSampleLine {
  std::string source;
  std::vector<TwinSample> pairs;
  uint32_t empty = 0, not_a_number = 0, negative = 0;
};

inline TwinSampleLine scan_sample_line_slowly(const std::string& message) {
  TwinSampleLine out;
  bool has_source = false;
  for (const auto& [name, value] : twin_pairs(message)) {
    if (name == "source" && !has_source) {
      has_source = true;
      out.source = value;
    }
    const size_t mark = name.find_first_of("#.");
    if (mark == std::string::npos) continue;
    const std::string prefix = name.substr(0, mark + 1), rest = name.substr(mark + 1);
    SeriesKind kind;
    if (prefix == "measure#" || prefix == "measure.")
      kind = SeriesKind::measure;
    else if (prefix == "count#")
      kind = SeriesKind::count;
    else if (prefix == "sample#")
      kind = SeriesKind::sample;
    else
      continue;
    const auto quantity = quantity_slowly(value);
    if (rest.empty() || value.empty())
      ++out.empty;
    else if (!quantity)
      ++out.not_a_number;
    else if (quantity->value < 0 && kind == SeriesKind::count)
      ++out.negative;
    else
      out.pairs.push_back({kind, rest, quantity->value, quantity->unit});
  }
  return out;
}

inline bool twin_same(const SampleLine& a, const TwinSampleLine& b) {
  if (a.source != b.source || a.empty != b.empty || a.not_a_number != b.not_a_number ||
      a.negative != b.negative || a.pairs.size() != b.pairs.size())
    return false;
  for (size_t i = 0; i < a.pairs.size(); ++i)
    if (a.pairs[i].kind != b.pairs[i].kind || a.pairs[i].name != b.pairs[i].name ||
        a.pairs[i].unit != b.pairs[i].unit || !twin_same(a.pairs[i].value, b.pairs[i].value))
      return false;
  return true;
}

}  // namespace tailrace

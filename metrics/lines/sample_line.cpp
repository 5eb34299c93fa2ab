#include "metrics/lines/sample_line.h"

#include "metrics/lines/pair_walk.h"
#include "metrics/lines/quantity.h"

namespace tailrace {
namespace {

struct Prefix {
  std::string_view text;
  SeriesKind kind;
};
constexpr Prefix kPrefixes[] = {
    {"sample#", SeriesKind::sample},
    {"measure#", SeriesKind::measure},
    {"count#", SeriesKind::count},
    {"measure.", SeriesKind::measure},
};

// Takes one line's pairs one by one.
class Taker {
 public:
  Taker(std::string_view message, SampleLine& line) : end_(message.data() + message.size()), line_(line) {
    line.source = {};
    line.pairs.clear();
    line.empty = line.not_a_number = line.negative = 0;
  }

  void take(std::string_view name, const char* value_at) {
    if (name == "source") return take_source(value_at);
    for (const Prefix& prefix : kPrefixes) {
      if (!name.starts_with(prefix.text)) continue;
      std::string_view value;
      if (read_value(value_at, end_, value)) take_pair(prefix.kind, name.substr(prefix.text.size()), value);
      return;
    }
  }

 private:
  void take_source(const char* value_at) {
    std::string_view value;
    if (has_source_ || !read_value(value_at, end_, value)) return;
    has_source_ = true;
    line_.source = value;
  }

  void take_pair(SeriesKind kind, std::string_view name, std::string_view value) {
    if (name.empty() || value.empty()) {
      ++line_.empty;
      return;
    }
    const auto quantity = parse_quantity(value);
    if (!quantity)
      ++line_.not_a_number;
    else if (kind == SeriesKind::count && quantity->value < 0)
      ++line_.negative;
    else
      line_.pairs.push_back({kind, name, quantity->value, quantity->unit});
  }

  const char* end_;
  SampleLine& line_;
  bool has_source_ = false;
};

}  // namespace

bool may_have_samples(std::string_view message) {
  return message.find('#') != std::string_view::npos || message.find("measure.") != std::string_view::npos;
}

void scan_sample_line(std::string_view message, SampleLine& line) {
  Taker taker(message, line);
  const char* text = message.data();
  walk_pairs(message, [&](const char* equal) {
    if (const std::string_view name = pair_name(text, equal); !name.empty()) taker.take(name, equal + 1);
  });
}

void scan_sample_line_portably(std::string_view message, SampleLine& line) {
  Taker taker(message, line);
  walk_pairs_portably(message,
                      [&](std::string_view name, const char* value_at) { taker.take(name, value_at); });
}

}  // namespace tailrace

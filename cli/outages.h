#pragma once
// When a sink is down, and how: the schedule of simulated downtime.

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/sink.h"

namespace tailrace {

class Outages {
 public:
  using Span = std::chrono::milliseconds;

  /// `10s:5s,30s:5s`: from when, for how long. None if it is anything else.
  static std::optional<Outages> parse(std::string_view text);
  /// Down for the last `length` of each `period`. None if the outage is not shorter than the period.
  static std::optional<Outages> repeated(Span period, Span length);

  bool down_at(Span since_start) const;

 private:
  std::vector<std::pair<Span, Span>> spans_;  // from, for
  Span period_{0}, length_{0};
};

/// `refuse`, `close`, `hang`, `status=503`, `slow=100ms`.
std::optional<SinkBehaviour> parse_sink_mode(std::string_view text);

}  // namespace tailrace

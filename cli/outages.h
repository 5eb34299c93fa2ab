#pragma once
// A sink's schedule: how it behaves from when on.

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/sink_behaviour.h"

namespace tailrace {

/// A value. Before its first entry all is well.
class Outages {
 public:
  using Span = std::chrono::milliseconds;

  /// `10s:status=503,25s:hang,40s:ok`: from each moment on that behaviour, until the next entry. The times
  /// rise. With a `period` it begins again after each, and all times must lie before its end.
  static std::optional<Outages> schedule(std::string_view text, Span period = Span(0));
  /// `10s:5s,30s:5s`: from when, for how long; ok between them.
  static std::optional<Outages> down(std::string_view text, const SinkBehaviour& how);
  /// Down for the last `length` of each `period`. None if the outage is not shorter than the period.
  static std::optional<Outages> repeated(Span period, Span length, const SinkBehaviour& how);

  SinkBehaviour at(Span since_start) const;

  using Entry = std::pair<Span, SinkBehaviour>;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // rising
  Span period_{0};              // 0: once
};

}  // namespace tailrace

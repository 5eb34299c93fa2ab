#include "cli/outages.h"

#include <algorithm>

#include "base/text.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

// `10s:REST` as its time and the rest.
std::optional<std::pair<Outages::Span, std::string_view>> cut(std::string_view piece) {
  const size_t colon = piece.find(':');
  const auto from = parse_duration(piece.substr(0, colon));
  if (!from || colon == piece.npos) return std::nullopt;
  return std::pair(*from, piece.substr(colon + 1));
}

}  // namespace

std::optional<Outages> Outages::schedule(std::string_view text, Span period) {
  Outages out;
  out.period_ = period;
  bool good = true;
  for_each_piece(text, ',', [&](std::string_view piece) {
    const auto entry = cut(piece);
    const auto how = entry ? parse_sink_behaviour(entry->second) : std::nullopt;
    good = good && how && (period.count() == 0 || entry->first < period) &&
           (out.entries_.empty() || entry->first > out.entries_.back().first);
    if (good) out.entries_.emplace_back(entry->first, *how);
  });
  if (!good || out.entries_.empty()) return std::nullopt;
  return out;
}

std::optional<Outages> Outages::down(std::string_view text, const SinkBehaviour& how) {
  std::vector<std::pair<Span, Span>> spans;  // from, to
  bool good = true;
  for_each_piece(text, ',', [&](std::string_view piece) {
    const auto span = cut(piece);
    const auto length = span ? parse_duration(span->second) : std::nullopt;
    good = good && length;
    if (good) spans.emplace_back(span->first, span->first + *length);
  });
  if (!good || spans.empty()) return std::nullopt;
  std::sort(spans.begin(), spans.end());
  Outages out;
  Span ends{-1};
  for (const auto& [from, to] : spans) {
    if (from <= ends) {
      ends = std::max(ends, to);
      out.entries_.back().first = ends;
      continue;
    }
    ends = to;
    out.entries_.emplace_back(from, how);
    out.entries_.emplace_back(to, SinkBehaviour{});
  }
  return out;
}

std::optional<Outages> Outages::repeated(Span period, Span length, const SinkBehaviour& how) {
  if (length >= period || length.count() <= 0) return std::nullopt;
  Outages out;
  out.period_ = period;
  out.entries_.emplace_back(period - length, how);
  return out;
}

SinkBehaviour Outages::at(Span since_start) const {
  if (period_.count() > 0) since_start %= period_;
  SinkBehaviour now;
  for (const auto& [from, how] : entries_) {
    if (since_start < from) break;
    now = how;
  }
  return now;
}

}  // namespace tailrace

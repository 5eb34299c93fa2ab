#include "cli/outages.h"

#include "base/text.h"
#include "base/time_text.h"

namespace tailrace {

std::optional<Outages> Outages::parse(std::string_view text) {
  Outages out;
  bool good = true;
  for_each_piece(text, ',', [&](std::string_view piece) {
    const size_t colon = piece.find(':');
    const auto from = parse_duration(piece.substr(0, colon));
    const auto length = colon == piece.npos ? std::nullopt : parse_duration(piece.substr(colon + 1));
    good = good && from && length;
    if (good) out.spans_.emplace_back(*from, *length);
  });
  if (!good || out.spans_.empty()) return std::nullopt;
  return out;
}

std::optional<Outages> Outages::repeated(Span period, Span length) {
  if (length >= period || length.count() <= 0) return std::nullopt;
  Outages out;
  out.period_ = period, out.length_ = length;
  return out;
}

bool Outages::down_at(Span since_start) const {
  if (period_.count() > 0 && since_start % period_ >= period_ - length_) return true;
  for (const auto& [from, length] : spans_) {
    if (since_start >= from && since_start < from + length) return true;
  }
  return false;
}

std::optional<SinkBehaviour> parse_sink_mode(std::string_view text) {
  SinkBehaviour out;
  const size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == text.npos ? std::string_view{} : text.substr(equals + 1);
  if (name == "status") {
    const auto code = value.empty() ? std::optional<uint64_t>(503) : parse_u64(value);
    if (!code || *code < 200 || *code > 599) return std::nullopt;
    out.mode = SinkBehaviour::status, out.code = int(*code);
    return out;
  }
  if (name == "slow") {
    const auto delay = value.empty() ? std::optional(out.delay) : parse_duration(value);
    if (!delay) return std::nullopt;
    out.mode = SinkBehaviour::slow, out.delay = *delay;
    return out;
  }
  if (equals != text.npos) return std::nullopt;
  if (name == "refuse") return out.mode = SinkBehaviour::refuse, out;
  if (name == "close") return out.mode = SinkBehaviour::close, out;
  if (name == "hang") return out.mode = SinkBehaviour::hang, out;
  return std::nullopt;
}

}  // namespace tailrace

#include "cli/sink_behaviour.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;
using B = SinkBehaviour;

// Those that are a word and nothing else.
constexpr std::array<std::pair<std::string_view, B::Mode>, 9> plain{{{"ok", B::ok},
                                                                     {"refuse", B::refuse},
                                                                     {"close", B::close},
                                                                     {"close=mid", B::close_mid},
                                                                     {"hang", B::hang},
                                                                     {"hang=answer", B::hang_answer},
                                                                     {"drip", B::drip},
                                                                     {"bomb", B::bomb},
                                                                     {"head", B::head}}};
constexpr std::array<std::pair<std::string_view, B::Handshake>, 5> handshakes{
    {{"expired", B::expired},
     {"wrong-host", B::wrong_host},
     {"self-signed", B::self_signed},
     {"stall", B::stall},
     {"1.1", B::old}}};

// `503`, or `429/7s`; seconds may go without their unit, as in the field itself.
bool read_status(std::string_view value, B& out) {
  const size_t slash = value.find('/');
  const auto code = parse_u64(value.substr(0, slash));
  if (!code || *code < 200 || *code > 599) return false;
  out.code = int(*code);
  if (slash == value.npos) return true;
  const std::string_view later = value.substr(slash + 1);
  if (const auto seconds = parse_u64(later)) {
    if (*seconds > 1'000'000) return false;
    out.retry_after = std::chrono::seconds(*seconds);
  } else if (const auto span = parse_duration(later); span && span->count() % 1000 == 0) {
    out.retry_after = std::chrono::duration_cast<std::chrono::seconds>(*span);
  }
  return out.retry_after.count() > 0;
}

std::string unit_text(std::chrono::milliseconds span) {
  return span.count() % 1000 ? std::to_string(span.count()) + "ms"
                             : std::to_string(span.count() / 1000) + "s";
}

}  // namespace

std::optional<SinkBehaviour> parse_sink_behaviour(std::string_view text) {
  SinkBehaviour out;
  for (const auto& [word, mode] : plain) {
    if (text != word) continue;
    out.mode = mode;
    if (mode == B::drip) out.delay = 1s;
    return out;
  }
  const size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == text.npos ? std::string_view{} : text.substr(equals + 1);
  if (equals != text.npos && value.empty()) return std::nullopt;
  if (name == "status") {
    out.mode = B::status;
    if (equals != text.npos && !read_status(value, out)) return std::nullopt;
    return out;
  }
  if (name == "slow") {
    const auto delay = equals == text.npos ? std::optional(out.delay) : parse_duration(value);
    if (!delay) return std::nullopt;
    out.mode = B::slow, out.delay = *delay;
    return out;
  }
  if (name != "tls") return std::nullopt;
  for (const auto& [word, handshake] : handshakes) {
    if (value != word) continue;
    out.mode = B::tls, out.handshake = handshake;
    return out;
  }
  return std::nullopt;
}

std::string to_string(const SinkBehaviour& behaviour) {
  for (const auto& [word, mode] : plain) {
    if (mode == behaviour.mode) return std::string(word);
  }
  if (behaviour.mode == B::slow) return "slow=" + unit_text(behaviour.delay);
  if (behaviour.mode == B::tls) {
    for (const auto& [word, handshake] : handshakes) {
      if (handshake == behaviour.handshake) return "tls=" + std::string(word);
    }
    return "ok";
  }
  const std::string later =
      behaviour.retry_after.count() > 0 ? "/" + std::to_string(behaviour.retry_after.count()) + "s" : "";
  return "status=" + std::to_string(behaviour.code) + later;
}

bool needs_http(const SinkBehaviour& behaviour) {
  switch (behaviour.mode) {
    case B::hang_answer:
    case B::status:
    case B::drip:
    case B::bomb:
    case B::head:
      return true;
    default:
      return false;
  }
}

}  // namespace tailrace

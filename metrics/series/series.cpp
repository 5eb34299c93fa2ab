#include "metrics/series/series.h"

#include <array>

#include "metrics/lines/code.h"

namespace tailrace {
namespace {

SeriesName router_series(std::string name, std::string_view unit = {}) {
  return SeriesName({SeriesKind::router, name, {}, unit});
}

}  // namespace

std::string_view series_kind_name(SeriesKind kind) {
  constexpr std::array<std::string_view, 8> kNames = {
      "router", "measure", "count", "sample", "dyno_memory", "dyno_load", "router_dyno", "router_host"};
  return kNames[static_cast<size_t>(kind)];
}

SeriesName fixed_series_name(SeriesId id) {
  switch (id) {
    case series_service:
      return router_series("router.service", "seconds");
    case series_connect:
      return router_series("router.connect", "seconds");
    case series_wait:
      return router_series("router.wait", "seconds");
    case series_queue:
      return router_series("router.queue");
    case series_bytes:
      return router_series("router.bytes", "bytes");
    case series_status_none:
      return router_series("router.status.none");
    default:
      break;
  }
  if (id >= series_status_1xx && id < series_status_1xx + 5)
    return router_series("router.status." + std::to_string(id - series_status_1xx + 1) + "xx");
  if (id < series_error || id >= first_own_series) return {};
  const int code = static_cast<int>(id - series_error);
  const auto text = code_text(code);
  return router_series((is_router_code(code) ? "router.error." : "platform.error.") +
                       std::string(text.data(), text.size()));
}

}  // namespace tailrace

#pragma once
// What is counted under a name of its own: the series of a channel.

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace {

/// Where a series comes from, and so which family shows it.
enum class SeriesKind : uint8_t {
  router,   // `router.service`, …: every channel has them, outside the budget
  measure,  // l2met's, by users
  count,
  sample,
  dyno_memory,  // `dyno.memory.total`; the source is the dyno
  dyno_load,    // `dyno.load.1m`; the source is the dyno
  router_dyno,  // `router.service`, `router.status.5xx`; the source is the dyno
  router_host,  // the same; the source is the host
};

/// `measure`, `dyno_memory`, …
std::string_view series_kind_name(SeriesKind kind);

/// A series as the outside knows it; unique in its channel.
struct SeriesKey {
  SeriesKind kind = SeriesKind::router;
  std::string_view name, source;
  std::string_view unit;  // `seconds`, `bytes`, any other as it stands, or none
  bool operator==(const SeriesKey&) const = default;
};

/// The same, with texts of its own.
struct SeriesName {
  SeriesKind kind = SeriesKind::router;
  std::string name, source, unit;
  SeriesName() = default;
  explicit SeriesName(const SeriesKey& key)
      : kind(key.kind), name(key.name), source(key.source), unit(key.unit) {}
  SeriesKey key() const { return {kind, name, source, unit}; }
  auto operator<=>(const SeriesName&) const = default;
};

/// A series within its channel, as long as the process runs. Never used twice.
using SeriesId = uint32_t;

/// The same in every channel. Times and bytes are distributions; the rest counts, each line as 1.
enum FixedSeries : SeriesId {
  series_service,
  series_connect,
  series_wait,
  series_queue,
  series_bytes,
  series_status_none,
  series_status_1xx,  // and 2xx to 5xx behind it
  series_error = 16,  // plus a code number (metrics/lines/code.h)
  first_own_series = series_error + 300,
};

/// Of a fixed series: `router.service`, `router.status.2xx`, `router.error.H12`, `platform.error.R14`.
SeriesName fixed_series_name(SeriesId id);

}  // namespace tailrace

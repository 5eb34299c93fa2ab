#pragma once
// What Heroku's router lines say, all eras of them.
//
//   at=info method=GET path="/a b" host=h fwd="1.2.3.4" dyno=web.1 connect=1ms service=18ms status=200
//   bytes=13 at=error code=H12 desc="Request timeout" … connect= service=30000ms status=503 bytes=0 GET
//   myapp.com/pxl?value=1 dyno=web.14 queue=0 wait=0ms service=8ms status=200 bytes=35 Error H12 (Request
//   timeout) -> GET myapp.com/x dyno=web.4 queue= wait= service=30000ms status=503 bytes=0
//
// The rules of pairs stand in pair_walk.h, those of values in docs/metrics.md. The first pair of a name wins,
// whatever its value is. Values with escapes are not numbers.

#include <cstdint>
#include <string_view>

#include "metrics/lines/code.h"
#include "metrics/lines/quantity.h"

namespace tailrace {

enum class RouterName : uint8_t { status, code, connect, service, wait, queue, bytes, dyno };

/// What one router line says. A value that is not a number, or empty, is absent.
struct RouterLine {
  double connect = kAbsent, service = kAbsent, wait = kAbsent;  // seconds
  double queue = kAbsent, bytes = kAbsent;
  std::string_view dyno;  // `web.1`, in the message; of `dyno=`, or of the old text's `web=`; empty: absent
  int code = kNoCode;     // of `code=`, or of the old text `Error H12 (`
  uint16_t status = 0;    // 100 to 599; 0 is none
  uint8_t names = 0;      // which names stood in the line, with a value or not

  bool has(RouterName name) const { return names & (1u << static_cast<unsigned>(name)); }
  bool operator==(const RouterLine&) const = default;
};

/// `message` is the MSG of a record; any bytes, any length.
RouterLine scan_router_line(std::string_view message);

/// The same byte by byte, for machines without vectors.
RouterLine scan_router_line_portably(std::string_view message);

/// The value of the pair `name`, as it stands, without quotes; empty if there is none. For what is rarely
/// wanted: `host`, `request_id`.
std::string_view router_value(std::string_view message, std::string_view name);

}  // namespace tailrace

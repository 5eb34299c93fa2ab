#pragma once
// The key=value scanner for Heroku's router lines, all eras of them.
//
//   at=info method=GET path="/a b" host=h fwd="1.2.3.4" dyno=web.1 connect=1ms service=18ms status=200
//   bytes=13 at=error code=H12 desc="Request timeout" … connect= service=30000ms status=503 bytes=0 GET
//   myapp.com/pxl?value=1 dyno=web.14 queue=0 wait=0ms service=8ms status=200 bytes=35 Error H12 (Request
//   timeout) -> GET myapp.com/x dyno=web.4 queue= wait= service=30000ms status=503 bytes=0
//
// Rules, in kr/logfmt's terms where it has them:
//  (1) A blank is a byte <= 0x20. A token begins at the line's beginning or after a blank outside quotes.
//  (2) A pair is a token that begins `name=`, name case-sensitive; what comes later in the token is value. So
//      neither `path=/x?service=5ms` nor `fwd="1"service=5ms` says anything about service.
//  (3) Its value reaches to the next blank, or, if `"` follows the token's first `=` at once and the name is
//  not
//      empty and has no `"`, to the next `"` that an even number of backslashes precedes. No other quote
//      opens.
//  (4) Behind a quote that never closes nothing counts; the pairs before it do.
//  (5) The first pair of a name wins, whatever its value is. Values with escapes are not numbers.

#include <cstdint>
#include <string_view>

#include "metrics/code.h"
#include "metrics/quantity.h"

namespace tailrace {

enum class RouterName : uint8_t { status, code, connect, service, wait, queue, bytes };

/// What one router line says. A value that is not a number, or empty, is absent.
struct RouterLine {
  double connect = kAbsent, service = kAbsent, wait = kAbsent;  // seconds
  double queue = kAbsent, bytes = kAbsent;
  int code = kNoCode;   // of `code=`, or of the old text `Error H12 (`
  uint16_t status = 0;  // 100 to 599; 0 is none
  uint8_t names = 0;    // which names stood in the line, with a value or not

  bool has(RouterName name) const { return names & (1u << static_cast<unsigned>(name)); }
  bool operator==(const RouterLine&) const = default;
};

/// `message` is the MSG of a record; any bytes, any length.
RouterLine scan_router_line(std::string_view message);

/// The same byte by byte, for machines without SSE2.
RouterLine scan_router_line_portably(std::string_view message);

}  // namespace tailrace

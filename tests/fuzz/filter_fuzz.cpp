// The first line is a filter, the rest a message. Whatever they are, a filter is refused in words or holds;
// what it says does not depend on what is around it; pairs are the metrics' pairs, and an
// expression matches what RE2 says.

#include "drains/filter.h"

#include <re2/re2.h>

#include <cstdlib>

#include "base/text.h"
#include "drains/expression.h"
#include "drains/pairs.h"
#include "metrics/lines/router_line.h"
#include "tests/drains/made_record.h"

namespace {

using namespace tailrace;

void require(bool good) {
  if (!good) __builtin_trap();
}

bool wants(const std::string& filter, const Record& record) {
  const ParsedFilter parsed = parse_filter(filter);
  require(parsed.filter != nullptr);
  return parsed.filter->wants(record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t line = all.find('\n');
  const std::string filter(all.substr(0, line));
  const std::string_view message = line == std::string_view::npos ? std::string_view() : all.substr(line + 1);
  if (filter.empty() || message.size() > 10'000) return 0;

  const MadeRecord made(message);
  const ParsedFilter parsed = parse_filter(filter);
  require(parsed.error.empty() == (parsed.filter != nullptr));
  require(is_utf8(parsed.error) && parsed.error.size() < 5'000);
  if (parsed.filter) {
    const bool held = parsed.filter->wants(made.record());
    require(parsed.filter->wants(made.record()) == held);
    if (filter.size() < 2'000) {
      // Twice the same list is that list, in either order, and one more that cannot hold changes nothing.
      const bool room = parse_filter(filter + " or " + filter).filter != nullptr;
      if (room) require(wants(filter + " or " + filter, made.record()) == held);
      const ParsedFilter more = parse_filter("-@severity<=7 or " + filter);
      if (more.filter) require(more.filter->wants(made.record()) == held);
    }
  }

  if (filter.size() < 200) {
    Expression::Room room;
    if (const auto expression = Expression::parse(filter, room).expression)
      require(expression->matches(message) == re2::RE2::PartialMatch(std::string(message), filter));
  }

  const RouterLine scanned = scan_router_line(message);
  const auto service = find_pair(message, "service="), queue = find_pair(message, "queue=");
  require(service.has_value() == scanned.has(RouterName::service));
  require(queue.has_value() == scanned.has(RouterName::queue));
  require(scanned.service == (service ? parse_seconds(*service) : kAbsent));
  require(scanned.queue == (queue ? parse_plain(*queue) : kAbsent));
  require(find_pair(message, "status=").has_value() == scanned.has(RouterName::status));
  if (!filter.empty()) require(find_text(message, filter) == message.find(filter));
  return 0;
}

#include "ingest/verdict.h"

#include <nlohmann/json.hpp>

namespace tailrace {

int Verdict::status() const {
  if (too_large) return 413;
  if (rejected.total() == 0) return 204;
  // Never a 2xx for what is lost for want of room, even if some of it was taken: that comes twice instead.
  if (rejected.of(RejectReason::no_room) > 0) return 503;
  if (accepted > 0) return 200;
  return rejected.of(RejectReason::quota) > 0 ? 429 : 400;
}

HttpResponse Verdict::response() const {
  HttpResponse response;
  response.status = status();
  if (response.status != 204) {
    nlohmann::json reasons = nlohmann::json::object();
    for (size_t r = 0; r < kRejectReasons.size(); ++r)
      if (const uint64_t n = rejected.by_reason[r]) reasons[std::string(kRejectReasons[r])] = n;
    response.content_type = "application/json";
    response.body =
        nlohmann::json{{"accepted", accepted}, {"rejected", rejected.total()}, {"reasons", reasons}}.dump();
  }
  if (response.status == 503 || response.status == 429)
    response.headers.add("Retry-After", std::to_string(std::max<int64_t>(retry_after.count(), 1)));
  response.headers.add("Tailrace-Accepted", std::to_string(accepted));
  return response;
}

}  // namespace tailrace

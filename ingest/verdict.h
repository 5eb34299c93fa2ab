#pragma once
// What became of one POST.

#include <algorithm>
#include <chrono>

#include "ingest/reason.h"
#include "net/http.h"

namespace tailrace {

struct Verdict {
  uint64_t accepted = 0;  // records as sent: pieces of a split one count once
  Rejections rejected;
  std::chrono::seconds retry_after{0};  // for those that had no room or no quota
  bool too_large = false;               // beyond the bound of a body

  uint64_t records() const { return accepted + rejected.total(); }
  /// Contract section 3, the table of outcomes: 204, 200, 413, 503, 429 or 400.
  int status() const;
  HttpResponse response() const;
};

}  // namespace tailrace

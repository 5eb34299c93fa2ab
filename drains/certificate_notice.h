#pragma once
// L14: what the owner of a drain is told when certificates are the trouble.

#include <optional>
#include <string>

#include "base/clock.h"
#include "net/failure.h"

namespace tailrace {

/// Tells when an outage begins with it, when the reason is another one, and once an hour. A value of its
/// drain's loop.
class CertificateNotice {
 public:
  static constexpr Micros kAgain = 3'600'000'000;

  /// The line to tell, if any. `shown_url` has no secrets; `begins`: the drain worked, or had not been tried.
  std::optional<std::string> failed(const NetFailure& failure, const std::string& shown_url, bool begins,
                                    Micros now);

 private:
  std::string told_;  // the reason
  Micros told_at_ = 0;
};

}  // namespace tailrace

#pragma once
// The process's own log: logfmt lines on stderr. Never a token, a password or a record's text in it.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

/// `time=… level=info msg="…" KEY=VALUE…`; `fields` is already logfmt.
void log_info(std::string_view message, std::string_view fields = {});
void log_warn(std::string_view message, std::string_view fields = {});
void log_error(std::string_view message, std::string_view fields = {});

/// For what a stranger can cause often: at most once a second, and it says how many were held back.
/// Thread-safe; one object per place, usually a static.
class OncePerSecond {
 public:
  /// The number of events since it last said yes (this one included), or 0 for "be silent now".
  uint64_t due(Mono now = mono_now());

 private:
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> held_{0};
};

}  // namespace tailrace

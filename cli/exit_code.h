#pragma once
// What the process tells its caller (contract section 1).

namespace tailrace {

enum Exit : int {
  exit_ok = 0,
  exit_failure = 1,
  exit_usage = 2,
  exit_unauthorised = 3,
  exit_not_found = 4,
  exit_unreachable = 5,
  exit_interrupted = 130,
};

}  // namespace tailrace

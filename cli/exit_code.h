#pragma once
// What the process tells its caller (contract section 1).

#include <string_view>

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

struct ExitMeaning {
  Exit code;
  std::string_view text;
};
inline constexpr ExitMeaning exit_meanings[] = {
    {exit_ok, "It went well."},
    {exit_failure, "It did not."},
    {exit_usage, "It was called in a wrong way, or a setting is wrong."},
    {exit_unauthorised, "The credential is missing, or may not do this."},
    {exit_not_found, "There is no such channel, token, drain or data dir."},
    {exit_unreachable, "Nobody answers there."},
    {exit_interrupted, "It was interrupted, by ^C."},
};

}  // namespace tailrace

#pragma once
// Asks the API for what `top` shows.

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/target.h"
#include "cli/top_model.h"

namespace tailrace {

/// What somebody looks at: these are asked for in detail, in this order.
struct TopWanted {
  std::vector<std::string> channels;
  std::string entered;  // the channel whose drains' health is shown; empty: none
};

/// One thread's. The model is locked while something is taken, never while somebody is waited for.
class TopSource {
 public:
  TopSource(const ApiTarget& target, TopModel& model, std::mutex& mutex)
      : api_({.url = target.url, .auth = target.auth, .deadline = kDeadline, .body_cap = 64u << 20}),
        model_(model),
        mutex_(mutex) {}

  static constexpr std::chrono::milliseconds kDeadline{2000};  // of one question
  static constexpr std::chrono::milliseconds kDetails{1000};   // of all in detail together

  /// One look. None: it went well. What is wanted comes first, then what was not looked at for longest, as
  /// long as kDetails last.
  std::optional<ApiFailure> poll(const TopWanted& wanted);
  /// Of all drains of a channel; what does not answer stays as it was.
  void take_health(const std::string& channel);

 private:
  std::optional<ApiFailure> take_channels();
  std::optional<ApiFailure> take_ledger();
  std::optional<ApiFailure> take_details(const TopWanted& wanted);

  ApiClient api_;
  TopModel& model_;
  std::mutex& mutex_;
  bool ledger_ = true;  // false: this credential may not read it
  size_t polls_ = 0;    // since the channels were listed
};

}  // namespace tailrace

#pragma once
// Makes overviews, each for all who ask within two seconds.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "web/overview.h"
#include "web/services.h"
#include "web/trouble_since.h"

namespace tailrace {

/// Thread-safe, on threads that may block. One making takes what a scrape would and less: of each channel the
/// last 60 s and its drains' accounts.
class OverviewMaker {
 public:
  static constexpr auto kNew = std::chrono::seconds(2);
  /// How long what the store of rollups said is believed: its minutes change that often.
  static constexpr auto kSinceNew = std::chrono::seconds(15);

  explicit OverviewMaker(WebServices& services) : services_(services) {}

  /// One that is no older than kNew. Who asks while it is made waits for it.
  std::shared_ptr<const Overview> latest();

  /// What is asked for rows that are shown, and troubled, alone.
  struct Details {
    std::optional<Micros> slow_since, errors_since;
    std::vector<DynoTime> slow_dynos;
  };
  Details details(const OverviewRow& row, Micros now);

 private:
  struct Since {
    Mono read{};
    std::optional<Micros> slow, errors;
  };
  OverviewRow row_of(const ChannelPtr& channel, Micros now) const;
  Since since(uint32_t channel, Micros now);

  WebServices& services_;
  std::mutex mutex_;  // held while one is made
  std::shared_ptr<const Overview> latest_;
  Mono made_{};

  std::mutex since_mutex_;
  std::map<uint32_t, Since> since_;  // by Channel::index; guarded by since_mutex_
};

}  // namespace tailrace

#pragma once
// What `top` knows of a router: channels, their rates and times, their drains.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tailrace {

/// A counter, and how fast it goes: by the last two values that came.
class Rated {
 public:
  void take(uint64_t value, Micros now);
  uint64_t value() const { return value_; }
  std::optional<double> per_second() const { return per_second_; }  // none: it came once
  uint64_t last_step() const { return step_; }

 private:
  uint64_t value_ = 0, step_ = 0;
  Micros at_ = 0;
  std::optional<double> per_second_;
};

struct TopDrain {
  std::string id, token;
  std::string state;  // `ok`; empty: not asked yet
  std::string cause, url;
  Micros since = 0;
  double lag_seconds = 0;
  uint64_t buffered = 0;
  Rated delivered, filtered, dropped;
};

struct TopChannel {
  std::string id, name;
  Rated records;
  std::optional<double> requests_per_second;
  std::optional<double> p50, p95, p99;  // of router.service, the last 60 s
  Rated requests, failed;               // router lines, and those with a status of 5xx
  std::vector<TopDrain> drains;
  Micros detailed_at = 0;  // when it was asked for last; 0: never

  /// Of the requests that came between the last two looks; none without any.
  std::optional<double> error_share() const;
  uint64_t lost() const;
  bool losing() const;
  uint64_t waiting() const;
  size_t drains_in(std::string_view state) const;
};

enum class TopSort : uint8_t { worst, name, rate, latency, errors, loss };
std::string_view to_string(TopSort sort);

/// A value; whoever shares it locks it. What the API answers is taken as it is and shown by others: it is
/// anybody's text.
class TopModel {
 public:
  struct Named {
    std::string id, name;
  };
  /// All channels that there are; others are forgotten.
  void take_channels(const std::vector<Named>& all);
  /// `/v3/ledger`, which has all channels; others are forgotten. False: it is none.
  bool take_ledger(std::string_view json, Micros now);
  /// The scrape of one channel, as text.
  void take_scrape(const std::string& channel, std::string_view text, Micros now);
  /// The health of one drain.
  void take_health(const std::string& channel, std::string_view json);

  /// Those whose name or id holds `filter`, in this order; ties by name.
  std::vector<const TopChannel*> sorted(TopSort sort, std::string_view filter) const;
  const TopChannel* find(const std::string& id) const;
  /// Whether the ledger named a channel that take_channels() did not.
  bool has_unnamed() const { return unnamed_; }

  size_t channels() const { return channels_.size(); }
  std::map<std::string, size_t, std::less<>> drain_states() const;
  double records_per_second() const;

 private:
  TopChannel& channel(const std::string& id);

  std::map<std::string, TopChannel> channels_;
  bool unnamed_ = false, has_ledger_ = false;
};

}  // namespace tailrace

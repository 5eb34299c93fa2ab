#pragma once
// What the overview shows: a row per channel, its troubles, and the order of rows. Values, without HTTP.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "channels/credential.h"
#include "channels/ledger.h"
#include "drains/health.h"
#include "drains/history.h"
#include "metrics/channel_recent.h"

namespace tailrace {

/// Worst first.
enum class Trouble : uint8_t { losing, failing, errors, slow, lagging };
inline constexpr std::array<std::string_view, 5> kTroubles{"losing", "failing", "errors", "slow", "lagging"};

inline constexpr Micros kLosingFor = 300'000'000;  // a drain that dropped so lately is losing
inline constexpr double kSlow = 1;                 // seconds; p95 of service from here on is slow,
inline constexpr uint64_t kSlowRequests = 20;      // of so many
inline constexpr double kErrorShare = 0.01;        // failed requests from here on are errors,
inline constexpr uint64_t kErrorRequests = 5;      // if there are so many of them
inline constexpr double kLagging = 30;             // seconds

/// Drains by DrainState.
using DrainsByState = std::array<uint64_t, 4>;

/// What a row takes from one drain.
struct SeenDrain {
  DrainState state = DrainState::pending;
  bool held = false;  // paused by its owner
  Micros since = 0;   // of its state
  Drops dropped{};
  uint64_t buffered = 0;
  Micros oldest = 0;  // arrival of the oldest record that waits; 0: none
  std::vector<LostRange> losses;
};

struct OverviewRow {
  uint32_t index = 0;  // Channel::index
  std::string id, name;
  ChannelRecent recent;
  DrainsByState drains{};
  Drops dropped{};             // of all its drains
  Micros lost_at = 0;          // 0: nothing was lost since the start
  uint64_t lost_lately = 0;    // records, of losses that went on within kLosingFor
  Micros failing_since = 0;    // 0: none is failing, or was paused by its far end
  uint64_t lag_records = 0;    // the greatest of its drains
  double lag_seconds = 0;      // likewise
  double waiting_seconds = 0;  // likewise, of those that neither fail nor were paused by their far end
  std::vector<Trouble> troubles;

  void add(const SeenDrain& drain, Micros now);
  /// Fills in its troubles, after all its drains were added.
  void judge(Micros now);

  bool has(Trouble trouble) const;
  /// None without requests.
  std::optional<double> error_share() const;
};

enum class OverviewSort : uint8_t { worst, name, rate, p95, errors, lag, loss };
inline constexpr std::array<std::string_view, 7> kOverviewSorts{"worst",  "name", "rate", "p95",
                                                                "errors", "lag",  "loss"};

struct OverviewQuery {
  OverviewSort sort = OverviewSort::worst;
  std::string search;  // a part of the name or id, ASCII's case ignored; empty: all
  size_t offset = 0, limit = 50;
};

/// All channels at one moment. Never changes; shared by who asks while it is new.
class Overview {
 public:
  /// Judges the rows.
  Overview(Micros now, std::vector<OverviewRow> rows);

  struct Page {
    size_t total = 0, matching = 0;
    double records_per_second = 0;  // of all that one may read, as the drains
    DrainsByState drains{};
    std::vector<const OverviewRow*> rows;  // live as long as the overview
  };
  /// What may be read with these permissions, and of that what was asked for. Rows that are equal by what
  /// they are sorted by stand by rate, then by name, then by id; `worst` takes how bad it is and rates in
  /// powers of two, so that rows do not change places with every request.
  Page page(const OverviewQuery& query, const Permissions& permissions) const;

  Micros now() const { return now_; }

 private:
  struct Key {
    const OverviewRow* row;
    std::string name, id;  // in lower case
    size_t worst;          // a Trouble, or beyond them
    int64_t good, slow;    // the less bad it is, and the less comes, the greater
  };
  static bool before(const Key& a, const Key& b, OverviewSort sort);

  const Micros now_;
  std::vector<OverviewRow> rows_;
  std::vector<Key> keys_;
};

}  // namespace tailrace

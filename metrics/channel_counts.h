#pragma once
// What is counted of one channel: one thread's share of it, and all threads' together.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "channels/chunk.h"
#include "metrics/channel_recent.h"
#include "metrics/lines/line_time.h"
#include "metrics/lines/platform_event.h"
#include "metrics/lines/sample_line.h"
#include "metrics/quantiles.h"
#include "metrics/queueing/queueing.h"
#include "metrics/recent_records.h"
#include "metrics/rollup/open_windows.h"
#include "metrics/router_counts.h"
#include "metrics/series/series_counts.h"
#include "metrics/series/series_snapshot.h"
#include "metrics/series/series_tables.h"
#include "metrics/sparse_counters.h"

namespace tailrace {

/// One channel at one moment, all threads together; a plain value.
struct ChannelSnapshot {
  uint32_t index = 0;
  std::string id;
  uint64_t records = 0, bytes = 0;         // all records of the channel; bytes of their text
  uint64_t late = 0, ahead = 0;            // lines whose window was gone, that were dated ahead
  SparseCounters<kCodes> platform_errors;  // by code number
  RouterCounts router;
  Exemplars exemplars;
  /// Of the last 60 s, by Timing and kQuantiles, in seconds; NaN where nothing came.
  std::array<std::array<double, kQuantiles.size()>, kTimings> quantiles;
  Queueing queueing;
  SeriesSnapshot series;
};

/// What a thread uses again for each line; its shares of all channels have one together.
struct LineTools {
  LineTime time;
  SampleLine samples;
  RouterBatch router;
};

/// One thread's share. Its owner locks around every call.
class ChannelCounts {
 public:
  struct Options {
    SeriesTables& tables;  // outlives it
    uint32_t channel = 0;  // Channel::index
    bool by_dyno = false, by_host = false;
    OpenRoom* room = nullptr;  // outlives it; null: as much as it takes
  };
  explicit ChannelCounts(const Options& options) : options_(options), windows_(options.room) {}

  /// Records of a batch, in order. `counting`: live, they were just appended; replay, an earlier run has
  /// counted them in everything but their windows. No allocation, once the channel's usual statuses, times
  /// and series were seen.
  void add(std::span<const Slice> slices, LineTools& tools, Counting counting);

  /// How threads' shares come together: add() each, under its own lock, then finish() without any.
  class Merge {
   public:
    void add(ChannelCounts& share, Micros now);
    void finish(ChannelSnapshot& into, const SeriesTable* table, Micros now);

   private:
    ChannelSnapshot sums_;
    RouterTotal router_;
    SeriesMerge series_;
  };

  /// The same of the last 60 s, by much less work.
  void merge_recent(RecentTotal& into, Micros now);
  using DynoSketches = std::map<std::string, SignedSketch, std::less<>>;
  /// Adds the service times of each dyno that has a series, of the last 60 s.
  void merge_dynos(DynoSketches& into, Micros now);

  struct Taken {
    OpenWindows::Taken windows;
    std::vector<PlatformMark> marks;
    std::vector<SeriesPtr> series;  // those of the windows that are not fixed, and perhaps more
  };
  /// What no store has yet, in one step.
  Taken take();
  bool nothing_to_take() const { return windows_.empty() && marks_.empty(); }

 private:
  void read(const Record& record, Position position, LineTools& tools, Counting counting);
  void read_router_line(const Record& record, Position position, LineTools& tools, Counting counting);
  void count_router_lines(RouterBatch& batch, Counting counting);
  void read_samples(const Record& record, bool platform, Stamp at, OpenWindow* window, LineTools& tools,
                    Counting counting);
  /// Of a line of APP heroku: an H code is the router's, whoever says it, the others are the platform's.
  void add_code(int code, Stamp at, OpenWindow* window, Counting counting);
  void mark(PlatformEvent event, const Record& record, Micros time);
  struct Placed {
    OpenWindow* window = nullptr;  // none: the line is late, or there is no room
    Micros time = 0;
  };
  /// Once per record, since it counts what is late.
  Placed window_of(const Record& record, LineTools& tools, Counting counting);
  RouterShare& router();
  SeriesCounts& series();

  static constexpr size_t kMostMarks = 256;  // between two takes

  const Options options_;
  uint64_t records_ = 0, bytes_ = 0;
  RecentRecords recent_;
  SparseCounters<kCodes> platform_errors_;
  // Made when first needed: most channels of a quiet fleet have neither.
  std::unique_ptr<RouterShare> router_;
  std::unique_ptr<SeriesCounts> series_;
  OpenWindows windows_;
  std::vector<PlatformMark> marks_;
};

}  // namespace tailrace

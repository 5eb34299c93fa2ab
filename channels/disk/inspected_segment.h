#pragma once
// One segment as `inspect` reads it: entry by entry, believing neither its index nor its groups.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "channels/disk/found_runs.h"
#include "channels/disk/inspect.h"
#include "channels/disk/io.h"
#include "channels/disk/scanned_segment.h"
#include "channels/disk/segment_index.h"

namespace tailrace {

/// One segment file, open until the end.
struct InspectedSegment {
  uint64_t number = 0;
  File file;
  SegmentHeader header;
  std::optional<BeginText> begin;
  std::optional<StoredIndex> index;
  SegmentReport report;

  uint64_t void_end = UINT64_MAX;
  uint64_t last_group_at = 0, last_group_end = 0;  // of the last valid group entry; 0: there is none
  uint64_t last_group_missing = 0;                 // entries that it announces and that are not there
  uint64_t index_missing = 0;                      // entries of the index that are not there
  std::vector<Stretch> stretches;                  // not judged yet

  bool readable() const {
    return report.state == SegmentReport::State::sealed || report.state == SegmentReport::State::open;
  }
  uint64_t entries() const { return report.records + report.posts; }
};

/// The runs and the account of one segment, entry by entry.
class SegmentAccount {
 public:
  SegmentAccount(InspectedSegment& s, uint32_t place, std::map<uint32_t, std::vector<FoundRun>>& runs,
                 std::map<uint32_t, uint64_t>& about, std::map<uint32_t, ChannelReport>& channels)
      : s_(s), place_(place), runs_(runs), about_(about), channels_(channels) {}

  void add(const StoredEntry& e) {
    if (!e.is_control()) return add_record(e);
    if (e.kind() == ControlKind::group) begin_group(e.offset, *read_group(e));
    if (e.kind() == ControlKind::post) {
      ++s_.report.posts;
      count(e);
    }
  }
  void finish() {
    end_group();
    s_.last_group_missing = missing_;
  }
  const IndexBuilder& index() const { return index_; }

 private:
  void add_record(const StoredEntry& e) {
    const uint32_t channel = e.prefix.channel;
    const uint64_t ordinal = whole_ordinal(e.prefix.ordinal, about_[channel]);
    const Micros arrival = e.record.arrival();
    about_[channel] = ordinal;
    index_.add({channel, {ordinal, e.offset, 1, uint32_t(e.size)}, e.prefix.number, arrival});

    std::vector<FoundRun>& runs = runs_[channel];
    FoundRun* const last = runs.empty() ? nullptr : &runs.back();
    if (last && last->segment == place_ && last->offset + last->bytes == e.offset &&
        last->end_number() == e.prefix.number && last->end_ordinal() == ordinal &&
        last->bytes + e.size <= kMostInspectedRun) {
      last->bytes += uint32_t(e.size);
      ++last->records;
    } else {
      runs.push_back({e.prefix.number, ordinal, e.offset, uint32_t(e.size), 1, place_});
    }
    ChannelReport& report = channels_[channel];
    report.bytes += e.size;
    widen(report.oldest, report.newest, arrival);
    widen(s_.report.oldest, s_.report.newest, arrival);
    ++s_.report.records;
    count(e);
  }
  static void widen(Micros& oldest, Micros& newest, Micros arrival) {
    oldest = oldest == 0 ? arrival : std::min(oldest, arrival);
    newest = std::max(newest, arrival);
  }

  void begin_group(uint64_t offset, const GroupText& text) {
    end_group();
    s_.report.missing += missing_;  // another group begins only when that one was synced
    ++s_.report.groups;
    s_.last_group_at = offset, s_.last_group_end = offset + text.bytes;
    announced_ = text.entries, found_ = 0;
  }
  /// Entries behind its end are of a group whose own entry is damaged.
  void count(const StoredEntry& e) { found_ += e.offset < s_.last_group_end; }
  void end_group() { missing_ = announced_ - std::min(announced_, found_); }

  InspectedSegment& s_;
  const uint32_t place_;
  std::map<uint32_t, std::vector<FoundRun>>& runs_;
  std::map<uint32_t, uint64_t>& about_;
  std::map<uint32_t, ChannelReport>& channels_;
  IndexBuilder index_;
  uint64_t announced_ = 0, found_ = 0, missing_ = 0;  // entries of the group
};

}  // namespace tailrace

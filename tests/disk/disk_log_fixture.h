#pragma once
// Logs on disk without the rest of their store.

#include <memory>
#include <mutex>
#include <set>

#include "channels/disk/disk_log.h"
#include "channels/disk/recovery.h"
#include "tests/channels/log_fixture.h"
#include "tests/disk/store_fixture.h"
#include "tests/eventually.h"

namespace tailrace {

struct DiskLogOptions {
  LogLimits limits{.bytes = 1u << 30};
  bool durable = true;
  uint64_t ring_bytes = 64 * 1024;
};

/// One start on a keeper's directory.
struct DiskLogs final : ProgressListener {
  explicit DiskLogs(SimpleKeeper& its_keeper, DiskLogOptions its_options = {})
      : options(its_options), keeper(its_keeper), recovered(look()) {
    keeper.lazy = true;  // the segments that it seals are of the set of another start
    keeper.next_segment = recovered.next_segment;
    base = recovered.base(0, kTestTime);
    commit = std::make_unique<GroupCommit>(
        GroupCommit::Parts{room, nullptr, options.durable, [] { return kTestTime; }},
        GroupWriter::Parts{segments, [this](bool) { return keeper.next(); }, [](const SegmentPtr&) {}},
        GroupWriter::Start{recovered.last_segment, recovered.entries, recovered.next_group,
                           base.value + kMarkStep});
    room.set_open(true);
    started = commit->start();
  }
  ~DiskLogs() override {
    commit->stop();
    reader.stop();
  }

  ChannelPtr open(uint32_t index, DropReason lost_for = DropReason::overflow, uint64_t lost = 0) {
    auto channel = std::make_shared<Channel>();
    channel->index = index;
    const ChannelFound found = index < recovered.channels.size() ? recovered.channels[index] : ChannelFound{};
    channel->log = std::make_unique<DiskLog>(
        *channel, options.limits,
        DiskLogStart{base, found.end_ordinal, std::min(found.lowest_ordinal, found.end_ordinal), found.bytes,
                     lost, lost_for},
        DiskLogServices{*commit, reader, segments, room, *this, nullptr, options.durable,
                        options.ring_bytes});
    return channel;
  }
  static DiskLog& of(const ChannelPtr& channel) { return static_cast<DiskLog&>(*channel->log); }

  void progressed(ChannelPtr channel, DiskLog& /*log*/) override {
    const std::lock_guard lock(mutex);
    moved.insert(std::move(channel));
  }

  /// Appends and waits for the verdict.
  static Result<Position> append(const ChannelPtr& channel, const std::vector<std::string>& messages,
                                 Micros at = kTestTime) {
    CountingWaiter waiter;
    append(channel, messages, waiter, at);
    REQUIRE(testing::eventually([&] {
      const std::lock_guard lock(waiter.mutex);
      return waiter.calls == 1;
    }));
    return waiter.first;
  }
  static void append(const ChannelPtr& channel, const std::vector<std::string>& messages,
                     AppendWaiter& waiter, Micros at = kTestTime) {
    append_messages(channel, messages, at, waiter);
  }

  const DiskLogOptions options;
  SimpleKeeper& keeper;
  SegmentSet segments;
  std::string error;
  Recovered recovered;
  Position base;
  Room room{1u << 30};
  RecordReader reader{segments};
  std::unique_ptr<GroupCommit> commit;
  Result<void> started;
  std::mutex mutex;
  std::set<ChannelPtr> moved;

 private:
  Recovered look() {
    auto found = recover(keeper.options(), segments, error);
    REQUIRE(found.has_value());
    return std::move(*found);
  }
};

/// A cursor and what it has read, settled at once.
struct DiskReader {
  DiskReader(const ChannelPtr& channel, const Place& place, Cursor::Kind its_kind = Cursor::Kind::drain)
      : channel_(channel), kind(its_kind), cursor(kind, loop.pass, task, 7) {
    cursor.attach(*channel->log, place);
  }
  /// Until `records` were read or lost, or nothing more can come.
  void read_until(uint64_t records) {
    REQUIRE(testing::eventually([&] {
      for (;;) {
        const Read read = cursor.read(100'000);
        lost += read.loss.records;
        for (const Record record : read.slice) messages.emplace_back(record.message());
        for (uint64_t i = 0; i < read.slice.records; ++i) numbers.push_back(read.slice.first.value + i);
        if (read.slice.records && drain()) cursor.settle(read.slice.records, 0);
        if (drain()) lost = cursor.ledger().dropped_total();
        if (read.slice.empty()) return messages.size() + lost >= records;
      }
    }));
    CHECK(messages.size() + lost == records);
  }
  bool drain() const { return kind == Cursor::Kind::drain; }

  Loop loop;
  Woken task;
  ChannelPtr channel_;
  const Cursor::Kind kind;
  Cursor cursor;
  std::vector<std::string> messages;
  std::vector<uint64_t> numbers;
  uint64_t lost = 0;
};

}  // namespace tailrace

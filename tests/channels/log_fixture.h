#pragma once
// A memory log with a channel of its own, and appends in one line.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/loops.h"
#include "channels/memory_log.h"
#include "channels/memory_store.h"

namespace tailrace {

struct Appended final : AppendWaiter {
  void appended(Result<Position> result) override { first = result, ++calls; }
  Result<Position> first = Position{};
  int calls = 0;
};

struct Woken final : Task {
  void run_task() override { ++runs; }
  int runs = 0;
};

/// One batch of these messages, app `app`, procid `web.1`, PRI 13.
inline void append_messages(const ChannelPtr& channel, const std::vector<std::string>& messages, Micros at,
                            AppendWaiter& waiter) {
  BatchSet set;
  for (const std::string& m : messages) {
    NewRecord r;
    r.head = "2026-11-21T00:00:00Z host";
    r.time_size = 20;
    r.app = "app";
    r.ids = "web.1 -";
    r.procid_size = 5;
    r.message = m;
    set.add(channel, r);
  }
  set.for_each(at, [&](Channel& c, const Batch& batch) { c.log->append(batch, waiter); });
}

/// The same in a log that answers at once.
inline Position append_messages(const ChannelPtr& channel, const std::vector<std::string>& messages,
                                Micros at) {
  Appended waiter;
  append_messages(channel, messages, at, waiter);
  REQUIRE(waiter.calls == 1);
  REQUIRE(waiter.first.has_value());
  return *waiter.first;
}

struct LogFixture {
  explicit LogFixture(LogLimits limits = {}, uint64_t budget = 1u << 30, AppendObserver* observer = nullptr)
      : pressure{budget, [] {}}, channel(std::make_shared<Channel>()) {
    channel->id = "1";
    channel->log = std::make_unique<MemoryLog>(*channel, limits, Position{1000}, observer, pressure);
  }
  Log& log() { return *channel->log; }

  Position append(const std::vector<std::string>& messages, Micros at = 1'700'000'000'000'000) {
    return append_messages(channel, messages, at);
  }

  MemoryPressure pressure;
  ChannelPtr channel;
  Loop loop;
};

/// Everything the cursor has to give now, as messages.
inline std::vector<std::string> drain_all(Cursor& cursor, uint32_t max_bytes = 1 << 20) {
  std::vector<std::string> messages;
  for (;;) {
    const Read read = cursor.read(max_bytes);
    if (read.empty()) return messages;
    for (const std::string& line : read.notices) messages.push_back("! " + line);
    for (const Record record : read.slice) messages.emplace_back(record.message());
  }
}

/// What a reader who asks for the newest `records` gets, and the notices among and behind them.
struct History {
  std::vector<Slice> slices;  // oldest first
  std::vector<std::string> notices;
};
inline History history_of(Log& log, uint64_t records) {
  Loop loop;
  Woken task;
  Cursor cursor(Cursor::Kind::tail, loop.pass, task);
  cursor.attach(log, Place::newest(records));
  History history;
  for (bool live = false; !live;) {
    Read read = cursor.read(1 << 20);
    live = read.live;
    for (std::string& line : read.notices) history.notices.push_back(std::move(line));
    if (!live) history.slices.push_back(std::move(read.slice));
  }
  return history;
}

inline std::vector<std::string> numbered(int from, int count, size_t size = 0) {
  std::vector<std::string> messages;
  for (int i = 0; i < count; ++i) {
    messages.push_back("m" + std::to_string(from + i));
    if (messages.back().size() < size) messages.back().resize(size, '.');
  }
  return messages;
}

}  // namespace tailrace

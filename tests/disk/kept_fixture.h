#pragma once
// Logs as the keeper sees them, in the simplest way: they remember every record that was acknowledged.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "channels/disk/kept_log.h"
#include "tests/disk/store_fixture.h"

namespace tailrace {

/// A channel's log. Nobody reads it: its records live until the test or a bound moves the floor.
class TestLog final : public KeptLog, public CommitLog {
 public:
  explicit TestLog(uint32_t index, uint64_t ordinal = 0, uint64_t number = 1000)
      : channel_(std::make_shared<Channel>()), ordinal_(ordinal), number_(number), floor_(ordinal) {
    channel_->index = index;
    synced_ = ordinal;
  }

  // ---- as the test sees it ----
  void append(GroupCommit& commit, Room& room, const std::vector<std::string>& messages, AppendWaiter& waiter,
              Micros arrival = kTestTime) {
    const std::lock_guard lock(mutex_);
    room_ = &room;
    const uint64_t first = ordinal_;
    pending_.push_back({{take(messages, arrival)}, first, &waiter});
    room.add_waiting(pending_.back().slices[0].bytes());
    if (std::exchange(noted_, true)) return;
    commit.note(channel_, *this);
  }
  /// The same for who writes on the spot.
  StoredSlice next(const std::vector<std::string>& messages, Micros arrival = kTestTime) {
    const std::lock_guard lock(mutex_);
    const uint64_t first = ordinal_;
    return {channel_->index, first, take(messages, arrival)};
  }
  void move_floor(uint64_t floor) {
    const std::lock_guard lock(mutex_);
    floor_ = std::max(floor_, floor);
  }
  /// What must be read from disk.
  std::vector<Known> live() const {
    const std::lock_guard lock(mutex_);
    std::vector<Known> all;
    for (const auto& [ordinal, record] : records_)
      if (ordinal >= floor_ && ordinal < synced_) all.push_back(record.known);
    return all;
  }
  std::array<uint64_t, 6> dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }
  uint64_t disk_bytes() const {
    const std::lock_guard lock(mutex_);
    return disk_bytes_;
  }
  uint64_t first_kept() const {
    const std::lock_guard lock(mutex_);
    return first_kept_;
  }
  int expired = 0;
  std::vector<ChunkRef> memory_chunks;
  double believes = 1;  // of its live bytes, how many it tells of

  // ---- KeptLog ----
  uint64_t floor() const override {
    const std::lock_guard lock(mutex_);
    return floor_;
  }
  uint64_t synced_end() const override {
    const std::lock_guard lock(mutex_);
    return synced_;
  }
  void lose_before(uint64_t ordinal, DropReason reason, Micros) override {
    const std::lock_guard lock(mutex_);
    CHECK(ordinal <= synced_);
    if (ordinal <= floor_) return;
    dropped_[size_t(reason)] += ordinal - floor_;
    floor_ = ordinal;
  }
  void expire(Micros) override { ++expired; }
  void cleaned(uint64_t first_kept, uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    CHECK(first_kept >= first_kept_);
    CHECK(bytes <= disk_bytes_);
    first_kept_ = first_kept;
    disk_bytes_ -= bytes;
  }
  uint64_t live_bytes() const override {
    const std::lock_guard lock(mutex_);
    uint64_t bytes = 0;
    for (auto at = records_.lower_bound(floor_); at != records_.end() && at->first < synced_; ++at)
      bytes += at->second.bytes;
    return uint64_t(double(bytes) * believes);
  }
  uint64_t spare_bytes() const override { return 0; }  // somebody wants all of it
  void give_up_spare(uint64_t, Micros) override {}
  uint64_t memory() const override {
    uint64_t bytes = 0;
    for (const ChunkRef& c : memory_chunks) bytes += c->capacity;
    return bytes;
  }
  bool shrink() override {
    if (memory_chunks.empty()) return false;
    memory_chunks.erase(memory_chunks.begin());
    return true;
  }

  // ---- CommitLog ----
  std::vector<PendingBatch> take_pending() override {
    const std::lock_guard lock(mutex_);
    noted_ = false;
    return std::exchange(pending_, {});
  }
  void synced(uint64_t ordinal, uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    synced_ = ordinal;
    disk_bytes_ += bytes;
  }
  void failed() override {
    const std::lock_guard lock(mutex_);
    records_.erase(records_.lower_bound(synced_), records_.end());
    ordinal_ = synced_;  // numbers are not used again
    for (const PendingBatch& batch : pending_) {
      room_->take_waiting(batch.slices[0].bytes());
      batch.waiter->appended(make_error_code(ChannelErrc::no_room));
    }
    pending_.clear();
  }

 private:
  struct Kept {
    Known known;
    uint64_t bytes;
  };
  Slice take(const std::vector<std::string>& messages, Micros arrival) {
    const Slice slice = make_slice(number_, messages, arrival);
    for (const std::string& m : messages) {
      const uint64_t bytes = stored_size(MemoryEntry(m).record().header().text_size);
      records_[ordinal_] = {{ordinal_, number_, m}, bytes};
      ++ordinal_, ++number_;
    }
    return slice;
  }

  const ChannelPtr channel_;
  Room* room_ = nullptr;
  mutable std::mutex mutex_;
  uint64_t ordinal_, number_, floor_, synced_ = 0, first_kept_ = 0, disk_bytes_ = 0;
  std::map<uint64_t, Kept> records_;
  std::array<uint64_t, 6> dropped_{};
  std::vector<PendingBatch> pending_;
  bool noted_ = false;
};

class TestLogs final : public KeptLogs {
 public:
  TestLog& operator[](uint32_t channel) {
    const std::lock_guard lock(mutex_);
    auto& log = logs_[channel];
    if (!log) log = std::make_unique<TestLog>(channel);
    return *log;
  }
  void put(uint32_t channel, std::unique_ptr<TestLog> log) {
    const std::lock_guard lock(mutex_);
    logs_[channel] = std::move(log);
  }
  void remove(uint32_t channel, bool by_the_catalog) {
    const std::lock_guard lock(mutex_);
    logs_.erase(channel);
    if (by_the_catalog) removed_.insert(channel);
  }

  void for_each(const std::function<void(uint32_t channel, KeptLog& log)>& use) override {
    const std::lock_guard lock(mutex_);
    ++passes;
    for (auto& [channel, log] : logs_) use(channel, *log);
  }
  bool with(uint32_t channel, const std::function<void(KeptLog& log)>& use) override {
    const std::lock_guard lock(mutex_);
    const auto found = logs_.find(channel);
    if (found == logs_.end()) return false;
    use(*found->second);
    return true;
  }
  bool removed(uint32_t channel) const override {
    const std::lock_guard lock(mutex_);
    return removed_.contains(channel);
  }

  std::atomic<int> passes{0};

 private:
  mutable std::mutex mutex_;
  std::map<uint32_t, std::unique_ptr<TestLog>> logs_;
  std::set<uint32_t> removed_;
};

}  // namespace tailrace

#pragma once
// What a keeper and a channel's log do for the group commit, in the simplest way.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "channels/disk/group_commit.h"
#include "channels/errc.h"
#include "tests/disk/data_dir.h"

namespace tailrace {

/// Prepares and seals segments on the spot. Its directory may hold an earlier start's.
struct SimpleKeeper {
  explicit SimpleKeeper(uint64_t its_capacity = 1 << 20) : capacity(its_capacity) {}

  std::optional<PreparedSegment> next() {
    if (segments_left == 0) return {};
    SegmentHeader header{
        next_segment, {1, 2, 3}, {uint32_t(next_segment * 0x9e3779b9), 77}, kTestTime, capacity};
    auto made = prepare_segment(dir.path(), header);
    if (!made) made = prepare_segment(dir.path(), header);  // a keeper tries again
    if (!made) return {};
    ++next_segment, --segments_left;
    File to_read = File::open_to_read(made->path()).value();
    return PreparedSegment{header, std::move(*made), std::move(to_read)};
  }

  void seal(const SegmentPtr& segment) {
    ++seals;
    if (lazy) return;
    auto file = File::open_to_write(segment->file.path());
    if (!file) return;
    const EndText end{0, 0, segment->last_group, 0, segment->mark};
    if (!seal_segment(*file, segment->header, segment->entries_end, *segment->growing, end, kTestTime))
      return;
    auto index = StoredIndex::open(segment->file, segment->header.salts);
    if (index) segments.sealed(*segment, *index, file->size().value());
  }

  GroupWriter::Parts parts() {
    return {segments, [this](bool) { return next(); }, [this](const SegmentPtr& s) { seal(s); }};
  }

  RecoveryOptions options() const {
    RecoveryOptions o;
    o.segments_dir = dir.path();
    o.now = kTestTime + 1;
    return o;
  }

  const uint64_t capacity;
  TempDir dir;
  SegmentSet segments;
  std::atomic<uint64_t> next_segment{1}, segments_left{UINT64_MAX};
  size_t seals = 0;
  bool lazy = false;  // never comes to sealing
};

struct CountingWaiter final : AppendWaiter {
  void appended(Result<Position> result) override {
    const std::lock_guard lock(mutex);
    ++calls;
    first = result;
  }
  std::mutex mutex;
  int calls = 0;
  Result<Position> first = Position{};
};

/// A channel's log that keeps what waits and what was acknowledged.
class SimpleLog final : public CommitLog {
 public:
  SimpleLog(GroupCommit& commit, uint32_t index) : commit_(commit), channel_(std::make_shared<Channel>()) {
    channel_->index = index;
  }

  void append(const std::vector<std::string>& messages, AppendWaiter& waiter) {
    const std::lock_guard lock(mutex_);
    const Slice slice = make_slice(number_, messages);
    pending_.push_back({{slice}, ordinal_, &waiter});
    for (const std::string& m : messages) waiting_.push_back({ordinal_++, number_++, m});
    if (noted_) return;
    noted_ = true;
    commit_.note(channel_, *this);
  }

  std::vector<PendingBatch> take_pending() override {
    const std::lock_guard lock(mutex_);
    noted_ = false;
    ++takes;
    return std::exchange(pending_, {});
  }
  void synced(uint64_t ordinal, uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    CHECK(bytes > 0);
    size_t known = 0;
    while (known < waiting_.size() && waiting_[known].ordinal < ordinal)
      visible_.push_back(waiting_[known++]);
    CHECK(known > 0);
    waiting_.erase(waiting_.begin(), waiting_.begin() + ptrdiff_t(known));
  }
  void failed() override {
    if (before_failed) before_failed();
    const std::lock_guard lock(mutex_);
    ordinal_ -= waiting_.size();  // numbers are not used again
    waiting_.clear();
    for (const PendingBatch& batch : pending_) batch.waiter->appended(make_error_code(ChannelErrc::no_room));
    pending_.clear();
    ++failures;
  }

  std::vector<Known> visible() const {
    const std::lock_guard lock(mutex_);
    return visible_;
  }
  const ChannelPtr& channel() const { return channel_; }
  int failures = 0;
  std::atomic<int> takes{0};
  std::function<void()> before_failed;

 private:
  GroupCommit& commit_;
  const ChannelPtr channel_;
  mutable std::mutex mutex_;
  uint64_t ordinal_ = 0, number_ = 1000;
  bool noted_ = false;
  std::vector<PendingBatch> pending_;
  std::vector<Known> waiting_, visible_;
};

}  // namespace tailrace

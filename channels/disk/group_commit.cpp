#include "channels/disk/group_commit.h"

#include <algorithm>
#include <iterator>

#include "base/thread_name.h"
#include "channels/disk/crash_point.h"
#include "channels/errc.h"

namespace tailrace {
namespace {

constexpr uint64_t kCopiesAlone = 1 << 20;  // of a group without records
constexpr size_t kMostWaitingPosts = 100'000;
constexpr size_t kMostToTell = 2;  // groups; the writer waits beyond

uint64_t bytes_of(const Copies& copies) {
  uint64_t bytes = 0;
  for (const StoredSlice& s : copies.records) bytes += s.slice.bytes();
  return bytes;
}

uint64_t records_of(const PendingBatch& batch) {
  uint64_t records = 0;
  for (const Slice& slice : batch.slices) records += slice.records;
  return records;
}

}  // namespace

GroupCommit::GroupCommit(Parts parts, GroupWriter::Parts writer, GroupWriter::Start start)
    : parts_(std::move(parts)), writes_(std::move(writer), start) {}

GroupCommit::~GroupCommit() {
  stop();
}

Result<void> GroupCommit::start() {
  const auto done = writes_.write({}, {}, false, parts_.now());
  if (done) crash_point("recovery.head_synced");
  writer_ = std::jthread([this] { write_groups(); });
  teller_ = std::jthread([this] { tell_groups(); });
  return done;
}

void GroupCommit::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  to_write_.notify_one();
  if (writer_.joinable()) writer_.join();
  {
    const std::lock_guard lock(mutex_);
    written_all_ = true;
  }
  to_tell_.notify_one();
  if (teller_.joinable()) teller_.join();
  writes_.finish();
}

// ---- any thread ------------------------------------------------------------------------------------------

bool GroupCommit::note(ChannelPtr channel, CommitLog& log) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    noted_.push_back({std::move(channel), &log, {}});
    if (noted_.size() > 1) return true;  // the writer was woken
  }
  to_write_.notify_one();
  return true;
}

void GroupCommit::remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused,
                           AppendWaiter& waiter) {
  {
    std::unique_lock lock(mutex_);
    // Without `durable` they come while nothing can be written.
    if (stopped_ || posts_.size() >= kMostWaitingPosts) {
      lock.unlock();
      return waiter.appended(make_error_code(ChannelErrc::no_room));
    }
    posts_.push_back({std::move(post), std::move(refused), &waiter});
  }
  to_write_.notify_one();
}

void GroupCommit::copy(Copies copies) {
  {
    const std::lock_guard lock(mutex_);
    copies_.push_back(std::move(copies));
  }
  to_write_.notify_one();
}

void GroupCommit::raise_mark() {
  {
    const std::lock_guard lock(mutex_);
    raise_ = true;
  }
  to_write_.notify_one();
}

void GroupCommit::retry() {
  {
    const std::lock_guard lock(mutex_);
    retry_ = true;
  }
  to_write_.notify_one();
}

// ---- the writer ------------------------------------------------------------------------------------------

void GroupCommit::write_groups() {
  name_this_thread("disk writer");
  for (Group group; take(group); group = {}) {
    store(group);
    hand_over(std::move(group));
  }
}

/// Waits for something to write; false: nothing more will come.
bool GroupCommit::take(Group& group) {
  {
    std::unique_lock lock(mutex_);
    to_write_.wait(
        lock, [&] { return !noted_.empty() || !posts_.empty() || !copies_.empty() || raise_ || stopping_; });
    if (noted_.empty() && posts_.empty() && copies_.empty() && !raise_) return !(stopped_ = true);
    group.shares.swap(noted_);
    group.posts.swap(posts_);
    if (raise_) writes_.raise_mark();
    raise_ = false;
  }
  for (Share& share : group.shares) {
    share.batches = share.log->take_pending();
    for (const PendingBatch& batch : share.batches)
      for (const Slice& slice : batch.slices) group.waiting += slice.bytes();
  }
  const std::lock_guard lock(mutex_);
  uint64_t most = group.shares.empty() ? kCopiesAlone : group.waiting / 3;
  while (!copies_.empty() && (group.copies.empty() || bytes_of(copies_.front()) <= most)) {
    most -= std::min(most, bytes_of(copies_.front()));
    group.copies.push_back(std::move(copies_.front()));
    copies_.pop_front();
  }
  return true;
}

/// Without `durable` until it is stored, or the process stops. Copies go on meanwhile: they make room.
void GroupCommit::store(Group& group) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      retry_ = false;
    }
    const auto done = write(group);
    group.error = done ? error_code() : done.error();
    if (done) return;
    parts_.room.set_open(false);
    if (parts_.durable) return;
    {
      const std::lock_guard lock(mutex_);
      std::move(group.copies.begin(), group.copies.end(), std::front_inserter(copies_));
    }
    group.copies.clear();
    if (!wait_for_room()) return;
  }
}

/// Until the keeper says so; false: the process stops.
bool GroupCommit::wait_for_room() {
  for (;;) {
    Group copies;
    {
      std::unique_lock lock(mutex_);
      to_write_.wait(lock, [&] { return retry_ || stopping_ || !copies_.empty(); });
      if (retry_ || stopping_) return retry_;
      copies.copies.push_back(std::move(copies_.front()));
      copies_.pop_front();
    }
    if (const auto done = write(copies); !done) copies.error = done.error();
    hand_over(std::move(copies));
  }
}

Result<void> GroupCommit::write(const Group& group) {
  std::vector<StoredSlice> records;
  for (const Share& share : group.shares)
    for (const PendingBatch& batch : share.batches) {
      uint64_t ordinal = batch.first_ordinal;
      for (const Slice& slice : batch.slices) {
        records.push_back({share.channel->index, ordinal, slice});
        ordinal += slice.records;
      }
    }
  const bool for_copies = records.empty() && group.posts.empty();
  std::vector<PostVerdict> posts;
  for (const Post& post : group.posts)
    if (!post.refused || !post.refused->load(std::memory_order_acquire)) posts.push_back(post.verdict);
  for (const Copies& copies : group.copies) {
    records.insert(records.end(), copies.records.begin(), copies.records.end());
    posts.insert(posts.end(), copies.posts.begin(), copies.posts.end());
  }
  return writes_.write(records, posts, for_copies, parts_.now());
}

/// The teller works behind the writer; not behind a group that failed, whose logs are to be set right first.
void GroupCommit::hand_over(Group group) {
  const bool failed = group.error.failed();
  std::unique_lock lock(mutex_);
  told_.wait(lock, [&] { return synced_.size() < kMostToTell; });
  synced_.push_back(std::move(group));
  to_tell_.notify_one();
  if (failed) told_.wait(lock, [&] { return synced_.empty() && !telling_; });
}

// ---- the teller ------------------------------------------------------------------------------------------

void GroupCommit::tell_groups() {
  name_this_thread("disk teller");
  std::unique_lock lock(mutex_);
  for (;;) {
    to_tell_.wait(lock, [&] { return !synced_.empty() || written_all_; });
    if (synced_.empty()) return;
    Group group = std::move(synced_.front());
    synced_.pop_front();
    telling_ = true;
    lock.unlock();
    tell(group);
    crash_point("group.told");
    group = {};
    lock.lock();
    telling_ = false;
    told_.notify_one();
  }
}

void GroupCommit::tell(Group& group) {
  const error_code no_room = make_error_code(ChannelErrc::no_room);
  for (const Share& share : group.shares) {
    if (share.batches.empty()) continue;
    uint64_t bytes = 0;
    for (const PendingBatch& batch : share.batches)
      for (const Slice& s : batch.slices) bytes += s.bytes() + sizeof(EntryPrefix) * uint64_t{s.records};
    const PendingBatch& last = share.batches.back();
    if (group.error)
      share.log->failed();
    else
      share.log->synced(last.first_ordinal + records_of(last), bytes);
  }
  parts_.room.take_waiting(group.waiting);
  for (const Share& share : group.shares)
    for (const PendingBatch& batch : share.batches) {
      if (!batch.waiter) continue;
      if (group.error)
        batch.waiter->appended(no_room);
      else
        batch.waiter->appended(batch.slices.front().first);
    }
  for (const Post& post : group.posts) {
    const bool refused = post.refused && post.refused->load(std::memory_order_acquire);
    if (group.error || refused)
      post.waiter->appended(no_room);
    else
      post.waiter->appended(Position{});
  }
  for (const Copies& copies : group.copies) {
    if (group.error)
      copies.done(group.error);
    else
      copies.done({});
  }
  if (group.error || !parts_.durable || !parts_.observer) return;
  for (const Share& share : group.shares)
    for (const PendingBatch& batch : share.batches) parts_.observer->appended(*share.channel, batch.slices);
}

}  // namespace tailrace

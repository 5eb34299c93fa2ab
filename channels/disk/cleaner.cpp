#include "channels/disk/cleaner.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "base/log.h"
#include "channels/disk/crash_point.h"
#include "channels/disk/scanned_segment.h"

namespace tailrace {
namespace {

constexpr uint64_t kDead = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMostCopyBytes = 1 << 20;
constexpr size_t kMostUnderWay = 4;
constexpr uint64_t kPostBytes = 104;  // of one on disk, about
constexpr size_t kFewSegments = 16;
constexpr size_t kMostBehind = 7, kMostLines = 100'000;  // of segments that are looked at together
constexpr Micros kSecond = 1'000'000, kMinute = 60 * kSecond;
constexpr unsigned kMostFailedReads = 10;  // a minute apart; then what cannot be read is damaged

struct Interval {
  uint64_t from, until;  // ordinals
};

bool overlap(const ChannelLine& a, const ChannelLine& b) {
  return a.records > 0 && b.records > 0 && a.lowest_ordinal <= b.highest_ordinal &&
         b.lowest_ordinal <= a.highest_ordinal;
}

/// What of `run` is at or behind `floor` and in none of `covered`, which are sorted.
void add_wanted(uint32_t channel, const Run& run, uint64_t floor, const std::vector<Interval>& covered,
                std::vector<Wanted>& out) {
  uint64_t from = std::max(run.ordinal, floor);
  for (const Interval& c : covered) {
    if (c.until <= from) continue;
    if (c.from >= run.end_ordinal()) break;
    if (c.from > from) out.push_back({channel, run, from, c.from});
    from = c.until;
  }
  if (from < run.end_ordinal()) out.push_back({channel, run, from, run.end_ordinal()});
}

}  // namespace

struct Cleaner::Landed {
  std::mutex mutex;
  // guarded by mutex
  size_t under_way = 0;
  error_code error;
  std::vector<std::pair<uint32_t, Moved>> moved;
};

struct Cleaner::Job {
  SegmentPtr segment;
  std::vector<Share> shares;
  LiveRecords records;
  std::vector<PostLine> posts;
  size_t next_post = 0;
};

uint64_t Cleaner::Share::live_bytes() const {
  if (!alive()) return 0;
  const uint64_t end = line.highest_ordinal + 1;
  const uint64_t live = end - std::max(floor, line.lowest_ordinal), all = end - line.lowest_ordinal;
  return uint64_t(double(line.bytes) * (double(live) / double(all)));
}

uint64_t Cleaner::live_of(const std::vector<Share>& shares, size_t posts) {
  uint64_t live = posts * kPostBytes;
  for (const Share& share : shares) live += share.live_bytes();
  return live;
}

Cleaner::Cleaner(Parts parts) : parts_(std::move(parts)), landed_(std::make_shared<Landed>()) {}

Cleaner::~Cleaner() = default;

Result<Cleaner::Step> Cleaner::step(Micros now, bool pressed) {
  if (!job_) {
    if (const auto begun = begin(now, pressed); !begun) return begun.error();
    if (!job_) return Step::idle;
  }
  size_t under_way;
  error_code error;
  {
    const std::lock_guard lock(landed_->mutex);
    under_way = landed_->under_way;
    error = landed_->error;
    for (const auto& [channel, moved] : std::exchange(landed_->moved, {})) {
      Moved& all = moved_[channel];
      all.bytes += moved.bytes;
      all.end = std::max(all.end, moved.end);
    }
  }
  if (!error && under_way < kMostUnderWay && send_more()) return Step::copied;
  if (under_way > 0) return Step::waiting;
  if (!error && job_->records.error() && failed_reads_ < kMostFailedReads) {
    error = job_->records.error();
    ++failed_reads_;
    read_failed_at_ = now;
  }
  if (!error) return remove();
  landed_->error = {};
  job_.reset();
  return error;
}

// ---- which, and what of it -------------------------------------------------------------------------------

Result<void> Cleaner::begin(Micros now, bool pressed) {
  const SegmentPtr segment = parts_.segments.oldest();
  if (!segment || !(segment->index || segment->closed)) return {};
  const uint64_t number = segment->header.segment;
  if (number >= parts_.segments.newest_synced() || looked_at(number, now, pressed)) return {};

  const auto failed = [&](error_code error) {
    ++failed_reads_;
    read_failed_at_ = now;
    return error;
  };
  auto shares = shares_of(*segment, now);
  if (!shares) return failed(shares.error());
  auto posts = posts_of(*segment, now);
  if (!posts) return failed(posts.error());
  if (!worth_cleaning(*segment, *shares, posts->size(), pressed) &&
      !worth_with_more(*segment, live_of(*shares, posts->size()), now)) {
    look_ = {number, parts_.segments.count(), pressed, now};
    return {};
  }
  auto wanted = wanted_of(*segment, *shares);
  if (!wanted) return failed(wanted.error());
  job_ = std::make_unique<Job>(
      Job{segment, std::move(*shares), LiveRecords(segment, std::move(*wanted)), std::move(*posts), 0});
  return {};
}

/// Whether nothing can have changed since it was found not worth it, or it is to be left alone for a while.
bool Cleaner::looked_at(uint64_t segment, Micros now, bool pressed) {
  const auto within = [&](Micros at, Micros time) { return now >= at && now < at + time; };
  if (failed_reads_ > 0 && within(read_failed_at_, kMinute)) return true;
  return look_.segment == segment && look_.segments == parts_.segments.count() && look_.pressed == pressed &&
         within(look_.at, pressed ? kSecond : kMinute);
}

Result<std::vector<Cleaner::Share>> Cleaner::shares_of(Segment& segment, Micros now) {
  const auto lines = lines_of(segment);
  if (!lines) return lines.error();
  std::vector<Share> shares;
  shares.reserve(lines->size());
  for (const ChannelLine& line : *lines) {
    Share share{line};
    const bool known = parts_.logs.with(line.channel, [&](KeptLog& log) { share.floor = log.dead_below(); });
    share.unknown = !known && !parts_.logs.removed(line.channel);
    if (!known && (!share.unknown || line.newest < now - parts_.age)) share.floor = kDead;
    shares.push_back(share);
  }
  return shares;
}

/// An index that cannot be read any more is made again, from what of the segment can.
Result<std::vector<ChannelLine>> Cleaner::lines_of(Segment& segment) {
  auto lines = parts_.segments.lines(segment);
  if (lines || failed_reads_ < kMostFailedReads) return lines;
  const auto about = [&](uint32_t channel) {
    uint64_t end = 0;
    parts_.logs.with(channel, [&](KeptLog& log) { end = log.synced_end(); });
    return end;
  };
  ScannedSegment found = scan_segment(segment.file, segment.header.salts, segment.entries_end, about);
  parts_.segments.rescanned(segment, std::move(found.index));
  segment.closed = true;
  return parts_.segments.lines(segment);
}

Result<std::vector<PostLine>> Cleaner::posts_of(const Segment& segment, Micros now) const {
  std::vector<PostLine> posts;
  if (segment.newest <= now - kPostAge) return posts;
  const auto lines = parts_.segments.posts(segment);
  if (!lines) return lines.error();
  for (const PostLine& line : *lines)
    if (line.arrival > now - kPostAge) posts.push_back(line);
  return posts;
}

bool Cleaner::worth_cleaning(const Segment& segment, std::vector<Share>& shares, size_t posts,
                             bool pressed) const {
  uint64_t live = posts * kPostBytes, unknown = 0;
  for (const Share& share : shares) (share.unknown ? unknown : live) += share.live_bytes();
  if (pressed && unknown > segment.bytes / 8) {
    // Else they fill the disk for as long as their age allows, and nobody can read them.
    for (Share& share : shares)
      if (share.unknown) share.floor = kDead;
    log_warn("records of channels that the catalog does not know gave way to others",
             fmt::format("segment={:016x} bytes={}", segment.header.segment, unknown));
    unknown = 0;
  }
  live += unknown;
  if (pressed || live <= segment.bytes / 4) return true;
  const uint64_t explained = parts_.segments.bytes() / segment.header.capacity;
  return parts_.segments.count() > kFewSegments + 2 * explained;
}

/// Whether it and a few behind it are dead for three quarters together: those behind cannot go before it.
bool Cleaner::worth_with_more(const Segment& oldest, uint64_t live, Micros now) {
  uint64_t all = oldest.bytes;
  size_t looked = 0, lines = 0;
  for (const SegmentPtr& segment : parts_.segments.all()) {
    if (segment->header.segment == oldest.header.segment) continue;
    const bool closed = segment->index || segment->closed;
    if (!closed || segment->header.segment >= parts_.segments.newest_synced()) return false;
    if (looked++ == kMostBehind || lines > kMostLines) return false;
    const auto shares = shares_of(*segment, now);
    const auto posts = posts_of(*segment, now);
    if (!shares || !posts) return false;
    live += live_of(*shares, posts->size());
    all += segment->bytes;
    lines += shares->size();
    if (live <= all / 4) return true;
  }
  return false;
}

/// Where the live records lie of which no newer segment has a copy. errors: the segment's index. A newer
/// one's that cannot be read has no say: at worst a record is copied twice.
Result<std::vector<Wanted>> Cleaner::wanted_of(const Segment& segment,
                                               const std::vector<Share>& shares) const {
  std::vector<const Share*> alive;
  for (const Share& share : shares)
    if (share.alive()) alive.push_back(&share);
  std::unordered_map<uint32_t, std::vector<Interval>> covered;
  const auto cover = [&](const Segment& newer, const ChannelLine& line, const Share& share) {
    if (!overlap(line, share.line) || line.highest_ordinal < share.floor) return;
    const auto runs = parts_.segments.runs(newer, line);
    if (!runs) return;
    for (const Run& run : *runs) covered[line.channel].push_back({run.ordinal, run.end_ordinal()});
  };
  for (const SegmentPtr& newer : parts_.segments.all()) {
    if (newer->header.segment <= segment.header.segment || alive.empty()) continue;
    // One search for each, or one walk over all, whatever reads less.
    if (!newer->index || alive.size() < newer->index->channels() / 32) {
      for (const Share* share : alive)
        if (const auto line = parts_.segments.line(*newer, share->line.channel)) cover(*newer, *line, *share);
      continue;
    }
    auto at = alive.begin();
    (void)newer->index->for_each([&](const ChannelLine& line) {
      while (at != alive.end() && (*at)->line.channel < line.channel) ++at;
      if (at != alive.end() && (*at)->line.channel == line.channel) cover(*newer, line, **at);
    });
  }
  std::vector<Wanted> wanted;
  for (const Share* share : alive) {
    const auto runs = parts_.segments.runs(segment, share->line);
    if (!runs) return runs.error();
    std::vector<Interval>& elsewhere = covered[share->line.channel];
    std::sort(elsewhere.begin(), elsewhere.end(),
              [](const Interval& a, const Interval& b) { return a.from < b.from; });
    for (const Run& run : *runs) add_wanted(share->line.channel, run, share->floor, elsewhere, wanted);
  }
  return wanted;
}

// ---- out of it, and away with it -------------------------------------------------------------------------

/// False: all of it is on its way, or was.
bool Cleaner::send_more() {
  // All that is under way leaves most of a segment to records that were read before Room was full.
  const uint64_t most = std::min(kMostCopyBytes, job_->segment->header.capacity / 16);
  Copies copies;
  copies.records = job_->records.next(most);
  uint64_t bytes = copies.records.empty() ? 0 : most;
  for (; job_->next_post < job_->posts.size() && bytes < most; bytes += kPostBytes)
    copies.posts.push_back(
        read_verdict(job_->segment->file, job_->segment->header.salts, job_->posts[job_->next_post++]));
  if (copies.records.empty() && copies.posts.empty()) return false;

  std::vector<std::pair<uint32_t, Moved>> moved;
  for (const StoredSlice& s : copies.records)
    moved.push_back(
        {s.channel,
         {s.slice.bytes() + sizeof(EntryPrefix) * uint64_t{s.slice.records}, s.ordinal + s.slice.records}});
  {
    const std::lock_guard lock(landed_->mutex);
    ++landed_->under_way;
  }
  copies.done = [landed = landed_, moved = std::move(moved)](Result<void> result) {
    const std::lock_guard lock(landed->mutex);
    --landed->under_way;
    if (result)
      landed->moved.insert(landed->moved.end(), moved.begin(), moved.end());
    else
      landed->error = result.error();
  };
  parts_.copy(std::move(copies));
  return true;
}

/// Everything of it that lives is synced elsewhere.
Result<Cleaner::Step> Cleaner::remove() {
  crash_point("clean.copied");
  if (const auto done = parts_.sync_positions(ends()); !done) return done.error();
  crash_point("clean.positions_synced");
  const Segment& segment = *job_->segment;
  const std::string& path = segment.file.path();
  if (const auto done = unlink_file(path);
      !done && done.error() != boost::system::errc::no_such_file_or_directory)
    return done.error();
  crash_point("clean.unlinked");
  parts_.segments.remove(segment);
  (void)sync_dir(path.substr(0, path.rfind('/')));  // back after a power cut: it is cleaned again

  for (const Share& share : job_->shares) {
    const auto moved = moved_.find(share.line.channel);
    const uint64_t stayed = moved == moved_.end() ? 0 : std::min(moved->second.bytes, share.line.bytes);
    if (stayed == share.line.bytes) continue;
    parts_.logs.with(share.line.channel, [&](KeptLog& log) {
      log.cleaned(std::min(share.floor, log.synced_end()), share.line.bytes - stayed);
    });
  }
  count_round(segment);
  job_.reset();
  moved_.clear();
  failed_reads_ = 0;
  return Step::removed;
}

/// Of the channels whose newest record goes.
std::vector<std::pair<uint32_t, uint64_t>> Cleaner::ends() const {
  std::vector<std::pair<uint32_t, uint64_t>> ends;
  for (const Share& share : job_->shares) {
    const uint64_t end = share.line.highest_ordinal + 1;
    const auto moved = moved_.find(share.line.channel);
    if (moved != moved_.end() && moved->second.end >= end) continue;
    parts_.logs.with(share.line.channel, [&](KeptLog& log) {
      if (log.synced_end() <= end) ends.emplace_back(share.line.channel, end);
    });
  }
  return ends;
}

void Cleaner::count_round(const Segment& segment) {
  freed_ += segment.entries_end - kEntriesAt;
  for (const auto& [channel, moved] : moved_) rewritten_ += moved.bytes;
  if (segment.header.segment < round_end_) return;
  const bool gained = rewritten_ <= freed_ / 8 * 7;
  if (round_end_ > 0) barren_ = gained ? 0 : barren_ + 1;
  round_end_ = parts_.segments.newest_synced();
  freed_ = rewritten_ = 0;
}

}  // namespace tailrace

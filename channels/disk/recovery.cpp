#include "channels/disk/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "channels/disk/scanned_segment.h"

namespace tailrace {
namespace {

/// One segment file on its way into the set.
struct Candidate {
  uint64_t number = 0;
  std::string path;
  HeaderFault fault = HeaderFault::damaged;
  uint32_t version = 0;
  SegmentPtr segment = std::make_shared<Segment>();
  bool blank = false;  // nothing was ever written behind the header
  std::optional<ScannedSegment> scanned;

  uint64_t entries() const {
    return segment->index ? segment->index->entries() : segment->growing->entries();
  }
};

/// work(item) for each, on as many threads as there are processors.
template <class T, class F>
void for_all(std::vector<T>& items, F&& work) {
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < items.size();) work(items[i]);
  };
  std::vector<std::jthread> threads;
  const size_t most = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), items.size());
  for (size_t i = 1; i < most; ++i) threads.emplace_back(run);
  run();
}

bool is_blank(const File& file) {
  std::vector<std::byte> piece(256 * 1024);
  for (uint64_t at = kEntriesAt;; at += piece.size()) {
    const auto got = file.read(at, piece);
    if (!got) return false;
    const auto read = std::span(piece).first(*got);
    if (!std::all_of(read.begin(), read.end(), [](std::byte b) { return b == std::byte{0}; })) return false;
    if (*got < piece.size()) return true;
  }
}

/// Header, begin, and the index if there is one.
void look_at(Candidate& c) {
  Segment& s = *c.segment;
  auto file = File::open_to_read(c.path);
  if (!file) return;
  s.file = std::move(*file);
  const auto size = s.file.size();
  std::vector<std::byte> bytes(kEntriesAt + stored_size(kMostRecordText));
  const auto got = s.file.read(0, bytes);
  if (!size || !got) return;
  s.bytes = *size;
  bytes.resize(*got);
  c.fault = read_header(bytes, s.header, &c.version);
  if (c.fault == HeaderFault::none && s.header.segment != c.number) c.fault = HeaderFault::damaged;
  if (c.fault != HeaderFault::none) {
    c.blank = is_blank(s.file);
    return;
  }
  if (bytes.size() > kEntriesAt) {
    const auto first = read_entry(s.header.salts, kEntriesAt, std::span(bytes).subspan(kEntriesAt));
    if (first && first->is_control() && first->kind() == ControlKind::begin) s.begin = read_begin(*first);
  }
  const auto index = StoredIndex::open(s.file, s.header.salts);
  if (index) {
    s.index = *index;
    s.closed = true;
    s.entries_end = index->end().index_at;
    s.last_group = index->end().last_group;
    s.mark = index->end().mark;
    s.newest = index->end().newest;
  } else {
    c.blank = !s.begin && is_blank(s.file);
  }
}

/// What is there, and nothing behind what was called void; synced, so that it may be shown.
void scan(Candidate& c, uint64_t void_end, const std::function<uint64_t(uint32_t)>& about) {
  Segment& s = *c.segment;
  c.scanned = scan_segment(s.file, s.header.salts, std::min(s.bytes, void_end), about);
  s.growing = std::make_unique<IndexBuilder>(std::move(c.scanned->index));
  s.entries_end = c.scanned->entries_end;
  s.last_group = c.scanned->last_group;
  s.mark = c.scanned->mark;
  s.newest = s.growing->newest();
  if (auto file = File::open_to_write(c.path)) (void)file->sync();  // a disk that cannot is met again soon
}

class Recovery {
 public:
  Recovery(const RecoveryOptions& options, SegmentSet& set) : options_(options), set_(set) {}

  Result<void> list(std::string& error);
  /// Newer versions refuse the start; nothing was changed by then.
  Result<void> judge(std::string& error);
  void scan_unsealed();
  void take_channels();
  void take_posts();
  void count_losses();
  Recovered finish();

 private:
  uint64_t about(uint32_t channel) const;
  void add(const ChannelLine& line);

  const RecoveryOptions& options_;
  SegmentSet& set_;
  std::vector<Candidate> files_;  // by number; after judge(): what is to be read
  Recovered out_;
};

Result<void> Recovery::list(std::string& error) {
  const auto names = list_dir(options_.segments_dir);
  if (!names) {
    error = fmt::format("{}: {}", options_.segments_dir, names.error().message());
    return names.error();
  }
  for (const std::string& name : *names) {
    const auto number = segment_number(name);
    if (!number || *number == 0) continue;
    Candidate& c = files_.emplace_back();
    c.number = *number;
    c.path = options_.segments_dir + "/" + name;
  }
  std::sort(files_.begin(), files_.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  if (!files_.empty()) out_.next_segment = files_.back().number + 1;
  for_all(files_, look_at);
  return {};
}

Result<void> Recovery::judge(std::string& error) {
  for (const Candidate& c : files_) {
    if (c.fault != HeaderFault::newer_version) continue;
    error = fmt::format("segment {:016x} has version {}, this is {}", c.number, c.version, kSegmentVersion);
    return make_error_code(DiskErrc::newer_version);
  }
  const auto newest = std::find_if(files_.rbegin(), files_.rend(),
                                   [](const Candidate& c) { return c.fault == HeaderFault::none; });
  if (options_.data_dir)
    out_.data_dir = *options_.data_dir;
  else if (newest != files_.rend())
    out_.data_dir = newest->segment->header.data_dir;
  std::erase_if(files_, [&](const Candidate& c) {
    const bool foreign = c.fault == HeaderFault::none && c.segment->header.data_dir != out_.data_dir;
    if (c.blank && !foreign)
      (void)unlink_file(c.path);  // what stays is met again at the next start
    else if (c.fault != HeaderFault::none || foreign)
      out_.loss.unreadable.push_back(c.number);
    else
      return false;
    return true;
  });
  return {};
}

uint64_t Recovery::about(uint32_t channel) const {
  if (channel < out_.channels.size() && out_.channels[channel].end_ordinal > 0)
    return out_.channels[channel].end_ordinal;
  return options_.about(channel);
}

void Recovery::add(const ChannelLine& line) {
  if (line.channel >= out_.channels.size()) out_.channels.resize(size_t{line.channel} + 1);
  ChannelFound& found = out_.channels[line.channel];
  found.end_ordinal = std::max(found.end_ordinal, line.highest_ordinal + 1);
  found.lowest_ordinal = std::min(found.lowest_ordinal, line.lowest_ordinal);
  found.records += line.records;
  found.bytes += line.bytes;
  out_.highest_number = std::max(out_.highest_number, line.highest_number);
}

/// The sealed ones first: the others' ordinals are completed by what they say.
void Recovery::scan_unsealed() {
  std::map<uint64_t, uint64_t> void_ends;
  std::vector<Candidate*> to_scan;
  for (Candidate& c : files_) {
    if (c.segment->begin)
      for (const BeginText::Void& v : c.segment->begin->voids) {
        const auto at = void_ends.emplace(v.segment, v.end).first;
        at->second = std::min(at->second, v.end);
      }
    std::vector<ChannelLine> lines;
    if (c.segment->index && !c.segment->index->for_each([&](const ChannelLine& l) { lines.push_back(l); }))
      c.segment->index.reset();  // it could be read a moment ago
    if (!c.segment->index) {
      to_scan.push_back(&c);
      continue;
    }
    for (const ChannelLine& line : lines) add(line);
  }
  for (Candidate* c : to_scan) {
    const auto v = void_ends.find(c->number);
    if (v != void_ends.end() && v->second <= kEntriesAt) c->segment->begin.reset();  // void as well
  }
  for_all(to_scan, [&](Candidate* c) {
    const auto v = void_ends.find(c->number);
    scan(*c, v == void_ends.end() ? UINT64_MAX : v->second, [&](uint32_t channel) { return about(channel); });
  });
}

void Recovery::take_channels() {
  for (Candidate& c : files_) {
    if (c.segment->growing) {
      c.segment->growing->for_each([&](const ChannelLine& line) { add(line); });
      out_.unsealed.push_back(c.segment);
    }
    out_.mark = std::max(out_.mark, c.segment->mark);
    if (c.segment->begin) out_.mark = std::max(out_.mark, c.segment->begin->mark);
    out_.next_group = std::max(out_.next_group, c.segment->last_group + 1);
    out_.last_segment = c.number;
  }
}

void Recovery::take_posts() {
  std::vector<std::pair<const Segment*, PostLine>> lines;
  for (const Candidate& c : files_) {
    if (c.segment->newest <= options_.now - kPostMemory) continue;
    std::vector<PostLine> posts;
    if (c.segment->growing)
      posts = c.segment->growing->posts();
    else if (auto stored = c.segment->index->posts())
      posts = std::move(*stored);
    for (const PostLine& post : posts)
      if (post.arrival > options_.now - kPostMemory) lines.emplace_back(c.segment.get(), post);
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.second.arrival > b.second.arrival; });
  if (lines.size() > kMostPosts) lines.resize(kMostPosts);
  for (const auto& [segment, line] : lines)
    out_.posts.push_back(read_verdict(segment->file, segment->header.salts, line));
}

void Recovery::count_losses() {
  const Candidate* before = nullptr;
  for (const Candidate& c : files_) {
    const bool last = &c == &files_.back();
    if (c.scanned) {
      // Behind the last group's entry, of the last segment: torn. Behind the group's end: an index that was
      // not finished, or the zeros that were allocated.
      const uint64_t sure = last ? c.scanned->last_group_at : c.scanned->last_group_end;
      for (const Stretch& s : c.scanned->stretches) out_.loss.damaged_stretches += s.begin < sure;
      if (last) out_.loss.torn_entries = c.scanned->last_group_missing;
    }
    if (c.segment->begin) {
      const uint64_t written = c.segment->begin->entries;
      if (before && written > out_.entries) out_.loss.missing_entries += written - out_.entries;
      out_.entries = std::max(out_.entries, written);
    }
    out_.entries += c.entries();
    before = &c;
  }
}

Recovered Recovery::finish() {
  for (Candidate& c : files_) set_.add(std::move(c.segment));
  return std::move(out_);
}

}  // namespace

Position Recovered::base(uint64_t stored, Micros now) const {
  const uint64_t by_clock = uint64_t(std::max<Micros>(now, 0) / 1'000'000) << 20;
  return {std::max({mark, highest_number + 1, stored + 1, by_clock})};
}

Result<Recovered> recover(const RecoveryOptions& options, SegmentSet& segments, std::string& error) {
  Recovery recovery(options, segments);
  if (const auto done = recovery.list(error); !done) return done.error();
  if (const auto done = recovery.judge(error); !done) return done.error();
  recovery.scan_unsealed();
  recovery.take_channels();
  recovery.take_posts();
  recovery.count_losses();
  return recovery.finish();
}

}  // namespace tailrace

#include "channels/disk/segment_index.h"

#include <cstring>

#include "channels/disk/crc32c.h"

namespace tailrace {
namespace {

constexpr uint64_t kCounts = 16;  // channels, runs, posts, zero
constexpr uint64_t kPiece = 256 * 1024;

template <class T>
void append_bytes(std::vector<std::byte>& out, std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

// ---- IndexBuilder ----------------------------------------------------------------------------------------

void IndexBuilder::add(const AddedRun& added) {
  const Run& run = added.run;
  Channel& channel = channels_[added.channel];
  ChannelLine& line = channel.line;
  line.channel = added.channel;
  line.records += run.records;
  line.bytes += run.bytes;
  line.lowest_number = std::min(line.lowest_number, added.number);
  line.highest_number = std::max(line.highest_number, added.number + run.records - 1);
  line.lowest_ordinal = std::min(line.lowest_ordinal, run.ordinal);
  line.highest_ordinal = std::max(line.highest_ordinal, run.end_ordinal() - 1);
  line.newest = std::max(line.newest, added.newest);
  records_ += run.records;
  newest_ = std::max(newest_, added.newest);

  auto& runs = channel.runs;
  if (!runs.empty()) {
    Run& last = runs[channel.latest];
    if (last.offset + last.bytes == run.offset && last.end_ordinal() == run.ordinal &&
        channel.next_number == added.number) {
      last.records += run.records;
      last.bytes += run.bytes;
      channel.next_number += run.records;
      return;
    }
  }
  const auto behind = std::upper_bound(runs.begin(), runs.end(), run.ordinal,
                                       [](uint64_t ordinal, const Run& r) { return ordinal < r.ordinal; });
  channel.latest = size_t(behind - runs.begin());
  runs.insert(behind, run);
  channel.next_number = added.number + run.records;
  ++runs_;
}

void IndexBuilder::add(const PostVerdict& post, uint64_t offset) {
  const auto rejected_at = post.rejected.empty() ? 0 : uint32_t(offset / 8);
  posts_.push_back({post.key, post.arrival, post.accepted, rejected_at});
  newest_ = std::max(newest_, post.arrival);
}

const ChannelLine* IndexBuilder::channel(uint32_t channel) const {
  const auto found = channels_.find(channel);
  return found == channels_.end() ? nullptr : &found->second.line;
}

std::vector<Run> IndexBuilder::runs(uint32_t channel) const {
  const auto found = channels_.find(channel);
  return found == channels_.end() ? std::vector<Run>{} : found->second.runs;
}

Result<void> IndexBuilder::write(const Salts& salts, uint64_t offset, Micros now,
                                 std::vector<std::byte>& out) const {
  const uint64_t text = kCounts + channels_.size() * sizeof(ChannelLine) + runs_ * sizeof(RunLine) +
                        posts_.size() * sizeof(PostLine);
  if (text > kMostIndexText) return make_error_code(DiskErrc::too_big);
  out.reserve(out.size() + stored_size(text));
  const size_t opened = open_control(ControlKind::index, channels_.size(), now, out);
  const std::array<uint32_t, 4> counts{uint32_t(channels_.size()), uint32_t(runs_), uint32_t(posts_.size()),
                                       0};
  append_bytes<uint32_t>(out, counts);
  uint32_t first_run = 0;
  for (const auto& [index, channel] : channels_) {
    ChannelLine line = channel.line;
    line.first_run = first_run;
    line.runs = uint32_t(channel.runs.size());
    first_run += line.runs;
    append_bytes<ChannelLine>(out, {&line, 1});
  }
  for (const auto& [index, channel] : channels_)
    for (const Run& run : channel.runs) {
      const RunLine line{uint32_t(run.ordinal), uint32_t(run.offset / 8), run.records, run.bytes / 8};
      append_bytes<RunLine>(out, {&line, 1});
    }
  append_bytes<PostLine>(out, posts_);
  close_control(salts, offset, opened, out);
  return {};
}

// ---- StoredIndex -----------------------------------------------------------------------------------------

Result<uint64_t> check_index(const File& file, const Salts& salts, uint64_t offset, uint64_t end) {
  std::vector<std::byte> piece(std::min(kPiece, end - std::min(offset, end)));
  uint64_t size = 0, done = 0;
  uint32_t crc = 0, stored = 0;
  do {
    const auto part = std::span(piece).first(done == 0 ? piece.size() : std::min(kPiece, size - done));
    const auto got = file.read(offset + done, part);
    if (!got) return got.error();
    auto bytes = part.first(*got);
    if (done == 0) {
      EntryPrefix prefix;
      if (bytes.size() < kFixedBytes) return make_error_code(DiskErrc::damaged);
      std::memcpy(&prefix, bytes.data(), sizeof prefix);
      size = claimed_size(salts, offset, bytes.data());
      if (prefix.channel != kControlChannel || ControlKind(prefix.ordinal) != ControlKind::index ||
          size == 0 || size > end - offset)
        return make_error_code(DiskErrc::damaged);
      bytes = bytes.first(std::min<uint64_t>(size, bytes.size()));
      stored = prefix.crc;
      crc = check_of(salts, offset, bytes);
    } else {
      crc = crc32c(bytes, crc);
    }
    if (bytes.empty()) return make_error_code(DiskErrc::damaged);
    done += bytes.size();
  } while (done < size);
  if (crc != stored) return make_error_code(DiskErrc::damaged);
  return size;
}

Result<StoredIndex> StoredIndex::open(const File& file, const Salts& salts) {
  const error_code damaged = make_error_code(DiskErrc::damaged);
  const auto size = file.size();
  if (!size) return size.error();
  if (*size < kEntriesAt + kEndBytes || *size % 8 != 0) return damaged;
  alignas(8) std::array<std::byte, kEndBytes> end_bytes;
  const uint64_t end_at = *size - kEndBytes;
  auto got = file.read(end_at, end_bytes);
  if (!got) return got.error();
  const auto end_entry = read_entry(salts, end_at, std::span(end_bytes).first(*got));
  if (!end_entry || !end_entry->is_control() || end_entry->kind() != ControlKind::end) return damaged;
  StoredIndex index;
  index.end_ = *read_end(*end_entry);
  index.file_ = &file;
  const uint64_t at = index.end_.index_at;
  if (at < kEntriesAt || at > end_at || at % 8 != 0) return damaged;
  const auto index_size = check_index(file, salts, at, end_at);
  if (!index_size) return index_size.error();

  std::array<uint32_t, 4> counts{};
  const auto front = index.read_lines<uint32_t>(at + kFixedBytes, counts);
  if (!front) return front.error();
  index.channels_ = counts[0], index.runs_ = counts[1], index.posts_ = counts[2];
  index.lines_at_ = at + kFixedBytes + kCounts;
  index.runs_at_ = index.lines_at_ + uint64_t{index.channels_} * sizeof(ChannelLine);
  index.posts_at_ = index.runs_at_ + uint64_t{index.runs_} * sizeof(RunLine);
  if (index.posts_at_ + uint64_t{index.posts_} * sizeof(PostLine) != at + *index_size ||
      at + *index_size != end_at)
    return damaged;
  return index;
}

Result<ChannelLine> StoredIndex::channel(uint32_t channel) const {
  uint32_t low = 0, high = channels_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    ChannelLine line;
    const auto got = read_lines<ChannelLine>(lines_at_ + uint64_t{middle} * sizeof line, {&line, 1});
    if (!got) return got.error();
    if (line.channel == channel) return line;
    (line.channel < channel ? low = middle + 1 : high = middle);
  }
  return ChannelLine{};
}

Result<std::vector<Run>> StoredIndex::runs(const ChannelLine& line) const {
  if (line.first_run > runs_ || line.runs > runs_ - line.first_run) return make_error_code(DiskErrc::damaged);
  std::vector<RunLine> stored(line.runs);
  const auto got = read_lines<RunLine>(runs_at_ + uint64_t{line.first_run} * sizeof(RunLine), stored);
  if (!got) return got.error();
  std::vector<Run> runs;
  runs.reserve(stored.size());
  uint64_t ordinal = line.lowest_ordinal;
  for (const RunLine& r : stored) {
    ordinal += uint32_t(r.ordinal - uint32_t(ordinal));  // they are sorted, so the high bits follow
    runs.push_back({ordinal, uint64_t{r.at} * 8, r.records, r.bytes * 8});
    if (runs.back().offset < kEntriesAt || r.bytes > UINT32_MAX / 8 ||
        runs.back().offset + runs.back().bytes > end_.index_at)
      return make_error_code(DiskErrc::damaged);
  }
  return runs;
}

Result<std::vector<PostLine>> StoredIndex::posts() const {
  std::vector<PostLine> posts(posts_);
  const auto got = read_lines<PostLine>(posts_at_, posts);
  if (!got) return got.error();
  return posts;
}

}  // namespace tailrace

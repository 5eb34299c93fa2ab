#include "channels/disk/segment_scanner.h"

#include <algorithm>
#include <cstring>

#include "channels/disk/segment_index.h"

namespace tailrace {
namespace {

constexpr uint64_t kWindow = 256 * 1024;
static_assert(kWindow >= 2 * stored_size(kMostRecordText), "every entry but an index fits, and more");

}  // namespace

SegmentScanner::SegmentScanner(const File& file, const Salts& salts, uint64_t begin, uint64_t end)
    : file_(file),
      salts_(salts),
      at_(begin),
      end_(end),
      window_at_(begin),
      window_end_(begin),
      window_(kWindow) {}

const StoredEntry* SegmentScanner::next() {
  stretch_ = {at_, at_, true};
  while (at_ < end_) {
    if (!fill(kFixedBytes)) {
      const auto rest = ahead();
      stretch_.zeros &= std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
      at_ = end_;
      break;
    }
    if (entry_here()) {
      stretch_.end = entry_->offset;
      return &*entry_;
    }
    if (at_ < end_) skip();
  }
  stretch_.end = at_;
  return nullptr;
}

/// Whether a valid entry begins at at_, which then moves behind it. An index ends the scan instead.
bool SegmentScanner::entry_here() {
  const uint64_t size = claimed_size(salts_, at_, ahead().data());
  if (size == 0) return false;
  if (size > kWindow) {
    const auto index = check_index(file_, salts_, at_, end_);
    if (index) end_ = at_;
    if (!index && index.error().category() != disk_category()) error_ = index.error();
    return false;
  }
  fill(size);
  entry_ = read_entry(salts_, at_, ahead());
  if (!entry_) return false;
  if (entry_->is_control() && entry_->kind() == ControlKind::index) {
    end_ = at_;
    return false;
  }
  at_ += size;
  return true;
}

/// Moves at_ to the next multiple of 8 in the window where a seal fits, or to where the window is too short.
void SegmentScanner::skip() {
  const std::byte* bytes = ahead().data();
  const uint64_t last = window_end_ - kFixedBytes;
  bool zeros = stretch_.zeros;
  do {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    zeros &= word == 0;
    at_ += 8, bytes += 8;
    if (at_ > last) break;
    std::memcpy(&word, bytes, sizeof word);
    if (uint32_t(word >> 32) == seal_of(salts_, at_)) break;
  } while (true);
  stretch_.zeros = zeros;
}

/// Has the window hold `bytes` at at_; false if the file or the range has fewer, which are there then.
bool SegmentScanner::fill(uint64_t bytes) {
  if (window_end_ - at_ >= bytes) return true;
  const uint64_t kept = window_end_ - at_;
  std::memmove(window_.data(), window_.data() + (at_ - window_at_), kept);
  window_at_ = at_;
  const uint64_t wanted = std::min<uint64_t>(end_ - window_end_, kWindow - kept);
  const auto got = file_.read(window_end_, std::span(window_).subspan(kept, wanted));
  if (!got) error_ = got.error();
  const uint64_t more = got ? *got : 0;
  window_end_ += more;
  if (more < wanted) end_ = window_end_;
  return window_end_ - at_ >= bytes;
}

}  // namespace tailrace

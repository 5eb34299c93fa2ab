#include "web/rendering.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tailrace {
namespace {

constexpr size_t kMinPiece = 256, kMaxPiece = 64 * 1024;

}  // namespace

size_t RenderedSlice::bytes() const {
  size_t bytes = 0;
  for (const std::string_view piece : pieces_) bytes += piece.size();
  return bytes;
}

void RenderedSlice::drop_front(uint64_t records) {
  if (!records) return;
  pieces_.clear();
  if (records >= records_) {
    records_ = 0;
    rendering_.reset();
    return;
  }
  const std::lock_guard lock(rendering_->mutex_);
  Rendering& all = *rendering_;
  const auto begin = all.marks_.begin() + (begin_ - all.first_),
             end = all.marks_.begin() + (end_ - all.first_);
  const int32_t wanted = begin->records + int32_t(records);
  const auto found = std::partition_point(begin, end, [wanted](const auto& m) { return m.records < wanted; });
  begin_ += uint32_t(found - begin);
  all.cut(*this);
}

Rendering::Rendering(const Chunk& chunk, TailFilterPtr filter, TailForm form)
    : filter_(std::move(filter)),
      key_{chunk.serial, filter_ ? std::string_view(filter_->key()) : std::string_view(), form} {}

Rendering::Asked Rendering::of(const Slice& slice) {
  Asked asked;
  const auto begin = uint32_t(slice.first.value - slice.chunk->first.value);
  const std::lock_guard lock(mutex_);
  const size_t before = marks_.size();
  if (marks_.empty()) {
    first_ = begin;
    begin_at_ = end_at_ = slice.begin_at;
    marks_.emplace_back();
  }
  if (begin < first_) prepend(slice);
  if (begin + slice.records > past()) extend(slice);
  asked.judged = marks_.size() - std::max<size_t>(before, 1);
  asked.first_hit = !asked.judged && !std::exchange(hit_, true);
  asked.bytes = memory();
  asked.slice.begin_ = begin;
  asked.slice.end_ = begin + slice.records;
  cut(asked.slice);
  return asked;
}

/// Judges records of the chunk, the first of which is `record`. Gives their text, until the next call in this
/// thread, and adds a mark behind each to `marks`, which go on from the last one.
std::string_view Rendering::write(const Chunk& chunk, uint32_t begin_at, uint32_t end_at, uint32_t record,
                                  std::vector<Mark>& marks) const {
  thread_local std::string text;
  text.clear();
  const int32_t origin = marks.back().text;
  int32_t records = marks.back().records;
  uint64_t number = chunk.first.value + record;
  const Slice::Iterator end(chunk.data() + end_at);
  for (Slice::Iterator at(chunk.data() + begin_at); at != end; ++at, ++number) {
    if (!filter_ || filter_->wants(*at)) {
      append_record(text, key_.form, {number}, *at);
      ++records;
    }
    marks.push_back({origin + int32_t(text.size()), records});
  }
  return text;
}

/// To the end of the slice.
void Rendering::extend(const Slice& slice) {
  const int32_t origin = marks_.back().text;
  const std::string_view text = write(*slice.chunk, end_at_, slice.end_at, past(), marks_);
  end_at_ = slice.end_at;
  if (text.empty()) return;
  if (pieces_.empty() || pieces_.back().room() < text.size()) {
    const auto so_far = size_t(origin - marks_.front().text);
    const size_t usual = std::clamp<size_t>(so_far, slice.chunk->capacity / 16, kMaxPiece);
    pieces_.push_back(Piece::make(std::max({usual, kMinPiece, text.size()}), origin));
  }
  pieces_.back().add(text);
}

/// From the begin of the slice.
void Rendering::prepend(const Slice& slice) {
  std::vector<Mark> marks(1);
  const auto record = uint32_t(slice.first.value - slice.chunk->first.value);
  const std::string_view text = write(*slice.chunk, slice.begin_at, begin_at_, record, marks);
  const Mark front = marks_.front(), back = marks.back();
  marks.pop_back();
  for (Mark& mark : marks) {
    mark.text += front.text - back.text;
    mark.records += front.records - back.records;
  }
  marks_.insert(marks_.begin(), marks.begin(), marks.end());
  first_ = record;
  begin_at_ = slice.begin_at;
  if (text.empty()) return;
  Piece piece = Piece::make(text.size(), marks_.front().text);
  piece.add(text);
  pieces_.insert(pieces_.begin(), std::move(piece));
}

/// The pieces and the count of the slice's records.
void Rendering::cut(RenderedSlice& slice) {
  const Mark begin = mark(slice.begin_), end = mark(slice.end_);
  slice.records_ = uint64_t(end.records - begin.records);
  if (slice.empty()) return;
  slice.rendering_ = shared_from_this();
  const auto found =
      std::ranges::partition_point(pieces_, [&](const Piece& piece) { return piece.end <= begin.text; });
  for (auto piece = found; piece != pieces_.end() && piece->begin < end.text; ++piece) {
    const int32_t from = std::max(piece->begin, begin.text), to = std::min(piece->end, end.text);
    slice.pieces_.emplace_back(piece->bytes.get() + (from - piece->begin), size_t(to - from));
  }
}

size_t Rendering::memory() const {
  size_t bytes = sizeof *this + 256 + marks_.capacity() * sizeof(Mark);  // with its place among the others
  for (const Piece& piece : pieces_) bytes += size_t(piece.capacity) + sizeof(Piece);
  return bytes;
}

}  // namespace tailrace

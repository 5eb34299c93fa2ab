#include "drains/delivery.h"

#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace tailrace {
namespace {

/// The first `records` of `slice`, and the rest of it.
std::pair<Slice, Slice> cut_at(const Slice& slice, uint32_t records) {
  Slice first = slice, rest = slice;
  for (uint32_t i = 0; i < records; ++i)
    rest.begin_at += uint32_t(Record(rest.chunk->data() + rest.begin_at).stride());
  rest.records -= records;
  rest.first.value += records;
  first.end_at = rest.begin_at;
  first.records = records;
  return {first, rest};
}

}  // namespace

void Delivery::add_run(const Slice& run, uint64_t before) {
  slices.push_back(run);
  skipped.push_back(before);
  records += run.records;
  filtered += before;
  bytes += run.bytes();
}

void Delivery::add(const Slice& slice, const RecordFilter* wanted) {
  if (!wanted) return slice.empty() ? void() : add_run(slice, 0);
  filtered -= behind;
  Slice run = slice;
  run.records = 0;
  run.end_at = run.begin_at;
  for (const Record record : slice) {
    const auto stride = uint32_t(record.stride());
    if (wanted->wants(record)) {
      ++run.records;
      run.end_at += stride;
      continue;
    }
    if (!run.empty()) add_run(run, std::exchange(behind, 0));
    ++behind;
    run.first = {run.past().value + 1};
    run.begin_at = run.end_at += stride;
    run.records = 0;
  }
  if (!run.empty()) add_run(run, std::exchange(behind, 0));
  filtered += behind;
}

void Delivery::name(std::string_view drain_token) {
  std::string range = std::string(drain_token) + " ";
  if (slices.empty())
    range += l10;
  else
    range +=
        " " + std::to_string(slices.front().first.value) + " " + std::to_string(slices.back().past().value);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(range.data()), range.size(), hash);
  frame_id.clear();
  for (size_t i = 0; i < 16; ++i) {
    frame_id += "0123456789ABCDEF"[hash[i] >> 4];
    frame_id += "0123456789ABCDEF"[hash[i] & 15];
  }
}

std::pair<Delivery, Delivery> Delivery::halves(Delivery whole) {
  Delivery first, second;
  first.loss = std::exchange(whole.loss, {});
  first.l10 = std::exchange(whole.l10, {});
  if (whole.records == 1) return {std::move(first), std::move(whole)};
  uint64_t left = whole.records / 2;
  for (size_t i = 0; i < whole.slices.size(); ++i) {
    const Slice& slice = whole.slices[i];
    const auto take = uint32_t(std::min<uint64_t>(left, slice.records));
    const auto [ahead, rest] = cut_at(slice, take);
    if (take) first.add_run(ahead, whole.skipped[i]);
    if (!rest.empty()) second.add_run(rest, take ? 0 : whole.skipped[i]);
    left -= take;
  }
  second.behind = whole.behind;
  second.filtered += whole.behind;
  return {std::move(first), std::move(second)};
}

void Delivery::settle_down() {
  // Its own chunks, against those that it pins and others need no more.
  uint64_t own = 0, pinned = 0;
  const Chunk* last = nullptr;
  for (const Slice& slice : slices) {
    own += std::clamp(std::bit_ceil(slice.bytes()), kMinChunk, kMaxChunk);
    if (&*slice.chunk != last) pinned += slice.chunk->capacity;
    last = &*slice.chunk;
  }
  if (own * 2 > pinned) return;
  for (Slice& slice : slices) {
    const ChunkRef chunk = Chunk::make(slice.bytes(), slice.first);
    std::memcpy(chunk->data(), slice.chunk->data() + slice.begin_at, slice.bytes());
    chunk->end = slice.bytes();
    chunk->count = slice.records;
    chunk->newest = slice.chunk->newest;
    slice.chunk = chunk;
    slice.begin_at = 0;
    slice.end_at = chunk->end;
  }
}

}  // namespace tailrace

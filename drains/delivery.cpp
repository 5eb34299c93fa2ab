#include "drains/delivery.h"

#include <openssl/sha.h>

#include <algorithm>
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

void Delivery::add_run(const Slice& run) {
  if (run.empty()) return;
  records += run.records;
  bytes += run.bytes();
  slices.push_back(run);
}

void Delivery::add(const Slice& slice, const RecordFilter* wanted) {
  if (!wanted) return add_run(slice);
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
    ++filtered;
    add_run(run);
    run.first = {run.past().value + 1};
    run.begin_at = run.end_at += stride;
    run.records = 0;
  }
  add_run(run);
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
  first.loss = whole.loss;
  first.l10 = std::move(whole.l10);
  second.filtered = whole.filtered;
  uint64_t left = whole.records / 2;
  for (const Slice& slice : whole.slices) {
    const auto take = uint32_t(std::min<uint64_t>(left, slice.records));
    const auto [ahead, rest] = cut_at(slice, take);
    first.add_run(ahead);
    second.add_run(rest);
    left -= take;
  }
  return {std::move(first), std::move(second)};
}

void Delivery::settle_down() {
  for (Slice& slice : slices) {
    if (uint64_t{slice.bytes()} * 2 > slice.chunk->capacity) continue;
    const ChunkRef own = Chunk::make(slice.bytes(), slice.first);
    std::memcpy(own->data(), slice.chunk->data() + slice.begin_at, slice.bytes());
    own->end = slice.bytes();
    own->count = slice.records;
    own->newest = slice.chunk->newest;
    slice.chunk = own;
    slice.begin_at = 0;
    slice.end_at = own->end;
  }
}

}  // namespace tailrace

// Whatever the bytes of a segment are, the scanner agrees with its slow twin. The input is a program that
// lays entries and damages them; bytes alone would never get past the salts.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstring>

#include "tests/disk/segment_bytes.h"

using namespace tailrace;

namespace {

constexpr size_t kMostBytes = 400'000;

/// Gives what lies at `at` the seal and the checksum that its size asks for, so that only its form can be
/// wrong.
void make_fit(SegmentBytes& segment, uint64_t at) {
  if (at + kFixedBytes > segment.end()) return;
  std::byte* const entry = segment.bytes.data() + at;
  uint32_t text_size;
  std::memcpy(&text_size, entry + sizeof(EntryPrefix), 4);
  const uint32_t seal = seal_of(segment.salts, at);
  std::memcpy(entry + 4, &seal, 4);
  if (stored_size(text_size) > segment.end() - at) return;
  const uint32_t crc = check_of(segment.salts, at, {entry, stored_size(text_size)});
  std::memcpy(entry, &crc, 4);
}

void run(FuzzedDataProvider& input, SegmentBytes& segment) {
  const uint64_t size = segment.end() - kEntriesAt;
  const auto place = [&] {
    return kEntriesAt + input.ConsumeIntegralInRange<uint64_t>(0, size ? size - 1 : 0);
  };
  switch (input.ConsumeIntegralInRange(0, 9)) {
    case 0:
      return segment.record(input.ConsumeIntegral<uint8_t>(), 3, 1000, input.ConsumeRandomLengthString());
    case 1:
      return segment.record(1, 4, 1001, std::string(input.ConsumeIntegralInRange(0, 10'000), 'x'));
    case 2:
      return segment.group(input.ConsumeIntegral<uint64_t>(), 1, input.ConsumeIntegral<uint32_t>());
    case 3:
      return segment.post({{}, 0, 1, input.ConsumeRandomLengthString(900)});
    case 4: {  // any control entry
      const uint64_t at = segment.end();
      const auto kind = ControlKind(input.ConsumeIntegralInRange(0, 6));
      const size_t opened = open_control(kind, input.ConsumeIntegral<uint64_t>(), 1, segment.bytes);
      for (const char c : input.ConsumeRandomLengthString()) segment.bytes.push_back(std::byte(c));
      if (input.ConsumeBool()) segment.zeros(input.ConsumeIntegralInRange<uint64_t>(0, 300'000));
      return close_control(segment.salts, at, opened, segment.bytes);
    }
    case 5:
      return segment.zeros(8 * input.ConsumeIntegralInRange<uint64_t>(0, 200));
    case 6:
      if (size) segment.bytes[place()] = std::byte(input.ConsumeIntegral<uint8_t>());
      return;
    case 7: {
      if (!size) return;
      const uint64_t from = place(), to = place();
      const uint64_t n = std::min({segment.end() - from, segment.end() - to, uint64_t{4096}});
      std::memmove(segment.bytes.data() + to, segment.bytes.data() + from, n);
      return;
    }
    case 8:
      return make_fit(segment, place() / 8 * 8);
    default:
      segment.bytes.resize(place());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static SegmentFile file;
  FuzzedDataProvider input(data, size);
  SegmentBytes segment;
  while (input.remaining_bytes() > 0 && segment.end() < kMostBytes) {
    run(input, segment);
    segment.bytes.resize(std::max<uint64_t>(segment.end() / 8 * 8, kEntriesAt));
  }
  segment.bytes.resize(segment.end() - std::min<uint64_t>(segment.end(), size % 3));
  const TwinScan fast = scan(file.with(segment.bytes));
  if (!(fast == scan_slowly(segment.bytes, kTestSalts.crc, kTestSalts.seal))) __builtin_trap();
  return 0;
}

// What the libraries pack comes out again, in any slices; its prefixes are truncated; a flipped bit gives no
// other text; and whatever the bytes are, inflating them ends within the bounds.

#include "tests/ingest/compress.h"

using namespace tailrace;
using Step = Inflater::Step;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  const auto encoding = data[0] % 2 ? Inflater::Encoding::gzip : Inflater::Encoding::zstd;
  const size_t slice = size_t(data[1]) << (data[0] / 16 % 4 * 3 + 1);  // 512 KiB at most

  const Inflated raw = inflate_all(encoding, text, slice);
  if (raw.text.size() > kMaxInflated + 1) __builtin_trap();

  // The first half as one member, the second as another.
  const auto pack = [&](std::string_view part) {
    return data[0] % 2 ? gzip(part, data[2] % 10, data[2] & 16 ? "name" : nullptr)
                       : zstd(part, data[2] % 6 + 1);
  };
  const std::string first = pack(text.substr(0, text.size() / 2));
  std::string body = first + pack(text.substr(text.size() / 2));
  const Inflated whole = inflate_all(encoding, body, slice), at_once = inflate_all(encoding, body, 1 << 19);
  if (whole.step != Step::done || whole.text != text) __builtin_trap();
  if (at_once.step != Step::done || at_once.text != text) __builtin_trap();

  const size_t cut = (size_t(data[3]) << 8 | data[1]) % body.size();
  const Inflated prefix = inflate_all(encoding, std::string_view(body).substr(0, cut), slice);
  if (prefix.step != (cut && cut == first.size() ? Step::done : Step::truncated)) __builtin_trap();

  body[cut] ^= char(1 << data[2] % 8);
  const Inflated flipped = inflate_all(encoding, body, slice);
  if (flipped.step == Step::done && flipped.text != text) __builtin_trap();
  return 0;
}

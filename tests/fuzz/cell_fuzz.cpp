// Whatever the bytes are: a cell, a window's cells and a channel's state are refused, or answer and can be
// written again.

#include <string>

#include "metrics/rollup/rollup_codec.h"

using namespace tailrace;

namespace {

void require(bool good) {
  if (!good) __builtin_trap();
}

void use(const Cell& cell) {
  if (!cell.count()) return;
  for (const double q : {0.0, 0.01, 0.5, 0.95, 0.999, 1.0}) {
    const double value = cell.quantile(q);
    require(value >= cell.min() && value <= cell.max());
  }
  require(cell.last() >= cell.min() && cell.last() <= cell.max());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const WindowSpan span{1'795'000'000'000'000 / kMinute * kMinute, kMinute};

  Cell cell;
  if (std::string_view rest = text; cell.decode(rest, span.begin)) {
    use(cell);
    std::string once, twice;
    cell.encode(once, span.begin);
    Cell again;
    std::string_view written = once;
    require(again.decode(written, span.begin) && written.empty());
    again.encode(twice, span.begin);
    require(once == twice);
    again.merge(cell);
    use(again);
  }
  if (SeriesCells cells; decode_cells(text, span, cells)) {
    for (const auto& [name, one] : cells) use(one);
    SeriesCells again;
    require(decode_cells(encode_cells(cells, span), span, again) && again.size() == cells.size());
  }
  if (ChannelRollup channel; decode_channel(text, channel)) {
    ChannelRollup again;
    require(decode_channel(encode_channel(channel), again) && again == channel);
  }
  return 0;
}

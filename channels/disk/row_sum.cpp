#include "channels/disk/row_sum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tailrace {

void RowSum::add(uint64_t word) {
  bytes_ += 'i';
  for (int shift = 0; shift < 64; shift += 8) bytes_ += char(word >> shift);
}

void RowSum::add(std::string_view text) {
  add(uint64_t{text.size()});
  bytes_ += 't';
  bytes_ += text;
}

uint64_t RowSum::value() const {
  return XXH3_64bits(bytes_.data(), bytes_.size());
}

}  // namespace tailrace

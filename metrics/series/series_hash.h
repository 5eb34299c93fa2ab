#pragma once
// 64 bits of a series key that nobody outside the process can foresee.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "metrics/series/series.h"

namespace tailrace {

/// Random, drawn when the process starts: tenants choose the names, so they must not choose the hashes.
uint64_t series_hash_seed();

namespace series_hash_detail {

inline uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <class Word>
uint64_t word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

inline uint64_t hash_text(std::string_view text, uint64_t state) {
  constexpr uint64_t kFirst = 0xa0761d6478bd642f, kSecond = 0xe7037ed1a0b428db;
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; at += 8, left -= 8) state = mix(word_at<uint64_t>(at) ^ kFirst, state ^ kSecond);
  uint64_t rest = 0;
  if (left >= 4)
    rest = word_at<uint32_t>(at) << 32 | word_at<uint32_t>(at + left - 4);
  else if (left > 0)
    rest =
        word_at<uint8_t>(at) << 16 | word_at<uint8_t>(at + left / 2) << 8 | word_at<uint8_t>(at + left - 1);
  return mix(rest ^ kFirst, state ^ kSecond ^ text.size() * kFirst);
}

}  // namespace series_hash_detail

/// What all keys with this source begin with: once per line, not per pair.
inline uint64_t source_hash(std::string_view source) {
  static const uint64_t seed = series_hash_seed();
  return series_hash_detail::hash_text(source, seed);
}

/// `of_source` is source_hash(key.source).
inline uint64_t series_hash(uint64_t of_source, const SeriesKey& key) {
  using namespace series_hash_detail;
  return hash_text(key.unit, hash_text(key.name, of_source + static_cast<uint64_t>(key.kind)));
}

inline uint64_t series_hash(const SeriesKey& key) {
  return series_hash(source_hash(key.source), key);
}

}  // namespace tailrace

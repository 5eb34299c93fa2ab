#include "metrics/lines/sample_line.h"

#include <bit>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "metrics/lines/pair_walk.h"
#include "metrics/lines/quantity.h"

namespace tailrace {
namespace {

struct Prefix {
  std::string_view text;
  SeriesKind kind;
};
constexpr Prefix kPrefixes[] = {
    {"sample#", SeriesKind::sample},
    {"measure#", SeriesKind::measure},
    {"count#", SeriesKind::count},
    {"measure.", SeriesKind::measure},
};

// No `#` or `.` that ends a prefix stands nearer to a text's beginning: `count#`.
constexpr size_t kNearestMark = 5;

// Whether a prefix that begins a token ends with the mark there.
bool ends_prefix(const char* text, const char* mark) {
  for (const Prefix& prefix : kPrefixes) {
    const size_t size = prefix.text.size();
    if (static_cast<size_t>(mark - text) + 1 < size) continue;
    const char* begin = mark + 1 - size;
    if (std::memcmp(begin, prefix.text.data(), size) == 0) return begin == text || is_blank(begin[-1]);
  }
  return false;
}

#if defined(__x86_64__)
#define TAILRACE_AVX2 [[gnu::target("avx2")]]

// Of the places from `at` on, those where a prefix may end, a bit each: `#` or `.` behind `le`, `re`, `nt`,
// or what differs little from these.
unsigned likely_in_16(const char* at) {
  const auto load = [at](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at - i)); };
  const auto is = [](__m128i v, char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
  const auto with = [](__m128i v, char bits) { return _mm_or_si128(v, _mm_set1_epi8(bits)); };
  const __m128i mark = _mm_or_si128(is(load(0), '#'), is(load(0), '.'));
  const __m128i first = is(with(load(1), 'e' ^ 't'), 'e' | 't');
  const __m128i second = _mm_or_si128(is(with(load(2), 'l' ^ 'n'), 'l' | 'n'), is(load(2), 'r'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(_mm_and_si128(mark, first), second)));
}

TAILRACE_AVX2 __m256i load_32(const char* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
TAILRACE_AVX2 __m256i is(__m256i v, char c) {
  return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}
TAILRACE_AVX2 __m256i with(__m256i v, char bits) {
  return _mm256_or_si256(v, _mm256_set1_epi8(bits));
}
TAILRACE_AVX2 unsigned likely_in_32(const char* at) {
  const __m256i mark = _mm256_or_si256(is(load_32(at), '#'), is(load_32(at), '.'));
  const __m256i first = is(with(load_32(at - 1), 'e' ^ 't'), 'e' | 't');
  const __m256i second =
      _mm256_or_si256(is(with(load_32(at - 2), 'l' ^ 'n'), 'l' | 'n'), is(load_32(at - 2), 'r'));
  return static_cast<unsigned>(_mm256_movemask_epi8(_mm256_and_si256(_mm256_and_si256(mark, first), second)));
}

bool any_ends_prefix(const char* text, const char* at, unsigned likely) {
  for (; likely; likely &= likely - 1)
    if (ends_prefix(text, at + std::countr_zero(likely))) return true;
  return false;
}

bool may_have_by_sse2(std::string_view message) {
  const char *text = message.data(), *last = text + message.size() - 16;
  for (const char* at = text + kNearestMark; at < last; at += 16)
    if (const unsigned likely = likely_in_16(at); likely && any_ends_prefix(text, at, likely)) return true;
  return any_ends_prefix(text, last, likely_in_16(last));
}

TAILRACE_AVX2 bool may_have_by_avx2(std::string_view message) {
  const char *text = message.data(), *last = text + message.size() - 32;
  for (const char* at = text + kNearestMark; at < last; at += 32)
    if (const unsigned likely = likely_in_32(at); likely && any_ends_prefix(text, at, likely)) return true;
  return any_ends_prefix(text, last, likely_in_32(last));
}

#endif

// Takes one line's pairs one by one.
class Taker {
 public:
  Taker(std::string_view message, SampleLine& line) : end_(message.data() + message.size()), line_(line) {
    line.source = {};
    line.pairs.clear();
    line.empty = line.not_a_number = line.negative = 0;
  }

  void take(std::string_view name, const char* value_at) {
    if (name == "source") return take_source(value_at);
    for (const Prefix& prefix : kPrefixes) {
      if (!name.starts_with(prefix.text)) continue;
      std::string_view value;
      if (read_value(value_at, end_, value)) take_pair(prefix.kind, name.substr(prefix.text.size()), value);
      return;
    }
  }

 private:
  void take_source(const char* value_at) {
    std::string_view value;
    if (has_source_ || !read_value(value_at, end_, value)) return;
    has_source_ = true;
    line_.source = value;
  }

  void take_pair(SeriesKind kind, std::string_view name, std::string_view value) {
    if (name.empty() || value.empty()) {
      ++line_.empty;
      return;
    }
    const auto quantity = parse_quantity(value);
    if (!quantity)
      ++line_.not_a_number;
    else if (kind == SeriesKind::count && quantity->value < 0)
      ++line_.negative;
    else
      line_.pairs.push_back({kind, name, quantity->value, quantity->unit});
  }

  const char* end_;
  SampleLine& line_;
  bool has_source_ = false;
};

}  // namespace

bool may_have_samples(std::string_view message) {
#if defined(__x86_64__)
  if (message.size() >= kNearestMark + 32 && __builtin_cpu_supports("avx2")) return may_have_by_avx2(message);
  if (message.size() >= kNearestMark + 16) return may_have_by_sse2(message);
#endif
  for (size_t at = kNearestMark; at < message.size(); ++at)
    if ((message[at] == '#' || message[at] == '.') && ends_prefix(message.data(), message.data() + at))
      return true;
  return false;
}

void scan_sample_line(std::string_view message, SampleLine& line) {
  Taker taker(message, line);
  const char* text = message.data();
  walk_pairs(message, kEveryName, [&](const char* equal) {
    if (const std::string_view name = pair_name(text, equal); !name.empty()) taker.take(name, equal + 1);
    return 0;
  });
}

void scan_sample_line_portably(std::string_view message, SampleLine& line) {
  Taker taker(message, line);
  walk_pairs_portably(message,
                      [&](std::string_view name, const char* value_at) { taker.take(name, value_at); });
}

}  // namespace tailrace

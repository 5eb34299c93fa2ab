#include "metrics/lines/pair_walk.h"

#include <atomic>
#include <bit>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tailrace {
namespace {

size_t find_marks_portably(const char* at, size_t size, const NameEnds&, Marks& marks) {
  size_t count = 0;
  for (size_t i = 0; i < size; ++i)
    if (at[i] == '=' || at[i] == '"') marks[count++] = static_cast<uint16_t>(i);
  return count;
}

// The bytes that no name has: blanks, `=` and `"`.
constexpr auto kEndsName = [] {
  std::array<bool, 256> ends{};
  for (size_t c = 0; c < ends.size(); ++c) ends[c] = c <= 0x20 || c == '=' || c == '"';
  return ends;
}();

#if defined(__x86_64__)
#define TAILRACE_AVX2 [[gnu::target("avx2,bmi,bmi2,popcnt")]]
#define TAILRACE_AVX512 [[gnu::target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")]]

uint64_t found_by_sse2(const char* at) {
  uint64_t found = 0;
  for (int i = 0; i < 4; ++i) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + i);
    const __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('=')), _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
    found |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(marks))} << (16 * i);
  }
  return found;
}

// The last `size - i` < 64 bytes of the `size` from `at` on, as 64 to look at: those that end with them, what
// came before to be shifted out, or a copy with zeros behind it. Never reads beyond the text.
struct Tail {
  Tail(const char* at, size_t size, size_t i) {
    if (size >= 64) {
      from = at + size - 64;
      shift = static_cast<unsigned>(64 - (size - i));
    } else {
      std::memcpy(copy, at - 1, 1 + size);
    }
  }
  char copy[1 + 64] = {};
  const char* from = copy + 1;
  unsigned shift = 0;
};

// Which ends matter is not worth finding out without a shuffle.
size_t find_marks_by_sse2(const char* at, size_t size, const NameEnds&, Marks& marks) {
  size_t count = 0;
  for (size_t i = 0; i < size; i += 64) {
    uint64_t found;
    if (size - i >= 64) {
      found = found_by_sse2(at + i);
    } else {
      const Tail tail(at, size, i);
      found = found_by_sse2(tail.from) >> tail.shift;
    }
    for (; found; found &= found - 1)
      marks[count++] = static_cast<uint16_t>(i + static_cast<size_t>(std::countr_zero(found)));
  }
  return count;
}

TAILRACE_AVX2 uint64_t found_in_32(const char* at, __m256i letters, __m256i any) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i before = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at - 1));
  const __m256i ends = _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(letters, before), before), any);
  const __m256i equals = _mm256_and_si256(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('=')), ends);
  const __m256i marks = _mm256_or_si256(equals, _mm256_cmpeq_epi8(x, _mm256_set1_epi8('"')));
  return static_cast<uint32_t>(_mm256_movemask_epi8(marks));
}

TAILRACE_AVX2 uint64_t found_by_avx2(const char* at, __m256i letters, __m256i any) {
  return found_in_32(at, letters, any) | found_in_32(at + 32, letters, any) << 32;
}

// Most 64 bytes have up to four marks: these are written without a branch on their number.
TAILRACE_AVX2 size_t find_marks_by_avx2(const char* at, size_t size, const NameEnds& ends, Marks& marks) {
  const __m256i letters =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(ends.letters.data())));
  const __m256i any = _mm256_set1_epi8(ends.any);
  uint16_t* out = marks.data();
  for (size_t i = 0; i < size; i += 64) {
    uint64_t found;
    if (size - i >= 64) {
      found = found_by_avx2(at + i, letters, any);
    } else {
      const Tail tail(at, size, i);
      found = found_by_avx2(tail.from, letters, any) >> tail.shift;
    }
    uint16_t* next = out + _mm_popcnt_u64(found);
    for (; found; out += 4)
      for (int k = 0; k < 4; ++k, found &= found - 1) out[k] = static_cast<uint16_t>(i + _tzcnt_u64(found));
    out = next;
  }
  return static_cast<size_t>(out - marks.data());
}

constexpr auto kIota = [] {
  std::array<uint8_t, 64> iota{};
  for (size_t i = 0; i < iota.size(); ++i) iota[i] = static_cast<uint8_t>(i);
  return iota;
}();

// The instruction that moves the wanted elements together makes places of marks without any loop.
TAILRACE_AVX512 size_t find_marks_by_avx512(const char* at, size_t size, const NameEnds& ends, Marks& marks) {
  const __m512i letters = _mm512_maskz_broadcast_i32x4(
      0xffff, _mm_load_si128(reinterpret_cast<const __m128i*>(ends.letters.data())));
  const __mmask64 any = ends.any ? ~__mmask64{0} : 0;
  const __m512i iota = _mm512_loadu_si512(kIota.data());
  const __m512i equal = _mm512_set1_epi8('='), quote = _mm512_set1_epi8('"');
  uint16_t* out = marks.data();
  for (size_t i = 0; i < size; i += 64) {
    const __mmask64 inside =
        size - i >= 64 ? ~__mmask64{0} : _bzhi_u64(~uint64_t{0}, static_cast<unsigned>(size - i));
    const __m512i x = _mm512_maskz_loadu_epi8(inside, at + i);
    const __m512i before = _mm512_maskz_loadu_epi8(inside, at + i - 1);
    const __mmask64 behind = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(letters, before), before) | any;
    const __mmask64 found = _mm512_mask_cmpeq_epi8_mask(behind, x, equal) | _mm512_cmpeq_epi8_mask(x, quote);
    const __m512i places = _mm512_maskz_compress_epi8(found, iota);
    const __m512i base = _mm512_set1_epi16(static_cast<int16_t>(i));
    const auto count = _mm_popcnt_u64(found);
    _mm512_storeu_si512(out, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(places)), base));
    if (count > 32)
      _mm512_storeu_si512(out + 32,
                          _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(places, 1)), base));
    out += count;
  }
  return static_cast<size_t>(out - marks.data());
}

#endif

constexpr FindMarks kForms[] = {
#if defined(__x86_64__)
    find_marks_by_avx512, find_marks_by_avx2, find_marks_by_sse2,
#endif
    find_marks_portably};

}  // namespace

std::span<const FindMarks> find_marks_forms() {
  size_t lacking = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool bits =
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  const bool avx2 = bits && __builtin_cpu_supports("avx2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
  lacking = avx512 ? 0 : avx2 ? 1 : 2;
#endif
  return std::span(kForms).subspan(lacking);
}

namespace {

// Chooses the best form when the first line comes; whoever else comes meanwhile chooses the same.
size_t find_marks_first(const char* at, size_t size, const NameEnds& ends, Marks& marks);
constinit std::atomic<FindMarks> best_form = find_marks_first;

size_t find_marks_first(const char* at, size_t size, const NameEnds& ends, Marks& marks) {
  const FindMarks best = find_marks_forms().front();
  best_form.store(best, std::memory_order_relaxed);
  return best(at, size, ends, marks);
}

}  // namespace

size_t find_marks(const char* at, size_t size, const NameEnds& ends, Marks& marks) {
  return best_form.load(std::memory_order_relaxed)(at, size, ends, marks);
}

std::string_view pair_name(const char* text, const char* equal) {
  const char* name = equal;
#if defined(__SSE2__)
  // 16 bytes at a time, back to the first that no name has.
  while (name - text >= 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(name - 16));
    const __m128i blanks = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x20)), x);
    const __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('=')), _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
    const auto ends = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(blanks, marks)));
    if (ends) {
      name -= 16 - std::bit_width(ends);
      return is_blank(name[-1]) ? std::string_view(name, static_cast<size_t>(equal - name))
                                : std::string_view();
    }
    name -= 16;
  }
#endif
  while (name > text && !kEndsName[static_cast<unsigned char>(name[-1])]) --name;
  if (name > text && !is_blank(name[-1])) return {};
  return {name, static_cast<size_t>(equal - name)};
}

const char* closing_quote(const char* at, const char* end) {
  for (const char* p = at; p < end; ++p) {
    p = static_cast<const char*>(std::memchr(p, '"', static_cast<size_t>(end - p)));
    if (!p || closes(at, p)) return p;
  }
  return nullptr;
}

}  // namespace tailrace

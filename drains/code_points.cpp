#include "drains/code_points.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdio>

namespace tailrace {
namespace {

/// Where letters other than ASCII's have a partner of the other case.
constexpr std::pair<CodePoint, CodePoint> kCased[] = {
    {0xb5, 0x58f},      {0x10a0, 0x10ff},   {0x13a0, 0x13fd},   {0x1c80, 0x1fff},   {0x2126, 0x218f},
    {0x24b6, 0x24e9},   {0x2c00, 0x2d2f},   {0xa640, 0xa7ff},   {0xab30, 0xabbf},   {0xff21, 0xff5a},
    {0x10400, 0x105bf}, {0x10c80, 0x10cff}, {0x118a0, 0x118df}, {0x16e40, 0x16e7f}, {0x1e900, 0x1e943}};

constexpr size_t kAsked = 60'000;  // steps of an automaton that cost as much

}  // namespace

CodePoints negated(CodePoints ranges) {
  std::ranges::sort(ranges);
  CodePoints out;
  CodePoint next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) out.emplace_back(next, first - 1);
    next = std::max(next, last + 1);
  }
  if (next <= kLastCodePoint) out.emplace_back(next, kLastCodePoint);
  return out;
}

bool add_other_cases(CodePoints& out, CodePoint first, CodePoint last, size_t& steps) {
  for (CodePoint c = std::max<CodePoint>(first, 'A'); c <= std::min<CodePoint>(last, 'z'); ++c) {
    const CodePoint letter = c | 0x20;
    if (letter < 'a' || letter > 'z') continue;
    out.emplace_back(c ^ 0x20, c ^ 0x20);
    if (letter == 'k') out.emplace_back(0x212a, 0x212a);
    if (letter == 's') out.emplace_back(0x17f, 0x17f);
  }
  if (last < 0x80) return true;
  // RE2 knows Unicode's cases. Each place where letters have any is asked about.
  if (steps < kAsked) return false;
  steps -= kAsked;
  std::string token = "(?i)[\\x{";
  const auto hex = [](CodePoint c) {
    char digits[12];
    std::snprintf(digits, sizeof digits, "%X", c);
    return std::string(digits);
  };
  token += hex(first) + "}-\\x{" + hex(last) + "}]";
  const re2::RE2 partners(token, re2::RE2::Quiet);
  std::string one;
  const auto ask = [&](CodePoint c) {
    one.clear();
    append_utf8(one, c);
    if (partners.Match(one, 0, one.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0)) out.emplace_back(c, c);
  };
  for (CodePoint c = 'A'; c <= 'z'; ++c) ask(c);
  for (const auto& [begin, end] : kCased)
    for (CodePoint c = begin; c <= end; ++c) ask(c);
  return true;
}

void append_utf8(std::string& out, CodePoint c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xc0 | c >> 6), out += char(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += char(0xe0 | c >> 12), out += char(0x80 | (c >> 6 & 63)), out += char(0x80 | (c & 63));
  } else {
    out += char(0xf0 | c >> 18), out += char(0x80 | (c >> 12 & 63));
    out += char(0x80 | (c >> 6 & 63)), out += char(0x80 | (c & 63));
  }
}

}  // namespace tailrace

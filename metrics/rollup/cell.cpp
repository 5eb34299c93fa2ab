#include "metrics/rollup/cell.h"

#include <algorithm>

#include "base/sketch.h"
#include "base/varint.h"

namespace tailrace {
namespace {

// The first byte of a cell: the version above, what the rest leaves out below.
constexpr uint8_t kVersion = 1 << 4, kVersionBits = 0xf0;
enum : uint8_t {
  kAllTheSame = 1,   // min, max and last are one value
  kPlainSum = 2,     // the sum is that of `count` times the smallest
  kSumLost = 4,      // what the sum rounded away is there
  kNegativeOnes = 8  // there are some below zero
};

bool is_finite(double value) {
  return std::abs(value) <= std::numeric_limits<double>::max();
}

}  // namespace

void Cell::add_not_positive(double value) {
  if (value == 0) {
    ++zeros_;
    return;
  }
  if (!negative_) negative_ = std::make_unique<Negative>();
  ++negative_->count;
  negative_->magnitudes.insert(Buckets::bucket_of(-value));
}

void Cell::add(std::span<const double> values, std::span<const uint16_t> buckets, double last, Stamp at) {
  ExactSum sum = sum_;
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    sum.add(value);
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
    if (buckets[i] == Buckets::kZero)
      ++zeros_;
    else if (value == 1)
      ++ones_;
    else
      positive_.insert(buckets[i]);
  }
  sum_ = sum;
  count_ += values.size();
  set_last(last, at);
}

void Cell::add_lines(uint64_t n, Stamp at) {
  if (!n) return;
  count_ += n;
  ones_ += n;
  sum_.add(static_cast<double>(n));
  min_ = std::min(min_, 1.0);
  max_ = std::max(max_, 1.0);
  set_last(1, at);
}

void Cell::merge(const Cell& other) {
  if (!other.count_) return;
  set_last(other.last_, other.at_);
  count_ += other.count_;
  zeros_ += other.zeros_;
  ones_ += other.ones_;
  sum_.merge(other.sum_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  positive_.merge(other.positive_);
  if (!other.negative_) return;
  if (!negative_) negative_ = std::make_unique<Negative>();
  negative_->count += other.negative_->count;
  negative_->magnitudes.merge(other.negative_->magnitudes);
}

double Cell::quantile(double q) const {
  if (!count_) return std::numeric_limits<double>::quiet_NaN();
  const uint64_t rank = nearest_rank(q, count_);
  if (rank == 1) return min_;
  if (rank == count_) return max_;
  return std::clamp(value_of_rank(rank), min_, max_);
}

double Cell::value_of_rank(uint64_t rank) const {
  if (negative_) {
    if (rank <= negative_->count)
      return -Buckets::middle(negative_->magnitudes.nth(negative_->count - rank + 1));
    rank -= negative_->count;
  }
  if (rank <= zeros_) return 0;
  rank -= zeros_;
  if (ones_) {
    // They are the lowest of their bucket.
    const uint64_t below = positive_.below(Buckets::bucket_of(1));
    if (rank > below && rank <= below + ones_) return 1;
    if (rank > below) rank -= ones_;
  }
  return Buckets::middle(positive_.nth(rank));
}

void Cell::encode(std::string& out, Micros base) const {
  const bool same = min_ == max_ && last_ == min_;
  const double lost = sum_.lost();
  const bool plain = count_ && lost == 0 && sum_.rounded() == static_cast<double>(count_) * min_;
  out += static_cast<char>(kVersion | (same ? kAllTheSame : 0) | (plain ? kPlainSum : 0) |
                           (lost != 0 ? kSumLost : 0) | (negative_ ? kNegativeOnes : 0));
  put_varint(out, count_);
  if (!count_) return;
  put_varint(out, zeros_);
  put_varint(out, ones_);
  put_double(out, min_);
  if (!same) {
    put_double(out, max_);
    put_double(out, last_);
  }
  if (!plain) put_double(out, sum_.rounded());
  if (lost != 0) put_double(out, lost);
  put_signed(out, static_cast<int64_t>(static_cast<uint64_t>(at_.time) - static_cast<uint64_t>(base)));
  put_varint(out, at_.position.value);
  positive_.encode(out);
  if (!negative_) return;
  put_varint(out, negative_->count);
  negative_->magnitudes.encode(out);
}

bool Cell::decode(std::string_view& text, Micros base) {
  if (text.empty() || (text[0] & kVersionBits) != kVersion) return false;
  const auto flags = static_cast<uint8_t>(text[0]);
  std::string_view rest = text.substr(1);
  Cell cell;
  if (!take_varint(rest, cell.count_)) return false;
  if (!cell.count_) {
    *this = std::move(cell);
    text = rest;
    return true;
  }
  if (!take_varint(rest, cell.zeros_) || !take_varint(rest, cell.ones_) || !take_double(rest, cell.min_))
    return false;
  cell.max_ = cell.last_ = cell.min_;
  if (!(flags & kAllTheSame) && (!take_double(rest, cell.max_) || !take_double(rest, cell.last_)))
    return false;
  if (!is_finite(cell.min_) || !is_finite(cell.max_) || !(cell.min_ <= cell.last_) ||
      !(cell.last_ <= cell.max_))
    return false;
  double sum = static_cast<double>(cell.count_) * cell.min_, lost = 0;
  if (!(flags & kPlainSum) && !take_double(rest, sum)) return false;
  if ((flags & kSumLost) && !take_double(rest, lost)) return false;
  cell.sum_ = ExactSum(sum, lost);
  int64_t time = 0;
  if (!take_signed(rest, time) || !take_varint(rest, cell.at_.position.value)) return false;
  cell.at_.time = static_cast<Micros>(static_cast<uint64_t>(time) + static_cast<uint64_t>(base));

  // Every value lies somewhere, so that a rank always finds one; counts in buckets may have become full.
  uint64_t left = cell.count_, values = 0;
  const auto take = [&left](uint64_t count) { return count <= left && (left -= count, true); };
  if (!take(cell.zeros_) || !take(cell.ones_) || !cell.positive_.decode(rest, values)) return false;
  if (flags & kNegativeOnes) {
    cell.negative_ = std::make_unique<Negative>();
    uint64_t negatives = 0;
    if (!take_varint(rest, cell.negative_->count) || !cell.negative_->count || !take(cell.negative_->count) ||
        !cell.negative_->magnitudes.decode(rest, negatives) || !negatives ||
        negatives > cell.negative_->count)
      return false;
  }
  if (values > left || (left && !values)) return false;
  *this = std::move(cell);
  text = rest;
  return true;
}

}  // namespace tailrace

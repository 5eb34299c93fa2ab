#include "drains/policy.h"

#include <algorithm>

namespace tailrace {
namespace {

constexpr uint64_t kLeastBytes = 1024;
constexpr int kProvesCap = 64;  // full batches, before one that is a little larger is tried

}  // namespace

Decision DeliveryPolicy::judge(const NetResult<HttpAnswer>& answer, const Sent& sent, Mono now) {
  if (answer.has_error()) {
    Decision decision = fail(answer.error().text, {}, now);
    decision.code = answer.error().code;
    return decision;
  }
  const int status = answer->status;
  if (status / 100 == 2) return delivered(sent, now);
  std::string cause = "answered " + std::to_string(status);
  switch (status) {
    case 413:
      too_large(sent.bytes);
      [[fallthrough]];
    case 400:
    case 422: {
      if (sent.frames > 1) return {Verdict::split, {}, {}, false, {}};
      // One poisonous record is passed over at once; a far end that refuses everything is not hurried.
      if (sent.records) ++lone_refusals_;
      if (lone_refusals_ < 2) return {Verdict::refused, {}, std::move(cause), false, {}};
      Decision decision = fail(std::move(cause), {}, now);
      decision.verdict = Verdict::refused;
      return decision;
    }
    case 401:
    case 403:
    case 404:
    case 410:
      paused_ = true;
      working_ = false;
      return {Verdict::pause, kProbe, std::move(cause), true, {}};
    default:
      return fail(std::move(cause), answer->retry_after, now);
  }
}

Decision DeliveryPolicy::fail(std::string cause, std::chrono::milliseconds told, Mono now) {
  if (working_ && now - works_since_ >= kStable) backoff_.reset();
  working_ = false;
  target_ = std::min(kFirstBytes, cap_);
  full_at_cap_ = 0;
  std::chrono::milliseconds wait = kProbe;
  if (!paused_) {
    wait = backoff_.next();
    if (told.count() > 0) wait = told;
  }
  return {Verdict::again, wait, std::move(cause), true, {}};
}

Decision DeliveryPolicy::delivered(const Sent& sent, Mono now) {
  if (!working_) works_since_ = now;
  working_ = true;
  paused_ = false;
  lone_refusals_ = 0;
  if (sent.bytes >= target_ && sent.took < kQuick) {
    if (target_ < cap_) {
      target_ = std::min(target_ * 2, cap_);
    } else if (cap_ < most_ && ++full_at_cap_ == kProvesCap) {
      cap_ = std::min(cap_ + cap_ / 4, most_);
      full_at_cap_ = 0;
    }
  }
  return {Verdict::delivered, {}, {}, false, {}};
}

void DeliveryPolicy::too_large(uint64_t bytes) {
  cap_ = std::min(cap_, std::max(bytes / 2, kLeastBytes));
  target_ = std::min(target_, cap_);
  full_at_cap_ = 0;
}

void DeliveryPolicy::forgive() {
  backoff_.reset();
  paused_ = false;
}

}  // namespace tailrace

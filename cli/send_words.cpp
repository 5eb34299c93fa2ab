#include "cli/send_words.h"

#include <array>
#include <utility>

#include "base/time_text.h"

namespace tailrace {

std::string send_report(const DrainSet::Account& account, uint64_t unread, bool ended) {
  const Ledger& ledger = account.ledger;
  const uint64_t unsent = ended ? ledger.buffered : 0;
  const uint64_t lost = ledger.dropped_total() + unsent + unread;
  std::string text = "sent " + std::to_string(ledger.delivered) + ", lost " + std::to_string(lost);
  if (!lost) return text;
  std::string reasons;
  const auto add = [&reasons](std::string_view reason, uint64_t count) {
    if (count) reasons += (reasons.empty() ? "" : ", ") + std::string(reason) + " " + std::to_string(count);
  };
  for (size_t i = 0; i < kDropReasons.size(); ++i) add(kDropReasons[i], ledger.dropped[i]);
  add("no record", unread);
  add("not sent in time", unsent);
  text += " (" + reasons;
  if (!account.status.cause.empty()) text += "; " + account.status.cause;
  return text + ")";
}

std::string send_stats(const SendInput& input, const DrainSet::Account& account, Micros now) {
  const Ledger& ledger = account.ledger;
  const auto lag = std::chrono::microseconds(account.oldest ? now - account.oldest : 0);
  return "at=stats lines=" + std::to_string(input.lines()) + " bytes=" + std::to_string(input.bytes()) +
         " records=" + std::to_string(ledger.accepted) + " sent=" + std::to_string(ledger.delivered) +
         " dropped=" + std::to_string(ledger.dropped_total()) +
         " buffered=" + std::to_string(ledger.buffered) + " lag=" + duration_text(lag) +
         " state=" + to_string(account.status.state) +
         " status=" + std::to_string(account.status.last_status);
}

Exit send_exit(const DrainSet::Account& account, uint64_t unread) {
  const Ledger& ledger = account.ledger;
  if (ledger.dropped_total() + ledger.buffered + unread == 0) return exit_ok;
  const int status = account.status.last_status;
  if (account.status.state == DrainState::paused)
    return status == 401 || status == 403 ? exit_unauthorised : exit_not_found;
  return status == 0 && ledger.delivered == 0 && account.status.state == DrainState::failing
             ? exit_unreachable
             : exit_failure;
}

std::string with_cure(std::string_view words) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> cures{{
      {"answered 401", "the token or user of the URL is not known there"},
      {"answered 403", "the user of the URL may not write there"},
      {"answered 404", "nothing takes logs at the path of the URL; here it is /logs"},
      {"answered 410", "the far end wants no more"},
  }};
  std::string text(words);
  if (!words.starts_with("paused ")) return text;
  for (const auto& [cause, cure] : cures)
    if (words.ends_with(cause)) return text + " (" + std::string(cure) + "; tried again every 3 minutes)";
  return text;
}

}  // namespace tailrace

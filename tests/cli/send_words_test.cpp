#include "cli/send_words.h"

#include <doctest/doctest.h>

#include "cli/send_channel.h"

using namespace tailrace;

namespace {

DrainSet::Account account(uint64_t delivered, uint64_t overflow, uint64_t refused, uint64_t buffered) {
  DrainSet::Account made;
  made.ledger.delivered = delivered;
  made.ledger.dropped[size_t(DropReason::overflow)] = overflow;
  made.ledger.dropped[size_t(DropReason::refused)] = refused;
  made.ledger.buffered = buffered;
  made.ledger.accepted = delivered + overflow + refused + buffered;
  return made;
}

}  // namespace

TEST_CASE("the report adds up") {
  CHECK(send_report(account(12, 0, 0, 0), 0) == "sent 12, lost 0");
  auto some = account(1284, 10, 1, 1);
  CHECK(send_report(some, 3) ==
        "sent 1284, lost 15 (overflow 10, refused 1, no record 3, not sent in time 1)");
  some.status.cause = "answered 503";
  CHECK(send_report(some, 0) ==
        "sent 1284, lost 12 (overflow 10, refused 1, not sent in time 1; answered 503)");
}

TEST_CASE("the exit code says why something was lost") {
  CHECK(send_exit(account(5, 0, 0, 0), 0) == exit_ok);
  CHECK(send_exit(account(5, 0, 0, 0), 1) == exit_failure);
  CHECK(send_exit(account(5, 1, 0, 0), 0) == exit_failure);
  auto left = account(0, 0, 0, 7);
  CHECK(send_exit(left, 0) == exit_failure);  // no answer yet
  left.status.state = DrainState::failing;
  CHECK(send_exit(left, 0) == exit_unreachable);
  left.status.last_status = 500;
  CHECK(send_exit(left, 0) == exit_failure);
  left.status.state = DrainState::paused;
  for (const auto& [status, code] :
       {std::pair(401, exit_unauthorised), {403, exit_unauthorised}, {404, exit_not_found}}) {
    left.status.last_status = status;
    CHECK(send_exit(left, 0) == code);
  }
  // What was sent meanwhile proves that it had been reached.
  auto once = account(5, 0, 0, 7);
  once.status.state = DrainState::failing;
  CHECK(send_exit(once, 0) == exit_failure);
}

TEST_CASE("what a drain says of itself is said of the far end") {
  const std::string line = "2026-11-21T08:00:00.000000+00:00 heroku[logplex]: ";
  CHECK(SendChannel::words_of(line + "drain 'd.1' failing since T: x", "d.1") == "failing since T: x");
  CHECK(SendChannel::words_of(line + "Error L14 (certificate validation): y", "d.1") ==
        "Error L14 (certificate validation): y");
  CHECK(SendChannel::words_of(line + "Error L10 (output buffer overflow): z", "d.1").empty());
  CHECK(with_cure("failing since T: answered 401") == "failing since T: answered 401");
  CHECK(with_cure("paused since T: answered 401").find("not known there") != std::string::npos);
}

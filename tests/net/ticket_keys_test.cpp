#include "net/ticket_keys.h"

#include <doctest/doctest.h>

using namespace tailrace;
using std::chrono::minutes;

TEST_CASE("a ticket key seals for an hour and opens until the one after it has") {
  TicketKeys keys;
  Mono now{std::chrono::hours(1000)};
  const auto first = keys.to_seal(now);
  CHECK(keys.to_seal(now + minutes(59)) == first);
  const auto second = keys.to_seal(now + minutes(60));
  CHECK(second != first);
  CHECK(second->name != first->name);
  CHECK(second->cipher != first->cipher);
  CHECK(keys.to_open(first->name, now + minutes(119)) == first);
  CHECK(keys.to_open(second->name, now + minutes(119)) == second);
  CHECK(keys.to_open(first->name, now + minutes(120)) == nullptr);
  CHECK(keys.to_open(second->name, now + minutes(120)) == second);
}

TEST_CASE("keys that nobody asked for in time are gone") {
  TicketKeys keys;
  Mono now{std::chrono::hours(1000)};
  const auto first = keys.to_seal(now);
  CHECK(keys.to_open(first->name, now + minutes(120)) == nullptr);
  const auto second = keys.to_seal(now + minutes(121));
  CHECK(keys.to_open(second->name, now + minutes(200)) == second);  // turned late, good for its whole time
  CHECK(keys.to_open(TicketKey().name, now + minutes(200)) == nullptr);
}

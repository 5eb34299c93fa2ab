#include "channels/readers.h"

#include <algorithm>
#include <numeric>

namespace tailrace {
namespace {

bool is_drain(const CursorState& cursor) {
  return cursor.kind == CursorKind::drain;
}

/// Of the oldest record that its reader may still ask for.
uint64_t wanted_from(const CursorState& cursor) {
  return cursor.ordinal - std::min(cursor.trail, cursor.ordinal);
}

/// Of the oldest record that has not come to its end.
uint64_t oldest_ordinal(const CursorState& cursor) {
  return std::accumulate(cursor.flying.begin(), cursor.flying.end(), wanted_from(cursor),
                         [](uint64_t ordinal, const CursorState::Run& run) { return ordinal - run.records; });
}

void count_loss(CursorState& cursor, Position first, uint64_t records, DropReason reason, Micros now) {
  cursor.counts.dropped[size_t(reason)] += records;
  cursor.loss.add(Loss::of(reason, records, now, first));
}

void lose_in_flight(CursorState& cursor, uint64_t records, DropReason reason, uint64_t unwanted) {
  auto& flying = cursor.flying;
  if (!flying.back().lost) flying.push_back({.first = cursor.next, .lost = true});
  flying.back().records += records;
  flying.back().dropped[size_t(reason)] += records - unwanted;
  flying.back().filtered += unwanted;
}

bool is_dear(const CursorState& cursor, uint64_t until) {
  return cursor.wanted && cursor.ordinal < until && !cursor.wanted->is_cheap();
}

/// Of what lies in `chunk` from the cursor's ordinal up to `until`. A filter that is not cheap is asked while
/// what the next record may cost fits in `time`.
uint64_t unwanted_in(const CursorState& cursor, const Chunk& chunk, uint64_t until,
                     std::chrono::nanoseconds& time) {
  if (!cursor.wanted || cursor.ordinal >= until) return 0;
  const bool dear = is_dear(cursor, until);
  const double dearest = cursor.wanted->dearest();
  const Mono end = dear ? mono_now() + time : Mono();
  uint64_t unwanted = 0;
  const std::byte* at = chunk.data() + chunk.offset_of(cursor.ordinal);
  for (uint64_t ordinal = cursor.ordinal; ordinal < until; ++ordinal) {
    const Record record(at);
    if (dear && dearest * double(record.text().size()) > double((end - mono_now()).count())) break;
    unwanted += !cursor.wanted->wants(record);
    at += record.stride();
  }
  if (dear) time = std::max(end - mono_now(), std::chrono::nanoseconds(0));
  return unwanted;
}

}  // namespace

void Readers::add(CursorState& cursor, uint64_t ordinal, Position next, uint64_t end) {
  cursor.ordinal = cursor.accepted_before = ordinal;
  cursor.next = next;
  cursor.boundary = end;
  all_.push_back(&cursor);
}

void Readers::resume(CursorState& cursor, const Progress& progress, uint64_t end) {
  add(cursor, std::min(progress.ordinal, end), progress.next, end);
  cursor.frozen = progress.frozen;
  cursor.counts = progress.counts;
  cursor.accepted_before -=
      progress.counts.delivered + progress.counts.filtered + progress.counts.dropped_total();
}

std::optional<Progress> Readers::remove(CursorState& cursor) {
  std::erase(all_, &cursor);
  cursor.at = {};
  if (!std::exchange(cursor.moved, false)) return {};
  return progress(cursor);
}

void Readers::stand_in(CursorState& cursor, const ChunkRef& chunk) {
  cursor.at = chunk;
  if (cursor.at_first == chunk->ordinal) return;
  cursor.at_bytes = chunk->offset_of(cursor.ordinal);
  cursor.at_first = chunk->ordinal;
}

uint64_t Readers::end_of_frozen(const CursorState& cursor) {
  const Chunk& chunk = *cursor.at;
  if (cursor.frozen <= chunk.first) return UINT64_MAX;
  const uint64_t end = chunk.ordinal + (cursor.frozen.value - chunk.first.value);
  return end > cursor.ordinal ? end : UINT64_MAX;
}

void Readers::took(CursorState& cursor, const Slice& slice) {
  cursor.ordinal += slice.records;
  cursor.next = slice.past();
  if (cursor.frozen <= cursor.next) cursor.frozen = {};
  cursor.at_bytes = slice.end_at;
  if (!is_drain(cursor)) return;
  if (cursor.in_flight == 0) cursor.in_flight_oldest = (*slice.begin()).arrival();
  cursor.in_flight += slice.records;
  cursor.moved = true;
  auto& flying = cursor.flying;
  if (!flying.empty() && !flying.back().lost && flying.back().past() == slice.first)
    flying.back().records += slice.records;
  else
    flying.push_back({.first = slice.first, .records = slice.records});
}

void Readers::finish(CursorState& cursor, uint64_t records, Micros oldest_left) {
  cursor.in_flight -= records;
  cursor.in_flight_oldest = oldest_left;
  cursor.moved = true;
  auto run = cursor.flying.begin();
  while (run != cursor.flying.end() && (run->lost || run->records <= records)) {
    if (!run->lost) records -= run->records;
    ++run;
  }
  if (run != cursor.flying.end() && records) {
    run->first.value += records;
    run->records -= records;
  }
  cursor.flying.erase(cursor.flying.begin(), run);
}

void Readers::settled(CursorState& cursor, uint64_t delivered, uint64_t filtered, Micros oldest_left) {
  finish(cursor, delivered + filtered, oldest_left);
  cursor.counts.delivered += delivered;
  cursor.counts.filtered += filtered;
}

void Readers::dropped(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left,
                      Micros now) {
  const Position first = cursor.flying.front().first;
  finish(cursor, records, oldest_left);
  count_loss(cursor, first, records, reason, now);
}

void Readers::lose(const Chunk& gone, DropReason reason, Micros now, JudgingTime& time) {
  const uint64_t end = gone.end_ordinal();
  auto dear = std::ranges::count_if(all_, [&](const CursorState* c) { return is_dear(*c, end); });
  for (CursorState* cursor : all_) {
    std::chrono::nanoseconds share{};
    if (is_dear(*cursor, end)) share = time.left / dear--;
    time.left -= share;
    lose(*cursor, end, reason, now, unwanted_in(*cursor, gone, end, share));
    time.left += share;  // what it left of it
  }
}

void Readers::lose_before(uint64_t ordinal, DropReason reason, Micros now) {
  for (CursorState* cursor : all_)
    if (cursor->wanted)
      doom(*cursor, ordinal, reason, now);
    else
      lose(*cursor, ordinal, reason, now);
}

void Readers::doom(CursorState& cursor, uint64_t before, DropReason reason, Micros now) {
  auto& doomed = cursor.doomed;
  if (before <= (doomed.empty() ? cursor.ordinal : doomed.back().until)) return;
  if (!doomed.empty() && doomed.back().reason == reason)
    doomed.back().until = before;
  else
    doomed.push_back({before, reason, now});
}

void Readers::judge(CursorState& cursor, const Chunk& chunk) {
  JudgingTime time;
  while (!cursor.doomed.empty() && chunk.holds(cursor.ordinal)) {
    const CursorState::Doomed first = cursor.doomed.front();
    const uint64_t until = std::min(first.until, chunk.end_ordinal());
    if (until == first.until) cursor.doomed.erase(cursor.doomed.begin());
    lose(cursor, until, first.reason, first.since, unwanted_in(cursor, chunk, until, time.left));
  }
}

void Readers::lose_doomed(CursorState& cursor, uint64_t ordinal) {
  while (!cursor.doomed.empty() && cursor.ordinal < ordinal) {
    const CursorState::Doomed first = cursor.doomed.front();
    if (first.until <= ordinal) cursor.doomed.erase(cursor.doomed.begin());
    lose(cursor, std::min(first.until, ordinal), first.reason, first.since);
  }
}

uint64_t Readers::lowest_doomed() const {
  uint64_t lowest = UINT64_MAX;
  for (const CursorState* cursor : all_)
    if (!cursor->doomed.empty()) lowest = std::min(lowest, cursor->ordinal);
  return lowest;
}

void Readers::inherit_loss(CursorState& cursor, CursorState& before) {
  const Loss own = std::exchange(cursor.loss, std::exchange(before.loss, {}));
  cursor.loss.add(own);
}

void Readers::lose(CursorState& cursor, uint64_t before, DropReason reason, Micros now, uint64_t unwanted) {
  if (cursor.ordinal >= before) return;
  if (cursor.seeking) {  // it never knew where it was
    cursor.ordinal = before;
    return;
  }
  const uint64_t lost = before - std::exchange(cursor.ordinal, before);
  cursor.at = {};
  cursor.at_first = UINT64_MAX;
  cursor.moved = is_drain(cursor);
  cursor.counts.filtered += unwanted;
  if (lost > unwanted) count_loss(cursor, cursor.next, lost - unwanted, reason, now);
  if (!cursor.flying.empty()) lose_in_flight(cursor, lost, reason, unwanted);
  const bool waits = std::exchange(cursor.fetching, false);  // for what does not come any more
  if (waits) cursor.parked = false;
  const bool told = lost == unwanted || std::exchange(cursor.loss_told, true) || !cursor.pass;
  if (!told || waits) cursor.pass->wake(*cursor.task);
}

Loss Readers::take_loss(CursorState& cursor) {
  cursor.loss_told = false;
  return std::exchange(cursor.loss, {});
}

bool Readers::want_below(uint64_t ordinal) const {
  return std::ranges::any_of(all_, [&](const CursorState* c) { return wanted_from(*c) < ordinal; });
}

uint64_t Readers::lowest() const {
  uint64_t lowest = UINT64_MAX;
  for (const CursorState* cursor : all_) lowest = std::min(lowest, oldest_ordinal(*cursor));
  return lowest;
}

bool Readers::runner_lags(uint64_t accepted, uint64_t records, uint64_t from) const {
  return std::ranges::any_of(all_, [&](const CursorState* c) {
    return is_drain(*c) && !c->waiting && !c->parked && c->ordinal >= from && accepted - c->ordinal > records;
  });
}

void Readers::wake(bool tails_only) {
  for (CursorState* cursor : all_) {
    if (!cursor->parked || (tails_only && is_drain(*cursor))) continue;
    cursor->parked = false;
    cursor->pass->wake(*cursor->task);
  }
}

void Readers::fetched(const ChunkRef& chunk) {
  for (CursorState* cursor : all_) {
    if (!cursor->fetching || cursor->seeking || !cursor->doomed.empty() || !chunk->holds(cursor->ordinal))
      continue;
    cursor->fetching = false;
    stand_in(*cursor, chunk);
    if (std::exchange(cursor->parked, false)) cursor->pass->wake(*cursor->task);
  }
}

void Readers::fetched_nothing(uint64_t ordinal) {
  for (CursorState* cursor : all_) {
    if (!cursor->fetching || cursor->seeking || !cursor->doomed.empty() || cursor->ordinal != ordinal)
      continue;
    cursor->fetching = false;
    if (std::exchange(cursor->parked, false)) cursor->pass->wake(*cursor->task);
  }
}

bool Readers::lose_waited_for(uint64_t ordinal, uint64_t before, DropReason reason, Micros now) {
  bool lost = false;
  for (CursorState* cursor : all_) {
    if (!cursor->fetching || cursor->seeking || !cursor->doomed.empty() || cursor->ordinal < ordinal ||
        cursor->ordinal >= before)
      continue;
    lose(*cursor, before, reason, now);
    lost = true;
  }
  return lost;
}

Ledger Readers::ledger(const CursorState& cursor, uint64_t accepted) const {
  Ledger ledger = cursor.counts;
  ledger.accepted = accepted - cursor.accepted_before;
  ledger.buffered = accepted - cursor.ordinal + cursor.in_flight;
  return ledger;
}

/// What was lost behind the flight is not in it: it will be met again, and counted then.
Progress Readers::progress(const CursorState& cursor) {
  Progress progress{cursor.next, oldest_ordinal(cursor), cursor.frozen, cursor.counts};
  if (!cursor.flying.empty()) progress.next = cursor.flying.front().first;
  for (const CursorState::Run& run : cursor.flying) {
    for (size_t reason = 0; reason < run.dropped.size(); ++reason)
      progress.counts.dropped[reason] -= run.dropped[reason];
    progress.counts.filtered -= run.filtered;
    if (!run.lost) progress.frozen = std::max(progress.frozen, run.past());
  }
  if (progress.frozen <= progress.next) progress.frozen = {};
  return progress;
}

}  // namespace tailrace

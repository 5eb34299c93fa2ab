#pragma once
// A place in a channel's log from which one drain or one tail reads on.

#include <cstdint>
#include <string>
#include <vector>

#include "channels/cursor_state.h"
#include "channels/place.h"

namespace tailrace {

class Log;

/// What a read gives, in order. All empty: there is nothing now, or, with `fetching`, it is not at hand yet.
struct Read {
  Loss loss;  // of a tail: what it lost since the last read, before what follows here
  std::vector<std::string> notices;
  Slice slice;
  bool live = false;        // it begins at or behind the log's end as it was when the cursor was attached
  bool unfinished = false;  // more follows, perhaps not at once, of what was one batch before this start
  bool finished = false;    // it ends with what was one batch before this start
  bool fetching =
      false;      // `slice` is empty, and something follows: the cursor parks, and is woken when it came
  Position next;  // what the cursor reads next has this number or a greater one
  bool empty() const { return notices.empty() && slice.empty() && loss.empty(); }
};

/// Belongs to one loop, whose thread calls its methods; its state lies under the log's lock, because eviction
/// and wake-ups come from other threads. Ends by detach(), or with its destruction; is attached once.
///
/// Life: attach → { read … settle, read … settle, park } … → detach. What was read and not yet settled is in
/// flight: it counts as buffered, and eviction cannot touch it (its slice pins the memory).
class Cursor {
 public:
  using Kind = CursorKind;
  /// `task` is run on `pass` after a wake. `log` and `pass` must outlive the cursor's attachment. `drain`:
  /// its id in the catalog, by which the log's ledger names it.
  Cursor(Kind kind, Pass& pass, Task& task, uint64_t drain = 0) : state_(kind, pass, task, drain) {}
  /// A place: keeps what a tail's reader may come back for, in nobody's hands; any thread may destroy it.
  Cursor() = default;
  ~Cursor() { detach(); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  /// Gives how many records lie between `place` and the log's end, at most; Read::live tells which those are.
  /// What comes behind that end is read without a hole.
  uint64_t attach(Log& log, const Place& place = Place::at_end());
  /// A place's: stands where the tail `of` does, its trail included.
  void keep_place(const Cursor& of);
  /// A tail's: its reader may not have received so many of the records that it read last, and may come back
  /// for them. Bounds take them all the same, and that is no loss of this cursor's.
  void set_trail(uint64_t records);
  /// A drain's: goes back to `from` in place of `before`, whose account it goes on with, which is detached,
  /// and whose flight is given up: all that comes again is accepted once more. Gives how many records come
  /// again that had come to their end; 0: `from` is not before its position, and nothing was changed.
  uint64_t take_over(Cursor& before, const Progress& from);
  /// The same where `before` stands, whatever its flight: that comes again, or is dropped if the log has it
  /// no more.
  void succeed(Cursor& before);
  /// Before it is attached: what bounds take from this drain is filtered, not dropped, where it does not want
  /// it. Null: it wants all.
  void set_wanted(RecordFilterPtr wanted) { state_.wanted = std::move(wanted); }
  void detach();
  bool attached() const { return log_ != nullptr; }

  /// The next records, of one chunk and about `max_bytes` at most, and moves behind them.
  Read read(uint32_t max_bytes);

  /// True: nothing is there, and the task is woken when something comes. False: there is more to read.
  bool park();

  /// The oldest in flight have come to their end, so many of them delivered and so many not wanted;
  /// `oldest_left` is the arrival of the first that is still in flight (0: none is).
  void settle(uint64_t delivered, uint64_t filtered, Micros oldest_left = 0);
  void drop(DropReason reason, uint64_t records, Micros oldest_left = 0);

  /// What eviction took since the last call. The task is woken once when there is something to take.
  Loss take_loss();

  /// Whether it waits for somebody outside (a far end, a reader) rather than for a processor.
  /// Ingest yields to cursors that lag and could run, never to one that waits outside.
  void set_waiting(bool outside);

  Ledger ledger() const;
  Lag lag() const;

 private:
  Log* log_ = nullptr;  // the loop's thread
  CursorState state_;
};

}  // namespace tailrace

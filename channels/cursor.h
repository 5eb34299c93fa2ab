#pragma once
// A place in a channel's log from which one drain or one tail reads on.

#include <cstdint>
#include <string>
#include <vector>

#include "base/pass.h"
#include "channels/chunk.h"
#include "channels/ledger.h"

namespace tailrace {

class Log;

/// What a read gives, in order. All empty: there is nothing now.
struct Read {
  Loss loss;  // of a tail: what it lost since the last read, before what follows here
  std::vector<std::string> notices;
  Slice slice;
  bool empty() const { return notices.empty() && slice.empty() && !loss.records; }
};

enum class Outcome : uint8_t { delivered, filtered };

/// Belongs to one loop, whose thread calls its methods; its state lies under the log's lock, because eviction
/// and wake-ups come from other threads. Ends by detach(), or with its destruction.
///
/// Life: attach → { read … settle, read … settle, park } … → detach. What was read and not yet settled is in
/// flight: it counts as buffered, and eviction cannot touch it (its slice pins the memory).
class Cursor {
 public:
  enum class Kind : uint8_t {
    drain,  // keeps an account; its losses are told
    tail,   // reads notices too; what it reads is settled at once
  };
  /// `task` is run on `pass` after a wake. `log` and `pass` must outlive the cursor's attachment.
  Cursor(Kind kind, Pass& pass, Task& task) : kind_(kind), pass_(&pass), task_(&task) {}
  ~Cursor() { detach(); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  /// At the end of `log`: the next record is the first it reads.
  void attach(Log& log);
  void detach();
  bool attached() const { return log_ != nullptr; }

  /// The next records, of one chunk and about `max_bytes` at most, and moves behind them.
  Read read(uint32_t max_bytes);

  /// True: nothing is there, and the task is woken when something comes. False: there is more to read.
  bool park();

  /// The oldest `records` in flight have come to their end; `oldest_left` is the arrival of the first that is
  /// still in flight (0: none is).
  void settle(Outcome outcome, uint64_t records, Micros oldest_left = 0);
  void drop(DropReason reason, uint64_t records, Micros oldest_left = 0);

  /// What eviction took since the last call. The task is woken once when there is something to take.
  Loss take_loss();

  /// Whether it waits for somebody outside (a far end, a reader) rather than for a processor.
  /// Ingest yields to cursors that lag and could run, never to one that waits outside.
  void set_waiting(bool outside);

  Ledger ledger() const;
  /// Records that lie before it, those in flight included, and the arrival of the oldest (0: none).
  struct Lag {
    uint64_t records = 0;
    Micros oldest = 0;
  };
  Lag lag() const;

 private:
  friend class Log;
  friend class MemoryLog;

  const Kind kind_;
  Pass* const pass_;
  Task* const task_;
  Log* log_ = nullptr;  // the loop's thread

  // Guarded by the log's lock.
  Position next_;  // what it reads next
  ChunkRef at_;    // where next_ lies, if known
  uint32_t at_bytes_ = 0;
  uint64_t in_flight_ = 0;
  Micros in_flight_oldest_ = 0;
  bool parked_ = false, waiting_ = false, loss_told_ = false;
  uint64_t next_notice_ = 0;
  uint64_t accepted_before_ = 0;  // what the log had accepted when it was attached
  Ledger counts_;                 // delivered, filtered, dropped
  Loss loss_;
};

}  // namespace tailrace

#pragma once
// A store in a process of its own, which does what it is told and may be killed at any moment.

#include <string>

#include "tests/model/wire.h"

namespace tailrace::model {

/// How the URL of a drain with a filter ends, and what that wants.
inline constexpr std::string_view kFiltered = "?filtered";
inline bool wanted(std::string_view message) {
  return message.size() % 3 != 0;
}

struct StoreBounds {
  uint64_t segment_bytes = 1 << 20, disk_bytes = uint64_t{1} << 30, channel_bytes = uint64_t{1} << 30;
  bool durable = true;
};

/// Runs a store on `dir` until it is told to stop, or its peer is gone; then ends the process.
///
///   {"op":"append","id":1,"channel":"7","messages":["…"]}  → {"id":1,"first":n}, or "first":null: no room
///   {"op":"read","drain":3,"bytes":1000}                   → {"records":[[n,"…"],…]}
///   {"op":"settle","drain":3,"records":5,"how":"delivered|filtered|refused"}
///   {"op":"ledger"}         → {"channels":{"7":{"accepted":9,"drains":{"3":{…}}}}}
///   {"op":"add channel"} · {"op":"add drain","channel":"7"} · {"op":"remove drain",…} · {"op":"remove
///   channel",…}
///   {"op":"fault","kind":"none|full|sync|short"}
///   {"op":"stop"}           → {"stopped":true}
///
/// At its start it sends the answer of "ledger", or {"error":"…"}. `undo`: what a power cut would lose.
[[noreturn]] void run_store(Wire& wire, const std::string& dir, const std::string& undo, StoreBounds bounds);

}  // namespace tailrace::model

#include "metrics/rollup/log_reader.h"

#include <algorithm>
#include <chrono>

#include "channels/chunk.h"
#include "channels/log.h"

namespace tailrace {

LogReader::LogReader(Log& log, Loop& loop, Position from)
    : loop_(loop), work_(loop.io.get_executor()), cursor_(CursorKind::tail, loop.pass, *this) {
  loop_.io.restart();  // it ended with the work of the reader before
  cursor_.attach(log, Place::behind({std::max<uint64_t>(from.value, 1) - 1}));
}

LogReader::~LogReader() {
  cursor_.detach();
  loop_.pass.forget(*this);
}

Slice LogReader::next(const std::stop_token& stop) {
  // What was fetched between a read and park() may be that there is nothing: so it looks once more before it
  // waits.
  for (bool parked = false; !stop.stop_requested();) {
    Read read = cursor_.read(kMaxChunk);
    if (!read.slice.empty()) return std::move(read.slice);
    if (!read.fetching && read.empty()) return {};
    if (!read.fetching) continue;
    if (!parked) {
      woken_ = false;
      parked = cursor_.park();
      continue;
    }
    while (!woken_ && !stop.stop_requested()) loop_.io.run_one_for(std::chrono::milliseconds(50));
    parked = false;
  }
  return {};
}

}  // namespace tailrace

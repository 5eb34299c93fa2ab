#include "metrics/rollup/log_reader.h"

#include <algorithm>
#include <chrono>

#include "channels/chunk.h"
#include "channels/log.h"

namespace tailrace {

LogReader::LogReader(Log& log, Loop& loop, Position from)
    : loop_(loop), work_(loop.io.get_executor()), cursor_(CursorKind::tail, loop.pass, *this) {
  cursor_.attach(log, Place::behind({std::max<uint64_t>(from.value, 1) - 1}));
}

LogReader::~LogReader() {
  cursor_.detach();
  loop_.pass.forget(*this);
}

Slice LogReader::next(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    woken_ = false;
    Read read = cursor_.read(kMaxChunk);
    lost_ += read.loss.records;
    if (!read.slice.empty()) return std::move(read.slice);
    if (!read.fetching) {
      if (read.empty()) return {};
      continue;
    }
    if (!cursor_.park()) continue;
    while (!woken_ && !stop.stop_requested()) loop_.io.run_one_for(std::chrono::milliseconds(50));
  }
  return {};
}

}  // namespace tailrace

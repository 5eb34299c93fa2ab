#include "channels/disk/found_runs.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace tailrace {
namespace {

bool newer(const FoundRun& a, const FoundRun& b) {
  return std::tie(a.segment, a.offset) > std::tie(b.segment, b.offset);
}

/// std::priority_queue gives the greatest first: the lowest number, of two the newer.
struct Later {
  bool operator()(const FoundRun& a, const FoundRun& b) const {
    return a.number != b.number ? a.number > b.number : newer(b, a);
  }
};

FoundRun without_front(FoundRun run, uint64_t until) {
  const auto cut = uint32_t(until - run.number);
  run.number += cut, run.ordinal += cut, run.records -= cut;
  return run;
}

}  // namespace

void merge_runs(std::vector<FoundRun>& runs) {
  std::priority_queue<FoundRun, std::vector<FoundRun>, Later> waiting(Later{}, std::move(runs));
  runs.clear();
  while (!waiting.empty()) {
    const FoundRun next = waiting.top();
    waiting.pop();
    if (runs.empty() || runs.back().end_number() <= next.number) {
      runs.push_back(next);
      continue;
    }
    FoundRun& last = runs.back();
    if (newer(last, next)) {
      if (next.end_number() > last.end_number()) waiting.push(without_front(next, last.end_number()));
      continue;
    }
    if (last.end_number() > next.end_number()) waiting.push(without_front(last, next.end_number()));
    last.records = uint32_t(next.number - last.number);
    runs.push_back(next);
  }
}

}  // namespace tailrace

#include <algorithm>

#include "metrics/rollup/rollup_store.h"

namespace tailrace {

void RollupDelta::add(OpenWindows::Taken taken, const std::function<SeriesName(SeriesId)>& name) {
  std::map<SeriesId, SeriesName> names;  // of many windows the same
  for (auto& [span, window] : taken.windows) {
    SeriesCells& cells = windows[span];
    window.for_each([&](SeriesId series, const Cell& cell) {
      auto known = names.find(series);
      if (known == names.end()) known = names.emplace(series, name(series)).first;
      cells[known->second].merge(cell);
    });
    window = OpenWindow();  // its memory is not there twice
  }
  covered.merge(taken.covered);
  records += taken.records;
  late += taken.late;
  raise(whole_from, taken.whole_from);
}

void RollupDelta::merge(RollupDelta other) {
  for (auto& [span, theirs] : other.windows) {
    SeriesCells& ours = windows[span];
    for (auto& [name, cell] : theirs) {
      const auto [place, fresh] = ours.try_emplace(name);
      if (fresh)
        place->second = std::move(cell);
      else
        place->second.merge(cell);
    }
  }
  covered.merge(other.covered);
  marks.insert(marks.end(), std::make_move_iterator(other.marks.begin()),
               std::make_move_iterator(other.marks.end()));
  if (marks.size() > kMostMarks) {
    std::ranges::sort(marks);
    marks.erase(marks.begin(), marks.end() - kMostMarks);
  }
  records += other.records;
  late += other.late;
  raise(whole_from, other.whole_from);
}

}  // namespace tailrace

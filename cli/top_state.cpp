#include "cli/top_state.h"

#include <algorithm>

namespace tailrace {

bool TopState::press(const Key& key, const TopModel& model, size_t page) {
  if (filtering) return type(key), true;
  if (help) return help = false, true;
  const long one_page = long(std::max<size_t>(page, 2)) - 1;
  const std::string_view typed = key.kind == Key::character ? std::string_view(key.text) : "";
  if (key.kind == Key::up || typed == "k") move(-1, model);
  if (key.kind == Key::down || typed == "j") move(1, model);
  if (key.kind == Key::page_up) move(-one_page, model);
  if (key.kind == Key::page_down || typed == " ") move(one_page, model);
  if (key.kind == Key::home || typed == "g") move(-1'000'000'000, model);
  if (key.kind == Key::end || typed == "G") move(1'000'000'000, model);
  if ((key.kind == Key::enter || key.kind == Key::right || typed == "l") && entered.empty())
    entered = selected;
  if (key.kind == Key::escape && entered.empty()) filter.clear();
  if (key.kind == Key::escape || key.kind == Key::left || key.kind == Key::backspace || typed == "h")
    entered.clear();
  if (typed == "/") filtering = true, entered.clear();
  if (typed == "s") sort = TopSort((size_t(sort) + 1) % 6), first = 0;
  if (typed == "p") paused = !paused;
  if (typed == "?") help = true;
  if (typed == "q" && !entered.empty()) return entered.clear(), true;
  return typed != "q";
}

void TopState::type(const Key& key) {
  if (key.kind == Key::enter) filtering = false;
  if (key.kind == Key::escape) filtering = false, filter.clear();
  if (key.kind == Key::character) filter += key.text;
  if (key.kind == Key::backspace && !filter.empty()) {
    while (filter.size() > 1 && (uint8_t(filter.back()) & 0xc0) == 0x80) filter.pop_back();
    filter.pop_back();
  }
}

void TopState::move(long by, const TopModel& model) {
  const auto all = model.sorted(sort, filter);
  if (all.empty()) return;
  const auto found = std::ranges::find(all, selected, &TopChannel::id);
  const long at = found == all.end() ? 0 : found - all.begin();
  const long to = std::clamp(at + by, 0L, long(all.size()) - 1);
  moved_ = to > 0;
  selected = all[size_t(to)]->id;
}

std::vector<const TopChannel*> TopState::shown(const TopModel& model, size_t page) {
  if (!entered.empty() && !model.find(entered)) entered.clear();
  const auto all = model.sorted(sort, filter);
  const auto found = std::ranges::find(all, selected, &TopChannel::id);
  moved_ = moved_ && found != all.end();
  if (!moved_) selected = all.empty() ? "" : all.front()->id;
  const size_t at = moved_ ? size_t(found - all.begin()) : 0;
  if (at < first) first = at;
  if (page > 0 && at >= first + page) first = at - page + 1;
  first = std::min(first, all.size() - std::min(all.size(), page));
  const size_t end = std::min(all.size(), first + page);
  return {all.begin() + long(first), all.begin() + long(end)};
}

}  // namespace tailrace

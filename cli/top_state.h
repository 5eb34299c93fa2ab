#pragma once
// Where somebody is in `top`, and what keys do there.

#include <string>
#include <vector>

#include "cli/keys.h"
#include "cli/top_model.h"

namespace tailrace {

struct TopState {
  std::string selected;  // a channel's id: the first of the list until somebody moves
  std::string entered;   // the one whose drains are shown; empty: the list of channels
  std::string filter;
  TopSort sort = TopSort::worst;
  size_t first = 0;  // the row at the top of the list
  bool filtering = false, paused = false, help = false;

  /// False: quit. `page`: rows of the list that show.
  bool press(const Key& key, const TopModel& model, size_t page);
  /// The selection is there and shows, whatever the list has become. Returns what shows.
  std::vector<const TopChannel*> shown(const TopModel& model, size_t page);

 private:
  void move(long by, const TopModel& model);
  void type(const Key& key);

  bool moved_ = false;
};

}  // namespace tailrace

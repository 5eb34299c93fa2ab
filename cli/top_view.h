#pragma once
// What `top` looks like.

#include <string>

#include "cli/screen.h"
#include "cli/top_model.h"
#include "cli/top_state.h"

namespace tailrace {

/// Where the data is from, and how that goes.
struct TopStatus {
  std::string url;
  std::string trouble;  // why there is no answer now; empty: there is one
  Micros answered_at = 0;
  Micros now = 0;
};

/// Rows of the list on a screen so high.
size_t top_page(int rows);

void draw_top(Screen& screen, const TopModel& model, TopState& state, const TopStatus& status);

/// The same without a terminal: all rows of `channels`, each with its drains that are not well.
std::string top_text(const std::vector<const TopChannel*>& channels, const TopModel& model,
                     const TopStatus& status);
std::string top_json(const std::vector<const TopChannel*>& channels, const TopStatus& status);

}  // namespace tailrace

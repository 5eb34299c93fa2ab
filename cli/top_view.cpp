#include "cli/top_view.h"

#include <algorithm>
#include <functional>
#include <span>

#include "base/time_text.h"
#include "cli/line_text.h"
#include "cli/top_words.h"

namespace tailrace {
namespace {

constexpr Style plain, strong{.bold = true}, faint{.dim = true}, bar{.reverse = true};
constexpr Style red{.color = 160, .bold = true}, yellow{.color = 136}, green{.color = 34};

struct Text {
  std::string text;
  Style style;
};

/// One column of a table. Those that matter most come first where there is little room.
template <class Row>
struct Column {
  std::string_view title;
  int width;
  int rank;  // 0: always shown
  bool right;
  std::function<Text(const Row&)> show;
};

Style style_of_state(std::string_view state) {
  return state == "failing" ? red : state == "paused" ? yellow : state == "ok" ? green : plain;
}

std::string name_of(const TopChannel& channel) {
  return one_line(channel.name.empty() ? channel.id : channel.name + " (" + channel.id + ")");
}

/// `2 ok, 1 failing`
Text drains_of(const TopChannel& channel) {
  std::string text;
  Style style = plain;
  for (const char* state : {"failing", "paused", "pending", "ok"}) {
    const size_t count = channel.drains_in(state);
    if (count == 0) continue;
    if (text.empty() && std::string_view(state) != "pending") style = style_of_state(state);
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + state;
  }
  if (text.empty() && !channel.drains.empty()) text = std::to_string(channel.drains.size());
  return {text.empty() ? "-" : text, style};
}

Text lost_text(const TopChannel& c) {
  return {figure(c.lost()), c.losing() ? red : c.lost() ? yellow : plain};
}

const std::vector<Column<TopChannel>>& channel_columns() {
  static const std::vector<Column<TopChannel>> all = {
      {"RECORDS/S", 10, 1, true, [](const auto& c) { return Text{figure(c.records.per_second()), plain}; }},
      {"REQ/S", 8, 6, true, [](const auto& c) { return Text{figure(c.requests_per_second), plain}; }},
      {"P50", 8, 5, true, [](const auto& c) { return Text{time_figure(c.p50), plain}; }},
      {"P95", 8, 3, true, [](const auto& c) { return Text{time_figure(c.p95), plain}; }},
      {"P99", 8, 2, true, [](const auto& c) { return Text{time_figure(c.p99), plain}; }},
      {"ERRORS", 8, 2, true,
       [](const auto& c) {
         return Text{share_figure(c.error_share()), c.error_share().value_or(0) >= 0.01 ? red : plain};
       }},
      {"RECORDS", 9, 7, true, [](const auto& c) { return Text{figure(c.records.value()), plain}; }},
      {"WAITING", 9, 4, true, [](const auto& c) { return Text{figure(c.waiting()), plain}; }},
      {"LOST", 8, 1, true, lost_text},
      {"DRAINS", 18, 1, false, drains_of},
  };
  return all;
}

std::vector<Column<TopDrain>> drain_columns(Micros now) {
  return {
      {"STATE", 8, 0, false,
       [](const auto& d) {
         return Text{d.state.empty() ? "?" : one_line(d.state), style_of_state(d.state)};
       }},
      {"SINCE", 6, 2, true, [now](const auto& d) { return Text{age_figure(d.since, now), plain}; }},
      {"LAG", 7, 2, true, [](const auto& d) { return Text{time_figure(d.lag_seconds), plain}; }},
      {"WAITING", 8, 1, true, [](const auto& d) { return Text{figure(d.buffered), plain}; }},
      {"SENT/S", 8, 1, true, [](const auto& d) { return Text{figure(d.delivered.per_second()), plain}; }},
      {"SENT", 8, 3, true, [](const auto& d) { return Text{figure(d.delivered.value()), plain}; }},
      {"DROPPED", 8, 1, true,
       [](const auto& d) { return Text{figure(d.dropped.value()), d.dropped.value() ? red : plain}; }},
      {"FILTERED", 9, 2, true,
       [](const auto& d) { return Text{figure(d.filtered.value()), d.filtered.value() ? yellow : plain}; }},
  };
}

/// Which columns have room beside `first_width`, by rank.
template <class Row>
std::vector<const Column<Row>*> fitting(std::span<const Column<Row>> all, int room) {
  std::vector<const Column<Row>*> chosen;
  for (const auto& column : all) chosen.push_back(&column);
  const auto width = [&] {
    int sum = 0;
    for (const auto* column : chosen) sum += column->width + 1;
    return sum;
  };
  while (!chosen.empty() && width() > room) {
    const auto least = std::ranges::max_element(chosen, {}, [](const auto* column) { return column->rank; });
    if ((*least)->rank == 0) break;
    chosen.erase(least);
  }
  return chosen;
}

template <class Row>
void draw_titles(Screen& screen, int row, std::string_view first, int first_width,
                 const std::vector<const Column<Row>*>& columns) {
  screen.fill(row, bar);
  screen.put(row, 0, first, bar, first_width);
  int at = first_width;
  for (const auto* column : columns) {
    if (column->right)
      screen.put_right(row, at + 1 + column->width, column->title, bar, column->width);
    else
      screen.put(row, at + 1, column->title, bar, column->width);
    at += column->width + 1;
  }
}

template <class Row>
void draw_row(Screen& screen, int row, std::string_view first, int first_width,
              const std::vector<const Column<Row>*>& columns, const Row& data, bool selected) {
  const auto styled = [&](Style style) {
    style.reverse = selected;
    return style;
  };
  if (selected) screen.fill(row, bar);
  screen.put(row, 0, first, styled(plain), first_width);
  int at = first_width;
  for (const auto* column : columns) {
    const Text shown = column->show(data);
    if (column->right)
      screen.put_right(row, at + 1 + column->width, shown.text, styled(shown.style), column->width);
    else
      screen.put(row, at + 1, shown.text, styled(shown.style), column->width);
    at += column->width + 1;
  }
}

template <class Row>
int first_width_for(const Screen& screen, const std::vector<const Column<Row>*>& columns, int most) {
  int room = screen.columns();
  for (const auto* column : columns) room -= column->width + 1;
  return std::clamp(room, 4, most);
}

std::string counted(size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

void draw_head(Screen& screen, const TopModel& model, const TopState& state, const TopStatus& status) {
  int at = screen.put(0, 0, "tailrace top", strong);
  at = screen.put(0, at + 2, one_line(status.url), plain);
  at = screen.put(0, at + 2, rfc3339_seconds(status.now).substr(11, 8), faint);
  if (!status.trouble.empty()) {
    const std::string since = status.answered_at ? " for " + age_figure(status.answered_at, status.now) : "";
    screen.put(1, 0, "no answer" + since + ", trying again: " + one_line(status.trouble), red);
    return;
  }
  if (state.paused) screen.put(0, at + 2, "PAUSED, p goes on", yellow);
  const auto states = model.drain_states();
  size_t drains = 0;
  for (const auto& [name, count] : states) drains += count;
  at = screen.put(1, 0,
                  counted(model.channels(), "channel") + ", " +
                      figure(std::optional(model.records_per_second())) + " records/s, " +
                      counted(drains, "drain"));
  for (const char* bad : {"failing", "paused"})
    if (const auto found = states.find(bad); found != states.end())
      at = screen.put(1, at, ", " + std::to_string(found->second) + " " + bad, style_of_state(bad));
  if (!state.filter.empty()) screen.put(1, at + 2, "filter: " + one_line(state.filter), yellow);
}

void draw_foot(Screen& screen, const TopState& state) {
  const int row = screen.rows() - 1;
  if (state.filtering) {
    const int at = screen.put(row, 0, "filter: " + one_line(state.filter), strong);
    screen.put(row, at, "_", strong);
    return;
  }
  screen.put(row, 0,
             state.entered.empty() ? "q quit  enter drains  / filter  s sort: " +
                                         std::string(to_string(state.sort)) + "  p pause  ? help"
                                   : "q back  p pause  ? help",
             faint);
}

void draw_help(Screen& screen) {
  constexpr std::string_view lines[] = {
      "j k, arrows      move            g G, home, end   first, last",
      "enter            its drains      esc, h           back",
      "/                filter by name  s                sort: worst, name, rate, p99,",
      "p                pause                            errors, loss",
      "q, ^C            quit            ?                this",
      "",
      "RECORDS/S, REQ/S  what came since the last look; requests of the last minute",
      "P50 P95 P99       router.service, the last minute",
      "ERRORS            share of requests with a status of 5xx since the last look",
      "WAITING           records that drains have still to send",
      "LOST, DROPPED     records given up: red while it goes on",
      "FILTERED          records that a drain's own filter did not want: no loss",
      "",
      "any key goes back",
  };
  int row = 3;
  for (const std::string_view line : lines)
    if (row < screen.rows() - 1) screen.put(row++, 2, line);
}

void draw_drains(Screen& screen, const TopChannel& channel, const TopStatus& status) {
  screen.put(2, 0, name_of(channel), strong);
  const Text lost = lost_text(channel);
  int at = screen.put(
      3, 0,
      figure(channel.records.per_second()) + " records/s, " + figure(channel.requests_per_second) +
          " requests/s, service p50 " + time_figure(channel.p50) + " p95 " + time_figure(channel.p95) +
          " p99 " + time_figure(channel.p99) + ", errors " + share_figure(channel.error_share()) + ", lost ");
  screen.put(3, at, lost.text, lost.style);
  const auto all = drain_columns(status.now);
  const auto columns = fitting<TopDrain>(all, screen.columns() - 10);
  const int width = first_width_for<TopDrain>(screen, columns, 10);
  draw_titles<TopDrain>(screen, 5, "DRAIN", width, columns);
  int used = width + 1;
  for (const auto* column : columns) used += column->width + 1;
  if (used + 10 < screen.columns()) screen.put(5, used, "CAUSE", bar);
  int row = 6;
  for (const TopDrain& drain : channel.drains) {
    if (row >= screen.rows() - 1) break;
    draw_row<TopDrain>(screen, row, one_line(drain.id.empty() ? drain.token : drain.id), width, columns,
                       drain, false);
    const std::string cause = one_line(drain.cause.empty() ? drain.url : drain.cause);
    const Style style = drain.cause.empty() ? faint : plain;
    if (used + std::max(10, screen_width(cause)) < screen.columns()) {
      screen.put(row, used, cause, style);
    } else if (!cause.empty() && row + 2 < screen.rows()) {
      screen.put(++row, 2, cause, style);
    }
    ++row;
  }
  if (channel.drains.empty()) screen.put(row, 0, "no drains", faint);
}

}  // namespace

size_t top_page(int rows) {
  return size_t(std::max(rows - 4, 1));
}

void draw_top(Screen& screen, const TopModel& model, TopState& state, const TopStatus& status) {
  const std::vector<const TopChannel*> shown = state.shown(model, top_page(screen.rows()));
  draw_head(screen, model, state, status);
  draw_foot(screen, state);
  if (state.help) return draw_help(screen);
  if (const TopChannel* entered = state.entered.empty() ? nullptr : model.find(state.entered))
    return draw_drains(screen, *entered, status);
  const auto columns = fitting<TopChannel>(channel_columns(), screen.columns() - 14);
  const int width = first_width_for<TopChannel>(screen, columns, 40);
  draw_titles<TopChannel>(screen, 2, "CHANNEL", width, columns);
  int row = 3;
  for (const TopChannel* channel : shown) {
    if (row >= screen.rows() - 1) break;
    draw_row<TopChannel>(screen, row++, name_of(*channel), width, columns, *channel,
                         channel->id == state.selected);
  }
  if (shown.empty())
    screen.put(3, 0, model.channels() ? "none has this in its name" : "no channels yet", faint);
}

std::string top_text(const std::vector<const TopChannel*>& channels, const TopModel& model,
                     const TopStatus& status) {
  const auto drain_columns_now = drain_columns(status.now);
  const auto columns = fitting<TopChannel>(channel_columns(), 1000);
  const auto of_drains = fitting<TopDrain>(drain_columns_now, 1000);
  size_t drains = 0, longest = std::string_view("CHANNEL DRAIN").size();
  for (const TopChannel* channel : channels) {
    drains += channel->drains.size();
    longest = std::max(longest, size_t(screen_width(name_of(*channel))));
  }
  Screen screen(int(channels.size() + drains + 4), int(std::min<size_t>(longest, 40)) + 120);
  const int width = first_width_for<TopChannel>(screen, columns, int(std::min<size_t>(longest, 40)) + 1);
  TopState nobody;
  draw_head(screen, model, nobody, status);
  draw_titles<TopChannel>(screen, 2, "CHANNEL", width, columns);
  int row = 3;
  for (const TopChannel* channel : channels)
    draw_row<TopChannel>(screen, row++, name_of(*channel), width, columns, *channel, false);
  if (drains > 0) draw_titles<TopDrain>(screen, row++, "CHANNEL DRAIN", width, of_drains);
  for (const TopChannel* channel : channels)
    for (const TopDrain& drain : channel->drains) {
      const std::string name = one_line(channel->id + " " + (drain.id.empty() ? drain.token : drain.id));
      draw_row<TopDrain>(screen, row, name, width, of_drains, drain, false);
      int used = width + 1;
      for (const auto* column : of_drains) used += column->width + 1;
      screen.put(row++, used, one_line(drain.cause));
    }
  std::string text = screen.text();
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace tailrace

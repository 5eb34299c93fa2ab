#include "metrics/series/offenders.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

namespace tailrace {
namespace {

constexpr size_t kLongPiece = 24, kHexPiece = 6, kDigits = 3;
constexpr size_t kAlike = 10;         // templates that differ in one piece only, until that is `*`
constexpr size_t kPiecesJudged = 12;  // of a name; each costs a pass over the templates

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_separator(char c) {
  return c == '.' || c == '/' || c == ':' || c == '-' || c == '_';
}

// 8-4-4-4-12 hex digits, with the end of the label or a separator behind them.
bool begins_with_uuid(std::string_view text) {
  constexpr size_t kSize = 36;
  if (text.size() < kSize || (text.size() > kSize && !is_separator(text[kSize]))) return false;
  for (size_t i = 0; i < kSize; ++i)
    if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !is_hex(text[i])) return false;
  return true;
}

void append_piece(std::string& out, std::string_view piece) {
  const bool digits = std::any_of(piece.begin(), piece.end(), is_digit);
  const bool all_digits = digits && std::all_of(piece.begin(), piece.end(), is_digit);
  const bool hex = digits && piece.size() >= kHexPiece && std::all_of(piece.begin(), piece.end(), is_hex);
  if (all_digits || hex || piece.size() > kLongPiece) {
    out += '*';
    return;
  }
  // `user1234` is `user*`, but `p99` and `5xx` stay.
  while (!piece.empty()) {
    const auto run =
        static_cast<size_t>(std::find_if_not(piece.begin(), piece.end(), is_digit) - piece.begin());
    if (run >= kDigits)
      out += '*';
    else
      out += piece.substr(0, std::max<size_t>(run, 1));
    piece.remove_prefix(std::max<size_t>(run, 1));
  }
}

// use(begin, size) of each piece.
template <class F>
void for_each_piece_of(std::string_view label, F&& use) {
  for (size_t at = 0; at <= label.size();) {
    size_t end = at;
    while (end < label.size() && !is_separator(label[end])) ++end;
    use(at, end - at);
    at = end + 1;
  }
}

// Templates while they are grouped.
struct Template {
  SeriesKind kind;
  std::string name, source;
  auto operator<=>(const Template&) const = default;
};
struct Group {
  double weight = 0;
  SeriesName example;
};
using Groups = std::map<Template, Group>;

void add_to(Groups& groups, Template where, double weight, const SeriesName& example) {
  const auto [at, fresh] = groups.try_emplace(std::move(where));
  if (fresh) at->second.example = example;
  at->second.weight += weight;
}

/// One place (a piece of the name, or the source) whose differences are given up wherever there are many.
template <class Starred>
void give_up_differences(Groups& groups, Starred&& starred) {
  std::map<Template, size_t> alike;
  for (const auto& [where, group] : groups)
    if (const auto general = starred(where)) ++alike[*general];
  std::erase_if(alike, [](const auto& entry) { return entry.second < kAlike; });
  if (alike.empty()) return;
  Groups after;
  for (auto& [where, group] : groups) {
    const auto general = starred(where);
    add_to(after, general && alike.contains(*general) ? *general : where, group.weight, group.example);
  }
  groups = std::move(after);
}

std::optional<Template> with_piece_starred(const Template& where, size_t wanted) {
  std::optional<Template> general;
  size_t i = 0;
  for_each_piece_of(where.name, [&](size_t at, size_t size) {
    if (i++ != wanted) return;
    general = where;
    general->name.replace(at, size, "*");
  });
  return general;
}

}  // namespace

std::string label_template(std::string_view label) {
  std::string out;
  while (true) {
    if (begins_with_uuid(label)) {
      out += '*';
      label.remove_prefix(36);
    } else {
      const auto size =
          static_cast<size_t>(std::find_if(label.begin(), label.end(), is_separator) - label.begin());
      append_piece(out, label.substr(0, size));
      label.remove_prefix(size);
    }
    if (label.empty()) return out;
    out += label.front();
    label.remove_prefix(1);
  }
}

std::vector<Offender> top_offenders(std::span<const WeightedSeries> series, size_t most) {
  Groups groups;
  for (const WeightedSeries& s : series)
    add_to(groups, {s.series.kind, label_template(s.series.name), label_template(s.series.source)}, s.weight,
           s.series);
  give_up_differences(groups, [](const Template& where) {
    return std::optional(Template{where.kind, where.name, where.source.empty() ? "" : "*"});
  });
  for (size_t piece = 0; piece < kPiecesJudged; ++piece)
    give_up_differences(groups, [&](const Template& where) { return with_piece_starred(where, piece); });

  std::vector<Offender> top;
  for (auto& [where, group] : groups)
    top.push_back({where.kind, where.name, where.source, static_cast<uint64_t>(std::llround(group.weight)),
                   std::move(group.example)});
  std::stable_sort(top.begin(), top.end(),
                   [](const Offender& a, const Offender& b) { return a.series > b.series; });
  if (top.size() > most) top.resize(most);
  return top;
}

}  // namespace tailrace

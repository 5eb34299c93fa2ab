#include "cli/keys.h"

#include <map>

namespace tailrace {
namespace {

Key::Kind named(std::string_view sequence) {
  static const std::map<std::string_view, Key::Kind> all = {
      {"[A", Key::up},   {"[B", Key::down},     {"[C", Key::right},     {"[D", Key::left}, {"OA", Key::up},
      {"OB", Key::down}, {"OC", Key::right},    {"OD", Key::left},      {"[H", Key::home}, {"[F", Key::end},
      {"OH", Key::home}, {"OF", Key::end},      {"[1~", Key::home},     {"[4~", Key::end}, {"[7~", Key::home},
      {"[8~", Key::end}, {"[5~", Key::page_up}, {"[6~", Key::page_down}};
  const auto found = all.find(sequence);
  return found == all.end() ? Key::other : found->second;
}

/// The bytes of the sequence that begins with ESC; 0: it is not whole.
size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return 0;
  if (text[1] == 'O') return text.size() < 3 ? 0 : 3;
  if (text[1] != '[') return 1;  // ESC itself; the rest is another key
  for (size_t i = 2; i < text.size(); ++i)
    if (text[i] >= 0x40 && text[i] <= 0x7e) return i + 1;
  return text.size() > 32 ? text.size() : 0;  // no terminal sends that
}

size_t character_length(uint8_t first) {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

Key control(char c) {
  switch (c) {
    case '\r':
    case '\n':
      return {Key::enter, {}};
    case 0x7f:
    case '\b':
      return {Key::backspace, {}};
    case 3:
      return {Key::interrupt, {}};
    case 26:
      return {Key::suspend, {}};
    case 12:
      return {Key::redraw, {}};
    default:
      return {Key::other, {}};
  }
}

}  // namespace

std::vector<Key> KeyReader::add(std::string_view bytes) {
  begun_ += bytes;
  std::vector<Key> keys;
  std::string_view rest = begun_;
  while (!rest.empty()) {
    size_t length = 1;
    if (rest[0] == '\x1b') {
      length = sequence_length(rest);
      if (length == 0) break;
      keys.push_back({length == 1 ? Key::escape : named(rest.substr(1, length - 1)), {}});
    } else if (uint8_t(rest[0]) < 0x20 || rest[0] == 0x7f) {
      keys.push_back(control(rest[0]));
    } else {
      length = character_length(uint8_t(rest[0]));
      if (length > rest.size()) break;
      keys.push_back({Key::character, std::string(rest.substr(0, length))});
    }
    rest.remove_prefix(length);
  }
  begun_ = std::string(rest);
  return keys;
}

std::vector<Key> KeyReader::quiet() {
  const bool escape = begun_.starts_with('\x1b');
  begun_.clear();
  return escape ? std::vector<Key>{{Key::escape, {}}} : std::vector<Key>{};
}

}  // namespace tailrace

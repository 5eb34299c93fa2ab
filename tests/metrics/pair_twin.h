#pragma once
// The slow, obvious twin of pair_walk.h: cuts a line into its pairs. Shares no code with it.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace tailrace {

inline bool twin_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

struct TwinPair {
  std::string name;
  size_t at, size;  // of the value
};

inline std::vector<TwinPair> twin_pairs_at(const std::string& line) {
  std::vector<TwinPair> pairs;
  size_t i = 0;
  while (i < line.size()) {
    if (twin_blank(line[i])) {
      ++i;
      continue;
    }
    std::string name;
    while (i < line.size() && !twin_blank(line[i]) && line[i] != '=') name += line[i++];
    if (i < line.size() && line[i] == '=') {
      size_t at = ++i, size = 0;
      const bool quoted =
          !name.empty() && name.find('"') == std::string::npos && i < line.size() && line[i] == '"';
      if (quoted) {
        at = ++i;
        bool closed = false, escaped = false;
        while (i < line.size() && !closed) {
          const char c = line[i++];
          if (c == '"' && !escaped)
            closed = true;
          else
            ++size;
          escaped = c == '\\' && !escaped;
        }
        if (!closed) return pairs;
      } else {
        while (i < line.size() && !twin_blank(line[i])) ++size, ++i;
      }
      if (!name.empty() && name.find('"') == std::string::npos) pairs.push_back({name, at, size});
    }
    while (i < line.size() && !twin_blank(line[i])) ++i;
  }
  return pairs;
}

inline std::vector<std::pair<std::string, std::string>> twin_pairs(const std::string& line) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const TwinPair& pair : twin_pairs_at(line))
    pairs.emplace_back(pair.name, line.substr(pair.at, pair.size));
  return pairs;
}

}  // namespace tailrace
